"""`noisylabels cip`: label maps of a conventional pipeline."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noisylabels.commands.options import SOME_FAILED, Name, Overwrite, Workers, counting

if TYPE_CHECKING:
    from noisylabels.cip.labelling import Outcome, Pipeline, Task

app = typer.Typer()


@app.command()
def cip(
    source: Annotated[Path, typer.Argument(help="Dataset folder, or one image file (then give --out).")],
    preset: Annotated[
        str,
        typer.Option(
            help="lcsb-rosella-lc3-2017, rosella-lc3-mended, nuclei, or stock: otsu, li, otsu-log, triangle, local, "
            "fixed, brightest, dog, deviation, gradient, background."
        ),
    ] = "lcsb-rosella-lc3-2017",
    settings: Annotated[Path | None, typer.Option(help="YAML file of settings that differ from the preset.")] = None,
    name: Name = "cip",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the label map of a single file, or for what --tune makes.")
    ] = None,
    channels: Annotated[
        str,
        typer.Option(help="Positions of DsRed and pHluorin, as 0,1; else by name. nuclei: one; stock: one a class."),
    ] = "",
    full_scale: Annotated[
        float | None, typer.Option(help="What is white in images that are no counts of the camera: 255, or 1.")
    ] = None,
    phases: Annotated[bool, typer.Option(help="Keep the four phases instead of the paper's two.")] = False,
    reference: Annotated[str, typer.Option(help="Label set to compare with: prints a table of errors.")] = "",
    perturb: Annotated[
        int | None, typer.Option(help="Runs over --ranges: label sets NAME-1, NAME-2, ... to fuse.")
    ] = None,
    ranges: Annotated[
        Path | None, typer.Option(help="YAML of `setting: [least, most]`; threshold_scale: [0.5, 4] if not given.")
    ] = None,
    tune: Annotated[
        bool, typer.Option("--tune", help="With --perturb: propose the run whose labels a network foretells best.")
    ] = False,
    steps: Annotated[int, typer.Option(help="Steps of each training of --tune.", min=1)] = 100,
    workers: Workers = 1,
    overwrite: Overwrite = False,
) -> None:
    """Label images with a conventional pipeline (the CIP), as weak labels to train on."""
    from noisylabels.cip import labelling
    from noisylabels.data.errors import InputError

    if not source.exists():
        msg = f"{source} must be a dataset folder or an image file, but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    chosen = labelling.load_pipeline(preset, settings)
    if ranges and perturb is None:
        msg = f"--ranges must come with --perturb, got {ranges} alone. Say how many runs: --perturb 7."
        raise InputError(msg)
    if tune and perturb is None:
        msg = "--tune must come with --perturb, got it alone. Say how many runs to choose from: --perturb 7."
        raise InputError(msg)
    if perturb is not None:
        if not source.is_dir() or reference:
            msg = f"--perturb must have a dataset folder and no --reference, got {source}. Compare by evaluate."
            raise InputError(msg)
        members = _perturb(
            source,
            chosen,
            perturb,
            ranges,
            name=name,
            channels=channels,
            full_scale=full_scale,
            workers=workers,
            overwrite=overwrite,
            tune=tune,
        )
        if tune:
            _tune(source, members, out or Path("tuning"), steps=steps)
        return
    if source.is_file():
        labeller, tasks, dataset = labelling.plan_file(
            source, chosen, out=out, channels=channels, phases=phases, full_scale=full_scale
        )
    else:
        labeller, tasks, dataset = labelling.plan_dataset(
            source, chosen, name=name, channels=channels, phases=phases, full_scale=full_scale
        )
    if dataset and reference:
        dataset.require_labels(reference)
    labelling.prepare_label_set(tasks, labeller, overwrite=overwrite or dataset is None)
    failures, doubts = _follow(labelling.label_files(tasks, labeller, workers=workers), name, len(tasks))
    if failures and dataset is None:
        labelling.forget_label_set(tasks)
        raise InputError(failures[0])
    _tell([*failures, *doubts])
    typer.echo(f"{tasks[0].target.parent}: {len(tasks) - len(failures)} label maps, {len(failures)} failed")
    if dataset and reference and len(failures) < len(tasks):
        typer.echo(labelling.describe_errors(dataset, reference, name, phases=phases))
    if failures:
        raise typer.Exit(SOME_FAILED)


def _follow(outcomes: "Iterator[tuple[Task | str, Outcome]]", name: str, total: int) -> tuple[list[str], list[str]]:
    """Show the progress. Keep what failed and what is in doubt."""
    failures, doubts = [], []
    with counting(name, total) as advance:
        for item, outcome in outcomes:
            failures += [outcome.failure] if outcome.failure else []
            named = item if isinstance(item, str) else item.id
            doubts += [f"{named}: {outcome.doubt} Give --full-scale 255 or 1."] if outcome.doubt else []
            advance()
    return failures, doubts


def _tell(lines: list[str]) -> None:
    for line in lines:
        typer.echo(f"noisylabels: {line}", err=True)


def _perturb(
    source: Path,
    settings: "Pipeline",
    n: int,
    ranges: Path | None,
    *,
    name: str,
    channels: str,
    full_scale: float | None,
    workers: int,
    overwrite: bool,
    tune: bool,
) -> "dict[str, Pipeline]":
    from noisylabels.cip import family, labelling
    from noisylabels.data.dataset import open_dataset
    from noisylabels.experiments.tuning import held_out

    if tune:
        held_out(open_dataset(source))
    chosen = family.read_ranges(ranges) if ranges else family.DEFAULT_RANGES
    members = family.spread(settings, chosen, n=n)
    plans = family.plan_family(source, members, name=name, channels=channels, full_scale=full_scale)
    for labeller, tasks in plans.values():
        labelling.prepare_label_set(tasks, labeller, overwrite=overwrite)
    n_images = len(next(iter(plans.values()))[1])
    failures, doubts = _follow(family.label_family([*plans.values()], workers=workers), name, n_images)
    _tell([*failures, *doubts])
    typer.echo(f"{source}: {', '.join(plans)}, {n_images - len(failures)} label maps each, {len(failures)} failed")
    if failures:
        raise typer.Exit(SOME_FAILED)
    return {name: labeller.settings for name, (labeller, _) in plans.items()}


def _tune(source: Path, members: "Mapping[str, Pipeline]", out: Path, *, steps: int) -> None:
    from noisylabels.data.dataset import open_dataset
    from noisylabels.experiments import tuning

    dataset = open_dataset(source)
    measured = tuning.measure_members(dataset, members, out, steps=steps)
    proposed = tuning.propose(measured)
    tuning.write_proposal(out / "proposed.yaml", proposed.settings)
    typer.echo(tuning.describe_members(measured, proposed, tuple(dataset.classes)))
    typer.echo(f"Proposed: {proposed.student.labels}; label with it by --settings {out / 'proposed.yaml'}.")
