"""What went wrong with each event: missed, misclassified, incomplete, swollen, spurious, split, merged.

The kinds are the paper's, measured event by event, so that labels corrupted with a log and evaluated against the clean
ones give back the logged counts (with `complete=1`, see `classify_errors`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.backends import load_kernels
from evaluation.metrics.counts import ERRORS, Counts
from evaluation.metrics.events import Events
from evaluation.metrics.overlaps import Pairs
from evaluation.metrics.settings import EvaluationSettings
from noisylabels.data.arrays import RealArray
from noisylabels.data.events import EventTable

IN_REFERENCE = ("n_reference", "missed", "misclassified", "incomplete", "swollen", "split")
IN_PREDICTION = ("n_prediction", "spurious", "merged")


@dataclass(frozen=True)
class EventErrors:
    """The errors of one field, event by event.

    Args:
        reference: One row per event of the reference: event, class_index, area_px, box, `covered_px` (its pixels that
            are predicted as any event), `own_px` (as its own class), `found_as` (the class most of the covered pixels
            have; its own on a tie, else the smallest; 0 when missed), `found_px` (predicted as that class) and the
            booleans missed, misclassified, incomplete, swollen, split.
        prediction: One row per predicted event: event, class_index, area_px, box, `covered_px` (its pixels that are an
            event in the reference) and the booleans spurious, merged.
    """

    reference: EventTable
    prediction: EventTable

    def count(self, *, n_classes: int) -> Counts:
        """Count events and errors per class.

        Args:
            n_classes: C, background included.

        Returns:
            (C, 9) in the order of `evaluation.metrics.counts.ERRORS`: spurious and merged by the class of the
            predicted event, the others by the class of the reference.
        """
        counts = np.zeros((n_classes, len(ERRORS)), np.int64)
        for column, name in enumerate(ERRORS):
            table = self.prediction if name in IN_PREDICTION else self.reference
            kinds = table["class_index"] if name.startswith("n_") else table["class_index"][table[name]]
            counts[:, column] = np.bincount(kinds, minlength=n_classes)
        return counts


def classify_errors(
    reference: Events,
    prediction: Events,
    pairs: Pairs,
    *,
    settings: EvaluationSettings | None = None,
    fast: bool | None = None,
) -> EventErrors:
    """Return what is wrong with each event.

    - missed: at most the share `covered` (default 0) of its pixels is predicted as any event.
    - misclassified: not missed, and most of its predicted pixels have another class.
    - incomplete: not missed, and less than the share `complete` of its pixels is predicted as the class it was found
      as. A misclassified event may be incomplete as well.
    - swollen: not missed, and the predicted events of the class it was found as that lie on it have together more than
      `swollen` times its area. An event that was merged with others is often swollen as well.
    - spurious: at most the share `covered` of a predicted event's pixels is an event in the reference.
    - split: at least two predicted events of its class lie in it with at least the share `inside` of themselves.
    - merged: a predicted event in which at least two of its class in the reference lie so. Splits and merges change
      places when reference and prediction do.

    Args:
        reference: Events of the reference.
        prediction: Events of the prediction on the same field.
        pairs: Their overlaps, of pixels (`pair_masks`), or of boxes where no pixels are known.
        settings: The shares; the default settings when None.
        fast: Whether to use numba; None: when it is installed. The errors are the same.

    Examples:
        >>> from evaluation.metrics.events import find_events
        >>> from evaluation.metrics.overlaps import pair_masks
        >>> reference = find_events(np.array([[1, 0, 2, 2, 0, 2]], np.uint8))
        >>> prediction = find_events(np.array([[0, 0, 1, 1, 0, 2]], np.uint8))
        >>> errors = classify_errors(reference, prediction, pair_masks(reference, prediction))
        >>> errors.reference["missed"], errors.reference["misclassified"]
        (array([ True, False, False]), array([False,  True, False]))
    """
    how = settings or EvaluationSettings()
    kernels = load_kernels(fast=fast)
    counted = (reference.area_px, prediction.area_px, pairs.reference, pairs.prediction, pairs.intersection)
    if kernels is None or reference.runs is None or any(part.dtype != np.int64 for part in counted):
        return _classify(reference, prediction, pairs, how)
    numbers, wrong, covered, amiss = kernels.classify_events(
        (pairs.reference, pairs.prediction),
        pairs.intersection,
        (reference.class_index, prediction.class_index),
        (reference.area_px, prediction.area_px),
        (float(how.covered), float(how.complete), float(how.swollen), float(how.inside)),
    )
    return EventErrors(
        _describe(
            reference,
            covered_px=numbers[0],
            own_px=numbers[1],
            found_as=numbers[2].astype(np.uint8),
            found_px=numbers[3],
            **dict(zip(IN_REFERENCE[1:], wrong, strict=True)),
        ),
        _describe(prediction, covered_px=covered, **dict(zip(IN_PREDICTION[1:], amiss, strict=True))),
    )


def _classify(reference: Events, prediction: Events, pairs: Pairs, how: EvaluationSettings) -> EventErrors:
    by_class = _cover(reference, prediction, pairs)
    everything = by_class.sum(1)
    own = by_class[np.arange(len(reference)), reference.class_index]
    missed = everything <= how.covered * reference.area_px
    found_as = np.where(own == by_class.max(1, initial=0), reference.class_index, by_class.argmax(1))
    found_as = np.where(missed, 0, found_as).astype(np.uint8)
    found_px = by_class[np.arange(len(reference)), found_as]
    met = prediction.class_index[pairs.prediction] == found_as[pairs.reference]
    there_px = _sum(pairs.reference[met], prediction.area_px[pairs.prediction[met]], len(reference))
    same = pairs.select(reference.class_index[pairs.reference] == prediction.class_index[pairs.prediction])
    is_piece = same.intersection >= how.inside * prediction.area_px[same.prediction]
    is_part = same.intersection >= how.inside * reference.area_px[same.reference]
    covered = np.minimum(_sum(pairs.prediction, pairs.intersection, len(prediction)), prediction.area_px)
    return EventErrors(
        _describe(
            reference,
            covered_px=np.minimum(everything, reference.area_px),
            own_px=np.minimum(own, reference.area_px),
            found_as=found_as,
            found_px=np.where(missed, 0, np.minimum(found_px, reference.area_px)),
            missed=missed,
            misclassified=~missed & (found_as != reference.class_index),
            incomplete=~missed & (found_px < how.complete * reference.area_px),
            swollen=~missed & (there_px > how.swollen * reference.area_px),
            split=_sum(same.reference, is_piece, len(reference)) >= 2,
        ),
        _describe(
            prediction,
            covered_px=covered,
            spurious=covered <= how.covered * prediction.area_px,
            merged=_sum(same.prediction, is_part, len(prediction)) >= 2,
        ),
    )


def _cover(reference: Events, prediction: Events, pairs: Pairs) -> RealArray:
    """(reference event, class) area predicted as each class."""
    n_classes = int(max(reference.class_index.max(initial=0), prediction.class_index.max(initial=0))) + 1
    codes = pairs.reference * n_classes + prediction.class_index[pairs.prediction]
    return _sum(codes, pairs.intersection, len(reference) * n_classes).reshape(-1, n_classes)


def _sum(places: NDArray[np.intp], values: RealArray, size: int) -> RealArray:
    total: RealArray = np.zeros(size, np.int64 if values.dtype.kind in "bui" else np.float64)
    np.add.at(total, places, values)
    return total


def _describe(events: Events, **columns: RealArray) -> EventTable:
    corners = ("row_min", "column_min", "row_max", "column_max")
    boxes = {name: events.boxes[:, place] for place, name in enumerate(corners)}
    first: dict[str, NDArray[Any]] = {"event": np.arange(1, len(events) + 1)}
    first |= {"class_index": events.class_index, "area_px": events.area_px}
    return EventTable({**first, **boxes, **columns})
