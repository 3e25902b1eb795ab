"""Footprints: the pixels of every event, side by side, so that work per event costs foreground pixels only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Footprints:
    """The pixels of events 1..n, event after event, each in reading order.

    Args:
        rows: (pixel,) row of each pixel.
        columns: (pixel,) column of each pixel.
        starts: (event + 1,) where each event's pixels begin; the last entry is the number of pixels.
        shape: (rows, columns) of the map they lie in.
    """

    rows: Integers
    columns: Integers
    starts: Integers
    shape: tuple[int, int]

    @classmethod
    def of(cls, instances: NDArray[np.integer], n_events: int) -> "Footprints":
        """Collect the pixels of events 1..`n_events` of a (row, column) instance map.

        Examples:
            >>> found = Footprints.of(np.array([[2, 0, 1], [2, 0, 1]]), 2)
            >>> found.columns, found.starts
            (array([2, 2, 0, 0]), array([0, 2, 4]))
        """
        flat = np.flatnonzero(instances)
        ids = instances.reshape(-1)[flat]
        flat = flat[np.argsort(ids, kind="stable")]
        starts = np.zeros(n_events + 1, np.int64)
        np.cumsum(np.bincount(ids, minlength=n_events + 1)[1:], out=starts[1:])
        rows, columns = np.divmod(flat, max(instances.shape[1], 1))
        return cls(rows, columns, starts, (int(instances.shape[0]), int(instances.shape[1])))

    def __len__(self) -> int:
        """Count the events."""
        return len(self.starts) - 1

    @property
    def areas(self) -> Integers:
        """(event,) pixels per event."""
        return np.diff(self.starts)

    @property
    def owners(self) -> Integers:
        """(pixel,) position (id - 1) of the event each pixel belongs to."""
        return np.repeat(np.arange(len(self)), self.areas)

    @property
    def boxes(self) -> Integers:
        """(event, 4) half-open boxes: row_min, column_min, row_max, column_max."""
        if len(self) == 0:
            return np.zeros((0, 4), np.int64)
        starts = self.starts[:-1]
        lowest = [np.minimum.reduceat(axis, starts) for axis in (self.rows, self.columns)]
        highest = [np.maximum.reduceat(axis, starts) + 1 for axis in (self.rows, self.columns)]
        return np.stack(lowest + highest, axis=1)

    def pixels(self, event: int) -> tuple[Integers, Integers]:
        """Return the rows and columns of one event, by its id (1, 2, ...)."""
        part = slice(self.starts[event - 1], self.starts[event])
        return self.rows[part], self.columns[part]

    def sums(self, values: RealArray) -> NDArray[np.float64]:
        """Add up (pixel,) values per event."""
        return np.bincount(self.owners, values, minlength=len(self)).astype(np.float64)
