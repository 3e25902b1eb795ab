"""Events: from flagged pixels to a table of probably wrong events, each with a kind and a score."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.events import find_events
from evaluation.metrics.overlaps import pair_masks
from evaluation.metrics.taxonomy import classify_errors
from noisylabels.data.arrays import RealArray
from noisylabels.data.events import EventTable, InstanceMap, label_events, measure_events
from noisylabels.data.footprints import Footprints
from noisylabels.data.labels import LabelMap

COLUMNS: dict[str, Any] = {
    "image": object,
    "kind": object,
    "score": np.float64,
    "class_index": np.uint8,
    "suggested_class_index": np.uint8,
    "area_px": np.int64,
    "row_min": np.int64,
    "column_min": np.int64,
    "row_max": np.int64,
    "column_max": np.int64,
}
"""Column -> dtype. `score` is the mean probability that the event's pixels are not of their label; `class_index` is the
labelled class (0 for missed), `suggested_class_index` the model's (0 for spurious)."""

MIN_FLAGGED = 0.5


def find_event_issues(
    labels: RealArray,
    probabilities: RealArray,
    flagged: NDArray[np.bool_],
    *,
    image_id: str,
    min_area_px: int = 4,
    ignore_index: int | None = None,
) -> EventTable:
    """Turn the flagged pixels of one field into events.

    - *spurious*: a labelled event, at least half of it flagged, where the model sees mostly background;
    - *misclassified*: a labelled event, at least half of it flagged, where the model sees mostly another class;
    - *missed*: a predicted event of which no pixel is labelled, at least half of it flagged;
    - *incomplete*: a predicted event less than half labelled, as its own class, at least half of the rest flagged.

    Missed and incomplete are those of `evaluation.metrics.taxonomy`, the model taken for the truth.

    Args:
        labels: (row, column) class indices. Not modified.
        probabilities: (class, row, column) predicted probabilities. Not modified.
        flagged: (row, column) flags of `find_label_issues`.
        image_id: What to call the field in the table.
        min_area_px: Smaller events are left out.
        ignore_index: Label of pixels that are part of no event; none of them is flagged.

    Returns:
        One row per probably wrong event, the highest score first (`COLUMNS`).

    Examples:
        >>> labels = np.array([[0, 0, 0, 1, 1, 1]], np.uint8)
        >>> foreground = np.array([[0.9, 0.9, 0.1, 0.2, 0.2, 0.2]])
        >>> flags = np.array([[True, True, False, True, True, True]])
        >>> rows = find_event_issues(labels, np.stack([1 - foreground, foreground]), flags, image_id="a", min_area_px=1)
        >>> [(kind, round(float(score), 2)) for kind, score in zip(rows["kind"], rows["score"])]
        [('missed', 0.9), ('spurious', 0.8)]
    """
    given = np.where(labels == (-1 if ignore_index is None else ignore_index), 0, labels).astype(np.uint8)
    predicted = probabilities.argmax(axis=0).astype(np.uint8)
    doubt = 1 - np.take_along_axis(probabilities, given[None].astype(np.intp), axis=0)[0]
    tables = [
        _doubted_events(given, probabilities, flagged, doubt),
        _unlabelled_events(given, predicted, flagged, doubt),
    ]
    rows = {name: np.concatenate([table[name] for table in tables]) for name in COLUMNS if name != "image"}
    table = EventTable({"image": np.full(len(rows["kind"]), image_id, object), **rows})
    table = table.select(table["area_px"] >= min_area_px)
    return table.select(np.argsort(-table["score"], kind="stable"))


def join_issues(tables: Sequence[EventTable]) -> EventTable:
    """Join the issues of several fields, the highest score first."""
    joined = EventTable(
        {
            name: np.concatenate([np.zeros(0, dtype), *(table[name] for table in tables)]).astype(dtype)
            for name, dtype in COLUMNS.items()
        }
    )
    return joined.select(np.argsort(-joined["score"], kind="stable"))


def _doubted_events(
    given: LabelMap, probabilities: RealArray, flagged: NDArray[np.bool_], doubt: NDArray[np.floating]
) -> dict[str, NDArray[Any]]:
    instances, classes = label_events(given)
    prints = Footprints.of(instances, len(classes))
    areas = np.maximum(prints.areas, 1)
    means = np.array([prints.sums(part[prints.rows, prints.columns]) / areas for part in probabilities])
    means[classes, np.arange(len(classes))] = -1  # the best class but its own
    best = means.argmax(axis=0)
    wrong = prints.sums(flagged[prints.rows, prints.columns]) >= MIN_FLAGGED * areas
    kinds = np.where(best == 0, "spurious", "misclassified").astype(object)
    scores = prints.sums(doubt[prints.rows, prints.columns]) / areas
    return _rows(instances, classes, wrong, kinds, scores, labelled=classes, suggested=best)


def _unlabelled_events(
    given: LabelMap, predicted: LabelMap, flagged: NDArray[np.bool_], doubt: NDArray[np.floating]
) -> dict[str, NDArray[Any]]:
    instances, classes = label_events(predicted)
    prints = Footprints.of(instances, len(classes))
    at = (prints.rows, prints.columns)
    empty = given[at] == 0
    n_empty = prints.sums(empty)
    model, labelled = find_events(predicted), find_events(given)
    errors = classify_errors(model, labelled, pair_masks(model, labelled)).reference  # what if the model were right
    missed = errors["missed"]
    partial = errors["incomplete"] & ~errors["misclassified"]
    wrong = (prints.sums(flagged[at] & empty) >= MIN_FLAGGED * np.maximum(n_empty, 1)) & (n_empty > 0)
    kinds = np.where(missed, "missed", "incomplete").astype(object)
    scores = prints.sums(doubt[at] * empty) / np.maximum(n_empty, 1)
    return _rows(
        instances, classes, wrong & (missed | partial), kinds, scores, labelled=errors["found_as"], suggested=classes
    )


def _rows(
    instances: InstanceMap, classes: LabelMap, chosen: NDArray[np.bool_], kinds: NDArray[np.object_], scores: RealArray,
    *, labelled: RealArray, suggested: RealArray,
) -> dict[str, NDArray[Any]]:  # fmt: skip
    measured = measure_events(instances, classes, wanted=())
    columns = {"kind": kinds, "score": scores, "class_index": labelled, "suggested_class_index": suggested}
    columns |= {name: measured[name] for name in COLUMNS if name in measured and name not in columns}
    return {name: column[chosen] for name, column in columns.items()}
