"""Pixel metrics with the meaning MATLAB's `evaluateSemanticSegmentation` gives them.

All scores are functions of confusion matrices, (..., C, C) pixel counts with rows = reference class and columns =
predicted class. Leading axes are kept: fields, methods or bootstrap resamples are scored at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.metrics.backends import load_kernels
from evaluation.metrics.counts import Counts
from noisylabels.data.errors import InputError
from noisylabels.data.labels import LabelMap, check_class_indices, check_one_shape

Absent = Literal["skip", "zero"]
"""What an undefined score (0/0: a class that never occurs) does to a mean: left out, as in MATLAB, or counted as 0."""

FloatArray = NDArray[np.float64]

MAX_COMPARED_CLASSES = 8  # above, one histogram is faster than one comparison per pair of classes


def count_pixels(
    reference: LabelMap,
    prediction: LabelMap,
    *,
    n_classes: int,
    ignore_index: int | None = None,
    fast: bool | None = None,
) -> Counts:
    """Count how often each class of the reference was predicted as each class.

    Args:
        reference: (row, column) class indices of an integer type. Not modified.
        prediction: (row, column) class indices of an integer type. Not modified.
        n_classes: C, background included, at most 255; the values of both maps are below it, but for `ignore_index`.
        ignore_index: Value in the reference whose pixels are left out, or None.
        fast: Whether to use numba; None: when it is installed. The counts are the same.

    Returns:
        (C, C) int64, rows = reference class, columns = predicted class.

    Raises:
        InputError: If the shapes differ, or a value is no class index.

    Examples:
        >>> reference = np.array([[0, 1, 1, 2]], np.uint8)
        >>> prediction = np.array([[0, 1, 0, 1]], np.uint8)
        >>> count_pixels(reference, prediction, n_classes=3)
        array([[1, 0, 0],
               [1, 1, 0],
               [0, 1, 0]])
    """
    reference, prediction = np.asarray(reference), np.asarray(prediction)
    check_one_shape(reference, prediction)
    if ignore_index is None and reference.dtype == np.uint8 == prediction.dtype:
        kernels = load_kernels(fast=fast)
        if kernels is not None:  # looks at the values while it counts
            counts, are_indices = _count_compiled(kernels, reference, prediction, n_classes)
            if are_indices:
                return counts
    reference = check_class_indices(reference, n_classes, source="reference", ignore_index=ignore_index)
    prediction = check_class_indices(prediction, n_classes, source="prediction")
    return tally_pixels(reference, prediction, n_classes=n_classes, ignore_index=ignore_index, fast=fast)


def tally_pixels(
    reference: LabelMap,
    prediction: LabelMap,
    *,
    n_classes: int,
    ignore_index: int | None = None,
    fast: bool | None = None,
) -> Counts:
    """Count as `count_pixels` does, on two maps that were checked already: of one shape, uint8, class indices.

    Args:
        reference: As for `count_pixels`.
        prediction: As for `count_pixels`.
        n_classes: As for `count_pixels`.
        ignore_index: As for `count_pixels`.
        fast: As for `count_pixels`.
    """
    if ignore_index is not None:
        kept = np.where(reference == ignore_index, np.uint8(n_classes), reference)
        return tally_pixels(kept, prediction, n_classes=n_classes + 1, fast=fast)[:n_classes, :n_classes]
    kernels = load_kernels(fast=fast)
    if kernels is None:
        return _count_codes(reference, prediction, n_classes)
    return _count_compiled(kernels, reference, prediction, n_classes)[0]


def _count_compiled(
    kernels: ModuleType, reference: LabelMap, prediction: LabelMap, n_classes: int
) -> tuple[Counts, bool]:
    """Count, and return whether all values are class indices; where one is not, the counts mean nothing."""
    counts, are_indices = kernels.count_pixels(
        np.ascontiguousarray(reference).reshape(-1), np.ascontiguousarray(prediction).reshape(-1), n_classes
    )
    return counts, are_indices


def _count_codes(reference: LabelMap, prediction: LabelMap, n_classes: int) -> Counts:
    n_pairs = n_classes**2
    if n_classes > MAX_COMPARED_CLASSES:
        codes = reference.astype(np.intp).ravel() * n_classes + prediction.ravel()
        return np.bincount(codes, minlength=n_pairs).reshape(n_classes, n_classes)
    code = reference * np.uint8(n_classes) + prediction  # at most 63
    counts = [int(np.count_nonzero(code == pair)) for pair in range(1, n_pairs)]
    return np.array([reference.size - sum(counts), *counts]).reshape(n_classes, n_classes)


def normalise_confusion(confusion: ArrayLike, *, by: Literal["row", "column", "all"] = "row") -> FloatArray:
    """Turn counts into shares: of the reference class (row, as MATLAB), of the predicted class (column), or of all.

    Args:
        confusion: (..., C, C) counts. Not modified.
        by: What sums to 1. A row or column without pixels is nan.

    Examples:
        >>> normalise_confusion([[3, 1], [0, 4]], by="row")
        array([[0.75, 0.25],
               [0.  , 1.  ]])
    """
    counts = np.asarray(confusion, float)
    axes = {"row": (-1,), "column": (-2,), "all": (-2, -1)}
    if by not in axes:
        msg = f"by must be 'row', 'column' or 'all', got {by!r}. Choose what sums to 1."
        raise InputError(msg)
    return divide(counts, counts.sum(axes[by], keepdims=True))


def score_classes(confusion: ArrayLike) -> dict[str, FloatArray]:
    """Score each class against the rest.

    `accuracy` is MATLAB's and the paper's class accuracy, TP / (TP + FN), which is the recall; the paper's Eq. 1,
    TP / (TP + TN), is a misprint (it could not exceed 0.024 for a class of 2.3 % of the pixels).

    Args:
        confusion: (..., C, C) counts. Not modified.

    Returns:
        (..., C) scores in [0, 1], nan where 0/0: `accuracy` (= recall), `precision`, `specificity`, `iou`, `dice`.

    Raises:
        InputError: If the counts are not square.

    Examples:
        >>> scores = score_classes([[4, 1], [2, 3]])
        >>> scores["iou"]  # background 4 / (4 + 1 + 2), class one 3 / (3 + 1 + 2)
        array([0.57142857, 0.5       ])
    """
    counts = _square(confusion)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    in_reference, in_prediction = counts.sum(-1), counts.sum(-2)
    total = counts.sum((-2, -1))[..., None]
    misses, false_alarms = in_reference - hits, in_prediction - hits
    rejections = total - hits - misses - false_alarms
    return {
        "accuracy": divide(hits, in_reference),
        "precision": divide(hits, in_prediction),
        "specificity": divide(rejections, rejections + false_alarms),
        "iou": divide(hits, hits + misses + false_alarms),
        "dice": divide(2 * hits, in_reference + in_prediction),
    }


def score_all(
    confusion: ArrayLike, *, absent: Absent = "skip", classes: Mapping[str, FloatArray] | None = None
) -> dict[str, FloatArray]:
    """Score all classes together, under MATLAB's names (DataSetMetrics or ImageMetrics).

    Args:
        confusion: (..., C, C) counts: pooled over a data set, or one per field. Not modified.
        absent: Whether a class whose score is 0/0 is skipped in the means or counted as 0.
        classes: What `score_classes` gives for `confusion`, where it is known already.

    Returns:
        (...) scores in [0, 1]: `GlobalAccuracy` (correct pixels / all), `MeanAccuracy`, `MeanIoU` (plain means over
        classes of pooled values), `WeightedIoU` (weights: reference pixels), and, not in MATLAB, `MeanPrecision`,
        `MeanSpecificity`, `MeanDice`.

    Raises:
        InputError: If the counts are not square.

    Examples:
        >>> scores = score_all([[4730, 0], [9601, 88069]])  # MathWorks' triangle example
        >>> {name: round(float(value), 5) for name, value in scores.items() if "Mean" not in name}
        {'GlobalAccuracy': 0.90624, 'WeightedIoU': 0.87529}
    """
    counts = _square(confusion)
    classes = score_classes(counts) if classes is None else classes
    hits, total = np.trace(counts, axis1=-2, axis2=-1), counts.sum((-2, -1))
    weighted = np.nansum(classes["iou"] * counts.sum(-1), axis=-1)
    return {
        "GlobalAccuracy": divide(hits, total),
        "MeanAccuracy": mean_defined(classes["accuracy"], absent=absent),
        "MeanIoU": mean_defined(classes["iou"], absent=absent),
        "WeightedIoU": divide(weighted, total),
        "MeanPrecision": mean_defined(classes["precision"], absent=absent),
        "MeanSpecificity": mean_defined(classes["specificity"], absent=absent),
        "MeanDice": mean_defined(classes["dice"], absent=absent),
    }


def _square(confusion: ArrayLike) -> FloatArray:
    counts = np.asarray(confusion, float)
    if counts.ndim < 2 or counts.shape[-1] != counts.shape[-2]:
        msg = f"confusion must be (..., C, C) counts, got shape {counts.shape}. Count label maps first: count_pixels."
        raise InputError(msg)
    return counts


def divide(numerator: ArrayLike, denominator: ArrayLike) -> FloatArray:
    """Divide counts; 0/0 is nan, without a warning.

    Args:
        numerator: Counts.
        denominator: Counts of a shape that broadcasts with it.

    Examples:
        >>> divide([1, 0], [2, 0])
        array([0.5, nan])
    """
    top, bottom = np.broadcast_arrays(np.asarray(numerator, float), np.asarray(denominator, float))
    ratio: FloatArray = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=ratio, where=bottom > 0)
    return ratio


def mean_defined(values: ArrayLike, *, absent: Absent = "skip", axis: int = -1) -> FloatArray:
    """Average scores of which some are undefined.

    Args:
        values: Scores, nan where undefined. Not modified.
        absent: `skip` leaves undefined scores out; `zero` counts them as 0.
        axis: The axis to average over.

    Returns:
        The mean; nan where nothing is defined (`skip`) or there is nothing at all.

    Examples:
        >>> mean_defined([1, np.nan, 0.5]), mean_defined([1, np.nan, 0.5], absent="zero")
        (array(0.75), array(0.5))
    """
    if absent not in ("skip", "zero"):
        msg = f"absent must be 'skip' or 'zero', got {absent!r}. MATLAB skips."
        raise InputError(msg)
    scores: NDArray[Any] = np.asarray(values, float)
    number = scores.shape[axis] if absent == "zero" else np.sum(~np.isnan(scores), axis=axis)
    return divide(np.nansum(scores, axis=axis), number)
