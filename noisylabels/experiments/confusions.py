"""Pixels of fields counted by class, and what is scored by them: mean IoU, and a student's gain over its teacher.

Counts are kept field by field, so that intervals can leave out one group (well) after the other.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics.intervals import Interval, jackknife_interval, leave_clusters_out
from noisylabels.data.arrays import RealArray
from noisylabels.data.dataset import Dataset
from noisylabels.data.labels import IGNORE_INDEX, LabelMap

Confusions = NDArray[np.int64]


def mean_iou(confusions: RealArray) -> NDArray[np.float64]:
    """Score confusion matrices by the mean IoU of the classes that occur.

    Args:
        confusions: (..., class, class) pixels by reference and prediction. Not modified.

    Examples:
        >>> float(mean_iou(np.array([[8, 0], [2, 2]])).round(2))
        0.65
    """
    ious = class_ious(confusions)
    n_known = np.isfinite(ious).sum(-1)
    return np.asarray(np.divide(np.nansum(ious, -1), n_known, out=np.full(n_known.shape, np.nan), where=n_known > 0))


def class_ious(confusions: RealArray) -> NDArray[np.float64]:
    """Score confusion matrices by the IoU of each class; nan for one that does not occur."""
    counts = np.asarray(confusions, float)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    union = counts.sum(-1) + counts.sum(-2) - hits
    return np.asarray(np.divide(hits, union, out=np.full(hits.shape, np.nan), where=union > 0))


def confuse(
    dataset: Dataset, reference: Callable[[str], LabelMap], prediction: Callable[[str], LabelMap], *, split: str
) -> Confusions:
    """Count pixels by class for every field of a split; pixels that either map ignores (255) do not count.

    Args:
        dataset: The dataset folder.
        reference: Gives the label map of a field.
        prediction: Gives the other.
        split: Which fields.

    Returns:
        (field, class, class) counts.
    """
    n = len(dataset.classes)
    tables = []
    for case_id in dataset.ids(split):
        first, second = reference(case_id).astype(np.int64), prediction(case_id)
        counted = (first != IGNORE_INDEX) & (second != IGNORE_INDEX)
        tables.append(np.bincount(first[counted] * n + second[counted], minlength=n * n).reshape(n, n))
    return np.stack(tables)


def estimate_score(dataset: Dataset, confusions: Confusions, *, split: str) -> Interval:
    """Return the mean IoU of a split with its jackknife interval over groups."""
    groups = [dataset.case(case_id).group for case_id in dataset.ids(split)]
    without, _ = leave_clusters_out(confusions, mean_iou, clusters=groups)
    return jackknife_interval(without, estimate=float(mean_iou(confusions.sum(0))), bounds=(0, 1))


def estimate_gain(dataset: Dataset, teacher: Confusions, student: Confusions, *, split: str) -> Interval:
    """Return the student's mean IoU less its teacher's, with its jackknife interval over groups.

    Args:
        dataset: The dataset folder.
        teacher: (field, class, class) counts of the teacher's labels, the reference first.
        student: The same of its student.
        split: Whose fields these are.
    """
    groups = [dataset.case(case_id).group for case_id in dataset.ids(split)]
    both = np.stack([teacher, student], axis=1)

    def score(sums: RealArray) -> NDArray[np.float64]:
        return np.asarray(mean_iou(sums[..., 1, :, :]) - mean_iou(sums[..., 0, :, :]))

    without, _ = leave_clusters_out(both, score, clusters=groups)
    return jackknife_interval(without, estimate=float(score(both.sum(0))))
