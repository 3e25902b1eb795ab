"""Which events of a reference overlap which of a prediction, and by how much: sparse pairs with exact areas."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.metrics.backends import load_kernels
from evaluation.metrics.events import Events
from evaluation.metrics.pixels import FloatArray
from evaluation.metrics.settings import THRESHOLD_STEPS
from noisylabels.data.errors import InputError


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

    def select(self, rows: NDArray[Any]) -> "Pairs":
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

    @property
    def steps(self) -> NDArray[np.intp]:
        """(pair,) the IoU in whole twentieths, rounded down: an IoU of exactly 0.1 is 2, of 0.5 is 10, of 1 is 20."""
        whole: NDArray[np.intp] = (THRESHOLD_STEPS * self.intersection // self.union).astype(np.intp)
        return whole


def pair_boxes(reference: Events, prediction: Events) -> Pairs:
    """Pair the events whose boxes overlap, whatever their classes.

    Areas are continuous, as MATLAB's `bboxOverlapRatio` and COCO have them: the half-open box (0, 0, 2, 3) covers 6.

    Args:
        reference: n events.
        prediction: m events.

    Examples:
        >>> first = Events.from_boxes([[79, 149, 179, 249]], [1])  # MATLAB's [150 80 100 100]
        >>> second = Events.from_boxes([[129, 199, 279, 349]], [1])  # MATLAB's [200 130 150 150]
        >>> float(pair_boxes(first, second).iou[0].round(4))  # its documented answer
        0.0833
    """
    one, other = reference.boxes, prediction.boxes
    if not len(one) or not len(other):
        return _no_pairs()
    # Candidates: sorted by their first row, the boxes that begin before this one ends and, the tallest considered,
    # do not end before it begins. Memory grows with the candidates, not with n x m.
    order = np.argsort(other[:, 0], kind="stable")
    begins = other[order, 0]
    tallest = (other[:, 2] - other[:, 0]).max()
    low = np.searchsorted(begins, one[:, 0] - tallest, side="right")
    high = np.searchsorted(begins, one[:, 2], side="left")
    number = np.maximum(high - low, 0)
    first = np.repeat(np.arange(len(one)), number)
    place = np.arange(number.sum()) + np.repeat(low - (np.cumsum(number) - number), number)
    second = order[place]
    height = np.minimum(one[first, 2], other[second, 2]) - np.maximum(one[first, 0], other[second, 0])
    width = np.minimum(one[first, 3], other[second, 3]) - np.maximum(one[first, 1], other[second, 1])
    found = np.flatnonzero((height > 0) & (width > 0))
    found = found[np.lexsort((second[found], first[found]))]
    first, second = first[found], second[found]
    areas = (_box_area(one)[first], _box_area(other)[second])
    intersection = height[found] * width[found]
    return Pairs(first, second, intersection, areas[0] + areas[1] - intersection)


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
        return pair_boxes(reference, prediction)
    if reference.shape != prediction.shape:
        shapes = f"{reference.shape} and {prediction.shape}"
        msg = f"Events must be of one field, got fields of {shapes}. Pair each with its own."
        raise InputError(msg)
    if not len(reference) or not len(prediction):
        return _no_pairs()
    kernels = load_kernels(fast=fast)
    if kernels is None:
        pixels, one = reference.pixels
        other = prediction.instances.ravel()[pixels]
        shared = other > 0
        pieces = np.column_stack([one[shared], other[shared] - 1, np.ones(shared.sum(), np.int64)])
    else:
        pieces = kernels.overlap_runs(reference.runs, prediction.runs)
    codes, place = np.unique(pieces[:, 0] * len(prediction) + pieces[:, 1], return_inverse=True)
    intersection = np.bincount(place, weights=pieces[:, 2], minlength=len(codes)).astype(np.int64)
    first, second = np.divmod(codes, len(prediction))
    union = reference.area_px[first] + prediction.area_px[second] - intersection
    return Pairs(first, second, intersection, union)


def _box_area(boxes: ArrayLike) -> NDArray[Any]:
    corners = np.asarray(boxes)
    area: NDArray[Any] = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    return area


def _no_pairs() -> Pairs:
    none = np.zeros(0, np.intp)
    return Pairs(none, none, none, none)
