"""Matching: which predicted event answers which event of the reference.

Two modes stand side by side. In the paper's, each event of the reference takes its best overlap with any predicted
event of its class, and a predicted event may serve many. One to one, an optimal assignment gives each predicted
event to at most one of the reference: as many pairs above the threshold as possible, and among those the largest sum of
IoU. Greedy matching is not offered: below an IoU of 0.5 it loses pairs.
"""

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.backends.runs import connect
from evaluation.metrics.counts import Counts
from evaluation.metrics.overlaps import Pairs
from evaluation.metrics.pixels import FloatArray
from evaluation.metrics.settings import THRESHOLD_STEPS

MOST_DENSE = 20_000  # cells of a table of gains; larger groups are solved sparsely
NO_GAIN = 1e-9  # a weight of 0 would be no edge; so many of them weigh nothing beside a pair
PANOPTIC_STEP = THRESHOLD_STEPS // 2  # panoptic quality is defined at an IoU of 0.5


def count_best(pairs: Pairs, reference_class: NDArray[np.uint8], *, n_classes: int) -> Counts:
    """Count the events of the reference whose best overlap reaches each threshold (the paper's mode).

    Args:
        pairs: Overlapping pairs of one class each.
        reference_class: (n,) class index of each event of the reference.
        n_classes: C, background included.

    Returns:
        (C, 19) events whose best IoU is at least k/20, k = 1..19.
    """
    best = np.zeros(len(reference_class), np.intp)
    np.maximum.at(best, pairs.reference, pairs.steps)
    return _cumulate(best, reference_class, n_classes)


def count_one_to_one(pairs: Pairs, reference_class: NDArray[np.uint8], *, n_classes: int) -> tuple[Counts, FloatArray]:
    """Count the pairs of an optimal assignment at each threshold.

    Args:
        pairs: Overlapping pairs of one class each.
        reference_class: (n,) class index of each event of the reference.
        n_classes: C, background included.

    Returns:
        (C, 19) pairs whose IoU is at least k/20 in the assignment made for that threshold, k = 1..19, and the (C,) sum
        of the IoU over the pairs at 0.5.
    """
    is_near = pairs.steps > 0
    near = pairs if is_near.all() else pairs.select(is_near)
    if _are_apart(near):
        return _cumulate(near.steps, reference_class[near.reference], n_classes), _sum_iou(
            near, reference_class, n_classes
        )
    group, simple = _group(near)
    # Where all pairs share one event, its best pair is the assignment at every threshold.
    alone = near.select(np.sort(_best_of_groups(near, group, np.flatnonzero(simple))))
    counts = _cumulate(alone.steps, reference_class[alone.reference], n_classes)
    sums = _sum_iou(alone, reference_class, n_classes)
    if simple.all():
        return counts, sums
    rest = near.select(np.flatnonzero(~simple))
    able, chosen = -1, rest
    steps = rest.steps
    for step in range(1, int(steps.max(initial=0)) + 1):
        if able != (able := int((steps >= step).sum())):  # with the same pairs the assignment is the same
            chosen = rest.select(assign(rest, step=step))
        if step < THRESHOLD_STEPS:
            counts[:, step - 1] += np.bincount(reference_class[chosen.reference], minlength=n_classes)
        if step == PANOPTIC_STEP:
            sums += _sum_iou(chosen, reference_class, n_classes)
    return counts, sums


def assign(pairs: Pairs, *, step: int) -> NDArray[np.intp]:
    """Choose the optimal one-to-one assignment among pairs that reach a threshold.

    Args:
        pairs: Overlapping pairs.
        step: Threshold in twentieths: pairs with an IoU of at least step/20 may be chosen.

    Returns:
        (chosen,) positions in `pairs`, ascending: as many as possible, and of those choices the one with the largest
        sum of IoU (Hungarian method).

    Examples:
        >>> import numpy as np
        >>> first, second = np.array([0, 0, 1]), np.array([0, 1, 0])  # greedy would take the 0.9 and lose a pair
        >>> pairs = Pairs(first, second, intersection=np.array([90, 30, 40]), union=np.array([100, 100, 100]))
        >>> assign(pairs, step=2)
        array([1, 2])
    """
    able = np.flatnonzero(pairs.steps >= step)
    near = pairs if len(able) == len(pairs) else pairs.select(able)
    if _are_apart(near):
        return able
    group, simple = _group(near)
    chosen = [_best_of_groups(near, group, np.flatnonzero(simple))]
    chosen += [_solve(near, np.flatnonzero(group == one)) for one in np.unique(group[~simple])]
    return able[np.sort(np.concatenate(chosen))]


def find_partners(pairs: Pairs, n_reference: int, *, step: int = 2) -> NDArray[np.intp]:
    """Return for each event of the reference its one partner, whatever the classes.

    Args:
        pairs: Overlapping pairs.
        n_reference: Events of the reference.
        step: Smallest IoU of partners, in twentieths.

    Returns:
        (n_reference,) position of the partner among the predicted events, -1 for none.

    Examples:
        >>> first, second = np.array([0, 0, 1]), np.array([0, 1, 0])
        >>> pairs = Pairs(first, second, intersection=np.array([90, 30, 1]), union=np.array([100, 100, 100]))
        >>> find_partners(pairs, 2)
        array([ 0, -1])
    """
    partner = np.full(n_reference, -1)
    chosen = pairs.select(assign(pairs, step=step))
    partner[chosen.reference] = chosen.prediction
    return partner


def _are_apart(pairs: Pairs) -> bool:
    """Return whether no event is in two pairs: then all pairs are the assignment."""
    return all(len(end) == 0 or int(np.bincount(end).max()) == 1 for end in (pairs.reference, pairs.prediction))


def _group(pairs: Pairs) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the connected group of each pair, and whether one event is in all pairs of its group."""
    n = len(pairs)
    if n == 0:
        return np.zeros(0, np.intp), np.ones(0, bool)
    ones, others = np.bincount(pairs.reference), np.bincount(pairs.prediction)
    many, more = ones[pairs.reference] > 1, others[pairs.prediction] > 1
    if not (many & more).any():  # no chains: the end that has several pairs names the group
        return np.where(many, pairs.reference, len(ones) + pairs.prediction), np.ones(n, bool)
    size = len(ones) + len(others)
    group = connect(size, pairs.reference, len(ones) + pairs.prediction)[pairs.reference]
    members = [np.bincount(group[_firsts(end)], minlength=size) for end in (pairs.reference, pairs.prediction)]
    return group, (members[0][group] == 1) | (members[1][group] == 1)


def _firsts(ends: NDArray[np.intp]) -> NDArray[np.intp]:
    """Position of one pair for each event that is an end of any."""
    position = np.full(ends.max() + 1, -1)
    position[ends] = np.arange(len(ends))
    return position[position >= 0]


def _best_of_groups(pairs: Pairs, group: NDArray[np.intp], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of each group among `rows`, the position of the pair with the largest IoU; the first of equals."""
    order = rows[np.lexsort((-pairs.iou[rows], group[rows]))]
    first = np.ones(len(order), bool)
    first[1:] = group[order[1:]] != group[order[:-1]]
    return order[first]


def _solve(pairs: Pairs, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    group = pairs.select(rows)
    one, first = np.unique(group.reference, return_inverse=True)
    other, second = np.unique(group.prediction, return_inverse=True)
    # A pair more is always worth more than any sum of IoU: that sum, scaled, stays at most one half.
    worth = 1 + group.iou / (2 * min(len(one), len(other)))
    if len(one) * len(other) > MOST_DENSE:
        return rows[_solve_sparse(first, second, worth, (len(one), len(other)))]
    from scipy.optimize import linear_sum_assignment

    gain = np.zeros((len(one), len(other)))
    gain[first, second] = worth
    place = np.full(gain.shape, -1, np.intp)
    place[first, second] = rows
    found: NDArray[np.intp] = place[linear_sum_assignment(gain, maximize=True)]
    return found[found >= 0]


def _solve_sparse(
    first: NDArray[np.intp], second: NDArray[np.intp], worth: FloatArray, shape: tuple[int, int]
) -> NDArray[np.intp]:
    """Choose pairs of a large group in memory that grows with its pairs; each event may stay alone, at no gain."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    n, m = shape
    alone = np.arange(n)
    ends = np.concatenate([first, alone]), np.concatenate([second, m + alone])
    weights = np.concatenate([worth, np.full(n, NO_GAIN)])
    chosen = min_weight_full_bipartite_matching(csr_array((weights, ends), shape=(n, m + n)), maximize=True)[1]
    return np.flatnonzero(chosen[first] == second)


def _cumulate(steps: NDArray[np.intp], kinds: NDArray[np.uint8], n_classes: int) -> Counts:
    """Count per class how many steps are at least 1, 2, ..., 19."""
    width = THRESHOLD_STEPS + 1
    exact = np.bincount(kinds.astype(np.intp) * width + steps, minlength=n_classes * width).reshape(n_classes, width)
    at_least: Counts = exact[:, ::-1].cumsum(1)[:, ::-1]
    return at_least[:, 1:THRESHOLD_STEPS].copy()


def _sum_iou(pairs: Pairs, reference_class: NDArray[np.uint8], n_classes: int) -> FloatArray:
    good = pairs.steps >= PANOPTIC_STEP
    kinds = reference_class[pairs.reference[good]]
    sums: FloatArray = np.bincount(kinds, weights=pairs.iou[good], minlength=n_classes).astype(float)
    return sums
