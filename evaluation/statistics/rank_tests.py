"""Tests on scores: exact wherever exactness is affordable."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noisylabels.data.errors import InputError

EXACT_STEPS = 20_000_000  # additions the exact distribution of flipped signs may take: above, a normal tail
PATTERNS = 20  # up to 2**20 patterns of signs are tried one by one when differences are not whole numbers


DECIMALS = 9
"""Scores that differ by less are tied: equal means of three raters differ by one unit in the last place."""


def rounded(scores: ArrayLike) -> NDArray[np.float64]:
    """Round scores so that equal ones are equal, whatever order their sums were made in."""
    return np.round(np.asarray(scores, float), DECIMALS)


class Distance(NamedTuple):
    """The two-sample Kolmogorov-Smirnov distance and its two-sided p-value."""

    statistic: float
    p: float


def compare_distributions(
    first: ArrayLike, second: ArrayLike, *, method: Literal["exact", "matlab"] = "exact"
) -> Distance:
    """Compare two sets of scores by the Kolmogorov-Smirnov test, as the paper did.

    It ignores that both methods were rated on the same images and is conservative with tied scores: where the paired
    signed-rank test has a power of 0.79 it has 0.05 (20 images, true shift 1; `python -m benchmarks.rating_power`).

    Args:
        first: Scores. Not modified.
        second: Scores. Not modified.
        method: "exact", or "matlab": the formula of MATLAB's kstest2 (Stephens' correction, 101 terms), which for 20
            against 20 scores cannot go below 5.5e-10.

    Returns:
        The largest distance of the two distribution functions and its p-value; nan when either set is empty.

    Raises:
        InputError: If `method` is unknown.

    Examples:
        >>> round(compare_distributions([1, 2, 3], [4, 5, 6]).p, 9)  # 2 of the C(6, 3) = 20 orders
        0.1
    """
    from scipy import stats

    if method not in ("exact", "matlab"):
        msg = f"method must be 'exact' or 'matlab', got {method!r}. The default is exact."
        raise InputError(msg)
    one, other = rounded(first), rounded(second)
    if not one.size or not other.size:
        return Distance(float("nan"), float("nan"))
    result = stats.ks_2samp(one, other, method="exact")
    distance = float(result.statistic)
    if method == "exact":
        return Distance(distance, float(result.pvalue))
    return Distance(distance, matlab_ks_p(distance, one.size, other.size))


def matlab_ks_p(distance: float, n_first: int, n_second: int) -> float:
    """Return the two-sided p-value of MATLAB's kstest2 for a Kolmogorov-Smirnov distance.

    Args:
        distance: Largest distance of the two distribution functions, in [0, 1].
        n_first: Number of scores in one set.
        n_second: Number in the other.

    Examples:
        >>> matlab_ks_p(0.15, 120, 120)  # MATLAB's examgrades, as the tests of GNU Octave's kstest2 have it
        0.12227918701373133
    """
    n = n_first * n_second / (n_first + n_second)
    scaled = max((np.sqrt(n) + 0.12 + 0.11 / np.sqrt(n)) * distance, 0)
    terms = np.arange(1, 102)
    tail = 2 * ((-1.0) ** (terms - 1) * np.exp(-2 * scaled**2 * terms**2)).sum()
    return float(np.clip(tail, 0, 1))


def signed_rank_p(differences: ArrayLike) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test with Pratt's handling of zeros.

    Zeros are ranked, then dropped; ties get mean ranks. The p-value is exact for the observed ties and zeros (the
    usual tables are not), and a normal tail where there are too many differences for that.

    Args:
        differences: (image,) method - baseline; nan left out. Not modified.

    Returns:
        The p-value; 1 when all differences are 0, nan without differences.

    Examples:
        >>> signed_rank_p([1, 2, 3, 4])  # 2 of 16 patterns of signs are as extreme
        0.125
    """
    from scipy import stats

    values = rounded(differences)
    values = values[~np.isnan(values)]
    ranks = stats.rankdata(np.abs(values)) * np.sign(values)
    return _flip_whole_numbers(np.round(2 * ranks).astype(np.int64))  # mean ranks are multiples of one half


def sign_flip_p(differences: ArrayLike, *, n_resamples: int = 100_000, rng: np.random.Generator | None = None) -> float:
    """Test whether paired differences are centred on 0 by flipping their signs (Fisher's permutation test).

    Whole-number differences (of ratings, or their sums over raters) get the exact p-value for any number of images; so
    do up to 20 others. Beyond, signs are drawn.

    Args:
        differences: (image,) method - baseline, raters of one image summed or averaged; nan left out. Not modified.
        n_resamples: Patterns drawn when exactness is out of reach.
        rng: Source of randomness, needed only then.

    Returns:
        The two-sided p-value; 1 when all differences are 0, nan without differences.

    Raises:
        InputError: If signs must be drawn and there is no `rng`.

    Examples:
        >>> sign_flip_p([1, 1, 2, 5])
        0.125
    """
    values = np.asarray(differences, float)
    values = values[~np.isnan(values)]
    if (values == np.round(values)).all():
        return _flip_whole_numbers(values.astype(np.int64))
    if values.size <= PATTERNS:
        sums = np.zeros(1)
        for value in values:
            sums = np.concatenate([sums + value, sums - value])
        return float((np.abs(sums) >= abs(values.sum()) - 1e-9).mean())
    if rng is None:
        msg = f"rng must be given for {values.size} differences that are not whole numbers, got None. Give a generator."
        raise InputError(msg)
    signs = rng.integers(2, size=(n_resamples, values.size)) * 2.0 - 1
    hits = int((np.abs(signs @ values) >= abs(values.sum()) - 1e-9).sum())
    return (1 + hits) / (1 + n_resamples)


def mann_whitney_p(first: ArrayLike, second: ArrayLike) -> float:
    """Return the two-sided p-value of the Mann-Whitney test, for scores of different images.

    Args:
        first: Scores. Not modified.
        second: Scores. Not modified.

    Returns:
        The p-value; nan when either set is empty.

    Examples:
        >>> mann_whitney_p([1, 2, 3], [4, 5, 6])
        0.1
    """
    from scipy import stats

    one, other = rounded(first), rounded(second)
    if not one.size or not other.size:
        return float("nan")
    if np.unique(np.concatenate([one, other])).size == 1:
        return 1.0
    return float(stats.mannwhitneyu(one, other).pvalue)


def _flip_whole_numbers(values: NDArray[np.int64]) -> float:
    """Two-sided p-value of |sum| when each value's sign is a fair coin: exact, by adding up one value after another."""
    if not values.size:
        return float("nan")
    sizes, observed = np.abs(values[values != 0]), abs(int(values.sum()))
    if not sizes.size:
        return 1.0
    total = int(sizes.sum())
    if sizes.size * total > EXACT_STEPS:
        from scipy import stats

        return float(min(1, 2 * stats.norm.sf(observed / np.sqrt((sizes.astype(float) ** 2).sum()))))
    chances = np.ones(1)  # of the sum of the values that come out positive
    for size in sizes:
        longer = np.zeros(chances.size + size)
        longer[: chances.size] += chances / 2
        longer[size:] += chances / 2
        chances = longer
    sums = np.abs(2 * np.arange(chances.size) - total)
    return float(min(1, chances[sums >= observed].sum()))
