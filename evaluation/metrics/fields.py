"""One field after the other: from a pair of label maps to the counts that everything else is computed from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.boundary import tally_boundaries
from evaluation.metrics.counts import CountTable, FieldCounts, FieldKey
from evaluation.metrics.events import Events, collect_events
from evaluation.metrics.instances import find_instances
from evaluation.metrics.match_counts import count_matches
from evaluation.metrics.overlaps import pair_boxes, pair_masks
from evaluation.metrics.pixels import tally_pixels
from evaluation.metrics.settings import EvaluationSettings
from evaluation.metrics.taxonomy import EventErrors, classify_errors
from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.events import InstanceMap
from noisylabels.data.labels import ClassTable, LabelMap, check_label_map, check_one_shape

Instances = tuple[InstanceMap, InstanceMap]
"""Instance maps of a reference and of its prediction."""


def count_field(
    reference: RealArray,
    prediction: RealArray,
    *,
    classes: ClassTable,
    settings: EvaluationSettings | None = None,
    source: str = "field",
    fast: bool | None = None,
) -> FieldCounts:
    """Count everything about one field: pixels, boundaries, detected events, errors.

    Args:
        reference: (row, column) class indices. Not modified.
        prediction: (row, column) class indices. Not modified.
        classes: The class table.
        settings: Tolerances, thresholds, ignored pixels; the defaults are the paper's.
        source: What to call the field in an error.
        fast: Whether to use numba; None: when it is installed. The counts are the same.

    Raises:
        InputError: If the shapes differ or a value is outside the class table.

    Examples:
        >>> from noisylabels.data.labels import ROSELLA
        >>> reference = np.array([[0, 1, 1, 0, 2]], np.uint8)
        >>> counts = count_field(reference, np.array([[0, 1, 1, 0, 0]], np.uint8), classes=ROSELLA)
        >>> counts.confusion
        array([[2, 0, 0],
               [0, 2, 0],
               [1, 0, 0]])
        >>> counts.detection  # one found phagophore, one missed autolysosome
        array([[0, 0, 0],
               [0, 1, 0],
               [1, 0, 0]])
    """
    return examine_field(reference, prediction, classes=classes, settings=settings, source=source, fast=fast)[0]


def examine_field(
    reference: RealArray,
    prediction: RealArray,
    *,
    classes: ClassTable,
    settings: EvaluationSettings | None = None,
    source: str = "field",
    instances: Instances | None = None,
    fast: bool | None = None,
) -> tuple[FieldCounts, EventErrors]:
    """Count everything about one field and say of each event what is wrong with it, in one go.

    Args:
        reference: (row, column) class indices. Not modified.
        prediction: (row, column) class indices. Not modified.
        classes: The class table.
        settings: As for `count_field`.
        source: As for `count_field`.
        instances: Instance maps of reference and prediction, whose objects are the events; None: connected pieces.
        fast: As for `count_field`.

    Raises:
        InputError: If the shapes differ or a value is outside the class table, or an instance map does not fit.
    """
    how = settings or EvaluationSettings()
    first, second = check_pair(reference, prediction, classes=classes, settings=how, source=source)
    one, other = find_both(first, second, settings=how, instances=instances, source=source, fast=fast)
    shared = pair_masks(one, other, fast=fast)
    pairs = shared if how.overlap == "mask" else pair_boxes(one, other, fast=fast)
    errors = classify_errors(one, other, shared, settings=how, fast=fast)
    n_classes, tolerance = len(classes), how.tolerance_of((first.shape[0], first.shape[1]))
    counts = FieldCounts(
        confusion=tally_pixels(first, second, n_classes=n_classes, ignore_index=how.ignore_index, fast=fast),
        boundary=tally_boundaries(
            first,
            second,
            n_classes=n_classes,
            tolerance_px=tolerance,
            inclusive=how.inclusive,
            ignore_index=how.ignore_index,
            fast=fast,
        ),
        errors=errors.count(n_classes=n_classes),
        tolerance_px=tolerance,
        **count_matches(one, other, pairs, found_iou=how.found_iou, n_classes=n_classes, fast=fast)._asdict(),
    )
    return counts, errors


def count_fields(
    fields: Iterable[tuple[FieldKey, RealArray, RealArray]],
    *,
    classes: ClassTable,
    settings: EvaluationSettings | None = None,
    fast: bool | None = None,
) -> CountTable:
    """Count many fields, one in memory at a time.

    Args:
        fields: Key, reference and prediction of each; a generator that reads them as they are needed keeps memory flat.
        classes: The class table.
        settings: As for `count_field`.
        fast: As for `count_field`.

    Raises:
        InputError: As `count_field`; the error names the field. Also if a field comes twice for one method, or its key
            is no `FieldKey`.
    """
    how = settings or EvaluationSettings()
    entries = (
        (key, count_field(one, other, classes=classes, settings=how, source=f"field {_name(key)!r}", fast=fast))
        for key, one, other in fields
    )
    return CountTable.stack(entries, classes=classes, settings=how)


def _name(key: FieldKey) -> str:
    if not isinstance(key, FieldKey):
        msg = f"The key of a field must be a FieldKey, got {key!r}. Write evaluation.FieldKey({str(key)!r}, 'CDL')."
        raise InputError(msg)
    return key.field


def count_boxes(
    reference: Events, prediction: Events, *, classes: ClassTable, settings: EvaluationSettings | None = None
) -> FieldCounts:
    """Count detections and errors where only boxes are known; pixel and boundary counts are 0.

    Args:
        reference: Boxes of the reference, for instance one expert's.
        prediction: Boxes of the prediction, or events found in a label map.
        classes: The class table.
        settings: Thresholds.
    """
    how = settings or EvaluationSettings(overlap="box")
    n_classes = len(classes)
    pairs = pair_boxes(reference, prediction)
    return FieldCounts(
        confusion=np.zeros((n_classes, n_classes), np.int64),
        boundary=np.zeros((n_classes, 4), np.int64),
        errors=classify_errors(reference, prediction, pairs, settings=how).count(n_classes=n_classes),
        tolerance_px=0.0,
        **count_matches(reference, prediction, pairs, found_iou=how.found_iou, n_classes=n_classes)._asdict(),
    )


def check_pair(
    reference: RealArray,
    prediction: RealArray,
    *,
    classes: ClassTable,
    settings: EvaluationSettings,
    source: str = "field",
) -> tuple[LabelMap, LabelMap]:
    """Check that two label maps can be compared; what the prediction leaves unsaid is ignored in both.

    Args:
        reference: (row, column) class indices. Not modified.
        prediction: (row, column) class indices. Not modified.
        classes: The class table.
        settings: What is ignored.
        source: As for `count_field`.

    Raises:
        InputError: If the shapes differ or a value is outside the class table.
    """
    how = settings
    check_one_shape(reference, prediction, source=source)
    first = check_label_map(reference, classes, source=f"reference of {source}", ignore_index=how.ignore_index)
    second = check_label_map(prediction, classes, source=f"prediction of {source}", ignore_index=how.ignore_index)
    if how.ignore_index is None or how.ignore_index < len(classes):  # a class of its own may well be predicted
        return first, second
    unsaid = second == how.ignore_index
    return np.where(unsaid, np.uint8(how.ignore_index), first), np.where(unsaid, np.uint8(0), second)


def find_both(
    reference: LabelMap,
    prediction: LabelMap,
    *,
    settings: EvaluationSettings,
    instances: Instances | None = None,
    source: str = "field",
    fast: bool | None = None,
) -> tuple[Events, Events]:
    """Find the events that count in two label maps of `check_pair`.

    Args:
        reference: (row, column) class indices. Not modified.
        prediction: (row, column) class indices. Not modified.
        settings: What is ignored, and how small or near to the frame events may be.
        instances: Instance maps of both, whose objects are the events; None: connected pieces.
        source: As for `count_field`.
        fast: As for `count_field`.

    Raises:
        InputError: If an instance map does not fit its label map.
    """
    how = settings
    if instances is not None:
        return _find_instances(reference, prediction, instances, how, source)
    if how.ignore_index is not None:
        ignored = reference == how.ignore_index
        prediction = _drop_mostly(prediction, ignored, fast)
        reference, prediction = (np.where(ignored, np.uint8(0), one) for one in (reference, prediction))
    one, other = (
        collect_events(label_map, min_area_px=how.min_area_px, drop_border=how.drop_border, fast=fast)
        for label_map in (reference, prediction)
    )
    return one, other


def _find_instances(
    reference: LabelMap, prediction: LabelMap, instances: Instances, how: EvaluationSettings, source: str
) -> tuple[Events, Events]:
    ignored = np.zeros(reference.shape, bool) if how.ignore_index is None else reference == how.ignore_index
    one, other = (number.copy() for number in instances)
    whole = find_instances(other, prediction, source=f"prediction of {source}")
    pixels, owner = whole.pixels
    inside = np.bincount(owner[ignored.ravel()[pixels]], minlength=len(whole))
    void = ignored.copy()
    void.ravel()[pixels[(2 * inside > whole.area_px)[owner]]] = True
    one[ignored], other[void] = 0, 0

    def find(number: InstanceMap, label_map: LabelMap, side: str) -> Events:
        name = f"{side} of {source}"
        return find_instances(number, label_map, min_area_px=how.min_area_px, drop_border=how.drop_border, source=name)

    first, second = (np.where(gone, np.uint8(0), one) for gone, one in ((ignored, reference), (void, prediction)))
    return find(one, first, "reference"), find(other, second, "prediction")


def _drop_mostly(prediction: LabelMap, ignored: NDArray[np.bool_], fast: bool | None) -> LabelMap:
    """Erase the events that lie mostly in ignored pixels: what sticks out of them is nobody's mistake.

    As panoptic scoring does with void regions (Kirillov et al. 2019, section 4.1).
    """
    events = collect_events(prediction, fast=fast)
    pixels, owner = events.pixels
    inside = np.bincount(owner[ignored.ravel()[pixels]], minlength=len(events))
    gone = 2 * inside > events.area_px
    kept = prediction.copy()
    kept.ravel()[pixels[gone[owner]]] = 0
    return kept
