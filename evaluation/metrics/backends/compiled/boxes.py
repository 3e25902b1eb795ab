"""Pairs of boxes that overlap, all of them looked at: fastest for up to a few thousand boxes."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def pair_boxes(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the pairs of boxes that overlap, in reading order.

    Args:
        one: (n, 4) half-open boxes.
        other: (m, 4) half-open boxes.
    """
    found = np.empty((max(len(one) + len(other), 1), 2), np.int64)
    n_found = 0
    for first in range(len(one)):
        top, left, bottom, right = one[first, 0], one[first, 1], one[first, 2], one[first, 3]
        for second in range(len(other)):
            across = (left < other[second, 3]) & (other[second, 1] < right)
            if across & (top < other[second, 2]) & (other[second, 0] < bottom):
                if n_found == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                found[n_found, 0], found[n_found, 1] = first, second
                n_found += 1
    return found[:n_found, 0].copy(), found[:n_found, 1].copy()
