"""Noise types: the numbers by which others tell kinds of label noise apart, so that labs can compare.

After FedSegNoiseBench (MIC-DKFZ, 2026): contour noise by a normalised Hausdorff distance, missing and extra structures
by instance F1, swapped classes by pixel and instance class confusion at IoU >= 0.1. Own implementation.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from evaluation.metrics.events import find_events
from evaluation.metrics.matching import assign
from evaluation.metrics.overlaps import pair_masks
from evaluation.metrics.settings import THRESHOLD_STEPS
from noisylabels.data.events import label_events
from noisylabels.data.footprints import Footprints
from noisylabels.data.labels import LabelMap

PAIRED_STEP = THRESHOLD_STEPS // 10  # an IoU of 0.1


class NoiseTypes(NamedTuple):
    """How noisy labels are, by type; every number is 0 for identical maps except the F1, which is 1.

    Args:
        nhd95: 95 % quantile of the distances between the foreground contours, both ways pooled, over the median box
            diagonal of the true events; inf if one map is empty, nan if both are.
        foreground_f1: F1 of foreground instances of any class, paired at IoU >= 0.1; nan if both maps are empty.
        background_f1: F1 of the background's own pieces, paired likewise: it falls when a map cuts or joins background.
        pixel_class_confusion: Mean over the true classes present of the share of their pixels labelled as another
            foreground class; nan if no class is present.
        instance_class_confusion: Share of the paired instances whose class differs; nan if there is no pair.
    """

    nhd95: float
    foreground_f1: float
    background_f1: float
    pixel_class_confusion: float
    instance_class_confusion: float


def type_noise(weak: LabelMap, truth: LabelMap) -> NoiseTypes:
    """Measure the types of noise in one weak label map.

    Args:
        weak: (row, column) weak class indices. Not modified.
        truth: (row, column) true class indices.

    Examples:
        >>> truth = np.array([[1, 1, 0, 0, 2, 2]], np.uint8)
        >>> found = type_noise(np.array([[1, 1, 0, 0, 1, 1]], np.uint8), truth)
        >>> found.foreground_f1, found.pixel_class_confusion, found.instance_class_confusion
        (1.0, 0.5, 0.5)
    """
    true_ids, true_classes = label_events(truth)
    events, weak_events = find_events(truth), find_events(weak)
    pairs = pair_masks(events, weak_events)
    pairs = pairs.select(assign(pairs, step=PAIRED_STEP))
    differing = events.class_index[pairs.reference] != weak_events.class_index[pairs.prediction]
    return NoiseTypes(
        nhd95=_contour_distance(weak > 0, truth > 0, Footprints.of(true_ids, len(true_classes))),
        foreground_f1=_instance_f1(weak > 0, truth > 0),
        background_f1=_instance_f1(weak == 0, truth == 0),
        pixel_class_confusion=_pixel_confusion(weak, truth, np.unique(true_classes).tolist()),
        instance_class_confusion=float(differing.mean()) if len(pairs) else np.nan,
    )


def _instance_f1(weak: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    one, other = (find_events(mask.astype(np.uint8)) for mask in (truth, weak))
    n_pairs = len(assign(pair_masks(one, other), step=PAIRED_STEP))
    n_instances = len(one) + len(other)
    return 2 * n_pairs / n_instances if n_instances else np.nan


def _pixel_confusion(weak: LabelMap, truth: LabelMap, present: Sequence[object]) -> float:
    shares = [((weak != index) & (weak > 0))[truth == index].mean() for index in present]
    return float(np.mean(shares)) if shares else np.nan


def _contour_distance(weak: NDArray[np.bool_], truth: NDArray[np.bool_], events: Footprints) -> float:
    if not weak.any() or not truth.any():
        return np.inf if weak.any() or truth.any() else np.nan
    weak_contour, true_contour = (mask & ~ndi.binary_erosion(mask) for mask in (weak, truth))
    there = ndi.distance_transform_edt(~true_contour)[weak_contour]
    back = ndi.distance_transform_edt(~weak_contour)[true_contour]
    boxes = events.boxes
    diagonals = np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    return float(np.percentile(np.concatenate([there, back]), 95) / np.median(diagonals))
