"""How good a CIP label map is where the truth is known: class fractions, IoU and the rates of each kind of error.

A compact look for choosing settings; the tables of a study are made by the room `evaluation`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.events import label_events
from noisylabels.data.labels import ClassTable, LabelMap

PAPER_FRACTIONS = {
    "background": "0.95",
    "phagophore": "0.023",
    "autophagosome": "< 0.001",
    "early autolysosome": "0.001",
    "autolysosome": "0.024",
}
"""The paper's pixel fractions of the CIP's classes."""

INCOMPLETE_BELOW = 0.5
"""An event is incomplete when less than this share of its pixels is predicted in its class."""

SWOLLEN_ABOVE = 2.0
"""An event is swollen when the predicted events on it have more than this multiple of its area."""


@dataclass(frozen=True)
class ErrorCounts:
    """Whole-number counts of one class; counts of fields add up.

    Args:
        reference_px: Pixels of the class in the reference.
        prediction_px: Pixels of the class in the prediction.
        shared_px: Pixels of the class in both.
        events: Reference events.
        missed: Reference events without any predicted foreground.
        misclassified: Reference events on which another class has more pixels than theirs.
        incomplete: Other reference events, less than half covered by their class.
        swollen: Other reference events whose predicted events have more than twice their area.
        predicted: Predicted events.
        spurious: Predicted events without any reference foreground.
    """

    reference_px: int
    prediction_px: int
    shared_px: int
    events: int
    missed: int
    misclassified: int
    incomplete: int
    swollen: int
    predicted: int
    spurious: int

    def __add__(self, other: "ErrorCounts") -> "ErrorCounts":
        """Add the counts of another field."""
        return ErrorCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def iou(self) -> float:
        """Intersection over union of the pixels; nan if the class is in neither map."""
        union = self.reference_px + self.prediction_px - self.shared_px
        return self.shared_px / union if union else float("nan")

    @property
    def area_ratio(self) -> float:
        """Predicted over reference pixels; nan without reference pixels."""
        return self.prediction_px / self.reference_px if self.reference_px else float("nan")

    def rate(self, kind: str) -> float:
        """Divide a count by the events it is counted among (`spurious` among predicted ones); nan without any."""
        total = self.predicted if kind == "spurious" else self.events
        return float(getattr(self, kind)) / total if total else float("nan")


def count_errors(reference: LabelMap, prediction: LabelMap, classes: ClassTable) -> dict[str, ErrorCounts]:
    """Compare a label map with the truth, event by event.

    Args:
        reference: (row, column) class indices, the truth. Not modified.
        prediction: (row, column) class indices. Not modified.
        classes: The class table of both.

    Returns:
        Counts by class name; of the background only pixels are counted.

    Examples:
        >>> from noisylabels.data.labels import ROSELLA
        >>> reference = np.array([[1, 1, 0, 0, 2]], np.uint8)
        >>> counts = count_errors(reference, np.array([[1, 1, 0, 1, 0]], np.uint8), ROSELLA)
        >>> counts["phagophore"].spurious, counts["autolysosome"].missed, counts["phagophore"].iou
        (1, 1, 0.6666666666666666)
    """
    events, event_classes = label_events(reference)
    found, found_classes = label_events(prediction)
    votes = _votes(events, len(event_classes), prediction, len(classes))
    found_votes = _votes(found, len(found_classes), (reference > 0).astype(np.uint8), 2)
    areas = _areas_on(events, len(event_classes), found, len(found_classes))
    return {
        name: _count_class(
            index, reference, prediction, event_classes, votes, areas, found_votes[found_classes == index]
        )
        for index, name in enumerate(classes)
    }


def sum_errors(fields_counts: Iterable[dict[str, ErrorCounts]]) -> dict[str, ErrorCounts]:
    """Add the counts of many fields, class by class."""
    total: dict[str, ErrorCounts] = {}
    for counts in fields_counts:
        for name, count in counts.items():
            total[name] = total[name] + count if name in total else count
    return total


def format_errors(counts: dict[str, ErrorCounts], *, n_fields: int) -> str:
    """Write counts as a table for people: one row per class, and the mean IoU below.

    Args:
        counts: Counts by class name, summed over fields.
        n_fields: How many fields they come from.
    """
    kinds = ("missed", "misclassified", "incomplete", "swollen", "spurious")
    heads = ("class", "reference", "CIP", "paper's CIP", "IoU", "area ratio", *kinds)
    paper = PAPER_FRACTIONS if set(counts) <= set(PAPER_FRACTIONS) else {}
    n_pixels = max(sum(count.reference_px for count in counts.values()), 1)
    rows: list[tuple[str, ...]] = [heads]
    for name, count in counts.items():
        rates = ["" if np.isnan(count.rate(kind)) else f"{count.rate(kind):.2f}" for kind in kinds]
        share, found = count.reference_px / n_pixels, count.prediction_px / n_pixels
        numbers = (f"{share:.4f}", f"{found:.4f}", paper.get(name, ""))
        rows.append((name, *numbers, f"{count.iou:.3f}", f"{count.area_ratio:.2f}", *rates))
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    mean = np.nanmean([count.iou for count in counts.values()])
    return "\n".join([*lines, f"mean IoU {mean:.3f} over {n_fields} fields"])


def _count_class(
    index: int,
    reference: LabelMap,
    prediction: LabelMap,
    event_classes: LabelMap,
    votes: NDArray[np.intp],
    areas: NDArray[np.intp],
    found_votes: NDArray[np.intp],
) -> ErrorCounts:
    own = event_classes == index
    size = votes[own].sum(axis=1)
    right = votes[own][:, index]
    wrong = np.delete(votes[own], [0, index], axis=1).max(axis=1, initial=0)
    missed = votes[own][:, 1:].sum(axis=1) == 0
    misclassified = ~missed & (wrong > right)
    met = ~missed & ~misclassified
    return ErrorCounts(
        reference_px=int((reference == index).sum()),
        prediction_px=int((prediction == index).sum()),
        shared_px=int(((reference == index) & (prediction == index)).sum()),
        events=int(own.sum()),
        missed=int(missed.sum()),
        misclassified=int(misclassified.sum()),
        incomplete=int((met & (right < INCOMPLETE_BELOW * size)).sum()),
        swollen=int((met & (areas[own] > SWOLLEN_ABOVE * size)).sum()),
        predicted=len(found_votes),
        spurious=int((found_votes[:, 1] == 0).sum()),
    )


def _votes(events: NDArray[np.int32], count: int, values: LabelMap, n_values: int) -> NDArray[np.intp]:
    inside = events > 0
    pairs = (events[inside].astype(np.intp) - 1) * n_values + values[inside]
    return np.bincount(pairs, minlength=count * n_values).reshape(count, n_values)


def _areas_on(events: NDArray[np.int32], count: int, found: NDArray[np.int32], n_found: int) -> NDArray[np.intp]:
    """Sum, for each event, the whole areas of the found events that touch it."""
    sizes = np.bincount(found.ravel(), minlength=n_found + 1)
    both = (events > 0) & (found > 0)
    pairs = np.unique(events[both].astype(np.intp) * (n_found + 1) + found[both])
    sums = np.bincount(pairs // (n_found + 1), weights=sizes[pairs % (n_found + 1)], minlength=count + 1)
    return sums[1:].astype(np.intp)
