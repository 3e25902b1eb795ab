"""Doubted labels counted per class and per annotator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.pixels import count_pixels
from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.labels import ClassTable

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("missed", "incomplete", "misclassified", "spurious")


@dataclass
class Tally:
    """Counts of pixels, summed field by field.

    Args:
        classes: The class table.

    Examples:
        >>> tally = Tally(ClassTable(["background", "cell"]))
        >>> labels, cell = np.array([[0, 0, 1]]), np.array([[0.9, 0.1, 0.8]])
        >>> tally.add(labels, np.stack([1 - cell, cell]), np.array([[True, False, False]]))
        >>> tally.by_class()[["labelled", "model", "pixels", "share"]].values.tolist()
        [['background', 'cell', 1, 0.5]]
    """

    classes: ClassTable
    labelled: NDArray[np.int64] = field(init=False)
    flagged: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.classes)
        self.labelled, self.flagged = np.zeros(n, np.int64), np.zeros((n, n), np.int64)

    def add(self, labels: RealArray, probabilities: RealArray, flags: NDArray[np.bool_]) -> None:
        """Count one field.

        Args:
            labels: (row, column) class indices; an ignored index is no class and is not counted.
            probabilities: (class, row, column) predicted probabilities.
            flags: (row, column) flags of `find_label_issues`.
        """
        n = len(self.classes)
        self.labelled += np.bincount(labels[labels < n].astype(np.intp), minlength=n)
        model = probabilities[:, flags].argmax(axis=0)
        self.flagged += count_pixels(labels[flags][None].astype(np.uint8), model[None], n_classes=n)

    def by_class(self) -> "pd.DataFrame":
        """Tabulate the doubted pixels: one row per labelled class and class the model sees there, the most first.

        `share` is the share of the class's labelled pixels.
        """
        import pandas as pd

        rows = [
            {
                "labelled": self.classes.names[given],
                "model": self.classes.names[seen],
                "pixels": int(count),
                "share": int(count) / max(int(self.labelled[given]), 1),
            }
            for (given, seen), count in np.ndenumerate(self.flagged)
            if count
        ]
        table = pd.DataFrame(rows, columns=["labelled", "model", "pixels", "share"])
        return table.sort_values("pixels", ascending=False, kind="stable", ignore_index=True)


def tabulate_annotators(
    queue: Sequence[Mapping[str, object]], issues: EventTable, annotators: Mapping[str, str]
) -> "pd.DataFrame":
    """Count the doubted events of each annotator's fields, the most per field first.

    Args:
        queue: One row per field: `field` and `quality`.
        issues: The doubted events of all fields (`events.COLUMNS`).
        annotators: Who labelled a field, by its id.

    Returns:
        `annotator`, `fields`, one column per kind of error, `per_field` (doubted events a field) and `quality` (mean).

    Raises:
        InputError: If a field has no annotator.
    """
    import pandas as pd

    nobody = [str(row["field"]) for row in queue if str(row["field"]) not in annotators]
    if nobody:
        msg = (
            f"Every field must have an annotator, got none for {len(nobody)} of {len(queue)}: {', '.join(nobody[:5])}. "
            "Add them to the table, or examine another --split."
        )
        raise InputError(msg)
    fields = pd.DataFrame(
        [(annotators[str(row["field"])], row["quality"]) for row in queue], columns=["annotator", "quality"]
    )
    events = pd.DataFrame({"annotator": [annotators[str(name)] for name in issues["image"]], "kind": issues["kind"]})
    grouped = fields.groupby("annotator")
    table = pd.DataFrame({"fields": grouped.size()})
    for kind in KINDS:
        counts = events[events["kind"] == kind].groupby("annotator").size()
        table[kind] = counts.reindex(table.index, fill_value=0).astype(int)
    table["per_field"] = table[list(KINDS)].sum(axis=1) / table["fields"]
    table["quality"] = grouped["quality"].mean()
    return table.sort_values("per_field", ascending=False, kind="stable").reset_index()
