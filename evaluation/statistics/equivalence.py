"""Equivalence: is a method no worse than another, but for a margin that would not matter?"""

from dataclasses import dataclass

import numpy as np

from evaluation.statistics.intervals import Interval
from noisylabels.data.errors import InputError


@dataclass(frozen=True)
class Equivalence:
    """Result of the two one-sided tests.

    Args:
        difference: The difference.
        low: Lower end of the (1 - 2 alpha) interval of the difference.
        high: Upper end.
        margin: The largest difference that would not matter.
        p_not_worse: p-value of "the difference is -margin or less"; nan where there is no interval.
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
        return float(np.maximum(self.p_not_worse, self.p_not_better))

    @property
    def equivalent(self) -> bool:
        """True when the interval lies between -margin and +margin."""
        return self.p < self.alpha

    @property
    def not_inferior(self) -> bool:
        """True when the difference is shown to be above -margin."""
        return self.p_not_worse < self.alpha


def assess_equivalence(difference: Interval, *, margin: float, alpha: float = 0.05) -> Equivalence:
    """Test a difference for equivalence: two one-sided t tests (Schuirmann 1987, doi:10.1007/BF01068419).

    A large p-value of an ordinary test does not show that two methods are alike; this does. For "CDL is not worse
    than MDL" give CDL - MDL and read `not_inferior`. The standard error and the degrees of freedom are those of the
    interval: a difference without an interval shows nothing.

    Args:
        difference: First minus second method, with its standard error.
        margin: The largest difference that would not matter, above 0, in the unit of the difference.
        alpha: Level of each one-sided test, in (0, 0.5).

    Raises:
        InputError: If the margin or alpha is out of range.

    Examples:
        >>> from evaluation.statistics.intervals import student_interval
        >>> result = assess_equivalence(student_interval(0.01, 0.01, df=11, n_clusters=12), margin=0.05)
        >>> result.equivalent, round(result.p, 4)
        (True, 0.001)
    """
    from scipy.special import stdtr, stdtrit

    if not margin > 0:
        msg = f"margin must be above 0, got {margin}. Give the largest difference that would not matter."
        raise InputError(msg)
    if not 0 < alpha < 0.5:
        msg = f"alpha must be in (0, 0.5), got {alpha}. Usual is 0.05."
        raise InputError(msg)
    mean, error, df = difference.estimate, difference.error, difference.df
    if error == 0:  # all clusters say the same: the difference is known exactly
        return Equivalence(mean, mean, mean, margin, float(mean <= -margin), float(mean >= margin), alpha)
    half = float(stdtrit(df, 1 - alpha)) * error
    worse, better = float(stdtr(df, -(mean + margin) / error)), float(stdtr(df, (mean - margin) / error))
    return Equivalence(mean, mean - half, mean + half, margin, worse, better, alpha)
