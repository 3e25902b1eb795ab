"""Events and overlaps from horizontal runs of one class, in numpy: the path that is always there.

The same counts as the compiled kernels give. Work grows with the runs, not with the pixels or the classes.
"""

import numpy as np
from numpy.typing import NDArray

Runs = NDArray[np.int64]
"""(run, 4): row, first column, column after the last, event; sorted by row, then column."""


def find_events(
    label_map: NDArray[np.uint8],
) -> tuple[Runs, NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Join runs of one class into 8-connected events.

    Args:
        label_map: (row, column).

    Returns:
        Runs, and per event class index, area and half-open box; events are ordered class by class, then by first pixel.
    """
    row, start, stop, kind = _cut_runs(label_map)
    first = _join(row, start, stop, kind)  # the first run of each run's event
    heads = np.flatnonzero(first == np.arange(len(first)))
    heads = heads[np.argsort(kind[heads], kind="stable")]  # runs are in reading order already
    number = np.zeros(len(first), np.int64)
    number[heads] = np.arange(len(heads))
    event = number[first]
    area = np.bincount(event, weights=stop - start, minlength=len(heads)).astype(np.int64)
    runs = np.column_stack([row, start, stop, event])
    return runs, kind[heads], area, _bound(runs, heads)


def overlap_runs(first: Runs, second: Runs) -> NDArray[np.int64]:
    """Intersect the runs of two fields.

    Args:
        first: Runs of one field.
        second: Runs of the other.

    Returns:
        (overlap, 3) event of the first, event of the second, shared pixels; a pair may come many times.
    """
    width = int(max(first[:, 2].max(initial=0), second[:, 2].max(initial=0))) + 2
    one, other = (runs[:, 0] * width for runs in (first, second))
    low = np.searchsorted(other + second[:, 2], one + first[:, 1], side="right")
    high = np.searchsorted(other + second[:, 1], one + first[:, 2], side="left")
    here, there = spread(low, high)
    shared = np.minimum(first[here, 2], second[there, 2]) - np.maximum(first[here, 1], second[there, 1])
    return np.column_stack([first[here, 3], second[there, 3], shared])


def spread(low: NDArray[np.intp], high: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """List the pairs (i, j) with low[i] <= j < high[i]."""
    number = np.maximum(high - low, 0)
    here = np.repeat(np.arange(len(low)), number)
    there = np.arange(len(here)) + np.repeat(low - (np.cumsum(number) - number), number)
    return here, there


def connect(n: int, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return for each of n nodes the smallest node that edges lead to (Shiloach & Vishkin 1982: hook, then jump).

    Args:
        n: Nodes.
        first: (edge,) one end of each edge.
        second: (edge,) the other end.

    Examples:
        >>> connect(5, np.array([4, 3]), np.array([3, 1]))
        array([0, 1, 2, 1, 1])
    """
    smallest = np.arange(n)
    while len(first):
        one, other = smallest[first], smallest[second]
        apart = np.flatnonzero(one != other)
        if not len(apart):
            break
        first, second, one, other = first[apart], second[apart], one[apart], other[apart]
        np.minimum.at(smallest, np.maximum(one, other), np.minimum(one, other))
        jumped = smallest[smallest]
        while not np.array_equal(jumped, smallest):
            smallest, jumped = jumped, jumped[jumped]
    return smallest


def _cut_runs(
    label_map: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    rows, columns = label_map.shape
    width = columns + 1  # every row ends with background: no run goes on in the next
    fenced = np.zeros(rows * width + 1, np.uint8)
    fenced[1:].reshape(rows, width)[:, :columns] = label_map
    changes = np.flatnonzero(fenced[1:] != fenced[:-1])
    kind = fenced[changes + 1]
    begins = np.flatnonzero(kind)
    start = changes[begins]
    row = start // width
    offset = row * width
    stop = changes[begins + 1] if len(begins) else start
    return row, start - offset, stop - offset, kind[begins]


def _join(
    row: NDArray[np.int64], start: NDArray[np.int64], stop: NDArray[np.int64], kind: NDArray[np.uint8]
) -> NDArray[np.intp]:
    """Return for each run the first run of its event."""
    width = int(stop.max(initial=0)) + 2
    place = row * width
    above = place - width
    low = np.searchsorted(place + stop, above + start, side="left")  # runs that touch at a corner do touch
    high = np.searchsorted(place + start, above + stop, side="right")
    here, there = spread(low, high)
    same = kind[here] == kind[there]
    return connect(len(row), here[same], there[same])


def _bound(runs: Runs, heads: NDArray[np.intp]) -> NDArray[np.int64]:
    """Half-open boxes of the events; runs come row by row: the first and the last of an event bound its rows."""
    row, start, stop, event = runs.T
    boxes = np.empty((len(heads), 4), np.int64)
    boxes[:, 0] = row[heads]
    boxes[event, 2] = row + 1  # the last that is written stays
    boxes[:, 1], boxes[:, 3] = start[heads], stop[heads]
    np.minimum.at(boxes[:, 1], event, start)
    np.maximum.at(boxes[:, 3], event, stop)
    return boxes
