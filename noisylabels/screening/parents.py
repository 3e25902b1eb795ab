"""Events per cell: which nucleus or cell of another run each event lies in, and what each of them holds."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import Image, RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.events import InstanceMap, label_events
from noisylabels.data.images import read_label_map
from noisylabels.data.labels import LabelMap
from noisylabels.plates.fields import Field
from noisylabels.screening.screen import Screen, open_screen
from noisylabels.screening.store import Store

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Counts = dict[str, Any]


@dataclass
class Parents:
    """The label maps that hold the parents.

    Args:
        store: The run that labelled them, on the same plates.
        class_index: Their class there.
        name: The name of that class.
        left_out: Fields without such a label map, filled while they are measured.
    """

    store: Store
    class_index: int
    name: str
    left_out: list[str] = dataclasses.field(default_factory=list)

    def read(self, field: Field, shape: tuple[int, ...]) -> InstanceMap | None:
        """Read a field's parents: its connected pieces of the class, numbered from 1. None if there is no label map.

        Raises:
            InputError: If the label map has another shape than the field.
        """
        record = self.store.read_record(field)
        if record is None or record["state"] != "done" or not self.store.is_whole(field, record):
            self.left_out.append(f"{field.plate}/{field.id}")
            return None
        label_map = read_label_map(self.store.path(field, ".tif"))
        if label_map.shape != shape:
            msg = (
                f"Parents of {field.plate}/{field.id} must have the shape of its events, {shape}, "
                f"got {label_map.shape}. Label the same plate in both runs."
            )
            raise InputError(msg)
        return label_events((label_map == self.class_index).astype(np.uint8))[0]


def open_parents(text: str) -> Parents:
    """Open `RUN` or `RUN:CLASS`; the class may be left out where there is one.

    Raises:
        InputError: If the run has no such class, or several and none is named.
        FileNotFoundError: If it is no run.
    """
    folder, _, name = text.partition(":")
    opened = open_screen(folder)
    classes = opened.job.method.classes
    there = ", ".join(classes.foreground)
    if not name and len(classes.foreground) > 1:
        first = classes.foreground[0]
        msg = f"Parents must be of one class, got {folder} with {there}. Write for instance {folder}:{first}."
        raise InputError(msg)
    name = name or classes.foreground[0]
    if name not in classes.foreground:
        msg = f"Parents must be of a class of {folder}, {there}, got {name!r}. Name one of them."
        raise InputError(msg)
    return Parents(opened.store, classes.index(name), name)


def assign_parents(parents: InstanceMap, events: InstanceMap, n_events: int) -> NDArray[np.int64]:
    """Assign to each event the parent that most of its pixels lie in.

    Args:
        parents: (row, column) numbers of parents, 0 outside.
        events: (row, column) numbers of events, 0 outside.
        n_events: How many events there are.

    Returns:
        (event,) number of the parent; 0 where most pixels lie in none. The smaller number where two hold as many.

    Examples:
        >>> assign_parents(np.array([[1, 1, 0, 2, 0]]), np.array([[1, 1, 1, 2, 2]]), 2)
        array([1, 0])
    """
    n_parents = int(parents.max(initial=0))
    inside = events > 0
    pairs = (events[inside].astype(np.int64) - 1) * (n_parents + 1) + parents[inside]
    shared = np.bincount(pairs, minlength=n_events * (n_parents + 1)).reshape(n_events, n_parents + 1)
    return np.asarray(shared.argmax(axis=1), np.int64)


def describe_parents(
    parents: InstanceMap, label_map: LabelMap, image: Image, *, classes: Mapping[int, str], channels: tuple[str, ...]
) -> tuple[Counts, Counts]:
    """Count and measure what each parent holds.

    Args:
        parents: (row, column) numbers of parents, 0 outside.
        label_map: (row, column) class indices of the events.
        image: (channel, row, column) intensities.
        classes: Name by class index of the events that are counted.
        channels: Names of the channels.

    Returns:
        Columns of one row per parent (`parent`, `area_px`, `centroid_row`, `centroid_column`, `mean_<channel>`; per
        class `n_<class>` events, their `area_px_<class>`, and per channel `mean_<channel>_<class>`, nan without event),
        and the events of each class in no parent, by class.
    """
    n = int(parents.max(initial=0))
    events, event_classes = label_events(label_map)
    owner = assign_parents(parents, events, len(event_classes))
    areas = np.bincount(parents.ravel(), minlength=n + 1)[1:]
    rows, columns = np.nonzero(parents)
    of = parents[rows, columns]
    made: Counts = {"parent": np.arange(1, n + 1), "area_px": areas}
    for axis, places in (("row", rows), ("column", columns)):
        made[f"centroid_{axis}"] = np.bincount(of, places, minlength=n + 1)[1:] / np.maximum(areas, 1)
    for channel, plane in zip(channels, image, strict=True):
        made[f"mean_{channel}"] = np.bincount(of, plane[rows, columns], minlength=n + 1)[1:] / np.maximum(areas, 1)
    own = np.concatenate([[0], owner])[events]  # the parent of each pixel's event
    outside = {}
    for index, name in classes.items():
        counts = np.bincount(owner[event_classes == index], minlength=n + 1)
        outside[name] = int(counts[0])
        mine = (label_map == index) & (own > 0)
        pixels = np.bincount(own[mine], minlength=n + 1)[1:]
        made[f"n_{name}"], made[f"area_px_{name}"] = counts[1:], pixels
        for channel, plane in zip(channels, image, strict=True):
            total = np.bincount(own[mine], plane[mine], minlength=n + 1)[1:]
            made[f"mean_{channel}_{name}"] = np.where(pixels > 0, total / np.maximum(pixels, 1), np.nan)
    return made, outside


def parent_tables(screen: Screen, parents: Parents, sums: list[Counts]) -> Iterator["pa.Table"]:
    """Measure the parents field by field.

    Args:
        screen: The run with the events.
        parents: Where the parents are.
        sums: Gets a row per field: keys of the well, `n_parents`, and per class `inside_<class>` and
            `outside_<class>` events and `with_<class>`, the parents that hold at least one.

    Yields:
        A table of Arrow per field.
    """
    import pyarrow as pa

    classes = {i: name for i, name in enumerate(screen.job.method.classes) if i}
    for field, state in screen.survey():
        label_map = read_label_map(screen.store.path(field, ".tif")) if state == "done" else None
        numbers = None if label_map is None else parents.read(field, label_map.shape)
        if label_map is None or numbers is None:
            continue
        image = screen.job.read(field)
        flat = image if image.ndim == 3 else image.max(axis=1)
        made, outside = describe_parents(
            numbers, label_map, flat, classes=classes, channels=tuple(screen.job.names(field))
        )
        where = {"plate": field.plate, "well": field.well.name, "row": field.well.row, "column": field.well.column}
        n_parents = len(made["parent"])
        row = {**where, "n_parents": n_parents}
        for name in classes.values():
            held = made[f"n_{name}"]
            row |= {f"inside_{name}": int(held.sum()), f"outside_{name}": outside[name]}
            row |= {f"with_{name}": int((held > 0).sum())}
        sums.append(row)
        keys = {**where, "field": field.number, "method": screen.job.method.name}
        yield pa.table({**{key: [value] * n_parents for key, value in keys.items()}, **made}, _schema(keys, made))


def well_counts(sums: list[Counts], classes: tuple[str, ...]) -> "pd.DataFrame":
    """Sum fields up to wells.

    Returns:
        One row per well: `n_parents`, and per class `outside_<class>`, `per_parent_<class>` (events inside parents per
        parent) and `share_with_<class>` (of the parents); nan where a well has no parent.
    """
    import pandas as pd

    keys = ["plate", "well", "row", "column"]
    total = pd.DataFrame(sums).groupby(keys, sort=True).sum()
    n = total["n_parents"].where(total["n_parents"] > 0).astype(float)
    made: dict[str, Any] = {"n_parents": total["n_parents"].astype("Int64")}
    for name in classes:
        made[f"outside_{name}"] = total[f"outside_{name}"].astype("Int64")
        made[f"per_parent_{name}"] = total[f"inside_{name}"] / n
        made[f"share_with_{name}"] = total[f"with_{name}"] / n
    return pd.DataFrame(made).reset_index()


def _schema(keys: Mapping[str, object], made: Mapping[str, RealArray]) -> "pa.Schema":
    import pyarrow as pa

    first = [(name, pa.int64() if isinstance(value, int) else pa.string()) for name, value in keys.items()]
    rest = [(name, pa.float64() if column.dtype.kind == "f" else pa.int64()) for name, column in made.items()]
    return pa.schema(first + rest)


def require_some(sums: list[Counts], folder: Path) -> None:
    """Make sure that one field has parents' label maps.

    Raises:
        InputError: If none has.
    """
    if not sums:
        msg = f"{folder} must hold label maps of the same plates, got none for any field that is done. Run it on them."
        raise InputError(msg)
