"""Commands that make images and first label maps: `simulate`, `cip`, `import`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command("import")
def import_(
    images: Annotated[Path, typer.Argument(help="Folder of images (TIFF, OME-TIFF, PNG, NIfTI).")],
    out: Annotated[Path, typer.Argument(help="Dataset folder to make.")],
    labels: Annotated[list[str], typer.Option(help="NAME=FOLDER of label maps; may be given several times.")] = [],  # noqa: B006 - typer reads it once
    classes: Annotated[str, typer.Option(help="Class names, background first.")] = "background,phagophore,autolysosome",
    channels: Annotated[str, typer.Option(help="Channel names in the order of the files.")] = "",
    groups: Annotated[str, typer.Option(help="TABLE.csv:COLUMN that keeps images together in the split.")] = "",
    split: Annotated[str, typer.Option(help="Shares of training, validation and test.")] = "0.85,0.1,0.05",
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    pixel_size_um: Annotated[float | None, typer.Option(help="Side of a pixel in micrometres.")] = None,
    instances: Annotated[bool, typer.Option(help="Label maps hold object numbers: each object is class 1.")] = False,
) -> None:
    """Copy images and their label maps into a dataset folder."""
    from imaging.importing import import_folder, parse_fractions, parse_pairs, read_groups
    from noisylabels.labels import ClassTable

    table, _, column = groups.rpartition(":")
    dataset = import_folder(
        images,
        out,
        classes=ClassTable(tuple(classes.split(","))),
        labels=parse_pairs(labels),
        groups=read_groups(table, column=column) if groups else None,
        fractions=parse_fractions(split),
        seed=seed,
        channel_names=tuple(filter(None, channels.split(","))),
        pixel_size_um=pixel_size_um,
        instances=instances,
    )
    counts = ", ".join(f"{len(dataset.ids(name))} {name}" for name in ("training", "validation", "test"))
    typer.echo(
        f"{out}: {len(dataset.ids())} images ({counts}); label sets {', '.join(dataset.label_names()) or 'none'}"
    )
