"""Boundary F1 (MATLAB's `bfscore`) and normalised surface distance, of all classes in one pass.

A boundary pixel of a class has a 4-neighbour of another class or lies on the frame of the field (MATLAB's `bwperim`).
It is a hit if the other map has a boundary pixel of the same class within the tolerance, by default 0.75 % of the
field's diagonal. No distance map is made: around each boundary pixel the other map's boundary is probed, nearest
offsets first, so that the counts are whole numbers and exact.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.metrics.backends import load_kernels
from evaluation.metrics.counts import Counts
from evaluation.metrics.pixels import FloatArray, divide
from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.labels import IGNORE_INDEX, MAX_CLASSES, LabelMap, check_class_indices, check_one_shape

MAX_TOLERANCE_PX = 1000


def count_boundaries(
    reference: LabelMap,
    prediction: LabelMap,
    *,
    n_classes: int,
    tolerance_px: float,
    inclusive: bool = False,
    ignore_index: int | None = None,
    fast: bool | None = None,
) -> Counts:
    """Count boundary pixels and those that have a counterpart in the other map.

    Args:
        reference: (row, column) uint8 class indices. Not modified.
        prediction: (row, column) uint8 class indices of the same shape. Not modified.
        n_classes: C, background included.
        tolerance_px: How far a counterpart may be, pixels, at least 0.
        inclusive: Whether a distance equal to the tolerance is a hit.
        ignore_index: Value in the reference whose pixels have no boundary in either map, and bound nothing; or None.
        fast: Whether to use numba; None: when it is installed. The counts are the same.

    Raises:
        InputError: If the shapes differ, a map is not (row, column) or a value is no class index.

    Returns:
        (C, 4) pixels: boundary of the reference, hits among them, boundary of the prediction, hits among them.

    Examples:
        >>> reference = np.array([[0, 0, 0, 1, 1]], np.uint8)
        >>> prediction = np.array([[0, 0, 1, 1, 1]], np.uint8)
        >>> count_boundaries(reference, prediction, n_classes=2, tolerance_px=1)  # strict: only equal places hit
        array([[3, 2, 2, 2],
               [2, 2, 3, 2]])
    """
    reference, prediction = _check_maps(reference, prediction, n_classes, ignore_index)
    return tally_boundaries(
        reference,
        prediction,
        n_classes=n_classes,
        tolerance_px=tolerance_px,
        inclusive=inclusive,
        ignore_index=ignore_index,
        fast=fast,
    )


def tally_boundaries(
    reference: LabelMap,
    prediction: LabelMap,
    *,
    n_classes: int,
    tolerance_px: float,
    inclusive: bool = False,
    ignore_index: int | None = None,
    fast: bool | None = None,
) -> Counts:
    """Count as `count_boundaries` does, on two maps that were checked already: of one shape, uint8, class indices.

    Args:
        reference: As for `count_boundaries`.
        prediction: As for `count_boundaries`.
        n_classes: As for `count_boundaries`.
        tolerance_px: As for `count_boundaries`.
        inclusive: As for `count_boundaries`.
        ignore_index: As for `count_boundaries`.
        fast: As for `count_boundaries`.
    """
    ignored = None if ignore_index is None else reference == ignore_index
    offsets = disk_offsets(tolerance_px, inclusive=inclusive)
    margin = int(np.abs(offsets).max())
    first = _mark(reference, margin, ignored, fast)
    second = _mark(prediction, margin, ignored, fast)
    flat = offsets[:, 0] * first.shape[1] + offsets[:, 1]
    kernels = load_kernels(fast=fast)
    probe = _probe if kernels is None else kernels.probe
    counts = np.zeros((n_classes + 1, 4), np.int64)
    counts[:, :2] = probe(first, second, flat, n_classes)
    counts[:, 2:] = probe(second, first, flat, n_classes)
    return counts[1:]


def find_boundaries(
    label_map: LabelMap, *, margin: int = 0, ignored: NDArray[np.bool_] | None = None, fast: bool | None = None
) -> NDArray[np.uint8]:
    """Mark the boundary pixels of every class.

    Args:
        label_map: (row, column) uint8 class indices below 255. Not modified.
        margin: Width of an empty margin to put around the map, pixels.
        ignored: (row, column) pixels that have no boundary and bound nothing.
        fast: Whether to use numba (where nothing is ignored); None: when it is installed. The marks are the same.

    Returns:
        (row + 2 margin, column + 2 margin): class index + 1 on boundary pixels, 0 elsewhere.

    Examples:
        >>> find_boundaries(np.array([[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]], np.uint8))
        array([[1, 1, 1, 1],
               [1, 0, 1, 2],
               [1, 1, 1, 1]], dtype=uint8)
    """
    label_map = _check_indices(label_map, MAX_CLASSES, "label map", IGNORE_INDEX if ignored is not None else None)
    return _mark(label_map, margin, ignored, fast)


def _mark(label_map: LabelMap, margin: int, ignored: NDArray[np.bool_] | None, fast: bool | None) -> NDArray[np.uint8]:
    kernels = load_kernels(fast=fast)
    if kernels is not None and ignored is None:
        fast_marks: NDArray[np.uint8] = kernels.mark_boundaries(np.ascontiguousarray(label_map), margin)
        return fast_marks
    edge = np.zeros(label_map.shape, bool)
    for axis in (0, 1):
        low, high = _neighbours(axis)
        differs = label_map[low] != label_map[high]
        if ignored is not None:
            differs &= ~(ignored[low] | ignored[high])
        edge[low] |= differs
        edge[high] |= differs
    edge[:1] = edge[-1:] = True
    edge[:, :1] = edge[:, -1:] = True
    if ignored is not None:
        edge &= ~ignored
    rows, columns = label_map.shape
    marked = np.zeros((rows + 2 * margin, columns + 2 * margin), np.uint8)
    np.multiply(label_map + np.uint8(1), edge, out=marked[margin : margin + rows, margin : margin + columns])
    return marked


@functools.lru_cache(maxsize=64)
def disk_offsets(tolerance_px: float, *, inclusive: bool = False) -> NDArray[np.int64]:
    """List the pixels within a distance, nearest first.

    Args:
        tolerance_px: Largest distance, pixels, at least 0.
        inclusive: Whether that distance itself is within. Distance 0 always is.

    Returns:
        (offset, 2) row and column offsets.

    Examples:
        >>> len(disk_offsets(1)), len(disk_offsets(1, inclusive=True)), len(disk_offsets(3.192))
        (1, 5, 37)
    """
    if not 0 <= tolerance_px <= MAX_TOLERANCE_PX:
        msg = f"tolerance_px must be in 0..{MAX_TOLERANCE_PX}, got {tolerance_px}. It is a distance in pixels."
        raise InputError(msg)
    reach = int(np.ceil(tolerance_px))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    squared = rows**2 + columns**2
    within = squared <= tolerance_px**2 if inclusive else squared < tolerance_px**2
    within |= squared == 0
    order = np.argsort(squared[within], kind="stable")
    offsets: NDArray[np.int64] = np.column_stack([rows[within], columns[within]])[order].astype(np.int64)
    offsets.setflags(write=False)
    return offsets


def score_boundaries(boundary: ArrayLike) -> dict[str, FloatArray]:
    """Score boundary counts: precision, recall and F1 (Csurka et al. 2013), and normalised surface distance.

    The NSD (Nikolov et al. 2021, DOI 10.2196/26151) is the share of both boundaries' pixels that are hits.

    Args:
        boundary: (..., C, 4) counts. Not modified.

    Returns:
        (..., C) scores in [0, 1]: `precision`, `recall`, `f1`, `f1_strict`, `nsd`. A class without boundary in the
        prediction has no precision, one without boundary in the reference no recall: nan, and so is `f1`, MATLAB's.
        Both there and no hit: 0. `f1_strict` is 0 where one side lacks the class, nan only where both do: MATLAB's mean
        skips the fields in which a method finds nothing, which rewards finding nothing.

    Raises:
        InputError: If the counts have another shape.

    Examples:
        >>> scores = score_boundaries([[3, 2, 2, 2], [0, 0, 4, 0], [0, 0, 0, 0]])
        >>> scores["f1"], scores["f1_strict"]
        (array([0.8, nan, nan]), array([0.8, 0. , nan]))
    """
    counts = np.asarray(boundary, float)
    if counts.ndim < 2 or counts.shape[-1] != 4:
        msg = f"boundary must be (..., C, 4) counts, got shape {counts.shape}. Count first: count_boundaries."
        raise InputError(msg)
    in_reference, reference_hits, in_prediction, prediction_hits = np.moveaxis(counts, -1, 0)
    precision, recall = divide(prediction_hits, in_prediction), divide(reference_hits, in_reference)
    f1 = divide(2 * precision * recall, precision + recall)
    f1[(precision == 0) & (recall == 0)] = 0
    nsd = divide(reference_hits + prediction_hits, in_reference + in_prediction)
    strict = np.where(np.isnan(f1) & (in_reference + in_prediction > 0), 0.0, f1)
    return {"precision": precision, "recall": recall, "f1": f1, "f1_strict": strict, "nsd": nsd}


def _check_maps(
    reference: RealArray, prediction: RealArray, n_classes: int, ignore_index: int | None
) -> tuple[LabelMap, LabelMap]:
    check_one_shape(reference, prediction)
    return (
        _check_indices(reference, n_classes, "reference", ignore_index),
        _check_indices(prediction, n_classes, "prediction", None),
    )


def _check_indices(values: RealArray, n_classes: int, source: str, ignore_index: int | None) -> LabelMap:
    if np.ndim(values) != 2:
        msg = f"{source} must be (row, column), got shape {np.shape(values)}. Give one two-dimensional label map."
        raise InputError(msg)
    return check_class_indices(values, n_classes, source=source, ignore_index=ignore_index)


def _neighbours(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    low, high = [slice(None), slice(None)], [slice(None), slice(None)]
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return tuple(low), tuple(high)


def _probe(
    edges: NDArray[np.uint8], other: NDArray[np.uint8], offsets: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Count per class index + 1 the boundary pixels of `edges`, and those with a like one in `other`."""
    left = np.flatnonzero(edges != 0)  # twenty times faster on booleans than on numbers
    kinds = edges.ravel()[left]
    counts = np.zeros((n_classes + 1, 2), np.int64)
    counts[:, 0] = np.bincount(kinds, minlength=n_classes + 1)
    start, size = 0, 1
    while start < len(offsets) and len(left):  # most hit at once; the few that do not are probed in ever larger blocks
        block = offsets[start : start + size]
        missing = np.flatnonzero(~(other.take(left[:, None] + block) == kinds[:, None]).any(1))
        left, kinds = left[missing], kinds[missing]
        start, size = start + size, 2 * size
    counts[:, 1] = counts[:, 0] - np.bincount(kinds, minlength=n_classes + 1)
    return counts
