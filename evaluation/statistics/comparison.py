"""Comparison of methods on the same fields: differences with intervals, permutation tests, Friedman and pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.metrics.counts import CountTable
from evaluation.metrics.pixels import FloatArray, divide
from evaluation.metrics.scores import Metric, score_stack, stack_statistics
from evaluation.statistics.adjustment import adjust_holm
from evaluation.statistics.equivalence import Equivalence, tost_resampled
from evaluation.statistics.resampling import Interval, bootstrap_scores, interval_of, permute_pairs
from noisylabels.data.errors import InputError


@dataclass(frozen=True)
class Difference:
    """How one method differs from another in one metric.

    Args:
        metric: The metric.
        method: The method asked about.
        baseline: The method it is held against.
        absolute: method - baseline, with its interval.
        relative: (method - baseline) / baseline, with its interval; 0.2 is 20 % better.
        p: p-value of the paired permutation test.
        p_holm: The same, adjusted over all pairs and metrics of the comparison.
    """

    metric: Metric
    method: str
    baseline: str
    absolute: Interval
    relative: Interval
    p: float
    p_holm: float


@dataclass(frozen=True)
class Comparison:
    """Several methods, several metrics, one set of fields, one set of resamples.

    Args:
        methods: The methods.
        metrics: The metrics.
        estimates: (method, metric) scores of the data set.
        resamples: (resample, method, metric) scores; a resample has the same fields for every method.
        by_field: (field, method, metric) scores of single fields.
        fields: (field,) names.
        clusters: (field,) names of the independent units that were resampled.
        differences: Every pair of methods, later minus earlier in the order of `methods`, for every metric.
        level: Level of the intervals.
    """

    methods: tuple[str, ...]
    metrics: tuple[Metric, ...]
    estimates: FloatArray
    resamples: FloatArray
    by_field: FloatArray
    fields: NDArray[np.str_]
    clusters: NDArray[np.str_]
    differences: tuple[Difference, ...]
    level: float

    @property
    def n_clusters(self) -> int:
        """Independent units."""
        return len(np.unique(self.clusters))

    def interval(self, method: str, metric: Metric) -> Interval:
        """Give the score of one method with its interval."""
        place = self.methods.index(method), self.metrics.index(metric)
        values = self.resamples[:, place[0], place[1]]
        return interval_of(values, estimate=self.estimates[place], level=self.level, n_clusters=self.n_clusters)

    def difference(self, method: str, baseline: str, metric: Metric) -> Difference:
        """Find the difference of a pair of methods in a metric; `method` must come after `baseline`."""
        for entry in self.differences:
            if (entry.method, entry.baseline, entry.metric) == (method, baseline, metric):
                return entry
        msg = (
            f"A pair must be two of {', '.join(self.methods)}, later one first, got {method} and {baseline}. Swap them."
        )
        raise InputError(msg)

    def equivalence(self, method: str, baseline: str, metric: Metric, *, margin: float) -> Equivalence:
        """Test whether a method is as good as another, but for a margin that would not matter (TOST).

        Args:
            method: The method asked about.
            baseline: The method it is held against.
            metric: The metric.
            margin: Largest difference that would not matter, above 0.
        """
        column, rows = self.metrics.index(metric), [self.methods.index(method), self.methods.index(baseline)]
        scores = self.resamples[:, rows[0], column] - self.resamples[:, rows[1], column]
        difference = float(self.estimates[rows[0], column] - self.estimates[rows[1], column])
        return tost_resampled(scores, estimate=difference, margin=margin)

    def cluster_means(self, metric: Metric) -> FloatArray:
        """Average the single fields' scores of each cluster, (cluster, method); nan where none is defined."""
        names, inverse = np.unique(self.clusters, return_inverse=True)
        values = self.by_field[:, :, self.metrics.index(metric)]
        sums, counts = np.zeros((2, len(names), len(self.methods)))
        np.add.at(sums, inverse, np.nan_to_num(values))
        np.add.at(counts, inverse, ~np.isnan(values))
        return divide(sums, counts)


def compare_methods(
    table: CountTable,
    metrics: Sequence[Metric],
    *,
    methods: Sequence[str] | None = None,
    n_resamples: int = 10_000,
    level: float = 0.95,
    rng: np.random.Generator,
) -> Comparison:
    """Compare methods on the fields that all of them have.

    The cluster of a field (well, or field of view of a quarter) is the unit of resampling and of swapping.

    Args:
        table: Counts of all methods.
        metrics: What to compare.
        methods: Which methods, baseline first; None: all of the table, in its order.
        n_resamples: Bootstrap resamples and random swaps.
        level: Level of the intervals, in (0, 1).
        rng: Source of randomness. The same generator state gives the same comparison.

    Raises:
        InputError: If the methods have no field in common.
    """
    names = tuple(methods or table.methods)
    tables = table.paired(names)
    widths = [metric.statistics(tables[0]).shape[1] for metric in metrics]
    statistics = stack_statistics(tables, metrics)
    clusters = _cluster_names(tables[0])

    def score(sums: FloatArray) -> FloatArray:
        return score_stack(sums, metrics=metrics, widths=widths)

    estimates = score(statistics.sum(0))
    resamples = bootstrap_scores(statistics, score, clusters=clusters.tolist(), n_resamples=n_resamples, rng=rng)
    pairs = list(combinations(range(len(names)), 2))
    tests = [
        permute_pairs(
            statistics[:, later],
            statistics[:, earlier],
            score,
            clusters=clusters.tolist(),
            n_resamples=n_resamples,
            rng=rng,
        )
        for earlier, later in pairs
    ]
    p_values = np.reshape(tests, (len(pairs), len(metrics)))
    adjusted = adjust_holm(p_values)
    differences = tuple(
        Difference(
            metric,
            names[later],
            names[earlier],
            *_intervals(
                estimates[[later, earlier], column],
                resamples[:, [later, earlier], column],
                level=level,
                n_clusters=len(np.unique(clusters)),
            ),
            float(p_values[row, column]),
            float(adjusted[row, column]),
        )
        for row, (earlier, later) in enumerate(pairs)
        for column, metric in enumerate(metrics)
    )
    return Comparison(
        names,
        tuple(metrics),
        estimates,
        resamples,
        score(statistics),
        tables[0].keys["field"],
        clusters,
        differences,
        level,
    )


def _cluster_names(table: CountTable) -> NDArray[np.str_]:
    """Clusters of two plates may share a name: the plate is part of it."""
    plates = table.keys["plate"]
    return np.array([f"{plate}/{cluster}" for plate, cluster in zip(plates, table.keys["cluster"], strict=True)])


def _intervals(
    estimates: FloatArray, resamples: FloatArray, *, level: float, n_clusters: int
) -> tuple[Interval, Interval]:
    """Absolute and relative difference of (method, baseline) with their intervals."""
    absolute, relative = resamples[:, 0] - resamples[:, 1], divide(resamples[:, 0] - resamples[:, 1], resamples[:, 1])
    difference = float(estimates[0] - estimates[1])
    return (
        interval_of(absolute, estimate=difference, level=level, n_clusters=n_clusters),
        interval_of(relative, estimate=float(divide(difference, estimates[1])), level=level, n_clusters=n_clusters),
    )


def rank_methods(values: ArrayLike, methods: Sequence[str]) -> dict[str, Any]:
    """Test whether methods differ (Friedman 1937), then which (pairs by Wilcoxon's signed ranks, Holm-adjusted).

    Args:
        values: (unit, method) scores on the same independent units; units with a nan are left out. Not modified.
        methods: Method names.

    Returns:
        `n` units used, `friedman_p` (nan with fewer than three methods, or nothing to rank), `mean_ranks` by method
        (1 is lowest), and `pairs`: dicts of `method`, `baseline`, `p`, `p_holm`.

    Examples:
        >>> scores = np.arange(8)[:, None] / 100 + [0.1, 0.2, 0.4]
        >>> result = rank_methods(scores, ["CIP", "CDL", "MDL"])
        >>> round(result["friedman_p"], 5), result["pairs"][0]["p_holm"]
        (0.00034, 0.0234375)
    """
    from scipy import stats

    from evaluation.statistics.rank_tests import signed_rank_p

    table = np.asarray(values, float)
    table = table[~np.isnan(table).any(1)]
    differ = len(table) > 1 and bool((table != table[:, :1]).any())
    friedman = float(stats.friedmanchisquare(*table.T).pvalue) if differ and len(methods) > 2 else float("nan")
    pairs = list(combinations(range(len(methods)), 2))
    p_values = [signed_rank_p(table[:, later] - table[:, earlier]) for earlier, later in pairs]
    adjusted = adjust_holm(p_values)
    ranks = stats.rankdata(table, axis=1).mean(0) if len(table) else np.full(len(methods), np.nan)
    return {
        "n": len(table),
        "friedman_p": friedman,
        "mean_ranks": dict(zip(methods, ranks.tolist(), strict=True)),
        "pairs": [
            {"method": methods[later], "baseline": methods[earlier], "p": p, "p_holm": float(p_holm)}
            for (earlier, later), p, p_holm in zip(pairs, p_values, adjusted, strict=True)
        ],
    }
