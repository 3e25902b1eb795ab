"""`noisylabels import`: images and label maps of any folder, or the fields of a plate, to a dataset folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from noisylabels.commands.options import SOME_FAILED, Pattern, read_fractions, read_list, read_pairs

if TYPE_CHECKING:
    from noisylabels.data.dataset import Dataset

app = typer.Typer()

Holds = Literal["auto", "classes", "objects", "colours"]


@app.command("import")
def import_(
    images: Annotated[Path, typer.Argument(help="Folder of images (TIFF, OME-TIFF, PNG, NIfTI), or a plate.")],
    out: Annotated[Path, typer.Argument(help="Dataset folder to make.")],
    labels: Annotated[
        list[str], typer.Option(help="NAME=FOLDER of label maps or outlines; may be given several times.")
    ] = [],  # noqa: B006 - typer reads it once
    classes: Annotated[str, typer.Option(help="Class names, background first; else what the label maps hold.")] = "",
    masks: Annotated[Holds, typer.Option(help="What the label maps hold, where they cannot tell it.")] = "auto",
    values: Annotated[
        list[str], typer.Option(help="NUMBER=CLASS or #RRGGBB=CLASS of the label maps; may be given several times.")
    ] = [],  # noqa: B006 - typer reads it once
    channels: Annotated[
        str, typer.Option(help="Channel names, in the order of the files or of --keep; of a plate also NAME=CHANNEL.")
    ] = "",
    keep: Annotated[str, typer.Option(help="Positions of the channels to keep, as 1,0; all if not given.")] = "",
    groups: Annotated[str, typer.Option(help="TABLE.csv:COLUMN that keeps images together in the split.")] = "",
    fractions: Annotated[
        str,
        typer.Option(help="Shares of training, validation, test; else 0.85,0.1,0.05, of under 40 groups 0.6,0.2,0.2."),
    ] = "",
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    pixel_size_um: Annotated[float | None, typer.Option(help="Side of a pixel in micrometres.")] = None,
    plate: Annotated[bool, typer.Option("--plate", help="The folder is a plate, as its microscope wrote it.")] = False,
    pattern: Pattern = None,
    fields: Annotated[int | None, typer.Option(help="Fields of a plate to take, at random; all if not given.")] = None,
    time: Annotated[int | None, typer.Option(help="Time point of a plate; the first if not given.")] = None,
    project: Annotated[
        Literal["max", "middle", "stack"], typer.Option(help="Focal planes of images; stack keeps all.")
    ] = "stack",
) -> None:
    """Copy images and their label maps, or the fields of a plate, into a dataset folder."""
    from noisylabels.data.labels import ClassTable
    from noisylabels.importing import folder as importing
    from noisylabels.importing.masks import parse_values

    table = ClassTable(tuple(read_list(classes))) if classes else None
    shares = read_fractions(fractions) if fractions else None
    problems: list[str] = []
    if plate or pattern:
        from noisylabels.importing.plates import import_plates, parse_channels

        _refuse_given({"--labels": labels, "--keep": keep, "--groups": groups, "--values": values}, "A plate")
        wanted, names = parse_channels(channels)
        dataset, problems = import_plates(
            images, out, classes=table, pattern=pattern, channels=wanted, channel_names=names,
            n_fields=fields, fractions=shares, seed=seed, pixel_size_um=pixel_size_um, time=time,
        )  # fmt: skip
    else:
        _refuse_given({"--fields": fields, "--time": time is not None}, "A folder of images")
        named = read_pairs(labels, option="--labels", example="truth=path/to/masks")
        dataset, notes = importing.import_folder(
            images,
            out,
            classes=table,
            labels={key: Path(place) for key, place in named.items()},
            groups=importing.read_groups(*importing.parse_column(groups)) if groups else None,
            fractions=shares,
            seed=seed,
            channel_names=tuple(read_list(channels)),
            pixel_size_um=pixel_size_um,
            masks=masks,
            values=parse_values(values),
            keep=importing.parse_positions(keep),
            planes=project,
        )
        for note in notes:
            typer.echo(note)
    _tell_import(dataset, problems)


def _refuse_given(options: "dict[str, object]", source: str) -> None:
    from noisylabels.data.errors import InputError

    wrong = [name for name, value in options.items() if value]
    if wrong:
        msg = f"{source} must be imported without {', '.join(wrong)}, got a value. Leave out what is named."
        raise InputError(msg)


def _tell_import(dataset: "Dataset", problems: list[str]) -> None:
    counts = ", ".join(f"{len(dataset.ids(name))} {name}" for name in ("training", "validation", "test"))
    more = ", ..." if len(dataset.channel_names) > 4 else ""
    channels = f"{len(dataset.channel_names)} channels ({', '.join(dataset.channel_names[:4])}{more})"
    labels = ", ".join(dataset.label_names()) or "none"
    typer.echo(f"{dataset.folder}: {len(dataset.ids())} images ({counts}); {channels}; label sets {labels}")
    for line in problems:
        typer.echo(f"noisylabels: {line}", err=True)
    if problems:
        raise typer.Exit(SOME_FAILED)
