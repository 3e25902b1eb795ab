"""Events from runs of one class, and the pixels that two fields' events share."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from evaluation.metrics.backends.compiled.pixels import WORD


@njit(cache=True, nogil=True)
def find_events(
    label_map: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Join runs of one class into 8-connected events, row after row; words of background are skipped.

    Args:
        label_map: (row, column) contiguous.

    Returns:
        Runs (row, start, stop, event), and per event class index, area and half-open box; events are ordered class by
        class, then by first pixel.
    """
    runs, kind = _find_runs(label_map)
    event, kinds = _number_events(_join_runs(runs, kind), kind)
    area = np.zeros(kinds.size, np.int64)
    boxes = np.zeros((kinds.size, 4), np.int64)
    boxes[:, :2] = label_map.size
    for run in range(kind.size):
        row, start, stop, one = runs[run, 0], runs[run, 1], runs[run, 2], event[run]
        runs[run, 3] = one
        area[one] += stop - start
        boxes[one, 0], boxes[one, 1] = min(boxes[one, 0], row), min(boxes[one, 1], start)
        boxes[one, 2], boxes[one, 3] = max(boxes[one, 2], row + 1), max(boxes[one, 3], stop)
    return runs, kinds, area, boxes


@njit(cache=True, nogil=True)
def overlap_runs(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Intersect the runs of two fields.

    Args:
        first: (run, 4) row, start, stop and event, sorted by row, then start.
        second: The same of the other field.

    Returns:
        (overlap, 3) event of the first, event of the second, shared pixels; a pair may come many times.
    """
    found = np.empty((len(first) + len(second), 3), np.int64)
    n_found, low = 0, 0
    for run in range(len(first)):
        row, start, stop = first[run, 0], first[run, 1], first[run, 2]
        while low < len(second) and (second[low, 0] < row or (second[low, 0] == row and second[low, 2] <= start)):
            low += 1
        other = low
        while other < len(second) and second[other, 0] == row and second[other, 1] < stop:
            found[n_found, 0], found[n_found, 1] = first[run, 3], second[other, 3]
            found[n_found, 2] = min(stop, second[other, 2]) - max(start, second[other, 1])
            n_found += 1
            other += 1
    return found[:n_found]


@njit(cache=True, nogil=True)
def _find_runs(label_map: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Find the horizontal runs of one foreground class: row, start, stop (half-open), a free place; and the classes."""
    flat, columns = label_map.reshape(-1), label_map.shape[1]
    n_words = flat.size // WORD
    words = flat[: n_words * WORD].view(np.uint64)
    changes, n_changes, last = np.empty(4096, np.int64), 0, np.uint8(0)
    for word in range(n_words + 1):  # where the class changes, the field read as one long line
        start, stop = word * WORD, min(word * WORD + WORD, flat.size)
        if last == 0 and word < n_words and words[word] == 0:
            continue
        if n_changes + WORD > changes.size:
            changes = np.concatenate((changes, np.empty(changes.size, np.int64)))
        for pixel in range(start, stop):
            if flat[pixel] != last:
                last = flat[pixel]
                changes[n_changes] = pixel
                n_changes += 1
    return _cut_runs(flat, columns, np.append(changes[:n_changes], flat.size))


@njit(cache=True, nogil=True)
def _cut_runs(
    flat: NDArray[np.uint8], columns: int, changes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Make runs of the stretches between changes, cut where a row ends."""
    n_runs = 0
    for place in range(changes.size - 1):
        if flat[changes[place]]:
            n_runs += (changes[place + 1] - 1) // columns - changes[place] // columns + 1
    runs, kinds = np.empty((n_runs, 4), np.int64), np.empty(n_runs, np.uint8)
    run = 0
    for place in range(changes.size - 1):
        start, stop = changes[place], changes[place + 1]
        while flat[start] and start < stop:
            row = start // columns
            end = min(stop, (row + 1) * columns)
            runs[run, 0], runs[run, 1], runs[run, 2] = row, start - row * columns, end - row * columns
            kinds[run] = flat[start]
            run += 1
            if end == stop:
                break
            start = end
    return runs, kinds


@njit(cache=True, nogil=True)
def _join_runs(runs: NDArray[np.int64], kind: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return for each run the first run of its event (union-find over touching runs of neighbouring rows)."""
    parent = np.arange(kind.size)
    above = 0
    for run in range(kind.size):
        row, start, stop = runs[run, 0], runs[run, 1], runs[run, 2]
        while above < run and (runs[above, 0] < row - 1 or (runs[above, 0] < row and runs[above, 2] < start)):
            above += 1
        other = above
        while other < run and runs[other, 0] < row and runs[other, 1] <= stop:
            if kind[other] == kind[run] and runs[other, 2] >= start:
                first, second = _root(parent, run), _root(parent, other)
                parent[max(first, second)] = min(first, second)
            other += 1
    for run in range(kind.size):
        parent[run] = parent[parent[run]]
    return parent


@njit(cache=True, nogil=True)
def _root(parent: NDArray[np.int64], run: int) -> int:
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@njit(cache=True, nogil=True)
def _number_events(parent: NDArray[np.int64], kind: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Number the events from 0, class by class in the order of their first runs: event per run, class per event."""
    following = np.zeros(257, np.int64)
    for run in range(parent.size):
        if parent[run] == run:
            following[kind[run] + 1] += 1
    following = np.cumsum(following)
    kinds = np.empty(following[256], np.uint8)
    event = np.empty(parent.size, np.int64)
    for run in range(parent.size):
        if parent[run] == run:
            event[run] = following[kind[run]]
            kinds[event[run]] = kind[run]
            following[kind[run]] += 1
        else:
            event[run] = event[parent[run]]
    return event, kinds
