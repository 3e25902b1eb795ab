"""`noisylabels export-labels`: label maps for Fiji, QuPath, Cellpose, or to look at."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from noisylabels.commands.options import Split
from noisylabels.data.errors import InputError

if TYPE_CHECKING:
    from noisylabels.data.arrays import Image
    from noisylabels.data.labels import ClassTable, LabelMap

    Labelled = tuple[str, tuple[str, ...], Image, LabelMap]

app = typer.Typer()

Form = Literal["roi", "geojson", "instances", "tiff", "nifti", "overlay"]


@app.command("export-labels")
def export_labels(
    source: Annotated[Path, typer.Argument(help="Dataset folder, run of `screen run`, or project file of the desk.")],
    out: Annotated[Path, typer.Argument(help="New folder: a file for each field.")],
    to: Annotated[Form, typer.Option(help="roi (Fiji), geojson (QuPath), instances, tiff, nifti or overlay (PNG).")],
    labels: Annotated[str, typer.Option(help="The label set of a dataset folder.")] = "truth",
    split: Split = "all",
) -> None:
    """Write label maps as files of other programs; `noisylabels import` reads them back, equal to the pixel.

    Fiji opens ROI zips in its ROI manager, QuPath GeoJSON by dragging it onto the image. Instances are event numbers, a
    folder for each class. An overlay is a picture of the field with outlines, to look at.
    """
    if out.exists():
        msg = f"{out} must not exist: nothing is replaced. Name another folder, or remove it."
        raise InputError(msg)
    from noisylabels.data.atomic import building
    from noisylabels.data.label_files import write_label_files

    classes, fields = _open(source, labels, split)
    n_fields = 0
    with building(out) as folder:
        for name, channel_names, image, label_map in fields:
            if to == "overlay":
                _draw(folder / f"{name}.png", channel_names, image, label_map)
            else:
                write_label_files(folder, name, label_map, classes, form=to)
            n_fields += 1
        if not n_fields:
            msg = f"{source} must have a label map to write, got none. Label its fields first."
            raise InputError(msg)
    typer.echo(f"{out}: {n_fields} fields as {to}, {', '.join(classes.foreground)}")


def _open(source: Path, labels: str, split: str) -> "tuple[ClassTable, Iterator[Labelled]]":
    """Tell what holds the label maps, its classes, and read its fields one by one."""
    if (source / "dataset.json").is_file():
        return _open_dataset(source, labels, split)
    if source.is_file():
        return _open_desk(source)
    if (source / "run.json").is_file():
        return _open_screen(source)
    msg = f"{source} must be a dataset folder, a run of `screen run` or a project file, got none of them. Name one."
    raise InputError(msg)


def _open_dataset(source: Path, labels: str, split: str) -> "tuple[ClassTable, Iterator[Labelled]]":
    from noisylabels.data.dataset import open_dataset

    dataset = open_dataset(source)
    dataset.require_labels(labels)
    names = dataset.ids(None if split == "all" else split)

    def read() -> "Iterator[Labelled]":
        for name in names:
            image = dataset.image(name)
            yield name, dataset.channel_names, image, dataset.label_map(labels, name, like=image)

    return dataset.classes, read()


def _open_desk(source: Path) -> "tuple[ClassTable, Iterator[Labelled]]":
    from noisylabels.annotation.export import read_accepted
    from noisylabels.annotation.fields import classes_of, dataset_of
    from noisylabels.annotation.project import Project

    with Project(source) as opened:
        classes, names = classes_of(opened), dataset_of(opened).channel_names

    def read() -> "Iterator[Labelled]":
        with Project(source) as opened:
            for name, image, label_map in read_accepted(opened):
                yield name, names, image, label_map

    return classes, read()


def _open_screen(source: Path) -> "tuple[ClassTable, Iterator[Labelled]]":
    from noisylabels.data.images import read_label_map
    from noisylabels.screening.screen import open_screen

    screen = open_screen(source)
    classes = screen.job.method.classes

    def read() -> "Iterator[Labelled]":
        for field, state in screen.survey():
            if state == "done":
                image = field.read(channels=screen.job.channels, time=screen.job.time)
                label_map = read_label_map(screen.store.path(field, ".tif"), classes)
                yield f"{field.plate}_{field.id}", screen.job.names(field), image, label_map

    return classes, read()


def _draw(path: Path, channel_names: tuple[str, ...], image: "Image", label_map: "LabelMap") -> None:
    from PIL import Image as Picture

    from noisylabels.data.atomic import replacing
    from noisylabels.importing.look import draw_overlay

    with replacing(path) as temporary:
        Picture.fromarray(draw_overlay(image, channel_names, label_map)).save(temporary, "PNG")
