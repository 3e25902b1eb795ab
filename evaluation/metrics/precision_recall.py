"""Precision and recall of events over the probability demanded of them, and what lies under that curve."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.metrics.events import Events
from evaluation.metrics.matching import PANOPTIC_STEP, assign
from evaluation.metrics.overlaps import pair_boxes, pair_masks
from evaluation.metrics.settings import EvaluationSettings
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable

if TYPE_CHECKING:
    import pandas as pd

PROBABILITY, PAIRED = "probability", "paired"
"""Columns of a study's events: how sure the method was (nan of the reference's), and whether one has a partner."""

UNASKED = -1
"""Of `paired`, where a field has no probabilities."""


class Curve(NamedTuple):
    """Precision and recall at every probability that occurs, the highest first.

    Args:
        probability: (n,) lowest probability that counts, falling.
        precision: (n,) share of the events that count which have a partner in the reference.
        recall: (n,) share of the reference's events that have a partner, rising.
        average_precision: Sum of precision times the rise of recall, in [0, 1]; nan without events in the reference.
    """

    probability: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    average_precision: float


def trace_curve(probability: ArrayLike, paired: ArrayLike, n_reference: int) -> Curve:
    """Trace precision and recall of one class while less and less probable events count.

    The average precision is the area under the steps, without interpolation, as scikit-learn computes it; events of the
    reference that nobody predicted lower the recall.

    Args:
        probability: (event,) of the predicted events, in [0, 1]. Not modified.
        paired: (event,) whether each has a partner of its own in the reference. Not modified.
        n_reference: Events of the reference.

    Examples:
        >>> curve = trace_curve([0.9, 0.8, 0.3], [True, False, True], 4)
        >>> curve.recall, curve.precision.round(2)
        (array([0.25, 0.25, 0.5 ]), array([1.  , 0.5 , 0.67]))
        >>> round(curve.average_precision, 4)  # 0.25 x 1 + 0.25 x 2/3
        0.4167
    """
    sure, hit = np.asarray(probability, np.float64), np.asarray(paired, bool)
    order = np.argsort(-sure, kind="stable")
    last = np.flatnonzero(np.diff(sure[order], append=-np.inf))  # equally probable events count together
    found = np.cumsum(hit[order])[last]
    precision = found / (last + 1)
    recall = found / n_reference if n_reference else np.full(len(last), np.nan)
    average = float((np.diff(recall, prepend=0.0) * precision).sum()) if n_reference else float("nan")
    return Curve(sure[order][last], precision, recall, average)


def pair_events(one: Events, other: Events, *, settings: EvaluationSettings) -> tuple[NDArray[np.bool_], ...]:
    """Match the events of the reference and of the prediction one to one at an IoU of 0.5.

    Args:
        one: n events of the reference.
        other: m events of the prediction.
        settings: Whether the IoU is that of boxes or of pixels.

    Returns:
        (n,) and (m,) whether each has a partner of its class.
    """
    pairs = pair_masks(one, other) if settings.overlap == "mask" else pair_boxes(one, other)
    alike = pairs.select(np.flatnonzero(one.class_index[pairs.reference] == other.class_index[pairs.prediction]))
    chosen = alike.select(assign(alike, step=PANOPTIC_STEP))
    sides = np.zeros(len(one), bool), np.zeros(len(other), bool)
    sides[0][chosen.reference], sides[1][chosen.prediction] = True, True
    return sides


def find_probabilities(whole: Events, counted: Events, table: EventTable, *, source: str) -> NDArray[np.float64]:
    """Find the probability of each counted event in the table that was written with its label map.

    Args:
        whole: All events of the label map, or all objects of the instance map.
        counted: m of them, some cut where pixels are ignored.
        table: All of them, as `noisylabels predict` writes them.
        source: What to call the map in an error.

    Returns:
        (m,) probabilities.

    Raises:
        InputError: If the table is that of another label map.
    """
    names = ("class_index", "row_min", "column_min", "row_max", "column_max", "area_px")
    written = np.stack([table[name] for name in names]).astype(np.int64)
    own = np.vstack([whole.class_index, whole.boxes.T, whole.area_px]).astype(np.int64)
    places, rows = (np.lexsort(keys[::-1]) for keys in (own, written))
    if not np.array_equal(own[:, places], written[:, rows]):
        msg = (
            f"events.csv must hold the events of {source}, got those of another label map. Predict again, or delete it."
        )
        raise InputError(msg)
    pixels, owner = counted.pixels
    first = np.unique(owner, return_index=True)[1]
    probability = np.zeros(len(whole))
    probability[places] = table["probability"][rows]
    found: NDArray[np.float64] = probability[whole.instances.ravel()[pixels[first]] - 1]
    return found


def tabulate_average_precision(
    events: EventTable, class_names: Sequence[str], methods: Sequence[str]
) -> "pd.DataFrame":
    """Tabulate the average precision of each class and method whose events have probabilities.

    Args:
        events: The events of a study.
        class_names: Names of the classes of events, of class index 1 and up.
        methods: The methods.

    Returns:
        One row per class and method: `n_reference`, `n_prediction`, `average_precision`.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for name, by_method in curves_of(events, class_names, methods).items():
        for method, (curve, n_reference, n_prediction) in by_method.items():
            about = {"class_name": name, "method": method, "n_reference": n_reference, "n_prediction": n_prediction}
            rows.append(about | {"average_precision": curve.average_precision})
    columns = ["class_name", "method", "n_reference", "n_prediction", "average_precision"]
    return pd.DataFrame(rows, columns=columns)


def curves_of(
    events: EventTable, class_names: Sequence[str], methods: Sequence[str]
) -> dict[str, dict[str, tuple[Curve, int, int]]]:
    """Trace the curve of each class and method whose events have probabilities, over all fields that have them.

    Args:
        events: The events of a study.
        class_names: Names of the classes of events, of class index 1 and up.
        methods: The methods.

    Returns:
        By class name, by method: the curve, events of the reference, events of the prediction.
    """
    if PAIRED not in events:
        return {}
    asked = events.select(events[PAIRED] != UNASKED)
    curves: dict[str, dict[str, tuple[Curve, int, int]]] = {}
    for index, name in enumerate(class_names, 1):
        for method in methods:
            mine = asked.select((asked["class_index"] == index) & (asked["method"] == method))
            is_truth = mine["side"] == "reference"
            found = mine.select(~is_truth)
            if len(mine):
                curve = trace_curve(found[PROBABILITY], found[PAIRED] == 1, int(is_truth.sum()))
                curves.setdefault(name, {})[method] = (curve, int(is_truth.sum()), len(found))
    return curves
