"""Matching within a field whose pairs form no chains; a chain needs an assignment, which is not made here."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

LEVELS = 20  # an IoU in whole twentieths, as evaluation.metrics.settings.THRESHOLD_STEPS
PANOPTIC = 10


@njit(cache=True, nogil=True)
def match_events(
    ends: tuple[NDArray[np.int64], NDArray[np.int64]],
    areas: tuple[NDArray[np.int64], NDArray[np.int64]],
    kinds: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    n_classes: int,
    found_step: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], bool, bool]:
    """Count what `evaluation.metrics.match_counts` counts, where no chain of pairs leaves a choice.

    Args:
        ends: (pair,) event of the reference and of the prediction, sorted by the first, then the second.
        areas: (pair,) intersection and union.
        kinds: (n,) and (m,) class index of each event of the reference and of the prediction.
        n_classes: C; all class indices are below it.
        found_step: IoU from which an event is found, in twentieths.

    Returns:
        (C, C) detection, (C, 19) of the paper, (C, 19) one to one, (C,) sums of IoU, whether the detection holds, and
        whether the one-to-one counts and sums hold.
    """
    steps = np.empty(ends[0].size, np.int64)
    alike, unlike = np.zeros(steps.size, np.bool_), np.zeros(steps.size, np.bool_)
    best = np.zeros(kinds[0].size, np.int64)
    for pair in range(steps.size):
        first, second = ends[0][pair], ends[1][pair]
        steps[pair] = LEVELS * areas[0][pair] // areas[1][pair]
        alike[pair] = kinds[0][first] == kinds[1][second]
        if alike[pair]:
            best[first] = max(best[first], steps[pair])
    found_as, is_used = np.zeros(kinds[0].size, np.int64), np.zeros(kinds[1].size, np.bool_)
    chosen, single = _choose(ends, areas, alike & (steps >= 1))
    found, holds = _choose(ends, areas, alike & (steps >= found_step))
    _use(ends, found, kinds[1], found_as, is_used)
    for pair in range(steps.size):
        free = found_as[ends[0][pair]] == 0 and not is_used[ends[1][pair]]
        unlike[pair] = not alike[pair] and steps[pair] >= found_step and free
    found, still_holds = _choose(ends, areas, unlike)
    _use(ends, found, kinds[1], found_as, is_used)
    detection = np.zeros((n_classes, n_classes), np.int64)
    for first in range(kinds[0].size):
        detection[kinds[0][first], found_as[first]] += 1
    for second in range(kinds[1].size):
        if not is_used[second]:
            detection[0, kinds[1][second]] += 1
    paper, one_to_one = np.zeros((n_classes, LEVELS + 1), np.int64), np.zeros((n_classes, LEVELS + 1), np.int64)
    for first in range(kinds[0].size):
        paper[kinds[0][first], best[first]] += 1
    sums = np.zeros(n_classes, np.float64)
    for pair in range(steps.size):
        if chosen[pair]:
            kind = kinds[0][ends[0][pair]]
            one_to_one[kind, steps[pair]] += 1
            if steps[pair] >= PANOPTIC:
                sums[kind] += areas[0][pair] / areas[1][pair]
    return detection, _at_least(paper), _at_least(one_to_one), sums, holds and still_holds, single


@njit(cache=True, nogil=True)
def _choose(
    ends: tuple[NDArray[np.int64], NDArray[np.int64]],
    areas: tuple[NDArray[np.int64], NDArray[np.int64]],
    able: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], bool]:
    """Choose the best pair of each event that has several, the first of equals; False: two such events are joined."""
    size = ends[0].size
    ones, others = (
        np.zeros(ends[0].max() + 1 if size else 0, np.int64),
        np.zeros(ends[1].max() + 1 if size else 0, np.int64),
    )
    for pair in range(size):
        if able[pair]:
            ones[ends[0][pair]] += 1
            others[ends[1][pair]] += 1
    leader = np.full(ones.size + others.size, -1, np.int64)
    chosen = np.zeros(size, np.bool_)
    for pair in range(size):
        if not able[pair]:
            continue
        many = ones[ends[0][pair]] > 1
        if many and others[ends[1][pair]] > 1:
            return chosen, False
        group = ends[0][pair] if many else ones.size + ends[1][pair]
        rival = leader[group]
        if rival < 0 or areas[0][pair] / areas[1][pair] > areas[0][rival] / areas[1][rival]:
            leader[group] = pair
    for best in leader:
        if best >= 0:
            chosen[best] = True
    return chosen, True


@njit(cache=True, nogil=True)
def _use(
    ends: tuple[NDArray[np.int64], NDArray[np.int64]],
    chosen: NDArray[np.bool_],
    kinds: NDArray[np.uint8],
    found_as: NDArray[np.int64],
    is_used: NDArray[np.bool_],
) -> None:
    for pair in range(chosen.size):
        if chosen[pair]:
            found_as[ends[0][pair]] = kinds[ends[1][pair]]
            is_used[ends[1][pair]] = True


@njit(cache=True, nogil=True)
def _at_least(exact: NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn counts per step into counts of at least 1, 2, ..., 19 steps."""
    counts = np.zeros((len(exact), LEVELS - 1), np.int64)
    for kind in range(len(exact)):
        total = 0
        for step in range(LEVELS, 0, -1):
            total += exact[kind, step]
            if step < LEVELS:
                counts[kind, step - 1] = total
    return counts
