"""Which events of a reference overlap which of a prediction, and by how much: sparse pairs with exact areas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.metrics.backends import load_kernels, runs
from evaluation.metrics.events import Events
from evaluation.metrics.pixels import FloatArray
from evaluation.metrics.settings import THRESHOLD_STEPS
from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError

FEW_PAIRS = 1_000_000  # so many pairs of boxes are looked at all at once
MANY_PAIRS = 2_000_000  # and so many by the compiled loop
BLOCK_PAIRS = 500_000  # of more, so many candidates are held at once (a few tens of megabytes)


@dataclass(frozen=True)
class Pairs:
    """Overlapping pairs of events, sorted by reference, then prediction; pairs without overlap are not listed.

    Args:
        reference: (pair,) position of the event of the reference, from 0.
        prediction: (pair,) position of the event of the prediction.
        intersection: (pair,) shared area, pixels, above 0.
        union: (pair,) area covered by either, pixels.
    """

    reference: NDArray[np.intp]
    prediction: NDArray[np.intp]
    intersection: NDArray[Any]
    union: NDArray[Any]

    def __len__(self) -> int:
        return len(self.reference)

    def select(self, rows: RealArray) -> Pairs:
        """Keep some pairs.

        Args:
            rows: (pair,) booleans or positions.
        """
        return Pairs(self.reference[rows], self.prediction[rows], self.intersection[rows], self.union[rows])

    @property
    def iou(self) -> FloatArray:
        """(pair,) intersection over union, in (0, 1]."""
        ratio: FloatArray = self.intersection / self.union
        return ratio

    @cached_property
    def steps(self) -> NDArray[np.intp]:
        """(pair,) the IoU in whole twentieths, rounded down: an IoU of exactly 0.1 is 2, of 0.5 is 10, of 1 is 20."""
        whole: NDArray[np.intp] = (THRESHOLD_STEPS * self.intersection // self.union).astype(np.intp)
        return whole


def pair_boxes(reference: Events, prediction: Events, *, fast: bool | None = None) -> Pairs:
    """Pair the events whose boxes overlap, whatever their classes.

    Areas are continuous, as MATLAB's `bboxOverlapRatio` and COCO have them: the half-open box (0, 0, 2, 3) covers 6.

    Args:
        reference: n events.
        prediction: m events.
        fast: Whether to use numba; None: when it is installed. The pairs are the same.

    Raises:
        InputError: If they are no `Events`.

    Examples:
        >>> first = Events.from_boxes([[79, 149, 179, 249]], [1])  # MATLAB's [150 80 100 100]
        >>> second = Events.from_boxes([[129, 199, 279, 349]], [1])  # MATLAB's [200 130 150 150]
        >>> float(pair_boxes(first, second).iou[0].round(4))  # its documented answer
        0.0833
    """
    for side in (reference, prediction):
        if not isinstance(side, Events):
            msg = f"Boxes must be Events, got {type(side).__name__}. Write Events.from_boxes(boxes, class_index) first."
            raise InputError(msg)
    one, other = reference.boxes, prediction.boxes
    if not len(one) or not len(other):
        return _no_pairs()
    kernels = load_kernels(fast=fast)
    if kernels is not None and len(one) * len(other) <= MANY_PAIRS and one.dtype == other.dtype:
        return Pairs(*kernels.pair_boxes(one, other))
    if len(one) * len(other) <= FEW_PAIRS:
        return _overlap(one, other, *_all_pairs(one, other))
    found = [_overlapping(one, other, first, second) for first, second in _candidates(one, other)]
    first, second = (np.concatenate(ends) for ends in zip(*found, strict=True))
    order = np.lexsort((second, first))
    return _overlap(one, other, first[order], second[order])


def _all_pairs(one: RealArray, other: RealArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The pairs of few boxes that overlap, all of them looked at."""
    low = one[:, 0, None] < other[:, 2]
    low &= other[:, 0] < one[:, 2, None]
    low &= one[:, 1, None] < other[:, 3]
    low &= other[:, 1] < one[:, 3, None]
    first, second = np.nonzero(low)
    return first, second


def _candidates(one: RealArray, other: RealArray) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Pairs that may overlap, in blocks: memory does not grow with their number.

    Boxes are looked through in classes of size, each within a factor of two, so that one tall or wide box does not make
    all small ones candidates. Of a class, boxes lie sorted in bands as high as the highest of both, by their column.
    """
    low, high = (np.minimum(one.min(0), other.min(0))[:2], np.maximum(one.max(0), other.max(0))[2:])
    ones, others = (boxes - np.tile(low, 2) for boxes in (one, other))
    span = 3 * float(high[1] - low[1]) + 4
    for here in _size_classes(ones, axes=(0,)):
        for there in _size_classes(others, axes=(0, 1)):
            mine, theirs = ones[here], others[there]
            tall, wide = (float((theirs[:, axis + 2] - theirs[:, axis]).max()) for axis in (0, 1))
            band = max(tall, float((mine[:, 2] - mine[:, 0]).max()))
            keys = np.floor(theirs[:, 0] / band) * span + theirs[:, 1]
            order = np.argsort(keys, kind="stable")
            keys, there = keys[order], there[order]
            first_band = np.floor((mine[:, 0] - tall) / band)
            for step in range(3):  # neither is higher than a band: what overlaps begins in one of three
                begin = (first_band + step) * span
                from_, to = np.searchsorted(keys, [begin + mine[:, 1] - wide - 1, begin + mine[:, 3] + 1])
                for start, stop in _blocks(to - from_):
                    pairs = runs.spread(from_[start:stop], to[start:stop])
                    yield here[pairs[0] + start], there[pairs[1]]


def _size_classes(boxes: RealArray, *, axes: tuple[int, ...]) -> list[NDArray[np.intp]]:
    """Positions of boxes that are alike in height (axis 0), or in height and width: within a factor of two."""
    sizes = [np.floor(np.log2(np.maximum(boxes[:, axis + 2] - boxes[:, axis], 1e-9))) for axis in axes]
    classes = np.unique(np.column_stack(sizes), axis=0, return_inverse=True)[1].ravel()
    return [np.flatnonzero(classes == one) for one in range(int(classes.max()) + 1)]


def _blocks(numbers: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Cut rows into stretches that hold about `BLOCK_PAIRS` candidates together."""
    ends = np.cumsum(numbers)
    cuts = np.searchsorted(ends, np.arange(BLOCK_PAIRS, int(ends[-1]), BLOCK_PAIRS)) + 1
    yield from pairwise([0, *np.unique(cuts).tolist(), len(numbers)])


def _overlapping(
    one: RealArray, other: RealArray, first: NDArray[np.intp], second: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    across = (one[first, 1] < other[second, 3]) & (other[second, 1] < one[first, 3])
    first, second = first[across], second[across]
    along = (one[first, 0] < other[second, 2]) & (other[second, 0] < one[first, 2])
    return first[along], second[along]


def _overlap(one: RealArray, other: RealArray, first: NDArray[np.intp], second: NDArray[np.intp]) -> Pairs:
    box, there = one[first], other[second]
    sides = np.minimum(box[:, 2:], there[:, 2:]) - np.maximum(box[:, :2], there[:, :2])
    intersection = sides[:, 0] * sides[:, 1]
    return Pairs(first, second, intersection, _box_area(box) + _box_area(there) - intersection)


def pair_masks(reference: Events, prediction: Events, *, fast: bool | None = None) -> Pairs:
    """Pair the events that share pixels, whatever their classes; boxes stand in where either has no pixels.

    Args:
        reference: n events.
        prediction: m events of the same field.
        fast: Whether to use numba; None: when it is installed. The pairs are the same.

    Examples:
        >>> from evaluation.metrics.events import find_events
        >>> first = find_events(np.array([[1, 1, 0, 1]], np.uint8))
        >>> second = find_events(np.array([[0, 2, 0, 0]], np.uint8))
        >>> pair_masks(first, second).iou
        array([0.5])
    """
    if reference.runs is None or prediction.runs is None:
        return pair_boxes(reference, prediction, fast=fast)
    if reference.shape != prediction.shape:
        shapes = f"{reference.shape} and {prediction.shape}"
        msg = f"Events must be of one field, got fields of {shapes}. Pair each with its own."
        raise InputError(msg)
    if not len(reference) or not len(prediction):
        return _no_pairs()
    kernels = load_kernels(fast=fast)
    if kernels is not None:
        return Pairs(*kernels.pair_runs(reference.runs, prediction.runs, reference.area_px, prediction.area_px))
    pieces = runs.overlap_runs(reference.runs, prediction.runs)
    if not len(pieces):
        return _no_pairs()
    codes = pieces[:, 0] * len(prediction) + pieces[:, 1]
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    begins = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    intersection = np.add.reduceat(pieces[order, 2], begins)
    first, second = np.divmod(codes[begins], len(prediction))
    union = reference.area_px[first] + prediction.area_px[second] - intersection
    return Pairs(first, second, intersection, union)


def _box_area(boxes: ArrayLike) -> RealArray:
    corners = np.asarray(boxes)
    area: NDArray[Any] = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    return area


def _no_pairs() -> Pairs:
    none = np.zeros(0, np.intp)
    return Pairs(none, none, none, none)
