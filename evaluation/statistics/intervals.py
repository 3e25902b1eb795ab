"""Intervals that hold with few independent units: the between-cluster jackknife with Student's t.

Labs have 3 to 24 wells. There the percentile bootstrap draws too few different samples: its printed 95 % interval holds
the truth 67 to 93 times in 100, the jackknife's 90 to 96 times (`python -m benchmarks.coverage` prints the table).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noisylabels.data.errors import InputError

FloatArray = NDArray[np.float64]

Score = Callable[[FloatArray], FloatArray]
"""(resample, ...) summed statistics -> (resample, ...) values; nan where undefined."""

FEWEST_CLUSTERS = 3
"""With two clusters Student's t has one degree of freedom: the interval would say nothing."""

FEWEST_DEFINED = 5
"""Where the score rests on a part of the clusters only, so many must be in that part."""


@dataclass(frozen=True)
class Interval:
    """A number with its interval.

    Args:
        estimate: The score of the data as they are.
        low: Lower end; nan when there is no interval.
        high: Upper end.
        level: Confidence, in (0, 1).
        n_clusters: Independent units (wells, fields of view).
        n_undefined: Clusters that say nothing about the score: it is undefined on each of them alone.
        error: Standard error of the estimate; nan when there is no interval.
        df: Degrees of freedom of Student's t.
    """

    estimate: float
    low: float
    high: float
    level: float
    n_clusters: int
    n_undefined: int = 0
    error: float = float("nan")
    df: float = float("nan")

    def excludes(self, value: float) -> bool:
        """Return whether `value` lies outside the interval; False when the interval is undefined."""
        return bool(value < self.low or value > self.high)


def student_interval(
    estimate: float,
    error: float,
    *,
    df: float,
    n_clusters: int,
    level: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    n_undefined: int = 0,
) -> Interval:
    """Return an estimate with its interval by Student's t.

    Args:
        estimate: The estimate.
        error: Its standard error, at least 0; nan: there is no interval.
        df: Degrees of freedom, above 0.
        n_clusters: Independent units it rests on.
        level: Confidence, in (0, 1).
        bounds: Smallest and largest value that can be.
        n_undefined: Clusters that say nothing about it.

    Raises:
        InputError: If `level` is outside (0, 1).

    Examples:
        >>> interval = student_interval(0.5, 0.1, df=5, n_clusters=6)
        >>> round(interval.low, 3), round(interval.high, 3)
        (0.243, 0.757)
    """
    from scipy.special import stdtrit

    if not 0 < level < 1:
        msg = f"level must be in (0, 1), got {level}. For a 95 % interval write 0.95."
        raise InputError(msg)
    half = float(stdtrit(df, (1 + level) / 2)) * error if df > 0 else float("nan")
    low, high = (float(np.clip(end, *bounds)) for end in (estimate - half, estimate + half))
    return Interval(float(estimate), low, high, level, n_clusters, n_undefined, float(error), float(df))


def jackknife_interval(
    left_out: ArrayLike,
    *,
    estimate: float,
    says: ArrayLike | None = None,
    level: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Return a score with its interval from its values without each cluster (Tukey 1958; Efron & Tibshirani 1993).

    The standard error is sqrt((n - 1) / n) times the root of the summed squared deviations, Student's t has one degree
    of freedom less than clusters that say something about the score. There is no interval with fewer than three
    clusters, nor where clusters say nothing and fewer than five do: nothing may rest on one well.

    Args:
        left_out: (cluster,) the score without that cluster, nan where undefined. Not modified.
        estimate: The score of the data as they are.
        says: (cluster,) whether a cluster says something about the score: whether it is defined on that cluster alone.
            None: all do.
        level: Confidence, in (0, 1).
        bounds: Smallest and largest value that the score can have.

    Examples:
        >>> values = np.array([1.0, 2.0, 3.0, 6.0])  # of a mean, the jackknife is the ordinary t interval
        >>> interval = jackknife_interval((values.sum() - values) / 3, estimate=values.mean())
        >>> round(interval.low, 3), round(interval.high, 3), round(interval.error, 3)
        (-0.437, 6.437, 1.08)
    """
    values = np.asarray(left_out, float)
    telling = np.ones(len(values), bool) if says is None else np.asarray(says, bool)
    n, m = len(values), int(telling.sum())
    enough = m >= (FEWEST_CLUSTERS if m == n else FEWEST_DEFINED) and not np.isnan(values).any()
    error = float(np.sqrt((n - 1) / n * ((values - values.mean()) ** 2).sum())) if enough else float("nan")
    return student_interval(
        estimate, error, df=m - 1 if enough else np.nan, n_clusters=n, level=level, bounds=bounds, n_undefined=n - m
    )


def leave_clusters_out(
    statistics: ArrayLike, score: Score, *, clusters: Sequence[object] | None = None
) -> tuple[FloatArray, FloatArray]:
    """Score the data without each cluster, and each cluster alone.

    Args:
        statistics: (field, ...) statistics that add up. Not modified.
        score: Scores of (resample, ...) summed statistics.
        clusters: (field,) cluster names; None: every field is one.

    Returns:
        Both (cluster, ...), in the sorted order of the cluster names; nan where undefined.

    Examples:
        >>> share = lambda sums: sums[:, 0] / sums.sum(1)
        >>> without, alone = leave_clusters_out([[3, 1], [1, 1]], share)
        >>> without.tolist(), alone.tolist()
        ([0.5, 0.75], [0.75, 0.5])
    """
    sums = sum_by_cluster(statistics, clusters)
    return score(sums.sum(0)[None] - sums), score(sums)


def sum_by_cluster(statistics: ArrayLike, clusters: Sequence[object] | None) -> FloatArray:
    """Add up the statistics of the fields of each cluster.

    Quarters of one field, or fields of one well, are not independent: the cluster is what gets left out or swapped.

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
