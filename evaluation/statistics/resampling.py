"""Resampling: intervals and tests of any score that is a function of summed counts.

Every score of this room is computed from statistics that add up over fields (counts, or a sum of per-field values
beside the number of fields summed). A bootstrap resample weights the fields, so thousands of resamples are one matrix
product of weights and statistics, and the score of all of them is computed at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noisylabels.data.errors import InputError

FloatArray = NDArray[np.float64]

Score = Callable[[FloatArray], FloatArray]
"""(resample, ...) summed statistics -> (resample,) values; nan where undefined."""

BLOCK_ELEMENTS = 4_000_000  # weights held at once (32 MB): memory does not grow with fields x resamples
TIE = 1e-12  # a permuted difference this close below the observed one is the observed one, but for rounding


@dataclass(frozen=True)
class Interval:
    """A number with its percentile interval.

    Args:
        estimate: The score of the data as they are.
        low: Lower end; nan when no resample had a defined score.
        high: Upper end.
        level: Share of resamples inside, in (0, 1).
        n_clusters: Independent units resampled.
        n_undefined: Resamples whose score was nan; they are left out of the interval.
    """

    estimate: float
    low: float
    high: float
    level: float
    n_clusters: int
    n_undefined: int = 0

    def excludes(self, value: float) -> bool:
        """Tell whether `value` lies outside the interval; False when the interval is undefined."""
        return bool(value < self.low or value > self.high)


def interval_of(values: ArrayLike, *, estimate: float, level: float = 0.95, n_clusters: int) -> Interval:
    """Take the percentile interval of resampled scores.

    Args:
        values: (resample,) scores, nan where undefined. Not modified.
        estimate: The score of the data as they are.
        level: Share of resamples inside, in (0, 1).
        n_clusters: Independent units that were resampled.

    Raises:
        InputError: If `level` is outside (0, 1).

    Examples:
        >>> interval_of(np.arange(101.0), estimate=50, level=0.5, n_clusters=7).low
        25.0
    """
    if not 0 < level < 1:
        msg = f"level must be in (0, 1), got {level}. For a 95 % interval write 0.95."
        raise InputError(msg)
    scores = np.asarray(values, float)
    defined = scores[~np.isnan(scores)]
    n_undefined = scores.size - defined.size
    if not defined.size:
        return Interval(float(estimate), np.nan, np.nan, level, n_clusters, n_undefined)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(estimate), float(low), float(high), level, n_clusters, n_undefined)


def sum_by_cluster(statistics: ArrayLike, clusters: Sequence[Any] | None) -> FloatArray:
    """Add up the statistics of the fields of each cluster.

    Quarters of one field, or fields of one well, are not independent: the cluster is what gets resampled.

    Args:
        statistics: (field, ...) statistics that add up. Not modified.
        clusters: (field,) name of each field's cluster, or None: every field is a cluster of its own.

    Returns:
        (cluster, ...) sums as float64 (exact for integer counts below 2**53), in the sorted order of cluster names.

    Raises:
        InputError: If the lengths differ or there is no field.

    Examples:
        >>> sum_by_cluster([[1, 0], [2, 0], [0, 4]], ["B07", "B07", "C01"])
        array([[3., 0.],
               [0., 4.]])
    """
    values = np.asarray(statistics, float)
    if values.ndim == 0 or len(values) == 0:
        msg = "statistics must have at least one field, got none. Evaluate at least one field first."
        raise InputError(msg)
    if clusters is None:
        return values
    if len(clusters) != len(values):
        msg = (
            f"clusters must name one cluster per field, got {len(clusters)} for {len(values)} fields. Name each one's."
        )
        raise InputError(msg)
    names, inverse = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.zeros((len(names), *values.shape[1:]))
    np.add.at(sums, inverse, values)
    return sums


def bootstrap_scores(
    statistics: ArrayLike,
    score: Score,
    *,
    clusters: Sequence[Any] | None = None,
    n_resamples: int = 10_000,
    rng: np.random.Generator,
) -> FloatArray:
    """Score many bootstrap resamples of the clusters (Efron 1979; Davison & Hinkley 1997, section 3.8).

    Several sets resampled together (methods on the same fields) belong in one array, (field, method, ...): then every
    method sees the same resample, and differences of their scores are paired.

    Args:
        statistics: (field, ...) statistics that add up. Not modified.
        score: Scores of (resample, ...) summed statistics.
        clusters: (field,) cluster names; None: every field is one.
        n_resamples: How many resamples to draw.
        rng: Source of randomness. The same generator state gives the same scores.

    Returns:
        What `score` returns for all resamples, one behind the other: (resample, ...).

    Examples:
        >>> share = lambda sums: sums[:, 0] / sums.sum(1)  # e.g. recall from (found, missed)
        >>> scores = bootstrap_scores([[9, 1]] * 20, share, n_resamples=100, rng=np.random.default_rng(0))
        >>> scores.shape, float(scores.min()), float(scores.max())
        ((100,), 0.9, 0.9)
    """
    sums = sum_by_cluster(statistics, clusters)
    n_clusters = len(sums)
    blocks = [
        score(_weighted(_draw_weights(n_clusters, size, rng), sums)) for size in _block_sizes(n_resamples, n_clusters)
    ]
    return np.concatenate(blocks)


def bootstrap(
    statistics: ArrayLike,
    score: Score,
    *,
    clusters: Sequence[Any] | None = None,
    n_resamples: int = 10_000,
    level: float = 0.95,
    rng: np.random.Generator,
) -> Interval:
    """Give a score its percentile bootstrap interval over clusters.

    Args:
        statistics: (field, ...) statistics that add up. Not modified.
        score: Scores of (resample, ...) summed statistics, (resample,).
        clusters: (field,) cluster names; None: every field is one.
        n_resamples: How many resamples to draw.
        level: Share of resamples inside the interval, in (0, 1).
        rng: Source of randomness. The same generator state gives the same interval.

    Examples:
        >>> share = lambda sums: sums[:, 0] / sums.sum(1)
        >>> bootstrap([[9, 1]] * 20, share, n_resamples=100, rng=np.random.default_rng(0)).low
        0.9
    """
    sums = sum_by_cluster(statistics, clusters)
    scores = bootstrap_scores(sums, score, n_resamples=n_resamples, rng=rng)
    return interval_of(scores, estimate=float(score(sums.sum(0)[None])[0]), level=level, n_clusters=len(sums))


def permute_pairs(
    first: ArrayLike,
    second: ArrayLike,
    score: Score,
    *,
    clusters: Sequence[Any] | None = None,
    n_resamples: int = 10_000,
    rng: np.random.Generator,
) -> FloatArray:
    """Test whether two methods score alike: swap their names in random clusters (paired permutation test).

    Under the hypothesis that the methods are exchangeable, each cluster's two results could as well be swapped. With
    2**clusters <= `n_resamples` all swaps are tried and the p-value is exact; else it is (1 + hits) / (1 + draws)
    (Phipson & Smyth 2010, doi:10.2202/1544-6115.1585), never 0.

    Args:
        first: (field, ...) statistics of one method. Not modified.
        second: (field, ...) statistics of the other on the same fields, in the same order. Not modified.
        score: Scores of (resample, ...) summed statistics: (resample,), or (resample, metric) to test several at once.
        clusters: (field,) cluster names; None: every field is one.
        n_resamples: How many random swaps to draw when there are too many to try all.
        rng: Source of randomness.

    Returns:
        Two-sided p-values in (0, 1], () or (metric,); nan where the observed difference is undefined.

    Raises:
        InputError: If the two do not have the same shape.

    Examples:
        >>> share = lambda sums: sums[:, 0] / sums.sum(1)
        >>> p = permute_pairs([[9, 1]] * 4, [[5, 5]] * 4, share, rng=np.random.default_rng(0))
        >>> float(p)  # 2 of 16 swaps are as extreme
        0.125
    """
    one, other = sum_by_cluster(first, clusters), sum_by_cluster(second, clusters)
    if one.shape != other.shape:
        msg = f"Paired statistics must have one shape, got {one.shape} and {other.shape}. Evaluate the same fields."
        raise InputError(msg)
    n_clusters, total = len(one), (one + other).sum(0)
    observed = _absolute_difference(one.sum(0)[None], total, score)[0]
    exact = n_clusters < 63 and 2**n_clusters <= n_resamples
    hits = np.zeros(observed.shape)
    for keep in _sign_blocks(n_clusters, n_resamples, exact=exact, rng=rng):
        permuted = _absolute_difference(_weighted(keep, one) + _weighted(1 - keep, other), total, score)
        hits += (permuted >= observed - TIE).sum(0)
    p_values = hits / 2**n_clusters if exact else (1 + hits) / (1 + n_resamples)
    return np.where(np.isnan(observed), np.nan, p_values)


def _absolute_difference(sums: FloatArray, total: FloatArray, score: Score) -> FloatArray:
    difference: FloatArray = np.abs(score(sums) - score(total[None] - sums))
    return difference


def _weighted(weights: FloatArray, sums: FloatArray) -> FloatArray:
    product: FloatArray = np.tensordot(weights, sums, axes=1)
    return product


def _block_sizes(n_resamples: int, n_clusters: int) -> list[int]:
    if n_resamples < 1:
        msg = f"n_resamples must be at least 1, got {n_resamples}. Usual is 10000."
        raise InputError(msg)
    size = max(1, BLOCK_ELEMENTS // n_clusters)
    return [min(size, n_resamples - start) for start in range(0, n_resamples, size)]


def _draw_weights(n_clusters: int, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """How often each cluster occurs in each of `n_resamples` draws with replacement."""
    drawn = rng.integers(n_clusters, size=(n_resamples, n_clusters))
    drawn += np.arange(n_resamples)[:, None] * n_clusters
    return np.bincount(drawn.ravel(), minlength=n_resamples * n_clusters).reshape(n_resamples, n_clusters).astype(float)


def _sign_blocks(n_clusters: int, n_resamples: int, *, exact: bool, rng: np.random.Generator) -> Iterator[FloatArray]:
    """0/1 per permutation and cluster: all 2**n_clusters patterns, or random ones, in blocks."""
    if exact:
        patterns = np.arange(2**n_clusters)
        yield ((patterns[:, None] >> np.arange(n_clusters)) & 1).astype(float)
        return
    for size in _block_sizes(n_resamples, n_clusters):
        yield rng.integers(2, size=(size, n_clusters)).astype(float)
