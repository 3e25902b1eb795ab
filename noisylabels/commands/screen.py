"""`noisylabels screen run | status | measure | export`."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from noisylabels.commands.options import (
    MOST_SHOWN,
    SOME_FAILED,
    Action,
    AsJson,
    Pattern,
    Projection,
    Scheduler,
    Sequence,
)
from noisylabels.data.errors import InputError

app = typer.Typer()
screen = typer.Typer(no_args_is_help=True, help="Run a method over plates, see how far it is, measure every well.")
app.add_typer(screen, name="screen")


Source = Annotated[Path, typer.Argument(help="A plate or a folder of plates; see `noisylabels convert --dry-run`.")]
Run = Annotated[Path, typer.Argument(help="Folder of the run.")]


@screen.command()
def run(
    source: Source,
    folder: Run,
    method: Annotated[
        str | None,
        typer.Option(help="threshold, cip, bundle or exported; what --model is, or else cip, if not given."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="cdl, mdl, nuclei, a model.pt or its folder; a file of `noisylabels export`.")
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Weights of a bundle.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the method: factor=3.0, preset=NAME, ...")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    pattern: Pattern = None,
    channels: Annotated[
        str | None, typer.Option(help="Channels in the method's order, as 'DsRed=Alexa 568,pHluorin=Alexa 488'.")
    ] = None,
    time: Annotated[int | None, typer.Option(help="Time point; the first if not given.")] = None,
    projection: Projection = False,
    sequence: Sequence = "latest",
    action: Action = "latest",
    full_scale: Annotated[
        float | None, typer.Option(help="What is white in images that are no counts of the camera: 255, or 1.")
    ] = None,
    flatfield: Annotated[
        Literal["none", "index", "estimate"], typer.Option(help="Illumination: as the instrument says, or estimated.")
    ] = "none",
    workers: Annotated[int, typer.Option(help="Processes on this machine; 0 works in this one.")] = 2,
    threads: Annotated[int, typer.Option(help="Threads of each worker.")] = 1,
    batch_size: Annotated[int, typer.Option(help="Fields given to a network together.")] = 1,
    retries: Annotated[int, typer.Option(help="How often what failed for outer reasons is tried again.")] = 2,
    scheduler: Scheduler = None,
    shard: Annotated[str | None, typer.Option(help="Only part i of n, as 3/20.")] = None,
    as_json: AsJson = False,
) -> None:
    """Label and measure every field that is not done yet. The same command again takes up where it stopped."""
    from noisylabels.parallel import Shard
    from noisylabels.plates.remote import address_of
    from noisylabels.screening.channels import match_channels
    from noisylabels.screening.screen import STATES, Declaration, start_screen

    if scheduler is None and device != "cpu":  # a cluster's workers may have what this machine has not
        from noisylabels.learning.devices import check_device

        check_device(device)
    names, wanted = _read_channels(channels)
    declaration = Declaration(
        source=address_of(source) or str(source.resolve()),
        method=_read_method(method, model, checkpoint, settings or [], device),
        pattern=pattern,
        channels=wanted,
        channel_names=names,
        time=time,
        projection=projection,
        sequence=sequence,
        action=action,
        full_scale=full_scale,
        flatfield=flatfield,
    )
    part = Shard.parse(shard) if shard else None
    begun = start_screen(folder, declaration, batch_size=batch_size, retries=retries)
    taken = match_channels(begun.plates[0], begun.job.method, channels=wanted, names=names)
    if taken and not as_json:
        typer.echo(f"channels: {taken}")
    outcomes = begun.run(_executor(scheduler, workers, threads, retries, device), shard=part)
    total = sum(1 for _ in begun.share(part))
    failed, doubts = _follow(outcomes, total, as_json)
    counts, undone = dict.fromkeys(STATES, 0), 0
    for field, state in begun.survey():
        counts[state] += 1
        undone += state != "done" and begun.is_mine(field, part)
    problems = begun.problems()
    _tell({**counts, "problems": problems, "failures": failed, "doubts": doubts}, as_json)
    if counts["done"] and not (counts["missing"] or counts["stale"] or as_json):
        typer.echo(f"Next: noisylabels screen measure {shlex.quote(str(folder))}")
    if undone or problems:
        raise typer.Exit(SOME_FAILED)


@screen.command()
def status(
    folder: Run,
    verify: Annotated[bool, typer.Option("--verify", help="Hash every result, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Count the fields that are done, failed, missing or stale (done with other pixels, settings, model or code)."""
    from noisylabels.screening.screen import STATES, open_screen

    opened = open_screen(folder)
    counts, failures = dict.fromkeys(STATES, 0), []
    for field, state in opened.survey(verify=verify):
        counts[state] += 1
        record = opened.store.read_record(field) if state == "failed" else None
        if record is not None:
            failures.append(f"{field.plate} {field.id}: {record['error']['message']}")
    problems = opened.problems()
    _tell({**counts, "problems": problems, "failures": failures}, as_json)
    if failures or problems:
        raise typer.Exit(SOME_FAILED)


@screen.command()
def measure(
    folder: Run,
    layout: Annotated[Path | None, typer.Option(help="CSV: well (or row, column) and treatments.")] = None,
    reference: Annotated[Path | None, typer.Option(help="Run of a reference screen, measured before.")] = None,
    control: Annotated[str | None, typer.Option(help="Wells to compare for drift, as condition=DMSO.")] = None,
    parents: Annotated[
        str | None,
        typer.Option(help="RUN or RUN:CLASS: nuclei or cells, labelled by another run, to count events in."),
    ] = None,
    cytomining: Annotated[bool, typer.Option(help="Write profiles/ with Cytomining's column names too.")] = False,
    as_anndata: Annotated[bool, typer.Option("--anndata", help="Write wells.h5ad (and parents.h5ad) too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write tables of events, fields and wells, plate maps and a report into measurements/ of the run."""
    import pandas as pd

    from evaluation.screens.drift import compare_wells
    from noisylabels.data.atomic import together
    from noisylabels.data.disk import writing
    from noisylabels.screening.layout import read_layout
    from noisylabels.screening.measurements import measure_screen, write_table
    from noisylabels.screening.parents import open_parents
    from noisylabels.screening.profiles import write_profiles
    from noisylabels.screening.report import write_report
    from noisylabels.screening.screen import open_screen

    opened, target = open_screen(folder), folder / "measurements"
    treatments = read_layout(layout) if layout else None
    before = _reference_wells(reference) if reference else None
    within = open_parents(parents) if parents else None
    drift = None
    with writing(target, advice="what was measured before is kept"), together(target) as fresh:
        tables = measure_screen(opened, fresh, layout=treatments, parents=within)
        if before is not None:
            drift = compare_wells(pd.read_parquet(before), tables.wells, control=control)
            write_table(drift, fresh / "drift")
        page, answer = write_report(opened, tables, fresh, drift=drift)
        report = target / page.relative_to(fresh)
        write_profiles(tables.wells, fresh, treatments=treatments, cytomining=cytomining, as_anndata=as_anndata)
    facts = {"events": tables.n_events, "fields": len(tables.fields), "wells": len(tables.wells), "report": str(report)}
    if within is not None:
        facts |= {within.name: tables.n_parents, "fields without": within.left_out}
    if drift is not None:
        facts["drifted"] = drift.loc[drift["drifted"], "feature"].tolist()
    lines = [answer, *(f"{name}: {value}" for name, value in facts.items())]
    typer.echo(json.dumps(facts) if as_json else "\n".join(lines))
    if within is not None and within.left_out:
        raise typer.Exit(SOME_FAILED)


@screen.command()
def export(
    folder: Run,
    target: Annotated[Path, typer.Argument(help="Folder of OME-Zarr plates; those not there yet are converted.")],
    tables: Annotated[bool, typer.Option("--tables", help="Put events beside, as tables that ngio reads.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the label maps of a run into OME-Zarr 0.5 plates, beside those of other runs. Nothing is overwritten."""
    from noisylabels.screening.export import export_labels
    from noisylabels.screening.screen import open_screen

    reports = export_labels(open_screen(folder), target, tables=tables)
    for report in reports:
        line = f"{report['folder']}: {report['added']} label maps {report['name']}, {report['kept']} were there"
        typer.echo(json.dumps(report) if as_json else "\n  ".join([line, *report["problems"]]))
    if any(report["problems"] for report in reports):
        raise typer.Exit(SOME_FAILED)


def _read_channels(text: str | None) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Read `name=channel,...` or `channel,...` into names and channels of the plate."""
    if not text:
        return None, None
    pairs = [entry.partition("=") for entry in text.split(",")]
    names = tuple(name.strip() for name, _, _ in pairs)
    return names, tuple((channel if equals else name).strip() for name, equals, channel in pairs)


def _read_method(
    named: str | None, model: str | None, checkpoint: Path | None, settings: list[str], device: str
) -> dict[str, Any]:
    from noisylabels.screening.methods import METHODS

    chosen = dict(_read_setting(text) for text in settings)
    kind = named or _kind_of(model)
    if model is not None and kind in ("threshold", "cip"):
        msg = f"The method of a model must be bundle or exported, got {kind} with --model {model}. Leave --method out."
        raise InputError(msg)
    if kind not in METHODS:
        msg = (
            f"A method must be one of {', '.join(METHODS)}, got {kind!r}. "
            "A pipeline is --method cip --set preset=NAME, a trained network --model NAME."
        )
        raise InputError(msg)
    if kind in ("bundle", "exported") and model is None:
        msg = f"The method {kind} must have a model, got none. Add --model."
        raise InputError(msg)
    if kind == "bundle":
        return {"kind": kind, **_read_network(str(model), checkpoint), "device": device, **chosen}
    if kind == "exported":
        return {"kind": kind, "model": str(Path(str(model)).resolve()), "device": device, **chosen}
    if kind == "cip":
        phases = chosen.pop("phases", False)
        return {"kind": kind, "phases": phases, "settings": chosen}
    return {"kind": kind, **chosen}


def _kind_of(model: str | None) -> str:
    """Return the method that a model is for; `.pt` are weights of a bundle."""
    from noisylabels.learning.formats import ENDINGS

    if model is None:
        return "cip"
    return "exported" if Path(model).suffix in ENDINGS.values() else "bundle"


def _read_network(model: str, checkpoint: Path | None) -> dict[str, str]:
    """Return a bundle's folder and weights, found as `noisylabels predict` finds them."""
    from noisylabels.learning import launcher
    from noisylabels.learning.launch import bundle_homes
    from noisylabels.learning.shipped import choose_weights

    overrides = {} if checkpoint is None else {"ckpt_path": str(checkpoint)}
    launch = launcher.plan_prediction(model, (), overrides)
    weights = Path(str(launch.overrides.get("ckpt_path", launch.bundle / "models" / "model.pt")))
    folder = launch.bundle.resolve()
    named = weights.parent.name if choose_weights(model, bundle_homes())[1] else folder.name
    return {"folder": str(folder), "checkpoint": str(weights.resolve()), "name": named}


def _read_setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        msg = f"A setting must be written name=value, got {text!r}. For instance --set factor=3.0."
        raise InputError(msg)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _executor(scheduler: str | None, workers: int, threads: int, retries: int, device: str) -> Any:
    from noisylabels.parallel import DaskCluster, InProcess, LocalPool

    if scheduler:
        return DaskCluster(scheduler, resources=(("GPU", 1.0),) if device.startswith("cuda") else ())
    return InProcess() if workers == 0 else LocalPool(workers, threads=threads, retries=retries)


def _follow(outcomes: Iterator[Any], total: int, as_json: bool) -> tuple[list[str], list[str]]:
    """Show the progress: a bar on a terminal, a line now and then elsewhere. Keep what failed or is in doubt."""
    from time import monotonic

    from rich.console import Console
    from rich.progress import Progress

    from noisylabels.data.progress import LINE_EVERY_S

    failed, doubts, begun = [], [], monotonic()
    console = Console(stderr=True)
    with Progress(console=console, disable=as_json or not console.is_terminal) as progress:
        task = progress.add_task("fields", total=total)
        for number, outcome in enumerate(outcomes, 1):
            progress.advance(task)
            if outcome.state == "failed":
                failed.append(f"{outcome.plate} {outcome.field}: {outcome.message}")
            elif outcome.message:
                doubts.append(f"{outcome.plate} {outcome.field}: {outcome.message} Give --full-scale 255 or 1.")
            if not (as_json or console.is_terminal) and monotonic() - begun > LINE_EVERY_S:
                typer.echo(f"{number} of {total} fields, {len(failed)} failed", err=True)
                begun = monotonic()
    return failed, doubts


def _tell(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
        return
    typer.echo(", ".join(f"{count} {name}" for name, count in facts.items() if isinstance(count, int)))
    for name in ("problems", "failures", "doubts"):
        lines = facts.get(name, [])
        for line in lines[:MOST_SHOWN]:
            typer.echo(f"  {line}", err=True)
        if len(lines) > MOST_SHOWN:
            typer.echo(f"  ... and {len(lines) - MOST_SHOWN} more (all with --json)", err=True)


def _reference_wells(run: Path) -> Path:
    path = run / "measurements" / "wells.parquet"
    if not path.is_file():
        msg = f"{run} must be a measured run, but {path} is not there. Run `noisylabels screen measure {run}` first."
        raise FileNotFoundError(msg)
    return path
