"""`noisylabels experiment plan | run | collect | report`: controlled noisy-label experiments."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noisylabels.commands.options import SOME_FAILED, Scheduler, counting

if TYPE_CHECKING:
    from noisylabels.experiments.runner import Planned

app = typer.Typer()
experiment = typer.Typer(no_args_is_help=True, help="Controlled noisy-label experiments: declare, run, read curves.")
app.add_typer(experiment, name="experiment")

Declared = Annotated[str, typer.Argument(help="A YAML declaration, or a shipped one: tiny, misses, ...")]
Out = Annotated[Path | None, typer.Option(help="Folder of the experiment; experiments-<name> if not given.")]
Data = Annotated[Path | None, typer.Option(help="Folder of the images that a declaration calls $data.")]


@experiment.command()
def plan(
    declaration: Declared,
    out: Out = None,
    data: Data = None,
    probe: bool = typer.Option(True, help="Time one epoch."),
) -> None:
    """Print the runs, where they stand, and how long the rest will take."""
    from noisylabels.experiments import runner
    from noisylabels.experiments.reading import read_declaration

    declared = read_declaration(declaration, data=data)
    folder = out or Path(f"experiments-{declared.name}")
    planned = runner.plan(declared, folder)
    for item in planned:
        typer.echo(_line(item))
    missing = sum(item.state != "done" for item in planned)
    seconds = runner.estimate_seconds(planned)
    if seconds is None and probe and missing:
        seconds = runner.probe_seconds(declared, folder)
    estimate = f", about {missing * seconds / 60:.0f} minutes to go" if seconds else ""
    typer.echo(f"{len(planned)} runs, {len(planned) - missing} done{estimate}")


@experiment.command()
def run(
    declaration: Declared,
    out: Out = None,
    data: Data = None,
    shard: Annotated[str, typer.Option(help="i/n: do the i-th of n shares of the runs.")] = "1/1",
    only_failed: Annotated[bool, typer.Option(help="Do only what failed before.")] = False,
    scheduler: Scheduler = None,
) -> None:
    """Train every run that is not done yet; start it again after a kill and it goes on."""
    from noisylabels.experiments import runner
    from noisylabels.experiments.reading import read_declaration
    from noisylabels.parallel import DaskCluster, Shard

    declared = read_declaration(declaration, data=data)
    folder = out or Path(f"experiments-{declared.name}")
    share, engine = Shard.parse(shard), DaskCluster(scheduler, ahead=1) if scheduler else None
    failed = []
    with counting(declared.name, None) as advance:
        for item in runner.run_grid(declared, folder, shard=share, only_failed=only_failed, engine=engine):
            typer.echo(_line(item))
            failed += [item] if item.state == "failed" else []
            advance()
    for item in failed:
        first = (folder / "runs" / item.run_id / runner.FAILURE).read_text().splitlines()[0]
        typer.echo(f"noisylabels: run {item.run_id} failed: {first}", err=True)
    if failed:
        raise typer.Exit(SOME_FAILED)


@experiment.command()
def collect(declaration: Declared, out: Out = None, data: Data = None) -> None:
    """Join the tables of all done runs: Parquet and CSV in tables/."""
    from noisylabels.experiments import collection, runner
    from noisylabels.experiments.reading import read_declaration

    declared = read_declaration(declaration, data=data)
    folder = out or Path(f"experiments-{declared.name}")
    tables = collection.collect(runner.plan(declared, folder), folder)
    typer.echo(f"{folder / 'tables'}: " + ", ".join(f"{name} {len(table)} rows" for name, table in tables.items()))


@experiment.command()
def report(
    declaration: Declared,
    out: Out = None,
    data: Data = None,
    publish: Annotated[
        Path | None, typer.Option(help="Folder that gets it as Markdown, with tables and figures.")
    ] = None,
) -> None:
    """Write report.html with curves, differences and the commands that repeat each run."""
    from noisylabels.experiments import runner
    from noisylabels.experiments.reading import read_declaration
    from noisylabels.experiments.report import report as write_report

    declared = read_declaration(declaration, data=data)
    folder = out or Path(f"experiments-{declared.name}")
    typer.echo(str(write_report(declared, runner.plan(declared, folder), folder, publish=publish)))


def _line(item: "Planned") -> str:
    run_ = item.run
    size = "all" if run_.n_train is None else run_.n_train
    seeds = f"seeds {run_.noise_seed}/{run_.weights_seed}/{run_.order_seed}/{run_.split_seed}"
    seconds = "" if item.seconds is None else f" {item.seconds:.0f} s"
    return f"{item.run_id}  {run_.noise} {run_.dose:g}  {run_.method}  n={size}  {seeds}  {item.state}{seconds}"
