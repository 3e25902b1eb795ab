"""Quarters: a field cut in four, the unit in which the paper's biologists corrected."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from noisylabels.data.claims import require_new_folder
from noisylabels.data.dataset import Dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map, write_image, write_label_map
from noisylabels.data.labels import LabelMap


class Window(NamedTuple):
    """A half-open box of pixels."""

    row_min: int
    column_min: int
    row_max: int
    column_max: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rows and columns, to index an array with."""
        return slice(self.row_min, self.row_max), slice(self.column_min, self.column_max)


def cut_in_quarters(window: Window) -> tuple[Window, Window, Window, Window]:
    """Cut a window in four: top left, top right, bottom left, bottom right.

    With an odd side the halves differ by one pixel; every pixel lies in exactly one quarter.

    Args:
        window: At least two pixels high and wide.

    Raises:
        InputError: If it is smaller.

    Examples:
        >>> cut_in_quarters(Window(0, 0, 512, 680))[3]
        Window(row_min=256, column_min=340, row_max=512, column_max=680)
    """
    row_min, column_min, row_max, column_max = window
    if row_max - row_min < 2 or column_max - column_min < 2:
        msg = f"A field must be at least 2 x 2 pixels to be cut in quarters, got {window}. Leave it whole."
        raise InputError(msg)
    row, column = (row_min + row_max) // 2, (column_min + column_max) // 2
    return (
        Window(row_min, column_min, row, column),
        Window(row_min, column, row, column_max),
        Window(row, column_min, row_max, column),
        Window(row, column, row_max, column_max),
    )


def cut_dataset(dataset: Dataset, folder: Path, *, on_field: Callable[[], object] = lambda: None) -> Dataset:
    """Cut every field of a dataset folder in quarters, with all its label maps, into another.

    A conventional pipeline may look at the whole field, as the original CIP does, whose scale is the field's brightest
    pixel: label whole fields first, cut afterwards. Quarters keep the group and the split of their field.

    Args:
        dataset: Fields of one plane, (channel, row, column). Not modified.
        folder: The dataset folder to make: new or empty.
        on_field: Called after each field.

    Returns:
        The quarters; their ids are those of the fields and `_q1` to `_q4`.

    Raises:
        InputError: If the folder holds something, a field has several planes or is too small, or a label map differs
            in size from its image. Only dataset.json, written last, makes the folder a dataset.
    """
    require_new_folder(folder)
    cases, windows = [], {}
    for case in dataset.cases:
        image = dataset.image(case.id)
        if image.ndim != 3:
            msg = f"Fields to cut must have one plane, got {image.shape[1]} of {case.id}. Simulate or import one."
            raise InputError(msg)
        maps = {
            name: _read_map(dataset.label_path(name, case.id), image.shape[-2:])
            for name in dataset.label_names()
            if dataset.label_path(name, case.id).is_file()
        }
        for place, window in enumerate(cut_in_quarters(Window(0, 0, *image.shape[-2:])), 1):
            name = f"{case.id}_q{place}"
            windows[name] = [case.id, *window]
            for label_name, label_map in maps.items():
                path = folder / "labels" / label_name / f"{name}.tif"
                write_label_map(path, np.ascontiguousarray(label_map[window.slices]))
            cases.append(replace(case, id=name, image=f"images/{name}.ome.tif"))
            write_image(
                folder / "images" / f"{name}.ome.tif",
                np.ascontiguousarray(image[:, *window.slices]),
                channel_names=dataset.channel_names,
                pixel_size_um=dataset.pixel_size_um,
            )
        on_field()
    provenance = {"quarters of": dict(dataset.provenance), "windows": windows}
    quarters = replace(dataset, folder=folder, cases=tuple(cases), provenance=provenance)
    first = "truth" if "truth" in dataset.label_names() else (dataset.label_names() or ["truth"])[0]
    write_dataset(quarters, label_name=first)
    return quarters


def _read_map(path: Path, size: tuple[int, ...]) -> LabelMap:
    """Read a label map of whatever classes; the phases of a simulated field are more than its dataset's."""
    label_map = read_label_map(path)
    if label_map.shape != size:
        msg = f"{path} must have the size of its image, {size}, got {label_map.shape}. Pair it with its own image."
        raise InputError(msg)
    return label_map
