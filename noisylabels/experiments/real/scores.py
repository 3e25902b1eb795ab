"""Scores of methods against one reference: counts per field, then rows with intervals over groups of images."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluation.metrics.counts import STACKS, CountTable, FieldKey
from evaluation.metrics.fields import count_fields
from evaluation.metrics.scores import Metric, data_set_metrics, event_f1, found_share
from evaluation.metrics.settings import EvaluationSettings
from evaluation.statistics.comparison import compare_methods
from noisylabels.data.arrays import RealArray
from noisylabels.data.dataset import Dataset
from noisylabels.data.labels import ClassTable, LabelMap

EVENTS_IOU = 0.5
IGNORED = "ignored"
"""Label set of the regions that count for nobody: 1 where they are."""
IGNORED_INDEX = 255
TOLERANCE_PX = 3.19
"""MATLAB's 0.75 % of the diagonal of the paper's quarters, 340 x 256: images differ in size here, cells hardly."""


@dataclass(frozen=True)
class Scores:
    """What a table of counts says.

    Args:
        methods: One row per method: its name, then an interval per metric.
        differences: One row per pair, later minus earlier: method, baseline, an interval per metric, and the p-value
            of the first metric's.
        n_groups: How many groups were resampled.
    """

    methods: tuple[tuple[Any, ...], ...]
    differences: tuple[tuple[Any, ...], ...]
    n_groups: int


def pair_methods(
    dataset: Dataset, methods: Mapping[str, str], *, reference: str, split: str | None = "test"
) -> Iterator[tuple[FieldKey, RealArray, LabelMap]]:
    """Pair the label maps of methods with a reference, field by field, as `count` takes them.

    Args:
        dataset: Dataset folder with the label sets; regions of its label set "ignored" count for nobody.
        methods: Label set by what to call it.
        reference: The label set to hold them against.
        split: Which images; None: all.

    Yields:
        Key, reference and prediction.
    """
    has_ignored = IGNORED in dataset.label_names()
    for case_id in dataset.ids(split):
        truth = dataset.label_map(reference, case_id)
        if has_ignored:
            truth = np.where(dataset.label_map(IGNORED, case_id) > 0, np.uint8(IGNORED_INDEX), truth)
        for name, label_set in methods.items():
            key = FieldKey(case_id, name, reference, dataset.case(case_id).group)
            yield key, truth, dataset.label_map(label_set, case_id)


def count(pairs: Iterator[tuple[FieldKey, RealArray, LabelMap]], classes: ClassTable) -> CountTable:
    """Count pairs of label maps: events by the IoU of masks, boundaries within `TOLERANCE_PX`, ignored pixels not.

    Args:
        pairs: What `pair_methods` gives, perhaps of several references.
        classes: The class table.
    """
    settings = EvaluationSettings(overlap="mask", tolerance_px=TOLERANCE_PX, ignore_index=IGNORED_INDEX)
    return count_fields(pairs, classes=classes, settings=settings)


def join_counts(tables: Mapping[str, CountTable]) -> CountTable:
    """Put the counts of several seeds into one table; an image's group is one group in all of them.

    Args:
        tables: Counts by seed; its name goes before that of the field.
    """
    first = next(iter(tables.values()))
    keys = {name: np.concatenate([table.keys[name] for table in tables.values()]) for name in first.keys}
    keys["field"] = np.concatenate([np.char.add(f"{name} ", table.keys["field"]) for name, table in tables.items()])
    stacks: dict[str, Any] = {
        name: np.concatenate([getattr(table, name) for table in tables.values()]) for name in STACKS
    }
    return replace(first, keys=keys, **stacks)


def score(table: CountTable, methods: Sequence[str], *, resamples: int) -> Scores:
    """Score methods, and each pair of them, with intervals over groups of images.

    Args:
        table: The counts.
        methods: Methods in it, baseline first.
        resamples: Random swaps of the permutation tests.
    """
    metrics = list_metrics(table.classes)
    found = compare_methods(table, metrics, methods=methods, n_resamples=resamples, rng=np.random.default_rng(0))
    rows = tuple((name, *(found.interval(name, metric) for metric in metrics)) for name in methods)
    differences = []
    for place, baseline in enumerate(methods):
        for name in methods[place + 1 :]:
            entries = [found.difference(name, baseline, metric) for metric in metrics]
            differences.append((name, baseline, *(entry.absolute for entry in entries), entries[0].p))
    return Scores(rows, tuple(differences), found.n_clusters)


def estimate(table: CountTable) -> list[float]:
    """Score all entries of a table together, one number per metric, without intervals."""
    return [metric.of_data_set(table) for metric in list_metrics(table.classes)]


def list_metrics(classes: ClassTable) -> tuple[Metric, ...]:
    """List the metrics of the study: mean IoU, mean boundary F1, share of events found, F1 of events.

    Examples:
        >>> [metric.name for metric in list_metrics(ClassTable(("background", "nucleus")))]
        ['MeanIoU', 'MeanBFScore', 'found@0.5', 'event F1@0.5']
    """
    named = {metric.name: metric for metric in data_set_metrics(classes)}
    events = found_share(classes, "", iou=EVENTS_IOU), event_f1(classes, "", iou=EVENTS_IOU)
    return (named["MeanIoU"], named["MeanBFScore"], *events)
