"""Agreement: how far raters, or experts who drew label maps, say the same."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noisylabels.data.errors import InputError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Correlation:
    """Intraclass correlations of single ratings (McGraw & Wong 1996, doi:10.1037/1082-989X.1.1.30).

    Args:
        absolute: ICC(A,1): do raters give the same score?
        consistency: ICC(C,1): do they order the images alike, whatever their severity?
        n_images: Images scored by every rater.
        n_raters: Raters.
    """

    absolute: float
    consistency: float
    n_images: int
    n_raters: int


def correlate_raters(scores: ArrayLike) -> Correlation:
    """Return the intraclass correlations of raters: two-way model, single ratings.

    A large gap between the two tells that raters differ in severity but not in judgement.

    Args:
        scores: (image, rater) scores; images with a nan are left out. Not modified.

    Returns:
        The correlations; nan with fewer than two images or raters, or when all scores are equal.

    Examples:
        >>> result = correlate_raters([[1, 3], [2, 4], [3, 5]])  # the second rater is always 2 milder
        >>> round(result.absolute, 3), result.consistency
        (0.333, 1.0)
    """
    table = np.asarray(scores, float)
    table = table[~np.isnan(table).any(1)]
    n, k = table.shape
    if n < 2 or k < 2:
        return Correlation(float("nan"), float("nan"), n, k)
    grand = table.mean()
    rows = k * ((table.mean(1) - grand) ** 2).sum() / (n - 1)
    columns = n * ((table.mean(0) - grand) ** 2).sum() / (k - 1)
    rest = ((table - table.mean(1, keepdims=True) - table.mean(0) + grand) ** 2).sum() / ((n - 1) * (k - 1))
    absolute = _ratio(rows - rest, rows + (k - 1) * rest + k * (columns - rest) / n)
    return Correlation(absolute, _ratio(rows - rest, rows + (k - 1) * rest), n, k)


def krippendorff_alpha(scores: ArrayLike, *, scale: Literal["nominal", "ordinal", "interval"] = "ordinal") -> float:
    """Return Krippendorff's alpha: 1 is perfect agreement, 0 is chance (Krippendorff 2011).

    Args:
        scores: (image, rater) scores, nan where a rater did not see the image. Not modified.
        scale: How far two scores are apart: the ordinal distance counts the scores in between.

    Returns:
        Alpha; nan when no image has two scores, or all scores are equal.

    Raises:
        InputError: If the scale is unknown.

    Examples:
        >>> krippendorff_alpha([[1, 1], [2, 2], [3, 3]])
        1.0
    """
    if scale not in ("nominal", "ordinal", "interval"):
        msg = f"scale must be 'nominal', 'ordinal' or 'interval', got {scale!r}. Scores from 1 to 10 are ordinal."
        raise InputError(msg)
    table = np.asarray(scores, float)
    levels = np.unique(table[~np.isnan(table)])
    if not levels.size:
        return float("nan")
    counts = np.stack([(table == level).sum(1) for level in levels], axis=1).astype(float)  # (image, level)
    counts = counts[counts.sum(1) >= 2]
    per_image = counts.sum(1, keepdims=True)
    coincidences = counts.T @ (counts / (per_image - 1)) - np.diag((counts / (per_image - 1)).sum(0))
    totals = coincidences.sum(1)
    distance = _distances(levels, totals, scale)
    expected = (np.outer(totals, totals) * distance).sum() / max(totals.sum() - 1, 1)
    return 1 - _ratio(float((coincidences * distance).sum()), float(expected))


def _distances(levels: FloatArray, totals: FloatArray, scale: str) -> FloatArray:
    """Squared distance between every two levels."""
    if scale == "nominal":
        return 1 - np.eye(len(levels))
    if scale == "interval":
        return np.subtract.outer(levels, levels) ** 2
    middle = np.cumsum(totals) - totals / 2  # the ordinal distance counts the scores between, ends by half
    return np.subtract.outer(middle, middle) ** 2


def weighted_kappa(
    first: ArrayLike, second: ArrayLike, *, weights: Literal["none", "linear", "quadratic"] = "quadratic"
) -> float:
    """Return Cohen's weighted kappa of two raters on an ordinal scale (Cohen 1968, doi:10.1037/h0026256).

    Args:
        first: (image,) whole-number scores, nan where missing. Not modified.
        second: (image,) scores of the same images. Not modified.
        weights: How a disagreement grows with the distance of the scores.

    Returns:
        Kappa; nan when no image has both scores, or both raters gave one and the same score throughout.

    Raises:
        InputError: If the weights are unknown or the lengths differ.

    Examples:
        >>> weighted_kappa([1, 2, 3], [1, 2, 3])
        1.0
    """
    if weights not in ("none", "linear", "quadratic"):
        msg = f"weights must be 'none', 'linear' or 'quadratic', got {weights!r}. Quadratic is usual for scores."
        raise InputError(msg)
    one, other = np.asarray(first, float), np.asarray(second, float)
    if one.shape != other.shape:
        msg = f"Scores of two raters must be equally many, got {one.size} and {other.size}. Pair them by image."
        raise InputError(msg)
    both = ~np.isnan(one) & ~np.isnan(other)
    one, other = one[both], other[both]
    power = {"none": 0, "linear": 1, "quadratic": 2}[weights]
    observed = _penalties(one, other, power).mean() if one.size else float("nan")
    expected = _penalties(one[:, None], other[None], power).mean() if one.size else float("nan")
    return 1 - _ratio(float(observed), float(expected))


def limits_of_agreement(reference: ArrayLike, prediction: ArrayLike) -> dict[str, float]:
    """Return the bias of counts and its 95 % limits (Bland & Altman 1986, doi:10.1016/S0140-6736(86)90837-8).

    Args:
        reference: (field,) counts. Not modified.
        prediction: (field,) counts, in the same order. Not modified.

    Returns:
        `bias` (mean difference), `low` and `high` (bias ± 1.96 SD); the limits are nan with fewer than two fields.

    Examples:
        >>> limits = limits_of_agreement([10, 10, 10], [11, 12, 13])
        >>> limits["bias"], round(limits["low"], 3), round(limits["high"], 3)
        (2.0, 0.04, 3.96)
    """
    differences = np.asarray(prediction, float) - np.asarray(reference, float)
    bias = float(differences.mean()) if differences.size else float("nan")
    half = 1.96 * float(differences.std(ddof=1)) if differences.size > 1 else float("nan")
    return {"bias": bias, "low": bias - half, "high": bias + half}


def _penalties(first: FloatArray, second: FloatArray, power: int) -> FloatArray:
    apart = np.abs(first - second)
    return np.asarray(apart**power if power else (apart > 0), float)


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator else float("nan")
