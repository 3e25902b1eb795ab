"""Permutation: do two methods score alike, in one score or in a family of scores?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evaluation.statistics.intervals import FloatArray, Score, sum_by_cluster
from noisylabels.data.errors import InputError

BLOCK_ELEMENTS = 4_000_000  # signs held at once (32 MB): memory does not grow with clusters x permutations
TIE = 1e-12  # a permuted difference this close below the observed one is the observed one, but for rounding


@dataclass(frozen=True)
class Permutation:
    """The result of a paired permutation test of one or more scores.

    Args:
        p: () or (metric,) two-sided p-values in (0, 1]; nan where the observed difference is undefined.
        p_family: The same, adjusted for all metrics tested together (max-T).
        floor: Smallest p-value that the clusters allow: 2 / 2**clusters, of those that say something about the score.
    """

    p: FloatArray
    p_family: FloatArray
    floor: FloatArray


def permute_pairs(
    first: ArrayLike,
    second: ArrayLike,
    score: Score,
    *,
    clusters: Sequence[object] | None = None,
    n_resamples: int = 10_000,
    rng: np.random.Generator,
) -> Permutation:
    """Test whether two methods score alike: swap their names in random clusters (paired permutation test).

    Under the hypothesis that the methods are exchangeable, each cluster's two results could as well be swapped. With
    2**clusters <= `n_resamples` all swaps are tried and the p-value is exact; else it is (1 + hits) / (1 + draws)
    (Phipson & Smyth 2010, doi:10.2202/1544-6115.1585), never 0. A swap that leaves a score undefined counts as extreme.

    Several scores share their swaps, so that their family is adjusted with regard to how alike they are: step-down
    max-T (Westfall & Young 1993, algorithm 4.1), each score's differences in units of their root mean square over the
    swaps. Bonferroni or Holm over 28 scores of one confusion matrix would take them for 28 independent questions.

    Args:
        first: (field, ...) statistics of one method. Not modified.
        second: (field, ...) statistics of the other on the same fields, in the same order. Not modified.
        score: Scores of (resample, ...) summed statistics: (resample,), or (resample, metric) to test several at once.
        clusters: (field,) cluster names; None: every field is one.
        n_resamples: How many random swaps to draw when there are too many to try all.
        rng: Source of randomness.

    Raises:
        InputError: If the two do not have the same shape, or `n_resamples` is below 1.

    Examples:
        >>> share = lambda sums: sums[:, 0] / sums.sum(1)
        >>> test = permute_pairs([[9, 1]] * 4, [[5, 5]] * 4, share, rng=np.random.default_rng(0))
        >>> float(test.p), float(test.floor)  # 2 of 16 swaps are as extreme, and no fewer can be
        (0.125, 0.125)
    """
    one, other = sum_by_cluster(first, clusters), sum_by_cluster(second, clusters)
    if one.shape != other.shape:
        msg = f"Paired statistics must have one shape, got {one.shape} and {other.shape}. Evaluate the same fields."
        raise InputError(msg)
    if n_resamples < 1:
        msg = f"n_resamples must be at least 1, got {n_resamples}. Usual is 10000."
        raise InputError(msg)
    n_clusters, total = len(one), (one + other).sum(0)
    observed = _absolute_difference(one.sum(0)[None], total, score)[0]
    exact = n_clusters < 63 and 2**n_clusters <= n_resamples
    permuted = np.concatenate(
        [
            _absolute_difference(np.tensordot(keep, one, 1) + np.tensordot(1 - keep, other, 1), total, score)
            for keep in _sign_blocks(n_clusters, n_resamples, exact=exact, rng=rng)
        ]
    )
    said = (~np.isnan(score(one)) | ~np.isnan(score(other))).sum(0)
    floor = np.maximum(np.minimum(2.0 ** (1 - said), 1), 0 if exact else 1 / (1 + n_resamples))
    shape = observed.shape
    observed, permuted = np.atleast_1d(observed), permuted.reshape(len(permuted), -1)
    extreme = ~(permuted < observed - TIE)  # undefined counts as extreme
    p = np.where(np.isnan(observed), np.nan, _share(extreme, exact))
    family = _adjust(observed, permuted, exact)
    return Permutation(p.reshape(shape), np.maximum(family, p).reshape(shape), np.asarray(floor, float))


def _adjust(observed: FloatArray, permuted: FloatArray, exact: bool) -> FloatArray:
    """Step-down max-T: the largest observed is compared with the largest of all, the next with that of the rest."""
    adjusted = np.full(len(observed), np.nan)
    defined = np.flatnonzero(~np.isnan(observed))
    spread = np.sqrt(np.nanmean(permuted[:, defined] ** 2, axis=0)) if len(defined) else np.zeros(0)
    scale = np.where(spread > 0, spread, 1)
    seen, drawn = observed[defined] / scale, np.nan_to_num(permuted[:, defined]) / scale
    order = np.argsort(seen, kind="stable")
    largest = np.maximum.accumulate(drawn[:, order], axis=1)  # of this score and all smaller ones
    p = _share(largest >= seen[order] - TIE / scale[order], exact)
    adjusted[defined[order]] = np.maximum.accumulate(p[::-1])[::-1]
    return adjusted


def _share(hits: np.ndarray, exact: bool) -> FloatArray:
    share: FloatArray = hits.mean(0) if exact else (1 + hits.sum(0)) / (1 + len(hits))
    return share


def _absolute_difference(sums: FloatArray, total: FloatArray, score: Score) -> FloatArray:
    difference: FloatArray = np.abs(score(sums) - score(total[None] - sums))
    return difference


def _sign_blocks(n_clusters: int, n_resamples: int, *, exact: bool, rng: np.random.Generator) -> Iterator[FloatArray]:
    """0/1 per permutation and cluster: all 2**n_clusters patterns, or random ones, in blocks."""
    if exact:
        patterns = np.arange(2**n_clusters)
        yield ((patterns[:, None] >> np.arange(n_clusters)) & 1).astype(float)
        return
    size = max(1, BLOCK_ELEMENTS // n_clusters)
    for start in range(0, n_resamples, size):
        yield rng.integers(2, size=(min(size, n_resamples - start), n_clusters)).astype(float)
