"""Comparison: what became of every true event in the weak label map of the same field."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from evaluation.metrics.events import Events, find_events
from evaluation.metrics.matching import find_partners
from evaluation.metrics.overlaps import Pairs, pair_masks
from evaluation.metrics.taxonomy import EventErrors, classify_errors
from noisylabels.data.arrays import RealArray
from noisylabels.data.events import EventTable, InstanceMap, label_events, measure_events
from noisylabels.data.labels import ClassTable, check_label_map
from noisylabels.noise.calibration.places import sample_places
from noisylabels.noise.kinds.boundary import signed_distance
from noisylabels.noise.kinds.merged import MAX_GAP_PX, nearest_of_class
from noisylabels.noise.kinds.spurious import place_maps

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Comparison:
    """The errors of one field, event by event.

    Args:
        events: One row per true event: its features, its errors as `evaluation.metrics.taxonomy` names them (missed,
            misclassified, incomplete, swollen, split) and `weak_class_index` (the class it was found as, 0 = missed),
            `found` (it has a partner), `merged` (it has none, but lies mostly under a weak event), `mergeable` (a
            neighbour of its class lies within 5 px), `mutual` (and it is that neighbour's nearest in turn), `iou`,
            `cover` (share of it labelled as the class it was found as), `area_ratio`, `shift_px` and `jitter_px` (of
            its outline), `step_row` and `step_column` (of its centroid); what needs a partner is nan without one.
        extras: One row per weak event: its features, `spurious` (no pixel of it lies on a true event) and, with an
            image, `place_brightness` and `place_edge`, the z-scores of its middle among the field's pixels.
        shape: (rows, columns) of the field.
        places: (set, 64, place) z-scores of places where spurious events could lie, nan where an event is in the way;
            None without an image.
    """

    events: EventTable
    extras: EventTable
    shape: tuple[int, int]
    places: NDArray[np.float64] | None = None


def compare_field(
    weak: RealArray,
    truth: RealArray,
    image: RealArray | None = None,
    *,
    classes: ClassTable,
    channel_names: Sequence[str] | None = None,
    features: Sequence[str] = (),
) -> Comparison:
    """Find the errors of one weak label map.

    What is missed, misclassified, incomplete, swollen, split or spurious is said by `evaluation.metrics.taxonomy`. For
    the outlines each true event takes at most one *partner* (one to one, IoU of at least 0.1, whatever the class).

    Args:
        weak: (row, column) class indices of the pipeline or annotator. Not modified.
        truth: (row, column) true class indices. Not modified.
        image: (channel, row, column) intensities, for features that need them.
        classes: The class table.
        channel_names: Names of the channels.
        features: Costly event features to measure.

    Raises:
        InputError: If a map does not fit the class table or the two differ in size.
    """
    true_map = check_label_map(truth, classes, source="truth")
    weak_map = check_label_map(weak, classes, source="weak label map", like=true_map.shape)
    (true_ids, true_classes), (weak_ids, weak_classes) = label_events(true_map), label_events(weak_map)
    events, extras = (
        measure_events(ids, indices, image, channel_names=channel_names, wanted=features)
        for ids, indices in ((true_ids, true_classes), (weak_ids, weak_classes))
    )
    one, other = find_events(true_map), find_events(weak_map)  # numbered as the instance maps are
    pairs = pair_masks(one, other)
    errors = classify_errors(one, other, pairs)
    partner = find_partners(pairs, len(one)) + 1
    extras = extras.joined(spurious=errors.prediction["spurious"], **_places(extras, image))
    fate = _fates(events, extras, errors, pairs, partner, one)
    fate |= _outlines(true_ids, weak_ids, events, extras, partner)
    nearest = nearest_of_class(true_ids, true_classes, MAX_GAP_PX)
    fate["mergeable"] = nearest > 0
    fate["mutual"] = (nearest > 0) & (np.append(0, nearest)[nearest] == np.arange(1, len(nearest) + 1))
    return Comparison(events.joined(**fate), extras, true_map.shape, _free_places(true_ids, events, image))


def _fates(
    events: EventTable, weak: EventTable, errors: EventErrors, pairs: Pairs, partner: NDArray[np.intp], truth: Events
) -> dict[str, RealArray]:
    said = errors.reference
    found = partner > 0
    under = np.zeros(len(events), bool)
    under[pairs.reference[2 * pairs.intersection > truth.area_px[pairs.reference]]] = True
    iou = np.full(len(events), np.nan)
    chosen = partner[pairs.reference] == pairs.prediction + 1
    iou[pairs.reference[chosen]] = pairs.iou[chosen]
    areas = np.append(np.nan, weak["area_px"].astype(float))[partner]
    return {
        **{kind: said[kind] for kind in ("missed", "misclassified", "incomplete", "swollen", "split")},
        "found": found,
        "merged": ~found & under,
        "weak_class_index": said["found_as"],
        "iou": iou,
        "cover": np.where(said["missed"], np.nan, said["found_px"] / np.maximum(events["area_px"], 1)),
        "area_ratio": areas / events["area_px"],
        "step_row": np.append(np.nan, weak["centroid_row"])[partner] - events["centroid_row"],
        "step_column": np.append(np.nan, weak["centroid_column"])[partner] - events["centroid_column"],
    }


def _places(weak: EventTable, image: RealArray | None) -> dict[str, NDArray[np.float64]]:
    if image is None:
        return {}
    middle = tuple(weak[f"centroid_{axis}"].round().astype(int) for axis in ("row", "column"))
    return {f"place_{name}": places[middle] for name, places in place_maps(image).items()}


def _free_places(true_ids: InstanceMap, events: EventTable, image: RealArray | None) -> NDArray[np.float64] | None:
    if image is None:
        return None
    area = float(np.median(events["area_px"])) if len(events) else 1.0
    return sample_places(true_ids, image, room_px=np.sqrt(area / np.pi))


def _outlines(
    truth: InstanceMap, weak: InstanceMap, events: EventTable, weak_events: EventTable, partner: NDArray[np.intp]
) -> dict[str, NDArray[np.float64]]:
    moved = np.full((2, len(events)), np.nan)
    sides = ("row_min", "column_min", "row_max", "column_max")
    true_boxes, weak_boxes = (np.stack([table[side] for side in sides], axis=1) for table in (events, weak_events))
    for position in np.flatnonzero(partner):
        box, other = true_boxes[position], weak_boxes[partner[position] - 1]
        low = np.maximum(np.minimum(box[:2], other[:2]) - 2, 0)
        high = np.maximum(box[2:], other[2:]) + 2
        window = (slice(low[0], high[0]), slice(low[1], high[1]))
        moved[:, position] = outline_shift(truth[window] == position + 1, weak[window] == partner[position])
    return {"shift_px": moved[0], "jitter_px": moved[1]}


def outline_shift(truth: Mask, weak: Mask) -> tuple[float, float]:
    """Measure how far the weak outline lies outside (positive) or inside (negative) the true one, in pixels.

    The true event's signed distance is averaged over the pixels just inside the weak outline and over those just
    outside it, then over the two; where the map ends there is no outline.

    Args:
        truth: (row, column) pixels of the true event, with room around it. Not modified.
        weak: (row, column) pixels of its partner.

    Returns:
        The shift, and its standard deviation along the outline.

    Examples:
        >>> square = np.pad(np.ones((4, 4), bool), 4)
        >>> outline_shift(square, square), outline_shift(square, np.pad(np.ones((2, 2), bool), 5))
        ((0.0, 0.0), (-1.0, 0.0))
    """
    if truth.all() or not truth.any():
        return 0.0, 0.0
    distance = signed_distance(truth)
    sides = (weak & ndi.binary_dilation(~weak), ~weak & ndi.binary_dilation(weak))
    along = [distance[side] for side in sides if side.any()]
    return float(np.mean([side.mean() for side in along])), float(np.mean([side.std() for side in along]))
