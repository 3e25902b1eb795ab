"""Consensus: one label map from several experts', by majority or by STAPLE."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.errors import InputError
from noisylabels.data.labels import MAX_CLASSES, LabelMap, check_class_indices

FloatArray = NDArray[np.float64]

MOST_CODES = 2**24  # patterns of labels that a table may number: 24 raters of two classes, 15 of three


@dataclass(frozen=True)
class Staple:
    """What STAPLE believes.

    Args:
        probabilities: (class, row, column) probability of each class.
        confusion: (rater, class, class) estimated performance: P(rater says column | truth is row).
        n_iterations: Iterations until the performance stood still.
    """

    probabilities: FloatArray
    confusion: FloatArray
    n_iterations: int

    @property
    def label_map(self) -> LabelMap:
        """The most probable class of every pixel; the smaller class index on a tie."""
        return np.asarray(self.probabilities.argmax(0), np.uint8)

    @property
    def sensitivity(self) -> FloatArray:
        """(rater, class) probability that a rater labels a pixel of the class as such."""
        return np.diagonal(self.confusion, axis1=1, axis2=2)


@dataclass(frozen=True)
class Performance:
    """How well raters do, estimated without a truth.

    Args:
        confusion: (rater, class, class): P(rater says column | truth is row).
        prior: (class,) probability of each class.
        n_iterations: Iterations until the performance stood still.
    """

    confusion: FloatArray
    prior: FloatArray
    n_iterations: int

    def most_probable(self, label_maps: Sequence[LabelMap]) -> LabelMap:
        """Return the most probable class of every pixel, given one map per rater; the smaller index on a tie."""
        patterns, places, _ = read_patterns(label_maps, n_classes=len(self.prior))
        best = _expect(patterns, self.confusion, self.prior).argmax(1)
        return np.asarray(best[places].reshape(np.shape(label_maps[0])), np.uint8)


def vote(label_maps: Sequence[LabelMap], *, undecided: int = 0) -> LabelMap:
    """Assign every pixel the class that most experts gave it.

    Args:
        label_maps: One (row, column) map per expert. Not modified.
        undecided: Class index where several classes share the most votes.

    Returns:
        (row, column) uint8.

    Raises:
        InputError: If there is no map, their sizes differ, or one holds anything but class indices.

    Examples:
        >>> vote([np.array([[0, 1, 2]]), np.array([[0, 1, 1]]), np.array([[1, 1, 0]])])
        array([[0, 1, 0]], dtype=uint8)
    """
    stack = _stack(label_maps)
    n_classes = int(stack.max(initial=0)) + 1
    votes = np.stack([(stack == index).sum(0) for index in range(n_classes)])
    most = votes.max(0)
    winner = np.where((votes == most).sum(0) > 1, undecided, votes.argmax(0))
    return np.asarray(winner, np.uint8)


def staple(
    label_maps: Sequence[LabelMap],
    *,
    n_classes: int | None = None,
    prior: FloatArray | None = None,
    tolerance: float = 1e-10,  # ITK stops at 1e-7: its result is up to 1e-6 from where both would end
    max_iterations: int = 500,
) -> Staple:
    """Estimate truth and raters together (Warfield et al. 2004, doi:10.1109/TMI.2004.828354).

    The expectation-maximisation runs over the patterns of labels that occur (at most classes ** raters) instead of
    over pixels: the same numbers, many times faster. Starts as SimpleITK's two-class filter does: every rater right
    with probability 0.99999.

    Args:
        label_maps: One (row, column) map per rater. Not modified.
        n_classes: C; None: as many as occur, at least two.
        prior: (C,) probability of each class; None: its share of all pixels of all raters.
        tolerance: Stop when no performance changes by more.
        max_iterations: Stop at the latest.

    Raises:
        InputError: If there is no map, their sizes differ, one holds anything but class indices below `n_classes`, or
            the prior is not one probability per class.

    Examples:
        >>> maps = [np.array([[0, 1, 1, 0]]), np.array([[0, 1, 1, 0]]), np.array([[1, 1, 0, 0]])]
        >>> staple(maps).label_map
        array([[0, 1, 1, 0]], dtype=uint8)
    """
    stack = _stack(label_maps)
    n = max(2, int(stack.max(initial=0)) + 1) if n_classes is None else n_classes
    patterns, places, counts = read_patterns(label_maps, n_classes=n)
    found = estimate_performance(
        patterns, counts, n_classes=n, prior=prior, tolerance=tolerance, max_iterations=max_iterations
    )
    posterior = _expect(patterns, found.confusion, found.prior)
    return Staple(posterior.T[:, places].reshape(n, *stack.shape[1:]), found.confusion, found.n_iterations)


def read_patterns(
    label_maps: Sequence[LabelMap], *, n_classes: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
    """Find which labels occur together.

    Args:
        label_maps: One (row, column) map per rater. Not modified.
        n_classes: C.

    Returns:
        (pattern, rater) labels that occur together, the pattern of every pixel in row-major order, and how many
        pixels have each.

    Raises:
        InputError: If there is no map, their sizes differ, or one holds anything but class indices below `n_classes`.
    """
    stack = _stack(label_maps)
    check_class_indices(stack, n_classes)
    return _patterns(stack, n_classes)


def estimate_performance(
    patterns: NDArray[np.intp],
    counts: FloatArray,
    *,
    n_classes: int,
    prior: FloatArray | None = None,
    learn_prior: bool = False,
    tolerance: float = 1e-10,
    max_iterations: int = 500,
) -> Performance:
    """Estimate raters from the labels that occur together, by expectation-maximisation as `staple` does.

    Args:
        patterns: (pattern, rater) labels that occur together.
        counts: (pattern,) pixels of each, of one field or of many.
        n_classes: C.
        prior: (C,) probability of each class to begin with; None: its share of all pixels of all raters.
        learn_prior: Estimate the prior too (Dawid and Skene 1979, doi:10.2307/2346806); False holds it (STAPLE).
        tolerance: Stop when no performance changes by more.
        max_iterations: Stop at the latest.

    Raises:
        InputError: If the prior is not one probability per class.
    """
    n = n_classes
    shares = _prior(patterns, counts, n) if prior is None else np.asarray(prior, float)
    if shares.shape != (n,) or not (shares >= 0).all():
        msg = f"prior must be one probability per class, got {shares.tolist()} for {n} classes. Give {n} numbers."
        raise InputError(msg)
    right = 0.99999  # as ITK starts
    confusion = np.full((patterns.shape[1], n, n), (1 - right) / (n - 1))
    confusion[:, np.arange(n), np.arange(n)] = right
    change, n_iterations = np.inf, 0
    while change >= tolerance and n_iterations < max_iterations:
        weights = _expect(patterns, confusion, shares) * counts[:, None]
        updated = _maximise(patterns, weights, confusion)
        shares = weights.sum(0) / max(weights.sum(), 1) if learn_prior else shares
        change = float(np.abs(updated - confusion).max())
        confusion, n_iterations = updated, n_iterations + 1
    return Performance(confusion, shares, n_iterations)


def _stack(label_maps: Sequence[LabelMap]) -> LabelMap:
    shapes = {np.shape(label_map) for label_map in label_maps}
    if len(shapes) != 1:
        msg = f"Label maps of experts must be at least one and of one size, got {sorted(shapes)}. Pair them by field."
        raise InputError(msg)
    return np.stack([check_class_indices(np.asarray(one), MAX_CLASSES) for one in label_maps])


def _patterns(stack: LabelMap, n_classes: int) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
    """(pattern, rater) labels that occur together, the pattern of every pixel, and how often each occurs."""
    n_codes = n_classes ** len(stack)
    if n_codes > MOST_CODES:
        msg = f"STAPLE must have at most {MOST_CODES} patterns (classes ** raters), got {n_codes}. Take fewer raters."
        raise InputError(msg)
    codes = np.zeros(stack[0].size, np.int32)
    for label_map in stack:
        codes *= n_classes
        codes += label_map.ravel()
    occurrences = np.bincount(codes, minlength=n_codes)
    found = np.flatnonzero(occurrences)
    number = np.zeros(n_codes, np.intp)
    number[found] = np.arange(found.size)
    digits = [found // n_classes**power % n_classes for power in reversed(range(len(stack)))]
    return np.stack(digits, axis=1), number[codes], occurrences[found].astype(float)


def _prior(patterns: NDArray[np.intp], counts: FloatArray, n_classes: int) -> FloatArray:
    shares = np.array([((patterns == index).mean(1) * counts).sum() for index in range(n_classes)])
    return np.asarray(shares / max(counts.sum(), 1))


def _expect(patterns: NDArray[np.intp], confusion: FloatArray, prior: FloatArray) -> FloatArray:
    """(pattern, class) probability of the truth."""
    likelihood = np.tile(prior, (len(patterns), 1))
    for rater, said in enumerate(patterns.T):
        likelihood = likelihood * confusion[rater][:, said].T
    total = likelihood.sum(1, keepdims=True)
    posterior: FloatArray = np.divide(likelihood, total, out=np.tile(prior, (len(patterns), 1)), where=total > 0)
    return posterior


def _maximise(patterns: NDArray[np.intp], weights: FloatArray, before: FloatArray) -> FloatArray:
    """(rater, class, class) performance; a class that nowhere has weight keeps what was believed before."""
    updated = before.copy()
    totals = weights.sum(0)
    for rater, said in enumerate(patterns.T):
        for index in range(before.shape[1]):
            hits = weights[said == index].sum(0)
            updated[rater, :, index] = np.divide(hits, totals, out=before[rater, :, index].copy(), where=totals > 0)
    return updated
