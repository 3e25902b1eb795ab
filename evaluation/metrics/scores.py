"""Every score of the tables, written as a function of statistics that add up over fields.

A score in this form can be computed for a data set, a subset, one field, or ten thousand resamples by the same code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from evaluation.metrics.boundary import score_boundaries
from evaluation.metrics.counts import ERRORS, CountTable
from evaluation.metrics.pixels import Absent, FloatArray, divide, mean_defined, score_all, score_classes
from evaluation.metrics.settings import IOU_THRESHOLDS
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable

DATA_SET_SCORES = {
    "GlobalAccuracy": "right pixels / all pixels",
    "MeanAccuracy": "mean over classes of the pooled class accuracy (= recall)",
    "MeanIoU": "mean over classes of the pooled IoU",
    "WeightedIoU": "pooled IoU of the classes, weighted by their reference pixels",
    "MeanDice": "mean over classes of the pooled Dice; not in MATLAB",
    "MeanPrecision": "mean over classes of the pooled precision; not in MATLAB",
    "MeanSpecificity": "mean over classes of the pooled specificity; not in MATLAB",
}
CLASS_SCORES = {
    "accuracy": "Accuracy (= recall)",
    "iou": "IoU",
    "dice": "Dice",
    "precision": "precision",
    "specificity": "specificity",
}


@dataclass(frozen=True)
class Metric:
    """One score of one column of a table.

    Args:
        name: Its name: MATLAB's where MATLAB has it.
        meaning: What it says, in a phrase.
        statistics: (entry, k) statistics that add up, of a count table.
        score: (..., k) summed statistics -> (...) values, nan where undefined.
        class_name: The class it is about; empty when it is about all.
    """

    name: str
    meaning: str
    statistics: Callable[[CountTable], FloatArray]
    score: Callable[[FloatArray], FloatArray]
    class_name: str = ""

    @property
    def title(self) -> str:
        """The name, with its class if it is about one."""
        return f"{self.name}: {self.class_name}" if self.class_name else self.name

    def of_data_set(self, table: CountTable) -> float:
        """Score all entries of a table together."""
        return float(self.score(self.statistics(table).sum(0)))

    def of_fields(self, table: CountTable) -> FloatArray:
        """Score each entry of a table alone, (entry,)."""
        return self.score(self.statistics(table))


def data_set_metrics(classes: ClassTable, *, absent: Absent = "skip") -> tuple[Metric, ...]:
    """List the scores of a data set: MATLAB's DataSetMetrics, then Dice, precision, specificity.

    Args:
        classes: The class table of the counts.
        absent: Whether a class whose score is 0/0 is skipped in the means or counts as 0.

    Examples:
        >>> from noisylabels.data.labels import ROSELLA
        >>> [metric.name for metric in data_set_metrics(ROSELLA)][:5]
        ['GlobalAccuracy', 'MeanAccuracy', 'MeanIoU', 'WeightedIoU', 'MeanBFScore']
    """
    n = len(classes)
    pixels = [
        Metric(name, meaning, _pixel_counts, partial(_score_all, name=name, n_classes=n, absent=absent))
        for name, meaning in DATA_SET_SCORES.items()
    ]
    boundary = Metric(
        "MeanBFScore",
        "mean over fields of the mean over classes of the boundary F1",
        lambda table: _summable(mean_defined(score_boundaries(table.boundary)["f1"], absent=absent)),
        _share,
    )
    return (*pixels[:4], boundary, *pixels[4:])


def class_metrics(classes: ClassTable) -> tuple[Metric, ...]:
    """List the scores of each class: MATLAB's ClassMetrics, then Dice, precision, specificity, event F1.

    Args:
        classes: The class table of the counts.

    Examples:
        >>> from noisylabels.data.labels import ROSELLA
        >>> [metric.title for metric in class_metrics(ROSELLA)][1:3]
        ['IoU: background', 'MeanBFScore: background']
    """
    return tuple(metric for index in classes.indices for metric in _metrics_of_class(index, classes))


def _metrics_of_class(index: int, classes: ClassTable) -> list[Metric]:
    name, n = classes.names[index], len(classes)
    pixels = [
        Metric(title, "", _pixel_counts, partial(_score_class, key=key, index=index, n_classes=n), name)
        for key, title in CLASS_SCORES.items()
    ]
    boundary = Metric(
        "MeanBFScore",
        "mean over fields of the boundary F1",
        lambda table: _summable(score_boundaries(table.boundary)["f1"][:, index]),
        _share,
        name,
    )
    events = [event_f1(classes, name, iou=0.5)] if index else []
    return [*pixels[:2], boundary, *pixels[2:], *events]


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
    return Metric(f"event F1@{iou:g}", meaning, statistics, _f1_of_pairs, class_name)


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
    return Metric(f"found@{iou:g}", meaning, statistics, _share, class_name)


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


def stack_statistics(tables: Sequence[CountTable], metrics: Sequence[Metric]) -> FloatArray:
    """Put the statistics of several metrics and methods side by side, so that they are resampled together.

    Args:
        tables: One table per method, with the same fields in the same order.
        metrics: The metrics.

    Returns:
        (field, method, statistic) float64.
    """
    return np.stack([np.concatenate([metric.statistics(table) for metric in metrics], axis=1) for table in tables], 1)


def score_stack(sums: FloatArray, *, metrics: Sequence[Metric], widths: Sequence[int]) -> FloatArray:
    """Score summed statistics of several metrics: (..., statistic) -> (..., metric).

    Args:
        sums: (..., statistic), as `stack_statistics` lays them out, summed over fields.
        metrics: The metrics.
        widths: Number of statistics of each metric.
    """
    parts = np.split(sums, np.cumsum(widths)[:-1], axis=-1)
    return np.stack([metric.score(part) for metric, part in zip(metrics, parts, strict=True)], axis=-1)


def _pixel_counts(table: CountTable) -> FloatArray:
    return table.confusion.reshape(len(table), -1).astype(float)


def _score_all(sums: FloatArray, *, name: str, n_classes: int, absent: Absent) -> FloatArray:
    return score_all(_squared(sums, n_classes), absent=absent)[name]


def _score_class(sums: FloatArray, *, key: str, index: int, n_classes: int) -> FloatArray:
    return score_classes(_squared(sums, n_classes))[key][..., index]


def _squared(sums: FloatArray, n_classes: int) -> FloatArray:
    return sums.reshape(*sums.shape[:-1], n_classes, n_classes)


def _summable(values: FloatArray) -> FloatArray:
    """Write per-field values as (sum, number), which add up to their mean; undefined ones as (0, 0)."""
    return np.column_stack([np.nan_to_num(values), ~np.isnan(values)]).astype(float)


def _share(sums: FloatArray) -> FloatArray:
    return divide(sums[..., 0], sums[..., 1])


def _f1_of_pairs(sums: FloatArray) -> FloatArray:
    return divide(2 * sums[..., 0], sums[..., 1] + sums[..., 2])
