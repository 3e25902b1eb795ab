"""Every score of the tables, written as a function of statistics that add up over fields.

A score in this form can be computed for a data set, a subset, one field, or ten thousand resamples by the same code.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from evaluation.metrics.boundary import score_boundaries
from evaluation.metrics.counts import ERRORS, CountTable
from evaluation.metrics.pixels import Absent, FloatArray, divide, mean_defined, score_all, score_classes
from evaluation.metrics.settings import IOU_THRESHOLDS
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable

Score = Callable[[FloatArray], FloatArray]

DATA_SET_SCORES = {
    "GlobalAccuracy": "right pixels / all pixels",
    "MeanAccuracy": "mean over classes of the pooled class accuracy (= recall)",
    "MeanIoU": "mean over classes of the pooled IoU",
    "WeightedIoU": "pooled IoU of the classes, weighted by their reference pixels",
    "MeanDice": "mean over classes of the pooled Dice; not in MATLAB",
    "MeanPrecision": "mean over classes of the pooled precision; not in MATLAB",
    "MeanSpecificity": "mean over classes of the pooled specificity; not in MATLAB",
}
BOUNDARY_F1 = "BoundaryF1"
STRICT_RULE = "; 0 in a field where only one side has the class"

CLASS_SCORES = {
    "accuracy": "Accuracy (= recall)",
    "iou": "IoU",
    "dice": "Dice",
    "precision": "precision",
    "specificity": "specificity",
}


Compute = Callable[[FloatArray], Mapping[str, FloatArray]]


@dataclass(frozen=True)
class Metric:
    """One score of one column of a table.

    Args:
        name: Its name: MATLAB's where MATLAB has it.
        meaning: What it says, in a phrase.
        statistics: (entry, k) statistics that add up, of a count table.
        compute: (..., k) summed statistics -> values by key, (...) each, nan where undefined. Metrics that share it are
            computed once.
        key: Which of the values it is.
        class_name: The class it is about; empty when it is about all.
        compared: Whether methods may be tested by it. MATLAB's MeanBFScore skips fields in which a method finds nothing
            of a class: a method that finds nothing can have the higher mean.
    """

    name: str
    meaning: str
    statistics: Callable[[CountTable], FloatArray]
    compute: Compute
    key: str = ""
    class_name: str = ""
    compared: bool = True

    @property
    def title(self) -> str:
        """The name, with its class if it is about one."""
        return f"{self.name}: {self.class_name}" if self.class_name else self.name

    def score(self, sums: FloatArray) -> FloatArray:
        """Score summed statistics, (..., k) to (...)."""
        return self.compute(sums)[self.key]

    def of_data_set(self, table: CountTable) -> float:
        """Score all entries of a table together."""
        return float(self.score(self.statistics(table).sum(0)))

    def of_fields(self, table: CountTable) -> FloatArray:
        """Score each entry of a table alone, (entry,)."""
        return self.score(self.statistics(table))


def data_set_metrics(classes: ClassTable, *, absent: Absent = "skip") -> tuple[Metric, ...]:
    """List the scores of a data set: MATLAB's DataSetMetrics, then our own.

    Args:
        classes: The class table of the counts.
        absent: Whether a class whose score is 0/0 is skipped in the means or counts as 0.

    Examples:
        >>> from noisylabels.data.labels import ROSELLA
        >>> [metric.name for metric in data_set_metrics(ROSELLA)][:5]
        ['GlobalAccuracy', 'MeanAccuracy', 'MeanIoU', 'WeightedIoU', 'MeanBFScore']
    """
    compute = _pixel_scores(len(classes), absent)
    pixels = [Metric(name, meaning, _pixel_counts, compute, name) for name, meaning in DATA_SET_SCORES.items()]
    matlab, strict = (
        Metric(
            name,
            f"mean over fields of the mean over classes of the boundary F1{rule}",
            partial(_boundary_of_fields, key=key, absent=absent),
            _share,
            compared=key != "f1",
        )
        for name, key, rule in (("MeanBFScore", "f1", ", MATLAB's"), (BOUNDARY_F1, "f1_strict", STRICT_RULE))
    )
    return (*pixels[:4], matlab, strict, *pixels[4:])


def class_metrics(classes: ClassTable) -> tuple[Metric, ...]:
    """List the scores of each class: MATLAB's ClassMetrics, the strict boundary F1, Dice, precision, and so on.

    Args:
        classes: The class table of the counts.

    Examples:
        >>> from noisylabels.data.labels import ROSELLA
        >>> [metric.title for metric in class_metrics(ROSELLA)][1:3]
        ['IoU: background', 'MeanBFScore: background']
    """
    return tuple(metric for index in classes.indices for metric in _metrics_of_class(index, classes))


def _metrics_of_class(index: int, classes: ClassTable) -> list[Metric]:
    name, compute = classes.names[index], _pixel_scores(len(classes), "skip")
    pixels = [Metric(title, "", _pixel_counts, compute, f"{key} {index}", name) for key, title in CLASS_SCORES.items()]
    matlab, strict = (
        Metric(
            title,
            f"mean over fields of the boundary F1{rule}",
            partial(_boundary_of_class, key=key, index=index),
            _share,
            class_name=name,
            compared=key != "f1",
        )
        for title, key, rule in (("MeanBFScore", "f1", ", MATLAB's"), (BOUNDARY_F1, "f1_strict", STRICT_RULE))
    )
    events = [event_f1(classes, name, iou=0.5)] if index else []
    return [*pixels[:2], matlab, strict, *pixels[2:], *events]


def event_f1(classes: ClassTable, class_name: str, *, iou: float) -> Metric:
    """Score events: F1 of one-to-one pairs with at least this IoU.

    Args:
        classes: The class table of the counts.
        class_name: A class that is not the background; empty for all events together.
        iou: One of the thresholds counted: 0.05, 0.1, ..., 0.95.

    Raises:
        InputError: If the class is the background or unknown, or the threshold was not counted.
    """
    rows, place = _event_rows(classes, class_name), threshold_place(iou)
    sides = [ERRORS.index("n_reference"), ERRORS.index("n_prediction")]

    def statistics(table: CountTable) -> FloatArray:
        counts = [table.one_to_one[:, rows, place], *(table.errors[:, rows, side] for side in sides)]
        return np.stack([count.sum(1) for count in counts], axis=1).astype(float)

    meaning = f"F1 of events, paired one to one at IoU >= {iou:g}"
    return Metric(f"event F1@{iou:g}", meaning, statistics, _f1_of_pairs, class_name=class_name)


def found_share(classes: ClassTable, class_name: str, *, iou: float) -> Metric:
    """Score events as the paper does: the share of reference events whose best same-class IoU is at least this.

    Args:
        classes: The class table of the counts.
        class_name: A class that is not the background; empty for all events together.
        iou: One of the thresholds counted; the paper's is 0.1.

    Raises:
        InputError: If the class is the background or unknown, or the threshold was not counted.
    """
    rows, place = _event_rows(classes, class_name), threshold_place(iou)

    def statistics(table: CountTable) -> FloatArray:
        counts = [table.paper[:, rows, place], table.errors[:, rows, ERRORS.index("n_reference")]]
        return np.stack([count.sum(1) for count in counts], axis=1).astype(float)

    meaning = f"share of reference events found at IoU >= {iou:g}; a predicted event may serve many"
    return Metric(f"found@{iou:g}", meaning, statistics, _share, class_name=class_name)


def _event_rows(classes: ClassTable, class_name: str) -> list[int]:
    rows = [classes.index(class_name)] if class_name else list(classes.indices[1:])
    if 0 in rows:
        msg = "The class of an event score must not be the background, got background. Name another class."
        raise InputError(msg)
    return rows


def threshold_place(iou: float) -> int:
    """Find the column of an IoU threshold in the event counts.

    Examples:
        >>> threshold_place(0.1), threshold_place(0.5)
        (1, 9)
    """
    near = [place for place, threshold in enumerate(IOU_THRESHOLDS) if abs(threshold - iou) < 1e-9]
    if not near:
        msg = f"An IoU threshold must be one of 0.05, 0.1, ..., 0.95, got {iou}. Those are what was counted."
        raise InputError(msg)
    return near[0]


def stack_statistics(tables: Sequence[CountTable], metrics: Sequence[Metric]) -> tuple[FloatArray, Score]:
    """Put the statistics of several metrics and methods side by side, so that they are resampled together.

    Args:
        tables: One table per method, with the same fields in the same order.
        metrics: The metrics; statistics that several share are there once.

    Returns:
        (field, method, statistic) float64, and the function that scores their sums, (..., statistic) to (..., metric).
    """
    sources = list(dict.fromkeys(metric.statistics for metric in metrics))
    parts = [[source(table) for source in sources] for table in tables]
    ends = np.cumsum([0, *(part.shape[1] for part in parts[0])])
    columns = {source: slice(ends[place], ends[place + 1]) for place, source in enumerate(sources)}

    def score(sums: FloatArray) -> FloatArray:
        known: dict[tuple[Callable[[CountTable], FloatArray], Compute], Mapping[str, FloatArray]] = {}
        for metric in metrics:
            which = metric.statistics, metric.compute
            if which not in known:
                known[which] = metric.compute(sums[..., columns[metric.statistics]])
        return np.stack([known[metric.statistics, metric.compute][metric.key] for metric in metrics], axis=-1)

    return np.stack([np.concatenate(part, axis=1) for part in parts], 1), score


def _pixel_counts(table: CountTable) -> FloatArray:
    return table.confusion.reshape(len(table), -1).astype(float)


@cache  # one function per class table: metrics that share it are computed once
def _pixel_scores(n_classes: int, absent: Absent) -> Compute:
    def compute(sums: FloatArray) -> dict[str, FloatArray]:
        confusion = sums.reshape(*sums.shape[:-1], n_classes, n_classes)
        classes = score_classes(confusion)
        single = {f"{key} {index}": values[..., index] for key, values in classes.items() for index in range(n_classes)}
        return score_all(confusion, absent=absent, classes=classes) | single

    return compute


def _boundary_of_fields(table: CountTable, *, key: str, absent: Absent) -> FloatArray:
    return _summable(mean_defined(score_boundaries(table.boundary)[key], absent=absent))


def _boundary_of_class(table: CountTable, *, key: str, index: int) -> FloatArray:
    return _summable(score_boundaries(table.boundary)[key][:, index])


def _summable(values: FloatArray) -> FloatArray:
    """Write per-field values as (sum, number), which add up to their mean; undefined ones as (0, 0)."""
    return np.column_stack([np.nan_to_num(values), ~np.isnan(values)]).astype(float)


def _share(sums: FloatArray) -> dict[str, FloatArray]:
    return {"": divide(sums[..., 0], sums[..., 1])}


def _f1_of_pairs(sums: FloatArray) -> dict[str, FloatArray]:
    return {"": divide(2 * sums[..., 0], sums[..., 1] + sums[..., 2])}
