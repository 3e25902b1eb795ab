"""Comparison of methods on the same fields: differences with intervals, permutation tests, Friedman and pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.metrics.counts import CountTable
from evaluation.metrics.pixels import FloatArray, divide
from evaluation.metrics.scores import Metric, Score, stack_statistics
from evaluation.statistics.adjustment import adjust_holm
from evaluation.statistics.equivalence import Equivalence, assess_equivalence
from evaluation.statistics.intervals import Interval, jackknife_interval, leave_clusters_out
from evaluation.statistics.permutation import Permutation, permute_pairs
from noisylabels.data.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "MeanIoU"
"""The score that a comparison is about, unless another one is named before the data are seen."""


@dataclass(frozen=True)
class Difference:
    """How one method differs from another in one metric.

    Args:
        metric: The metric.
        method: The method asked about.
        baseline: The method it is compared with.
        absolute: method - baseline, with its interval.
        relative: (method - baseline) / baseline, with its interval; 0.2 is 20 % better.
        p: p-value of the paired permutation test; nan for a metric that methods may not be tested by.
        p_adjusted: The same for one family of questions: the primary score's p-value stands alone, the others' are
            adjusted together by max-T over the metrics; both by Holm over the pairs of methods.
        floor: Smallest p-value that so many clusters allow.
    """

    metric: Metric
    method: str
    baseline: str
    absolute: Interval
    relative: Interval
    p: float
    p_adjusted: float
    floor: float

    def decides(self, *, alpha: float = 0.05) -> bool:
        """Return whether the methods are shown to differ: the interval excludes 0 and the permutation test agrees."""
        return self.absolute.excludes(0) and bool(self.p_adjusted < alpha)

    def decidable(self, *, alpha: float = 0.05) -> bool:
        """Return whether any difference, however large, could be shown with so many clusters."""
        return bool(self.floor < alpha)


@dataclass(frozen=True)
class Comparison:
    """Several methods, several metrics, one set of fields.

    Args:
        methods: The methods.
        metrics: The metrics.
        estimates: (method, metric) scores of the data set.
        left_out: (cluster, method, metric) scores of the data set without that cluster.
        alone: (cluster, method, metric) scores of each cluster alone; nan where it says nothing about the score.
        by_field: (field, method, metric) scores of single fields.
        fields: (field,) names.
        clusters: (field,) names of the independent units that were left out and swapped.
        differences: Every pair of methods, later minus earlier in the order of `methods`, for every metric.
        level: Level of the intervals.
        primary: Name of the score that was named before the data were seen.
    """

    methods: tuple[str, ...]
    metrics: tuple[Metric, ...]
    estimates: FloatArray
    left_out: FloatArray
    alone: FloatArray
    by_field: FloatArray
    fields: NDArray[np.str_]
    clusters: NDArray[np.str_]
    differences: tuple[Difference, ...]
    level: float
    primary: str = PRIMARY

    def __repr__(self) -> str:
        scores = ", ".join(metric.title for metric in self.metrics)
        return (
            f"Comparison({', '.join(self.methods)} by {scores}: {len(self.fields)} fields, {self.n_clusters} clusters)"
        )

    def _repr_html_(self) -> str:
        """Show the differences in a notebook."""
        return str(self.to_pandas().to_html(notebook=True, index=False))

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame of the differences, a row for each metric and pair of methods.

        Returns:
            `metric`, `method`, `baseline`, `difference` (method - baseline) with its interval from `low` to `high`,
            `p` adjusted for the family, and whether both `decides` that there is one.
        """
        import pandas as pd

        columns = ("metric", "method", "baseline", "difference", "low", "high", "p", "decides")
        rows = [
            (
                entry.metric.title,
                entry.method,
                entry.baseline,
                *_ends(entry.absolute),
                entry.p_adjusted,
                entry.decides(),
            )
            for entry in self.differences
        ]
        return pd.DataFrame(rows, columns=columns)

    @property
    def n_clusters(self) -> int:
        """Independent units."""
        return len(np.unique(self.clusters))

    @property
    def primary_metric(self) -> Metric:
        """The score that was named before the data were seen."""
        return next(metric for metric in self.metrics if metric.title == self.primary)

    def interval(self, method: str, metric: Metric) -> Interval:
        """Return the score of one method with its interval."""
        place = self.methods.index(method), self.metrics.index(metric)
        return jackknife_interval(
            self.left_out[:, place[0], place[1]],
            estimate=float(self.estimates[place]),
            says=~np.isnan(self.alone[:, place[0], place[1]]),
            level=self.level,
            bounds=(0, 1),
        )

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
            baseline: The method it is compared with.
            metric: The metric.
            margin: Largest difference that would not matter, above 0.
        """
        return assess_equivalence(self.difference(method, baseline, metric).absolute, margin=margin)

    def field_scores(self, metric: Metric) -> FloatArray:
        """Return the single fields' scores by one metric, (field, method); nan where it is not defined."""
        return self.by_field[:, :, self.metrics.index(metric)]

    def cluster_means(self, metric: Metric) -> FloatArray:
        """Average the single fields' scores of each cluster, (cluster, method); nan where none is defined."""
        names, inverse = np.unique(self.clusters, return_inverse=True)
        values = self.field_scores(metric)
        sums, counts = np.zeros((2, len(names), len(self.methods)))
        np.add.at(sums, inverse, np.nan_to_num(values))
        np.add.at(counts, inverse, ~np.isnan(values))
        return divide(sums, counts)


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high


def compare_methods(
    table: CountTable,
    metrics: Sequence[Metric],
    *,
    methods: Sequence[str] | None = None,
    primary: str | None = None,
    n_resamples: int = 10_000,
    level: float = 0.95,
    rng: np.random.Generator,
) -> Comparison:
    """Compare methods on the fields that all of them have.

    The cluster of a field (well, or field of view of a quarter) is the unit that is left out for the intervals and
    swapped for the tests.

    Args:
        table: Counts of all methods.
        metrics: What to compare.
        methods: Which methods, baseline first; None: all of the table, in its order.
        primary: Title of the score that is tested alone, named before the data are seen; None: MeanIoU if it is there,
            else the first metric.
        n_resamples: Random swaps of the permutation tests.
        level: Level of the intervals, in (0, 1).
        rng: Source of randomness. The same generator state gives the same comparison.

    Raises:
        InputError: If the methods have no field in common, or there is no such primary score.
    """
    chosen = _choose_primary(metrics, primary)
    names = tuple(methods or table.methods)
    tables = table.paired(names)
    statistics, score = stack_statistics(tables, metrics)
    clusters = _cluster_names(tables[0])
    left_out, alone = leave_clusters_out(statistics, score, clusters=clusters.tolist())
    comparison = Comparison(
        names,
        tuple(metrics),
        score(statistics.sum(0)),
        left_out,
        alone,
        score(statistics),
        tables[0].keys["field"],
        clusters,
        (),
        level,
        chosen,
    )
    tests = _test_pairs(comparison, statistics, score, n_resamples, rng)
    differences = tuple(
        _difference(comparison, earlier, later, column, test)
        for (earlier, later), test in tests.items()
        for column in range(len(metrics))
    )
    return replace(comparison, differences=differences)


def _choose_primary(metrics: Sequence[Metric], primary: str | None) -> str:
    titles = [metric.title for metric in metrics if metric.compared]
    if primary is None:
        return PRIMARY if PRIMARY in titles else metrics[0].title
    if primary not in titles:
        msg = f"The primary score must be one of {', '.join(titles)}, got {primary}. Name one of them."
        raise InputError(msg)
    return primary


def _test_pairs(
    comparison: Comparison, statistics: FloatArray, score: Score, n_resamples: int, rng: np.random.Generator
) -> dict[tuple[int, int], Permutation]:
    """Test every pair; the primary score alone, the other scores as one family, the pairs by Holm."""
    pairs = list(combinations(range(len(comparison.methods)), 2))
    main = [place for place, metric in enumerate(comparison.metrics) if metric.title == comparison.primary]
    rest = [place for place, metric in enumerate(comparison.metrics) if metric.compared and place not in main]
    shape = (len(pairs), len(comparison.metrics))
    p, adjusted, floor = (np.full(shape, np.nan) for _ in range(3))
    for row, (earlier, later) in enumerate(pairs):
        for columns in (main, rest):
            if not columns:
                continue
            test = permute_pairs(
                statistics[:, later],
                statistics[:, earlier],
                lambda sums, columns=columns: score(sums)[..., columns],  # type: ignore[misc]
                clusters=comparison.clusters.tolist(),
                n_resamples=n_resamples,
                rng=rng,
            )
            p[row, columns], adjusted[row, columns], floor[row, columns] = test.p, test.p_family, test.floor
    adjusted = np.stack([adjust_holm(column) for column in adjusted.T], axis=1) if pairs else adjusted
    return {pair: Permutation(*rows) for pair, *rows in zip(pairs, p, adjusted, floor, strict=True)}


def _difference(comparison: Comparison, earlier: int, later: int, column: int, test: Permutation) -> Difference:
    one, other = comparison.estimates[[later, earlier], column]
    left = comparison.left_out[:, [later, earlier], column]
    says = ~np.isnan(comparison.alone[:, [later, earlier], column]).all(1)
    level = comparison.level
    gap = left[:, 0] - left[:, 1]
    return Difference(
        comparison.metrics[column],
        comparison.methods[later],
        comparison.methods[earlier],
        jackknife_interval(gap, estimate=float(one - other), says=says, level=level, bounds=(-1, 1)),
        jackknife_interval(
            divide(gap, left[:, 1]),
            estimate=float(divide(one - other, other)),
            says=says,
            level=level,
            bounds=(-1, np.inf),
        ),
        float(test.p[column]),
        float(test.p_family[column]),
        float(test.floor[column]),
    )


def _cluster_names(table: CountTable) -> NDArray[np.str_]:
    """Clusters of two plates may share a name: the plate is part of it."""
    plates = table.keys["plate"]
    return np.array([f"{plate}/{cluster}" for plate, cluster in zip(plates, table.keys["cluster"], strict=True)])


class PairTest(TypedDict):
    """Wilcoxon's signed-rank test of a method against another, before and after Holm's adjustment."""

    method: str
    baseline: str
    p: float
    p_holm: float


class RankTests(TypedDict):
    """Rank tests of methods on the same units; see `rank_methods`."""

    n: int
    friedman_p: float
    mean_ranks: dict[str, float]
    pairs: list[PairTest]


def rank_methods(values: ArrayLike, methods: Sequence[str]) -> RankTests:
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
    tests: RankTests = {
        "n": len(table),
        "friedman_p": friedman,
        "mean_ranks": dict(zip(methods, ranks.tolist(), strict=True)),
        "pairs": [
            {"method": methods[later], "baseline": methods[earlier], "p": p, "p_holm": float(p_holm)}
            for (earlier, later), p, p_holm in zip(pairs, p_values, adjusted, strict=True)
        ],
    }
    return tests
