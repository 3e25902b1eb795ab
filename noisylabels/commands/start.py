"""The command for a folder of images that this program has never seen: `start`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from noisylabels.data.dataset import Dataset

app = typer.Typer()


@app.command()
def start(
    folder: Annotated[Path, typer.Argument(help="Folder of images, with label maps or without; a plate; one image.")],
    out: Annotated[Path | None, typer.Option(help="Dataset folder to make; beside the images if not given.")] = None,
) -> None:
    """Inspect a folder of images, make a dataset folder of it, and say what comes next.

    Nothing is asked and nothing in the folder is changed. `noisylabels import` does the same with every choice yours.
    """
    from noisylabels.importing import look

    target = out or look.place_beside(folder)
    dataset, notes = _import(folder, target)
    for name, value in look.describe_dataset(dataset):
        typer.echo(f"{name + ':':<16}{value}")
    for note in notes:
        typer.echo(f"{'note:':<16}{note}")
    typer.echo(f"{'first picture:':<16}{_draw(dataset, target)}")
    typer.echo("\nNext:")
    for command in look.next_commands(dataset, target):
        typer.echo(f"  {command}")


def _import(folder: Path, target: Path) -> "tuple[Dataset, list[str]]":
    from noisylabels.importing.folder import import_folder
    from noisylabels.importing.look import find_layout, is_plate
    from noisylabels.importing.plates import import_plates

    if is_plate(folder):
        return import_plates(folder, target)
    layout = find_layout(folder)
    return import_folder(layout.images, target, labels=layout.labels)


def _draw(dataset: "Dataset", target: Path) -> Path:
    from PIL import Image

    from noisylabels.data.atomic import replacing
    from noisylabels.importing.look import draw_overlay

    labels = dataset.label_names()
    shown = next((case for case in dataset.cases if labels and dataset.label_path(labels[0], case.id).is_file()), None)
    case = shown or dataset.cases[0]
    label_map = dataset.label_map(labels[0], case.id) if shown else None
    path = target / "first-look.png"
    with replacing(path) as temporary:
        picture = draw_overlay(dataset.image(case.id), dataset.channel_names, label_map)
        Image.fromarray(picture).save(temporary, "PNG")
    return path
