"""Effect sizes: how much better, not only how surely, with intervals over images."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.statistics.intervals import Interval, jackknife_interval, student_interval
from evaluation.statistics.rank_tests import rounded
from noisylabels.data.errors import InputError

FloatArray = NDArray[np.float64]

MOST_EXACT = 100  # images up to which the distribution of the signed ranks is added up exactly


def hodges_lehmann(differences: ArrayLike) -> float:
    """Estimate the shift of paired scores: the median of all pairwise means of differences (Hodges & Lehmann 1963).

    Args:
        differences: (image,) method - baseline. Not modified.

    Returns:
        The shift; nan without differences.

    Examples:
        >>> hodges_lehmann([1, 2, 9])  # pairwise means 1, 1.5, 5, 2, 5.5, 9
        3.5
    """
    values = np.asarray(differences, float)[None]
    return float(_walsh_medians(values)[0]) if values.size else float("nan")


def cliffs_delta(first: ArrayLike, second: ArrayLike) -> float:
    """Return how often a score of the second set beats one of the first, less how often it loses (Cliff 1993).

    Args:
        first: Scores of the baseline. Not modified.
        second: Scores of the method. Not modified.

    Returns:
        A value in [-1, 1]; 1 when every score of the method is higher; nan when either is empty.

    Examples:
        >>> cliffs_delta([1, 2], [2, 3])  # wins 3, ties 1, losses 0 of 4
        0.75
    """
    one, other = rounded(first), rounded(second)
    return float(np.sign(other[:, None] - one).mean()) if one.size and other.size else float("nan")


def rank_biserial(differences: ArrayLike) -> float:
    """Return the matched-pairs rank-biserial correlation: the share of ranks that favour the method, less the rest.

    Zeros are ranked and then dropped, as Pratt's signed-rank test does (Kerby 2014, doi:10.2466/11.IT.3.1).

    Args:
        differences: (image,) method - baseline. Not modified.

    Returns:
        A value in [-1, 1]; nan when there is no difference but zeros.

    Examples:
        >>> round(rank_biserial([3, 2, -1, 4]), 3)  # ranks 3 + 2 + 4 against 1
        0.8
    """
    from scipy import stats

    values = rounded(differences)
    ranks = stats.rankdata(np.abs(values)) * (values != 0)
    return float((ranks * np.sign(values)).sum() / ranks.sum()) if ranks.any() else float("nan")


def hodges_lehmann_interval(differences: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the shift of paired scores with its interval by inverting Wilcoxon's signed-rank test.

    The ends are ordered pairwise means (Hollander, Wolfe & Chicken 2014, section 3.3); the interval holds the shift at
    least as often as `level` says, whatever the distribution, as long as it is symmetric about the shift.

    Args:
        differences: (image,) method - baseline. Not modified.
        level: Confidence, in (0, 1).

    Returns:
        The shift with its interval; with fewer than 6 images there is none at 95 %.

    Raises:
        InputError: If there is no image.

    Examples:
        >>> interval = hodges_lehmann_interval([1, 2, 3, 4, 5, 6])  # 2 of 64 patterns lie outside all pairwise means
        >>> interval.estimate, interval.low, interval.high
        (3.5, 1.0, 6.0)
    """
    values = _images(differences)
    n = len(values)
    rows, columns = np.triu_indices(n)
    means = np.sort((values[rows] + values[columns]) / 2)
    outside = int(np.searchsorted(_signed_rank_tails(n), (1 - level) / 2, side="right"))  # means to leave out per side
    low, high = (means[outside - 1], means[-outside]) if outside else (np.nan, np.nan)
    return Interval(hodges_lehmann(values), float(low), float(high), level, n)


def cliffs_delta_interval(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return Cliff's delta of paired scores with its interval: the jackknife over images, with Student's t.

    Args:
        first: (image,) scores of the baseline. Not modified.
        second: (image,) scores of the method on the same images. Not modified.
        level: Confidence, in (0, 1).

    Raises:
        InputError: If there is no image, or the two are not equally many.
    """
    one, other = _images(first), _images(second)
    if len(one) != len(other):
        msg = f"Scores must be of the same images, got {len(one)} and {len(other)}. Pair them."
        raise InputError(msg)
    wins = np.sign(other[:, None] - one)
    n = len(one)
    without = wins.sum() - wins.sum(0) - wins.sum(1) + np.diagonal(wins)
    left_out = without / (n - 1) ** 2 if n > 1 else np.full(1, np.nan)
    return jackknife_interval(left_out, estimate=cliffs_delta(one, other), level=level, bounds=(-1, 1))


def mean_interval(values: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return a mean over images with its interval by Student's t.

    Args:
        values: (image,) values. Not modified.
        level: Confidence, in (0, 1).

    Raises:
        InputError: If there is no image.
    """
    numbers = _images(values)
    n = len(numbers)
    error = float(numbers.std(ddof=1) / np.sqrt(n)) if n > 2 else float("nan")
    return student_interval(float(numbers.mean()), error, df=n - 1 if n > 2 else np.nan, n_clusters=n, level=level)


def _images(values: ArrayLike) -> FloatArray:
    numbers = np.asarray(values, float)
    if not len(numbers):
        msg = "values must have at least one image, got none. Rate at least one image with both methods."
        raise InputError(msg)
    return numbers


def _signed_rank_tails(n: int) -> FloatArray:
    """P(W+ <= k) for k = 0, 1, ... of n untied ranks: exact up to 100 images, beyond by the normal distribution."""
    total = n * (n + 1) // 2
    if n > MOST_EXACT:
        from scipy.special import ndtr

        centre, spread = total / 2, np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return np.asarray(ndtr((np.arange(total + 1) + 0.5 - centre) / spread), float)
    chances = np.zeros(total + 1)
    chances[0] = 1.0
    for rank in range(1, n + 1):
        chances[rank:] = (chances[rank:] + chances[: total + 1 - rank]) / 2
        chances[:rank] /= 2
    return np.cumsum(chances)


def _walsh_medians(values: FloatArray) -> FloatArray:
    """(sample,) medians of the means of all pairs, each value with itself too, of (sample, image) values."""
    rows, columns = np.triu_indices(values.shape[1])
    medians: FloatArray = np.median((values[:, rows] + values[:, columns]) / 2, axis=1)
    return medians
