"""Pairs of boxes that overlap, looked for among all."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def pair_boxes(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """List the pairs of boxes that overlap, in reading order.

    Args:
        one: (n, 4) half-open boxes.
        other: (m, 4) half-open boxes of the same type.

    Returns:
        (pair,) first and second of each, and the area of their intersection and union in the boxes' type.
    """
    ones, others = _find(one, other)
    intersection, union = np.empty(ones.size, one.dtype), np.empty(ones.size, one.dtype)
    for pair in range(ones.size):
        first, second = ones[pair], others[pair]
        top, left, bottom, right = one[first, 0], one[first, 1], one[first, 2], one[first, 3]
        row, column, below, beside = other[second, 0], other[second, 1], other[second, 2], other[second, 3]
        shared = (min(bottom, below) - max(top, row)) * (min(right, beside) - max(left, column))
        intersection[pair] = shared
        union[pair] = (bottom - top) * (right - left) + (below - row) * (beside - column) - shared
    return ones, others, intersection, union


@njit(cache=True, nogil=True)
def _find(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the pairs, a row of boxes at a time: arrays that grow in the inner loop would cost ten times as much."""
    ones, others = np.empty(len(one) + len(other), np.int64), np.empty(len(one) + len(other), np.int64)
    n_found = 0
    for first in range(len(one)):
        if n_found + len(other) > ones.size:
            ones = np.concatenate((ones, np.empty(ones.size + len(other), np.int64)))
            others = np.concatenate((others, np.empty(ones.size - others.size, np.int64)))
        top, left, bottom, right = one[first, 0], one[first, 1], one[first, 2], one[first, 3]
        for second in range(len(other)):
            across = left < other[second, 3] and other[second, 1] < right
            if across and top < other[second, 2] and other[second, 0] < bottom:
                ones[n_found], others[n_found] = first, second
                n_found += 1
    return ones[:n_found].copy(), others[:n_found].copy()
