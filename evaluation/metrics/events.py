"""The events of one field, found in a label map or read as boxes: what detection is counted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.metrics.backends import load_kernels
from evaluation.metrics.backends import runs as runs_backend
from noisylabels.data.errors import InputError
from noisylabels.data.events import InstanceMap
from noisylabels.data.labels import MAX_CLASSES, LabelMap, check_class_indices

if TYPE_CHECKING:
    import pandas as pd

BOX = ("row_min", "column_min", "row_max", "column_max")


@dataclass(frozen=True)
class Events:
    """The events of one field: n 8-connected components of one class each, or n boxes.

    Args:
        class_index: (n,) uint8 class index of each, at least 1.
        boxes: (n, 4) half-open boxes (row_min, column_min, row_max, column_max), pixels.
        area_px: (n,) pixels of each event; of its box where only boxes are known.
        runs: (run, 4) the events' pixels as horizontal runs: row, first column, column after the last, position of the
            event; sorted by row, then column. None where only boxes are known.
        shape: (rows, columns) of the field; None where only boxes are known.
    """

    class_index: NDArray[np.uint8]
    boxes: NDArray[Any]
    area_px: NDArray[Any]
    runs: NDArray[np.int64] | None = None
    shape: tuple[int, int] | None = None

    def __repr__(self) -> str:
        indices, counts = np.unique(self.class_index, return_counts=True)
        of = ", ".join(f"{count} of class {index}" for index, count in zip(indices, counts, strict=True))
        return f"Events({len(self)} events{': ' * bool(of)}{of})"

    def _repr_html_(self) -> str:
        """Show the events in a notebook, a row each."""
        return str(self.to_pandas().to_html(max_rows=10, notebook=True))

    def __len__(self) -> int:
        return len(self.class_index)

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame of the events: class index, box and area in pixels, a row each."""
        import pandas as pd

        columns = dict(zip(BOX, self.boxes.T, strict=True))
        return pd.DataFrame({"class_index": self.class_index, **columns, "area_px": self.area_px})

    @classmethod
    def from_boxes(cls, boxes: ArrayLike, class_index: ArrayLike) -> Events:
        """Build events from boxes.

        Args:
            boxes: (n, 4) half-open boxes (row_min, column_min, row_max, column_max), pixels. Not modified.
            class_index: (n,) class index of each, at least 1.

        Raises:
            InputError: If a box has no area or is not finite, a class index is not in 1..254, or the lengths differ.

        Examples:
            >>> Events.from_boxes([[0, 0, 2, 3]], [1]).area_px
            array([6])
        """
        corners = np.asarray(boxes).reshape(-1, 4)
        kinds = _check_kinds(class_index)
        if len(corners) != len(kinds):
            msg = f"Boxes and class indices must be equally many, got {len(corners)} and {len(kinds)}. Give one each."
            raise InputError(msg)
        sides = corners[:, 2:] - corners[:, :2]
        flat = np.flatnonzero(~((sides > 0) & np.isfinite(sides)).all(1))
        if len(flat):
            msg = (
                f"A box must have row_min < row_max and column_min < column_max, got {corners[flat[0]].tolist()}. "
                "Boxes are half-open: the box of one pixel (r, c) is (r, c, r + 1, c + 1)."
            )
            raise InputError(msg)
        return cls(kinds, corners, sides.prod(1))

    @property
    def instances(self) -> InstanceMap:
        """Paint the events: (row, column) int32 with ids 1..n, 0 elsewhere.

        Raises:
            InputError: If only boxes are known.
        """
        pixels, events = self.pixels
        painted = np.zeros(self.shape or (0, 0), np.int32)
        painted.ravel()[pixels] = events + 1
        return painted

    @property
    def pixels(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """List the pixels of all events: (pixel,) places in the field read row by row, and positions of their events.

        Raises:
            InputError: If only boxes are known.
        """
        if self.runs is None or self.shape is None:
            msg = "Events must have pixels to be painted, got boxes only. Find them in a label map."
            raise InputError(msg)
        row, start, stop, event = self.runs.T
        length = stop - start
        first = row * self.shape[1] + start - (np.cumsum(length) - length)
        return np.repeat(first, length) + np.arange(length.sum()), np.repeat(event, length)

    def select(self, keep: NDArray[np.bool_]) -> Events:
        """Keep some events, renumbered in their order.

        Args:
            keep: (n,) booleans.
        """
        runs = self.runs
        if runs is not None:
            runs = runs[keep[runs[:, 3]]]
            runs[:, 3] = (np.cumsum(keep) - 1)[runs[:, 3]]
        return Events(self.class_index[keep], self.boxes[keep], self.area_px[keep], runs, self.shape)

    def touch_frame(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return which events touch the frame of a field of `shape` (rows, columns)."""
        corners = np.hstack([self.boxes[:, :2] <= 0, self.boxes[:, 2:] >= np.array(shape)])
        touches: NDArray[np.bool_] = np.any(corners, axis=1)
        return touches


def _check_kinds(class_index: ArrayLike) -> NDArray[np.uint8]:
    values = np.asarray(class_index)
    whole = values if values.size else values.astype(np.uint8)
    wrong = whole.dtype.kind not in "ui" or not ((whole >= 1) & (whole < MAX_CLASSES)).all()
    if wrong:
        shown, last = values.ravel()[:5].tolist(), MAX_CLASSES - 1
        msg = f"Class indices of events must be whole numbers in 1..{last}, got {shown}. 0 is the background."
        raise InputError(msg)
    return whole.astype(np.uint8)


def find_events(
    label_map: LabelMap, *, min_area_px: int = 1, drop_border: bool = False, fast: bool | None = None
) -> Events:
    """Find the events of a label map with their boxes and areas.

    Args:
        label_map: (row, column) class indices of an integer type, 0 = background. Not modified.
        min_area_px: Smallest event that is kept, pixels.
        drop_border: Whether events that touch the frame are left out.
        fast: Whether to use numba; None: when it is installed. The events are the same.

    Raises:
        InputError: If it is not (row, column) or holds anything but class indices below 255.

    Returns:
        The events, ordered class by class, then row by row (by their first pixel).

    Examples:
        >>> events = find_events(np.array([[1, 0, 2], [0, 1, 2]], np.uint8))
        >>> events.class_index, events.area_px
        (array([1, 2], dtype=uint8), array([2, 2]))
        >>> events.boxes
        array([[0, 0, 2, 2],
               [0, 2, 2, 3]])
    """
    if np.ndim(label_map) != 2:
        msg = f"label map must be (row, column), got shape {np.shape(label_map)}. Give one two-dimensional label map."
        raise InputError(msg)
    label_map = check_class_indices(label_map, MAX_CLASSES)
    return collect_events(label_map, min_area_px=min_area_px, drop_border=drop_border, fast=fast)


def collect_events(
    label_map: LabelMap, *, min_area_px: int = 1, drop_border: bool = False, fast: bool | None = None
) -> Events:
    """Find events as `find_events` does, in a map that was checked already: (row, column), uint8, class indices.

    Args:
        label_map: As for `find_events`.
        min_area_px: As for `find_events`.
        drop_border: As for `find_events`.
        fast: As for `find_events`.
    """
    shape = (label_map.shape[0], label_map.shape[1])
    kernels = load_kernels(fast=fast) or runs_backend
    runs, kinds, area, boxes = kernels.find_events(np.ascontiguousarray(label_map))
    events = Events(kinds, boxes, area, runs, shape)
    if min_area_px <= 1 and not drop_border:
        return events
    keep = events.area_px >= min_area_px
    if drop_border:
        keep &= ~events.touch_frame(shape)
    return events if keep.all() else events.select(keep)
