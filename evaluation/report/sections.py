"""The parts of a report on methods compared with a reference, each from the counts alone."""

from collections.abc import Sequence

import numpy as np

from evaluation.metrics.counts import CountTable
from evaluation.metrics.scores import Metric, data_set_metrics
from evaluation.metrics.tables import absent_matters
from evaluation.report.bars import draw_scores
from evaluation.report.canvas import Figure
from evaluation.report.distributions import draw_pairs, draw_spread
from evaluation.report.heatmaps import draw_confusions
from evaluation.report.pages import Section
from evaluation.report.tables import Cell, Style, Table
from evaluation.statistics.comparison import Comparison, rank_methods
from evaluation.statistics.intervals import Interval

FIELD_SCORES = ("GlobalAccuracy", "MeanAccuracy", "MeanIoU", "WeightedIoU", "MeanBFScore")  # figure 4A of the paper
RANKED_SCORES = ("GlobalAccuracy", "MeanAccuracy", "MeanIoU", "WeightedIoU", "BoundaryF1")


def score_section(table: CountTable, comparison: Comparison, *, margin: float | None = None) -> Section:
    """Report the scores of the data set and of each class, with the differences between methods.

    Args:
        table: The counts.
        comparison: The comparison of its methods.
        margin: Largest difference that would not matter; None: equivalence is not asked about.
    """
    whole = [metric for metric in comparison.metrics if not metric.class_name]
    single = [metric for metric in comparison.metrics if metric.class_name]
    main = score_table(comparison, whole, name="data_set_scores", title="Scores of the data set")
    classes = score_table(comparison, single, name="class_scores", title="Scores of each class")
    items: list[Table | Figure | None] = [
        main,
        draw_scores({m.name: {name: comparison.interval(name, m) for name in comparison.methods} for m in whole}),
        classes,
        undefined_table(comparison),
        pair_table(comparison, [*whole, *single]) if len(comparison.methods) > 2 else None,
        _absent_table(table, comparison.methods) if absent_matters(table) else None,
        None if margin is None else equivalence_table(comparison, whole, margin=margin),
        rank_table(comparison, [metric for metric in whole if metric.name in RANKED_SCORES]),
    ]
    lead = (
        "Names and meaning as MATLAB's evaluateSemanticSegmentation: pixels are pooled over the data set, means are "
        "over classes; MeanBFScore is a mean over fields. Accuracy of a class is its recall. In brackets: "
        f"{comparison.level:.0%} interval: jackknife over {comparison.n_clusters} clusters with Student's t; "
        "[–]: none, since fewer than 3 clusters, or of those that say anything fewer than 5, carry the score."
    )
    return Section("scores", "Scores", lead, tuple(item for item in items if item is not None))


def score_table(comparison: Comparison, metrics: Sequence[Metric], *, name: str, title: str) -> Table:
    """Arrange scores as rows, methods as columns; with two methods, their difference beside them."""
    has_classes = any(metric.class_name for metric in metrics)
    heads = [*(["class"] if has_classes else []), "score", *comparison.methods]
    styles: dict[str, Style] = {}
    paired = len(comparison.methods) == 2
    if paired:
        baseline, method = comparison.methods
        heads += [f"{method} − {baseline}", "relative", "p"]
        styles = {heads[-3]: "signed", "relative": "percent", "p": "p"}
    rows = []
    for metric in metrics:
        row: list[Cell] = [*([metric.class_name or "all events"] if has_classes else []), metric.name]
        row += [comparison.interval(one, metric) for one in comparison.methods]
        if paired:
            difference = comparison.difference(method, baseline, metric)
            row += [difference.absolute, difference.relative, difference.p_adjusted]
        rows.append(tuple(row))
    strong = tuple(place for place, metric in enumerate(metrics) if metric.title == comparison.primary)
    note = _note_of_tests(comparison) if paired else ""
    return Table(name, title, tuple(heads), tuple(rows), note, strong, styles, grouped=has_classes)


def _note_of_tests(comparison: Comparison) -> str:
    """Return what the p-values are, and how small they can be."""
    floors = [entry.floor for entry in comparison.differences if not np.isnan(entry.floor)]
    lowest = f"with {comparison.n_clusters} clusters none can be below {min(floors):.2g}" if floors else "none"
    return (
        f"p: paired permutation test (names swapped by cluster; {lowest}). {comparison.primary}, the primary score, "
        "is tested alone; the others of both tables as one family (max-T), pairs of methods by Holm. MeanBFScore is "
        "not tested: MATLAB's mean skips fields in which a method finds nothing of a class; BoundaryF1 has 0 there."
    )


def undefined_table(comparison: Comparison) -> Table | None:
    """List the scores that some clusters say nothing about; None when there is none."""
    rows: list[tuple[Cell, ...]] = []
    for metric in comparison.metrics:
        for method in comparison.methods:
            interval = comparison.interval(method, metric)
            undefined = np.isnan(
                comparison.by_field[:, comparison.methods.index(method), comparison.metrics.index(metric)]
            )
            if interval.n_undefined or undefined.any():
                n_fields = int(undefined.sum())
                rows.append((metric.title, method, interval.n_clusters, interval.n_undefined, len(undefined), n_fields))
    heads = ("score", "method", "clusters", "n_undefined", "fields", "n_fields_undefined")
    note = (
        "n_undefined: clusters on which the score is undefined, so that they say nothing about it. Where fewer than 5 "
        "clusters say anything, there is no interval: the score rests on too few."
    )
    return Table("undefined", "Scores that rest on a part of the fields", heads, tuple(rows), note) if rows else None


def pair_table(comparison: Comparison, metrics: Sequence[Metric]) -> Table:
    """List every pair of methods for every metric."""
    rows = tuple(
        (
            entry.metric.title,
            f"{entry.method} − {entry.baseline}",
            entry.absolute,
            entry.relative,
            entry.p,
            entry.p_adjusted,
        )
        for entry in comparison.differences
        if entry.metric in metrics
    )
    columns = ("score", "pair", "difference", "relative", "p, alone", "p")
    styles: dict[str, Style] = {"difference": "signed", "relative": "percent", "p, alone": "p", "p": "p"}
    note = _note_of_tests(comparison)
    return Table("differences", "Differences between methods", columns, rows, note, styles=styles, grouped=True)


def equivalence_table(comparison: Comparison, metrics: Sequence[Metric], *, margin: float) -> Table:
    """Test for every pair whether the later method is not worse, and whether both are alike, within a margin."""
    rows: list[tuple[Cell, ...]] = []
    for entry in comparison.differences:
        if entry.metric not in metrics or np.isnan(entry.absolute.low):
            continue
        test = comparison.equivalence(entry.method, entry.baseline, entry.metric, margin=margin)
        interval = Interval(test.difference, test.low, test.high, 1 - 2 * test.alpha, comparison.n_clusters)
        words = "alike" if test.equivalent else "not worse" if test.not_inferior else "not shown"
        pair = f"{entry.method} − {entry.baseline}"
        rows.append((entry.metric.name, pair, interval, test.p_not_worse, test.p_not_better, words))
    heads = ("score", "pair", "difference [90 %]", f"p, not {margin:g} worse", f"p, not {margin:g} better", "shown")
    note = (
        "Two one-sided t tests at 5 % (TOST), standard errors by the jackknife over clusters. A large p-value of an "
        "ordinary test does not show that methods are alike; this does."
    )
    styles: dict[str, Style] = {heads[2]: "signed", heads[3]: "p", heads[4]: "p"}
    return Table("equivalence", f"Not worse, within {margin:g}", heads, tuple(rows), note, styles=styles, grouped=True)


def rank_table(comparison: Comparison, metrics: Sequence[Metric]) -> Table | None:
    """Test with ranks: Friedman over all methods, Wilcoxon's signed ranks for each pair."""
    rows: list[tuple[Cell, ...]] = []
    for metric in metrics:
        result = rank_methods(comparison.cluster_means(metric), comparison.methods)
        for pair in result["pairs"]:
            names = f"{pair['method']} − {pair['baseline']}"
            rows.append((metric.name, result["n"], result["friedman_p"], names, pair["p"], pair["p_holm"]))
    columns = ("score", "clusters", "Friedman p", "pair", "Wilcoxon p", "p (Holm)")
    note = (
        "Rank tests on cluster means of single fields' scores: Friedman asks whether the methods differ at all (three "
        "or more), Wilcoxon's signed ranks (Pratt's zeros) asks it of each pair."
    )
    styles: dict[str, Style] = {"Friedman p": "p", "Wilcoxon p": "p", "p (Holm)": "p"}
    return (
        Table("rank_tests", "Rank tests over clusters", columns, tuple(rows), note, styles=styles, grouped=True)
        if rows
        else None
    )


def _absent_table(table: CountTable, methods: Sequence[str]) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (skip.name, *(value for name in methods for value in _both(table.select(method=name), skip, zero)))
        for skip, zero in zip(
            data_set_metrics(table.classes), data_set_metrics(table.classes, absent="zero"), strict=True
        )
    )
    heads = tuple(head for method in methods for head in (f"{method}, skipped", f"{method}, as 0"))
    note = "A class that neither reference nor prediction has is 0/0. MATLAB skips it; the other value counts it as 0."
    return Table("absent_policies", "Undefined classes: skipped, or counted as 0", ("score", *heads), rows, note)


def _both(table: CountTable, first: Metric, second: Metric) -> tuple[float, float]:
    return first.of_data_set(table), second.of_data_set(table)


def field_section(table: CountTable, comparison: Comparison) -> Section:
    """Report the scores of single fields, paired, and the confusion matrices."""
    metrics = [metric for metric in comparison.metrics if metric.name in FIELD_SCORES and not metric.class_name]
    values = {
        metric.name: {
            method: comparison.by_field[:, place, comparison.metrics.index(metric)]
            for place, method in enumerate(comparison.methods)
        }
        for metric in metrics
    }
    paired = {name: values[name] for name in ("MeanIoU", "MeanBFScore", "MeanAccuracy")}
    confusions = {method: table.select(method=method).confusion.sum(0) for method in comparison.methods}
    rows = tuple(
        (
            field,
            comparison.clusters[row].lstrip("/"),
            *(float(values[m.name][name][row]) for m in metrics for name in comparison.methods),
        )
        for row, field in enumerate(comparison.fields.tolist())
    )
    heads = ("field", "cluster", *(f"{metric.name} {method}" for metric in metrics for method in comparison.methods))
    listing = Table("field_scores", "Scores of single fields", heads, rows, shown=20)
    lead = "The mean over fields is not the score of the data set: large events weigh more there."
    return Section(
        "fields",
        "Fields",
        lead,
        (draw_pairs(paired), draw_spread(values), draw_confusions(confusions, table.classes.names), listing),
    )
