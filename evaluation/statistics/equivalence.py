"""Equivalence: is a method no worse than another, but for a margin that would not matter?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from noisylabels.data.errors import InputError


@dataclass(frozen=True)
class Equivalence:
    """Result of the two one-sided tests.

    Args:
        difference: Mean of the differences.
        low: Lower end of the (1 - 2 alpha) interval of the difference.
        high: Upper end.
        margin: The largest difference that would not matter.
        p_not_worse: p-value of "the difference is -margin or less".
        p_not_better: p-value of "the difference is +margin or more".
        alpha: Level of each one-sided test.
    """

    difference: float
    low: float
    high: float
    margin: float
    p_not_worse: float
    p_not_better: float
    alpha: float

    @property
    def p(self) -> float:
        """p-value of the equivalence: the larger of the two."""
        return max(self.p_not_worse, self.p_not_better)

    @property
    def equivalent(self) -> bool:
        """True when the interval lies between -margin and +margin."""
        return self.p < self.alpha

    @property
    def not_inferior(self) -> bool:
        """True when the difference is shown to be above -margin."""
        return self.p_not_worse < self.alpha


def tost(differences: ArrayLike, *, margin: float, alpha: float = 0.05) -> Equivalence:
    """Test paired differences for equivalence: two one-sided t tests (Schuirmann 1987, doi:10.1007/BF01068419).

    A large p-value of an ordinary test does not show that two methods are alike; this does. For "CDL is not worse
    than MDL" give CDL - MDL and read `not_inferior`.

    Args:
        differences: (cluster,) first minus second method, one per independent unit; nan left out. Not modified.
        margin: The largest difference that would not matter, above 0, in the unit of the differences.
        alpha: Level of each one-sided test, in (0, 0.5).

    Raises:
        InputError: If the margin or alpha is out of range, or fewer than two differences are defined.

    Examples:
        >>> result = tost([0.01, -0.01, 0.02, -0.02], margin=0.1)
        >>> result.equivalent, round(result.p, 3)
        (True, 0.001)
    """
    from scipy import stats

    _check(margin, alpha)
    values = np.asarray(differences, float)
    values = values[~np.isnan(values)]
    if values.size < 2:
        msg = f"differences must have at least 2 defined values, got {values.size}. Evaluate more fields."
        raise InputError(msg)
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))
    if error == 0:  # all differences equal: their mean is known exactly
        return Equivalence(mean, mean, mean, margin, float(mean <= -margin), float(mean >= margin), alpha)
    t = stats.t(values.size - 1)
    half = float(t.isf(alpha)) * error
    worse, better = float(t.sf((mean + margin) / error)), float(t.cdf((mean - margin) / error))
    return Equivalence(mean, mean - half, mean + half, margin, worse, better, alpha)


def tost_resampled(scores: ArrayLike, *, estimate: float, margin: float, alpha: float = 0.05) -> Equivalence:
    """Test a pooled score's difference for equivalence from its bootstrap resamples.

    Pooled scores (a data set's mean IoU) have no per-field value; their resampled differences take its place:
    equivalence holds when the (1 - 2 alpha) percentile interval lies inside the margin.

    Args:
        scores: (resample,) differences of two methods on the same resamples; nan left out. Not modified.
        estimate: The difference on the data as they are.
        margin: The largest difference that would not matter, above 0.
        alpha: Level of each one-sided test, in (0, 0.5).

    Raises:
        InputError: If the margin or alpha is out of range, or no resample is defined.

    Examples:
        >>> tost_resampled(np.linspace(-0.02, 0.02, 101), estimate=0, margin=0.05).equivalent
        True
    """
    _check(margin, alpha)
    values = np.asarray(scores, float)
    values = values[~np.isnan(values)]
    if not values.size:
        msg = "scores must have at least one defined resample, got none. Evaluate fields in which the classes occur."
        raise InputError(msg)
    low, high = np.quantile(values, [alpha, 1 - alpha])
    worse = (1 + int((values <= -margin).sum())) / (1 + values.size)
    better = (1 + int((values >= margin).sum())) / (1 + values.size)
    return Equivalence(float(estimate), float(low), float(high), margin, worse, better, alpha)


def _check(margin: float, alpha: float) -> None:
    if not margin > 0:
        msg = f"margin must be above 0, got {margin}. Give the largest difference that would not matter."
        raise InputError(msg)
    if not 0 < alpha < 0.5:
        msg = f"alpha must be in (0, 0.5), got {alpha}. Usual is 0.05."
        raise InputError(msg)
