"""Boundary pixels of all classes, and how many have a counterpart near by."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from evaluation.metrics.backends.compiled.pixels import WORD

NEAREST = 5  # a pixel and its four neighbours, always the first offsets where there are as many


@njit(cache=True, nogil=True)
def mark_boundaries(label_map: NDArray[np.uint8], margin: int) -> NDArray[np.uint8]:
    """Mark the boundary pixels of every class with class index + 1, in an empty margin.

    Args:
        label_map: (row, column) contiguous.
        margin: Width of the margin.
    """
    rows, columns = label_map.shape
    marked = np.zeros((rows + 2 * margin, columns + 2 * margin), np.uint8)
    for row in range(rows):
        line = marked[margin + row, margin : margin + columns]
        own, above, below = label_map[row], label_map[max(row - 1, 0)], label_map[min(row + 1, rows - 1)]
        if row in (0, rows - 1):
            for column in range(columns):
                line[column] = own[column] + np.uint8(1)
            continue
        for column in range(1, columns - 1):  # without a branch: many pixels in one instruction
            kind = own[column]
            across = (kind != above[column]) | (kind != below[column])
            along = (kind != own[column - 1]) | (kind != own[column + 1])
            line[column] = np.uint8(kind + np.uint8(1)) if across | along else np.uint8(0)
        if columns:
            line[0] = own[0] + np.uint8(1)
            line[columns - 1] = own[columns - 1] + np.uint8(1)
    return marked


@njit(cache=True, nogil=True)
def probe(
    edges: NDArray[np.uint8], other: NDArray[np.uint8], offsets: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Count boundary pixels per class index + 1, and those with a like one in `other` at one of the offsets.

    Most have one at the nearest offsets; those are sorted out for many pixels in one instruction. Of the rest, one that
    lies beside another of its class without a counterpart needs to look only where that one could not.

    Args:
        edges: (row, column) class index + 1 on boundary pixels, 0 elsewhere; the margin holds every offset.
        other: (row, column) the same of the other map.
        offsets: (offset,) distances in the flattened arrays, nearest first.
        n_classes: All values are at most this.
    """
    columns = edges.shape[1]
    own, second = edges.ravel(), other.ravel()
    steps = np.array([-1, -columns - 1, -columns, -columns + 1])
    fresh, sizes = _fresh_offsets(offsets, steps)
    far = _drop_near(own, second, offsets)
    missed = np.zeros(n_classes + 1, np.int64)
    n_words = far.size // WORD
    words = far[: n_words * WORD].view(np.uint64)
    for word in range(n_words + 1):
        if word < n_words and words[word] == 0:
            continue
        for pixel in range(word * WORD, min(word * WORD + WORD, far.size)):
            kind = far[pixel]
            if kind == 0:
                continue
            chosen = steps.size
            for beside in range(steps.size):
                place = pixel + steps[beside]
                if place >= 0 and far[place] == kind and sizes[beside] < sizes[chosen]:
                    chosen = beside
            if _is_within(pixel, kind, second, fresh[chosen], sizes[chosen]):
                far[pixel] = 0  # what stays in `far` has no counterpart
            else:
                missed[kind] += 1
    counts = np.zeros((n_classes + 1, 2), np.int64)
    counts[:, 0] = _count_kinds(own, n_classes)
    counts[:, 1] = counts[:, 0] - missed
    return counts


@njit(cache=True, nogil=True)
def _fresh_offsets(offsets: NDArray[np.int64], steps: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List, for each step to a neighbour, the offsets that are out of the neighbour's reach; at last, all offsets.

    Returns:
        (step + 1, offset) offsets, and (step + 1,) how many of a row are used. The nearest are left out.
    """
    start = NEAREST if offsets.size >= NEAREST else 1
    reach = np.abs(offsets).max() + np.abs(steps).max()
    is_offset = np.zeros(2 * reach + 1, np.bool_)
    for offset in offsets:
        is_offset[offset + reach] = True
    fresh = np.zeros((steps.size + 1, offsets.size), np.int64)
    sizes = np.zeros(steps.size + 1, np.int64)
    for row in range(steps.size + 1):
        for offset in offsets[start:]:
            if row == steps.size or not is_offset[offset - steps[row] + reach]:
                fresh[row, sizes[row]] = offset
                sizes[row] += 1
    return fresh, sizes


@njit(cache=True, nogil=True)
def _count_kinds(edges: NDArray[np.uint8], n_classes: int) -> NDArray[np.int64]:
    lanes = np.zeros((WORD, n_classes + 1), np.int64)  # as in count_pixels
    n_words = edges.size // WORD
    words = edges[: n_words * WORD].view(np.uint64)
    for word in range(n_words):
        if words[word]:
            for lane in range(WORD):
                lanes[lane, edges[word * WORD + lane]] += 1
    for pixel in range(n_words * WORD, edges.size):
        lanes[0, edges[pixel]] += 1
    counts = lanes.sum(0)
    counts[0] = 0
    return counts


@njit(cache=True, nogil=True)
def _drop_near(edges: NDArray[np.uint8], other: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Keep the boundary pixels that have no like one at the nearest offsets."""
    far = np.zeros(edges.size, np.uint8)
    reach = offsets[1:NEAREST].max() if offsets.size >= NEAREST else 0
    stop = edges.size - reach
    own, same, out = edges[reach:stop], other[reach:stop], far[reach:stop]
    if reach == 0:
        for pixel in range(own.size):
            out[pixel] = own[pixel] if own[pixel] != same[pixel] else np.uint8(0)
        return far
    first, second = other[reach + offsets[1] : stop + offsets[1]], other[reach + offsets[2] : stop + offsets[2]]
    third, fourth = other[reach + offsets[3] : stop + offsets[3]], other[reach + offsets[4] : stop + offsets[4]]
    for pixel in range(own.size):
        kind = own[pixel]
        across = (kind != first[pixel]) & (kind != second[pixel])
        along = (kind != third[pixel]) & (kind != fourth[pixel])
        out[pixel] = kind if (kind != same[pixel]) & across & along else np.uint8(0)
    return far


@njit(cache=True, nogil=True, inline="always")
def _is_within(pixel: int, kind: int, other: NDArray[np.uint8], offsets: NDArray[np.int64], n_offsets: int) -> bool:
    for place in range(n_offsets):  # noqa: SIM110 - numba has no any(); iterating the array itself is slow
        if other[np.uintp(pixel + offsets[place])] == kind:
            return True
    return False
