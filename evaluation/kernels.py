"""The loops that numba compiles: the same integers as the numpy path, at memory speed.

Imported through `evaluation.engine` only, since importing numba costs time and it may be absent.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

WORD = 8  # pixels looked at together: eight uint8 in one 64-bit word
WORD_BITS = 3  # a word is 2**3 pixels
BLOCK = 8  # words looked at together: one cache line


@njit(cache=True, nogil=True)
def count_pixels(reference: NDArray[np.uint8], prediction: NDArray[np.uint8], n_classes: int) -> NDArray[np.int64]:
    """Count pairs of class indices; words in which both maps are all background are skipped.

    Args:
        reference: (pixel,) contiguous.
        prediction: (pixel,) contiguous, as long.
        n_classes: All values are below it.
    """
    # One histogram per place in a word: two neighbours of one class do not wait for each other's sum.
    lanes = np.zeros((WORD, n_classes * n_classes), np.int64)
    n_blocks = reference.size // (BLOCK * WORD)
    words = reference[: n_blocks * BLOCK * WORD].view(np.uint64)
    other = prediction[: n_blocks * BLOCK * WORD].view(np.uint64)
    for block in range(0, n_blocks * BLOCK, BLOCK):
        seen = np.uint64(0)
        for word in range(block, block + BLOCK):
            seen |= words[word] | other[word]
        if seen:
            for word in range(block, block + BLOCK):
                if words[word] | other[word]:
                    for lane in range(WORD):
                        pixel = word * WORD + lane
                        lanes[lane, reference[pixel] * n_classes + prediction[pixel]] += 1
    for pixel in range(n_blocks * BLOCK * WORD, reference.size):
        lanes[0, reference[pixel] * n_classes + prediction[pixel]] += 1
    counts = lanes.sum(0)
    counts[0] += reference.size - counts.sum()
    return counts.reshape(n_classes, n_classes)


@njit(cache=True, nogil=True)
def probe(
    edges: NDArray[np.uint8], other: NDArray[np.uint8], offsets: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Count boundary pixels per class index + 1, and those with a like one in `other` at one of the offsets.

    Args:
        edges: (pixel,) class index + 1 on boundary pixels, 0 elsewhere; the margin holds every offset.
        other: (pixel,) the same of the other map.
        offsets: (offset,) distances in the flat arrays, nearest first.
        n_classes: All values are at most this.
    """
    counts = np.zeros((n_classes + 1, 2), np.int64)
    n_words = edges.size // WORD
    words = edges[: n_words * WORD].view(np.uint64)
    for word in range(n_words + 1):
        if word < n_words and not words[word]:
            continue
        for pixel in range(word * WORD, min(word * WORD + WORD, edges.size)):
            kind = edges[pixel]
            if kind:
                counts[kind, 0] += 1
                for offset in offsets:
                    if other[pixel + offset] == kind:
                        counts[kind, 1] += 1
                        break
    return counts


@njit(cache=True, nogil=True)
def find_events(
    label_map: NDArray[np.uint8],
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Join runs of one class into 8-connected events, row after row; words of background are skipped.

    Args:
        label_map: (row, column) contiguous.

    Returns:
        Instance map, and per event class index, area and half-open box; ordered class by class, then by first pixel.
    """
    row, start, stop, kind = _find_runs(label_map)
    parent = _join_runs(row, start, stop, kind)
    event, kinds = _number_events(parent, kind)
    area = np.zeros(kinds.size, np.int64)
    boxes = np.zeros((kinds.size, 4), np.int64)
    boxes[:, :2] = label_map.size
    instances = np.zeros(label_map.shape, np.int32)
    for run in range(row.size):
        one = event[run]
        area[one] += stop[run] - start[run]
        box = boxes[one]
        box[0], box[1] = min(box[0], row[run]), min(box[1], start[run])
        box[2], box[3] = max(box[2], row[run] + 1), max(box[3], stop[run])
        instances[row[run], start[run] : stop[run]] = one + 1
    return instances, kinds, area, boxes


@njit(cache=True, nogil=True)
def _find_runs(
    label_map: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Find the horizontal runs of one foreground class: row, start, stop (half-open) and class of each."""
    rows, columns = label_map.shape
    flat = label_map.reshape(-1)
    words = flat[: flat.size // WORD * WORD].view(np.uint64)
    size = 1024
    runs = np.empty((size, 3), np.int64)
    kinds = np.empty(size, np.uint8)
    found = 0
    for row in range(rows):
        pixel, end = row * columns, row * columns + columns
        while pixel < end:
            if pixel & (WORD - 1) == 0:
                word = pixel >> WORD_BITS
                while word << WORD_BITS < end and word < words.size and words[word] == 0:
                    word += 1
                pixel = min(word << WORD_BITS, end)
            if pixel == end or flat[pixel] == 0:
                pixel += 1
                continue
            kind, begin = flat[pixel], pixel
            while pixel < end and flat[pixel] == kind:
                pixel += 1
            if found == size:
                runs = np.concatenate((runs, np.empty((size, 3), np.int64)))
                kinds = np.concatenate((kinds, np.empty(size, np.uint8)))
                size *= 2
            base = row * columns
            runs[found, 0], runs[found, 1], runs[found, 2], kinds[found] = row, begin - base, pixel - base, kind
            found += 1
    return runs[:found, 0].copy(), runs[:found, 1].copy(), runs[:found, 2].copy(), kinds[:found]


@njit(cache=True, nogil=True)
def _join_runs(
    row: NDArray[np.int64], start: NDArray[np.int64], stop: NDArray[np.int64], kind: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Give each run the first run of its event (union-find over touching runs of neighbouring rows)."""
    parent = np.arange(row.size)
    above = 0
    for run in range(row.size):
        while above < run and (row[above] < row[run] - 1 or (row[above] < row[run] and stop[above] < start[run])):
            above += 1
        other = above
        while other < run and row[other] < row[run] and start[other] <= stop[run]:
            if kind[other] == kind[run] and stop[other] >= start[run]:
                first, second = _root(parent, run), _root(parent, other)
                parent[max(first, second)] = min(first, second)
            other += 1
    for run in range(row.size):
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
