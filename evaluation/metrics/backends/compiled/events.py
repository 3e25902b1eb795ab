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
def pair_runs(
    first: NDArray[np.int64], second: NDArray[np.int64], areas: NDArray[np.int64], others: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """List the pairs of events that share pixels, sorted by the first, then the second.

    Args:
        first: Runs of one field, as `find_events` gives them.
        second: Runs of the other.
        areas: (n,) pixels of each event of the first.
        others: (m,) pixels of each event of the second.

    Returns:
        (pair,) first and second event of each, pixels that both have, and pixels that either has.
    """
    pieces = _overlap_runs(first, second)
    pieces = _sort_by(pieces, 1, others.size)
    pieces = _sort_by(pieces, 0, areas.size)
    one, other = np.empty(len(pieces), np.int64), np.empty(len(pieces), np.int64)
    shared, either = np.empty(len(pieces), np.int64), np.empty(len(pieces), np.int64)
    last = -1
    for piece in range(len(pieces)):
        here, there = pieces[piece, 0], pieces[piece, 1]
        if last < 0 or one[last] != here or other[last] != there:
            last += 1
            one[last], other[last], shared[last] = here, there, 0
        shared[last] += pieces[piece, 2]
    for pair in range(last + 1):
        either[pair] = areas[one[pair]] + others[other[pair]] - shared[pair]
    return one[: last + 1], other[: last + 1], shared[: last + 1], either[: last + 1]


@njit(cache=True, nogil=True)
def _sort_by(pieces: NDArray[np.int64], column: int, n: int) -> NDArray[np.int64]:
    """Sort rows by a column of whole numbers below n; equal ones keep their order."""
    place = np.zeros(n + 1, np.int64)
    for piece in range(len(pieces)):
        place[pieces[piece, column] + 1] += 1
    for value in range(n):
        place[value + 1] += place[value]
    ordered = np.empty_like(pieces)
    for piece in range(len(pieces)):
        value = pieces[piece, column]
        for part in range(3):
            ordered[place[value], part] = pieces[piece, part]
        place[value] += 1
    return ordered


@njit(cache=True, nogil=True)
def _overlap_runs(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
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
    flat, (n_rows, columns) = label_map.reshape(-1), label_map.shape
    changes = _find_changes(flat)
    runs = np.empty((changes.size + n_rows, 4), np.int64)  # at most one more for each row that ends within a run
    kinds = np.empty(len(runs), np.uint8)
    n_runs, row, end = 0, 0, columns
    for place in range(changes.size - 1):
        start, stop = changes[place], changes[place + 1]
        kind = flat[start]
        while kind and start < stop:
            while end <= start:
                row, end = row + 1, end + columns
            first = end - columns
            runs[n_runs, 0], runs[n_runs, 1], runs[n_runs, 2] = row, start - first, min(stop, end) - first
            kinds[n_runs] = kind
            n_runs, start = n_runs + 1, end
    return runs[:n_runs], kinds[:n_runs]


@njit(cache=True, nogil=True)
def _find_changes(flat: NDArray[np.uint8]) -> NDArray[np.int64]:
    """List the places where the class changes, the field read as one long line, and at last its length."""
    changed = np.zeros(flat.size + 2 * WORD, np.uint8)
    if flat.size:
        changed[0] = flat[0]
    before, here, out = flat[:-1], flat[1:], changed[1 : flat.size]
    for pixel in range(out.size):  # without a branch: many pixels in one instruction
        out[pixel] = here[pixel] ^ before[pixel]
    n_words = flat.size // WORD + 1
    words = changed[: n_words * WORD].view(np.uint64)
    within, n_within = np.empty(n_words, np.int64), np.uint64(0)
    for word in range(n_words):  # nor here: what is written too early is written again
        within[n_within] = word
        n_within += np.uint64(words[word] != 0)
    changes, n_changes = np.empty(n_within * WORD + 2, np.int64), np.uint64(0)
    for word in within[:n_within]:
        for pixel in range(word * WORD, word * WORD + WORD):
            changes[n_changes] = pixel
            n_changes += np.uint64(changed[pixel] != 0)
    changes[n_changes] = flat.size
    return changes[: n_changes + np.uint64(1)]


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
