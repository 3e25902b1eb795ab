"""Commands that make images and first label maps: `simulate`, `cip`, `import`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noisylabels.importing.masks import Holds

if TYPE_CHECKING:
    from noisylabels.data.dataset import Dataset

app = typer.Typer()


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Dataset folder to make, or to go on with.")],
    fields: Annotated[int, typer.Option(help="How many fields.")] = 24,
    seed: Annotated[int, typer.Option(help="Seed of the screen.")] = 0,
    rows: Annotated[int | None, typer.Option(help="Height in pixels; 512 if nothing else says so.")] = None,
    columns: Annotated[int | None, typer.Option(help="Width in pixels; 680 if nothing else says so.")] = None,
    planes: Annotated[int | None, typer.Option(help="z-planes: 1 or 5.")] = None,
    preset: Annotated[str, typer.Option(help="rosella-lc3, rosella-lc3-new-screen, ...")] = "rosella-lc3",
    settings: Annotated[Path | None, typer.Option(help="YAML or JSON file of settings that differ.")] = None,
    plate: Annotated[str, typer.Option(help="untreated, treatments, dose-response or TABLE.csv.")] = "untreated",
    plate_name: Annotated[str, typer.Option(help="Name of the plate; another name is another plate.")] = "P1",
    fields_per_well: Annotated[int | None, typer.Option(help="As few as the plate allows if not given.")] = None,
    split: Annotated[str, typer.Option(help="Shares of training, validation and test.")] = "0.85,0.1,0.05",
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 1,
) -> None:
    """Simulate fields of Rosella cells with perfect truth into a dataset folder."""
    from rich.console import Console
    from rich.progress import Progress

    from noisylabels import simulation
    from noisylabels.importing.folder import parse_fractions

    frame = {"rows": rows, "columns": columns, "planes": planes}
    chosen = simulation.preset(preset).replaced(simulation.read_settings(settings) if settings else {})
    chosen = chosen.replaced({"frame": {name: value for name, value in frame.items() if value is not None}})
    plan = simulation.plan_fields(
        simulation.lay_out(plate, chosen.plate),
        n_fields=fields,
        seed=seed,
        plate=plate_name,
        fields_per_well=fields_per_well,
    )
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("simulate", total=len(plan))
        dataset = simulation.simulate_dataset(
            out,
            chosen,
            plan,
            seed=seed,
            fractions=parse_fractions(split),
            workers=workers,
            on_field=lambda _: progress.advance(bar),
        )
    counts = ", ".join(f"{len(dataset.ids(name))} {name}" for name in ("training", "validation", "test"))
    typer.echo(f"{out}: {len(dataset.ids())} simulated fields ({counts}); labels {', '.join(dataset.label_names())}")


@app.command()
def cip(
    source: Annotated[Path, typer.Argument(help="Dataset folder, or one image file (then give --out).")],
    preset: Annotated[str, typer.Option(help="lcsb-rosella-lc3-2017, rosella-lc3-mended or nuclei.")] = (
        "lcsb-rosella-lc3-2017"
    ),
    settings: Annotated[Path | None, typer.Option(help="YAML file of settings that differ from the preset.")] = None,
    name: Annotated[str, typer.Option(help="Name of the label set to write.")] = "cip",
    out: Annotated[Path | None, typer.Option(help="Folder for the label map of a single file.")] = None,
    channels: Annotated[str, typer.Option(help="Positions of DsRed and pHluorin, as 0,1; else by name.")] = "",
    phases: Annotated[bool, typer.Option(help="Keep the four phases instead of the paper's two.")] = False,
    against: Annotated[str, typer.Option(help="Label set to compare with: prints a table of errors.")] = "",
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 1,
    overwrite: Annotated[bool, typer.Option(help="Replace label maps made with other settings.")] = False,
) -> None:
    """Label images with a conventional pipeline (the CIP), as weak labels to train on."""
    from rich.console import Console
    from rich.progress import Progress

    from noisylabels.cip import labelling
    from noisylabels.data.errors import InputError

    if not source.exists():
        msg = f"{source} must be a dataset folder or an image file, but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    chosen = labelling.load_pipeline(preset, settings)
    console = Console(stderr=True)
    if source.is_file():
        labeller, tasks, dataset = labelling.plan_file(source, chosen, out=out, channels=channels, phases=phases)
    else:
        labeller, tasks, dataset = labelling.plan_dataset(source, chosen, name=name, channels=channels, phases=phases)
    if dataset and against:
        dataset.require_labels(against)
    labelling.prepare_label_set(tasks, labeller, overwrite=overwrite or dataset is None)
    failures = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(name, total=len(tasks))
        for _, failure in labelling.label_files(tasks, labeller, workers=workers):
            failures += [failure] if failure else []
            progress.advance(bar)
    if failures and dataset is None:
        labelling.forget_label_set(tasks)
        raise InputError(failures[0])
    for failure in failures:
        typer.echo(f"noisylabels: {failure}", err=True)
    typer.echo(f"{tasks[0].target.parent}: {len(tasks) - len(failures)} label maps, {len(failures)} failed")
    if dataset and against and len(failures) < len(tasks):
        typer.echo(labelling.describe_errors(dataset, against, name, phases=phases))
    if failures:
        raise typer.Exit(3)


@app.command("import")
def import_(
    images: Annotated[Path, typer.Argument(help="Folder of images (TIFF, OME-TIFF, PNG, NIfTI), or a plate.")],
    out: Annotated[Path, typer.Argument(help="Dataset folder to make.")],
    labels: Annotated[list[str], typer.Option(help="NAME=FOLDER of label maps; may be given several times.")] = [],  # noqa: B006 - typer reads it once
    classes: Annotated[str, typer.Option(help="Class names, background first; else what the label maps hold.")] = "",
    masks: Annotated[Holds, typer.Option(help="What the label maps hold, where it cannot be told.")] = "auto",
    values: Annotated[
        list[str], typer.Option(help="NUMBER=CLASS or #RRGGBB=CLASS of the label maps; may be given several times.")
    ] = [],  # noqa: B006 - typer reads it once
    channels: Annotated[
        str, typer.Option(help="Channel names, in the order of the files or of --keep; of a plate also NAME=CHANNEL.")
    ] = "",
    keep: Annotated[str, typer.Option(help="Positions of the channels to keep, as 1,0; all if not given.")] = "",
    groups: Annotated[str, typer.Option(help="TABLE.csv:COLUMN that keeps images together in the split.")] = "",
    split: Annotated[str, typer.Option(help="Shares of training, validation and test.")] = "0.85,0.1,0.05",
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    pixel_size_um: Annotated[float | None, typer.Option(help="Side of a pixel in micrometres.")] = None,
    plate: Annotated[bool, typer.Option("--plate", help="The folder is a plate, as its microscope wrote it.")] = False,
    pattern: Annotated[str | None, typer.Option(help="Names of a plate's plain TIFF files; see convert.")] = None,
    fields: Annotated[int | None, typer.Option(help="Fields of a plate to take, by lot; all if not given.")] = None,
    project: Annotated[str, typer.Option(help="Focal planes of images: max, middle or stack (keep all).")] = "stack",
) -> None:
    """Copy images and their label maps, or the fields of a plate, into a dataset folder."""
    from noisylabels.data.labels import ClassTable
    from noisylabels.importing import folder as importing
    from noisylabels.importing.masks import parse_values

    table = ClassTable(tuple(classes.split(","))) if classes else None
    fractions = importing.parse_fractions(split)
    told: list[str] = []
    if plate or pattern:
        from noisylabels.importing.plates import import_plates, parse_channels

        _refuse_given({"--labels": labels, "--keep": keep, "--groups": groups, "--values": values}, "A plate")
        wanted, names = parse_channels(channels)
        dataset, told = import_plates(
            images, out, classes=table, pattern=pattern, channels=wanted, channel_names=names,
            n_fields=fields, fractions=fractions, seed=seed, pixel_size_um=pixel_size_um,
        )  # fmt: skip
    else:
        _refuse_given({"--fields": fields}, "A folder of images")
        dataset, notes = importing.import_folder(
            images,
            out,
            classes=table,
            labels=importing.parse_pairs(labels),
            groups=importing.read_groups(*importing.parse_column(groups)) if groups else None,
            fractions=fractions,
            seed=seed,
            channel_names=tuple(filter(None, channels.split(","))),
            pixel_size_um=pixel_size_um,
            masks=masks,
            values=parse_values(values),
            keep=importing.parse_positions(keep),
            planes=project,  # type: ignore[arg-type]  # checked where it is used
        )
        for note in notes:
            typer.echo(note)
    _tell_import(dataset, told)


def _refuse_given(options: "dict[str, object]", source: str) -> None:
    from noisylabels.data.errors import InputError

    wrong = [name for name, value in options.items() if value]
    if wrong:
        msg = f"{source} must be imported without {', '.join(wrong)}, got a value. Leave out what is named."
        raise InputError(msg)


def _tell_import(dataset: "Dataset", told: list[str]) -> None:
    counts = ", ".join(f"{len(dataset.ids(name))} {name}" for name in ("training", "validation", "test"))
    more = ", ..." if len(dataset.channel_names) > 4 else ""
    channels = f"{len(dataset.channel_names)} channels ({', '.join(dataset.channel_names[:4])}{more})"
    labels = ", ".join(dataset.label_names()) or "none"
    typer.echo(f"{dataset.folder}: {len(dataset.ids())} images ({counts}); {channels}; label sets {labels}")
    for line in told:
        typer.echo(f"noisylabels: {line}", err=True)
    if told:
        raise typer.Exit(3)
