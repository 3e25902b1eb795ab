"""What is wrong with each event, from the pixels that events share."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def classify_events(
    ends: tuple[NDArray[np.int64], NDArray[np.int64]],
    shared: NDArray[np.int64],
    kinds: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    areas: tuple[NDArray[np.int64], NDArray[np.int64]],
    shares: tuple[float, float, float, float],
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64], NDArray[np.bool_]]:
    """Say of each event what `evaluation.metrics.taxonomy.classify_errors` says.

    Args:
        ends: (pair,) event of the reference and of the prediction.
        shared: (pair,) pixels that both have.
        kinds: (n,) and (m,) class index of each event.
        areas: (n,) and (m,) pixels of each event.
        shares: The settings covered, complete, swollen and inside.

    Returns:
        (4, n) pixels covered, own, the class found as, pixels found; (5, n) missed, misclassified, incomplete, swollen,
        split; (m,) pixels covered; (2, m) spurious, merged.
    """
    covered, complete, swollen, inside = shares
    n, m = kinds[0].size, kinds[1].size
    n_classes = 1
    for kind in kinds[1]:
        n_classes = max(n_classes, int(kind) + 1)
    by_class, there = np.zeros((n, n_classes), np.int64), np.zeros(n, np.int64)
    pieces, parts, in_reference = np.zeros(n, np.int64), np.zeros(m, np.int64), np.zeros(m, np.int64)
    for pair in range(shared.size):
        first, second = ends[0][pair], ends[1][pair]
        by_class[first, kinds[1][second]] += shared[pair]
        in_reference[second] += shared[pair]
        if kinds[0][first] == kinds[1][second]:
            pieces[first] += shared[pair] >= inside * areas[1][second]
            parts[second] += shared[pair] >= inside * areas[0][first]
    numbers, wrong = np.zeros((4, n), np.int64), np.zeros((5, n), np.bool_)
    for first in range(n):
        everything, most, found = 0, 0, 0
        for kind in range(n_classes):
            everything += by_class[first, kind]
            if by_class[first, kind] > most:
                most, found = by_class[first, kind], kind
        own = by_class[first, kinds[0][first]] if kinds[0][first] < n_classes else 0
        missed = everything <= covered * areas[0][first]
        if missed:
            found, most = 0, 0
        elif own == most:
            found = int(kinds[0][first])
        numbers[0, first], numbers[1, first], numbers[2, first], numbers[3, first] = everything, own, found, most
        wrong[0, first] = missed
    for pair in range(shared.size):
        if kinds[1][ends[1][pair]] == numbers[2, ends[0][pair]]:
            there[ends[0][pair]] += areas[1][ends[1][pair]]
    for first in range(n):
        if not wrong[0, first]:
            wrong[1, first] = numbers[2, first] != kinds[0][first]
            wrong[2, first] = numbers[3, first] < complete * areas[0][first]
            wrong[3, first] = there[first] > swollen * areas[0][first]
        wrong[4, first] = pieces[first] >= 2
    amiss = np.zeros((2, m), np.bool_)
    for second in range(m):
        amiss[0, second] = in_reference[second] <= covered * areas[1][second]
        amiss[1, second] = parts[second] >= 2
    return numbers, wrong, in_reference, amiss
