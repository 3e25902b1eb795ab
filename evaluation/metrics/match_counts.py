"""What is counted of the pairs of one field: events found, and pairs at every threshold, in both modes of matching."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.backends import load_kernels
from evaluation.metrics.counts import Counts
from evaluation.metrics.events import Events
from evaluation.metrics.matching import assign, count_best, count_one_to_one
from evaluation.metrics.overlaps import Pairs
from evaluation.metrics.settings import THRESHOLD_STEPS


class MatchCounts(NamedTuple):
    """The counts of one field that matching gives, as `evaluation.metrics.counts.FieldCounts` describes them.

    Args:
        detection: (C, C) events.
        paper: (C, 19) events of the reference.
        one_to_one: (C, 19) pairs.
        iou_sum: (C,) sums of the IoU.
    """

    detection: Counts
    paper: Counts
    one_to_one: Counts
    iou_sum: NDArray[np.float64]


def count_matches(
    reference: Events, prediction: Events, pairs: Pairs, *, found_iou: float, n_classes: int, fast: bool | None = None
) -> MatchCounts:
    """Match the events of a field in both modes and count.

    Args:
        reference: Events of the reference.
        prediction: Events of the prediction on the same field.
        pairs: Their overlaps, of boxes or of pixels.
        found_iou: IoU from which a pair counts as found in the detection confusion; a multiple of 0.05.
        n_classes: C, background included.
        fast: Whether to use numba; None: when it is installed. The counts are the same.

    Examples:
        >>> from evaluation.metrics.overlaps import pair_boxes
        >>> one, other = (Events.from_boxes([[0, 0, 2, 3]], [kind]) for kind in (1, 2))
        >>> count_matches(one, other, pair_boxes(one, other), found_iou=0.1, n_classes=3).detection
        array([[0, 0, 0],
               [0, 0, 1],
               [0, 0, 0]])
    """
    step = round(found_iou * THRESHOLD_STEPS)
    ends, areas = (pairs.reference, pairs.prediction), (pairs.intersection, pairs.union)
    kernels = load_kernels(fast=fast)
    if kernels is None or any(part.dtype != np.int64 for part in (*ends, *areas)):
        alike, unlike = _split(reference, prediction, pairs)
        one_to_one, sums = count_one_to_one(alike, reference.class_index, n_classes=n_classes)
        paper = count_best(alike, reference.class_index, n_classes=n_classes)
        return MatchCounts(_detect(reference, prediction, alike, unlike, step, n_classes), paper, one_to_one, sums)
    kinds = reference.class_index, prediction.class_index
    detection, paper, one_to_one, sums, detected, matched = kernels.match_events(ends, areas, kinds, n_classes, step)
    if not (detected and matched):  # chains of pairs: an assignment is needed
        alike, unlike = _split(reference, prediction, pairs)
        if not detected:
            detection = _detect(reference, prediction, alike, unlike, step, n_classes)
        if not matched:
            one_to_one, sums = count_one_to_one(alike, reference.class_index, n_classes=n_classes)
    return MatchCounts(detection, paper, one_to_one, sums)


def _split(reference: Events, prediction: Events, pairs: Pairs) -> tuple[Pairs, Pairs]:
    """Part the pairs of one class from those of two."""
    same = reference.class_index[pairs.reference] == prediction.class_index[pairs.prediction]
    return pairs.select(np.flatnonzero(same)), pairs.select(np.flatnonzero(~same))


def _detect(reference: Events, prediction: Events, alike: Pairs, unlike: Pairs, step: int, n_classes: int) -> Counts:
    """Match within classes first, then what is left across classes; the rest is missed or spurious."""
    found_as = np.zeros(len(reference), np.intp)
    is_used = np.zeros(len(prediction), bool)
    for pairs in (alike, unlike):
        free = pairs
        if pairs is unlike:
            free = pairs.select((found_as[pairs.reference] == 0) & ~is_used[pairs.prediction])
        if not len(free):
            continue
        chosen = free.select(assign(free, step=step))
        found_as[chosen.reference] = prediction.class_index[chosen.prediction]
        is_used[chosen.prediction] = True
    counts = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(counts, (reference.class_index, found_as), 1)
    np.add.at(counts[0], prediction.class_index[~is_used], 1)
    return counts
