"""Effect sizes: how much better, not only how surely. Each with a bootstrap interval over images."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.statistics.resampling import Interval, interval_of
from noisylabels.data.errors import InputError

FloatArray = NDArray[np.float64]

BLOCK_ELEMENTS = 2_000_000  # pairwise values held at once (16 MB)


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
    """Tell how often a score of the second set beats one of the first, less how often it loses (Cliff 1993).

    Args:
        first: Scores of the baseline. Not modified.
        second: Scores of the method. Not modified.

    Returns:
        A value in [-1, 1]; 1 when every score of the method is higher; nan when either is empty.

    Examples:
        >>> cliffs_delta([1, 2], [2, 3])  # wins 3, ties 1, losses 0 of 4
        0.75
    """
    one, other = np.asarray(first, float), np.asarray(second, float)
    return float(np.sign(other[:, None] - one).mean()) if one.size and other.size else float("nan")


def rank_biserial(differences: ArrayLike) -> float:
    """Give the matched-pairs rank-biserial correlation: the share of ranks that favour the method, less the rest.

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

    values = np.asarray(differences, float)
    ranks = stats.rankdata(np.abs(values)) * (values != 0)
    return float((ranks * np.sign(values)).sum() / ranks.sum()) if ranks.any() else float("nan")


def bootstrap_effect(
    effect: Callable[[FloatArray], float],
    values: ArrayLike,
    *,
    n_resamples: int = 2000,
    level: float = 0.95,
    rng: np.random.Generator,
) -> Interval:
    """Give an effect size its percentile bootstrap interval over images.

    Args:
        effect: Effect of (image, ...) values: the images drawn.
        values: (image, ...) values; an image keeps all its own. Not modified.
        n_resamples: Resamples.
        level: Level of the interval.
        rng: Source of randomness.

    Raises:
        InputError: If there is no image.

    Examples:
        >>> bootstrap_effect(hodges_lehmann, [2.0, 2.0, 2.0], n_resamples=9, rng=np.random.default_rng(0)).low
        2.0
    """
    data = np.asarray(values, float)
    if not len(data):
        msg = "values must have at least one image, got none. Rate at least one image with both methods."
        raise InputError(msg)
    drawn = rng.integers(len(data), size=(n_resamples, len(data)))
    if effect is hodges_lehmann:
        block = max(1, BLOCK_ELEMENTS // (len(data) ** 2))
        scores = np.concatenate([_walsh_medians(data[drawn[at : at + block]]) for at in range(0, n_resamples, block)])
    else:
        scores = np.array([effect(data[rows]) for rows in drawn])
    return interval_of(scores, estimate=effect(data), level=level, n_clusters=len(data))


def _walsh_medians(values: FloatArray) -> FloatArray:
    """(sample,) medians of the means of all pairs, each value with itself too, of (sample, image) values."""
    rows, columns = np.triu_indices(values.shape[1])
    medians: FloatArray = np.median((values[:, rows] + values[:, columns]) / 2, axis=1)
    return medians
