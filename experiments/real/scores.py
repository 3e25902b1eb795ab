"""Scores of methods against one reference, as rows of plain data."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation.comparison import compare_methods
from evaluation.resampling import Interval
from evaluation.scores import Metric, data_set_metrics, event_f1, found_share
from evaluation.sources import method_name
from evaluation.study import evaluate_methods
from imaging.dataset import Dataset
from noisylabels.labels import ClassTable

Row = dict[str, Any]
EVENTS_IOU = 0.5


def score_methods(
    dataset: Dataset, methods: Sequence[str], *, reference: str, resamples: int, seed: int, split: str | None = "test"
) -> dict[str, list[Row]]:
    """Score methods against a reference, and each pair of them, with intervals over groups of images.

    Args:
        dataset: Dataset folder with the label sets.
        methods: Label sets, baseline first.
        reference: The label set to hold them against.
        resamples: Bootstrap resamples and permutations.
        seed: Of the resamples.
        split: Which images; None: all.

    Returns:
        `scores`: one row per method, a cell per metric; `differences`: one per pair, later minus earlier. A cell is
        [estimate, low, high, n_groups]; differences of mean IoU have a `p`.
    """
    table = evaluate_methods(dataset, methods, references=[reference], split=split).table
    metrics = list_metrics(dataset.classes)
    names = [method_name(name) for name in methods]
    compared = compare_methods(table, metrics, methods=names, n_resamples=resamples, rng=np.random.default_rng(seed))
    scores = [{"method": name} | {m.name: _cell(compared.interval(name, m)) for m in metrics} for name in names]
    differences = []
    for place, baseline in enumerate(names):
        for name in names[place + 1 :]:
            found = [compared.difference(name, baseline, metric) for metric in metrics]
            cells = {entry.metric.name: _cell(entry.absolute) for entry in found}
            differences.append({"method": name, "baseline": baseline, **cells, "p": found[0].p})
    return {"scores": scores, "differences": differences}


def list_metrics(classes: ClassTable) -> tuple[Metric, ...]:
    """List the metrics of the study: mean IoU, mean boundary F1, share of events found, F1 of events.

    Examples:
        >>> [metric.name for metric in list_metrics(ClassTable(("background", "nucleus")))]
        ['MeanIoU', 'MeanBFScore', 'found@0.5', 'event F1@0.5']
    """
    named = {metric.name: metric for metric in data_set_metrics(classes)}
    events = found_share(classes, "", iou=EVENTS_IOU), event_f1(classes, "", iou=EVENTS_IOU)
    return (named["MeanIoU"], named["MeanBFScore"], *events)


def interval_of_cell(cell: Sequence[float]) -> Interval:
    """Read a cell of `score_methods`."""
    estimate, low, high, n = cell
    return Interval(estimate, low, high, 0.95, int(n))


def _cell(interval: Interval) -> list[float]:
    return [interval.estimate, interval.low, interval.high, interval.n_clusters]
