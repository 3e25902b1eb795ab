"""Tables of scores under MATLAB's names: the data set, each class, each field, and confusion matrices.

Every table is computed from a `CountTable`, one row (or group of rows) per reference and method.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from evaluation.metrics.boundary import score_boundaries
from evaluation.metrics.counts import CountTable
from evaluation.metrics.pixels import Absent, mean_defined, normalise_confusion, score_all, score_classes

if TYPE_CHECKING:
    import pandas as pd

HEAD = ("reference", "method")
DATA_SET_SCORES = (
    "GlobalAccuracy",
    "MeanAccuracy",
    "MeanIoU",
    "WeightedIoU",
    "MeanBFScore",
    "BoundaryF1",
    "MeanDice",
    "MeanPrecision",
    "MeanSpecificity",
)
BOUNDARY_SCORES = {"MeanBFScore": "f1", "BoundaryF1": "f1_strict"}
CLASS_SCORES = {
    "Accuracy": "accuracy",
    "IoU": "iou",
    "Dice": "dice",
    "Precision": "precision",
    "Specificity": "specificity",
}


def tabulate_data_set(table: CountTable, *, absent: Absent = "skip") -> pd.DataFrame:
    """Score each method on all fields together (MATLAB's DataSetMetrics).

    Pixel scores come from the pooled confusion matrix, means over classes of pooled values; `MeanBFScore` is the mean
    over fields of each field's mean over classes. `BoundaryF1` counts 0 where only one side has a class, where MATLAB's
    `MeanBFScore` skips it; `MeanPrecision`, `MeanSpecificity` and `MeanDice` are ours too.

    Args:
        table: Counts of one or more methods.
        absent: Whether a class that occurs in neither reference nor prediction is skipped in means, or counted as 0.

    Returns:
        One row per reference and method.
    """
    import pandas as pd

    rows = []
    for head, part in group_entries(table):
        scores = score_all(part.confusion.sum(0), absent=absent)
        boundaries = score_boundaries(part.boundary)
        for name, key in BOUNDARY_SCORES.items():
            scores[name] = mean_defined(mean_defined(boundaries[key], absent=absent), absent="skip")
        rows.append(head | {"n_fields": len(part)} | {name: float(value) for name, value in scores.items()})
    return pd.DataFrame(rows, columns=[*HEAD, "n_fields", *DATA_SET_SCORES])


def tabulate_classes(table: CountTable) -> pd.DataFrame:
    """Score each class of each method (MATLAB's ClassMetrics, with Dice, precision and specificity beside).

    `Accuracy` is the recall (see `score_classes`). `MeanBFScore`, `BoundaryF1` and `MeanNSD` are means over the fields
    where they are defined; `n_fields_undefined` counts those that MATLAB's boundary F1 skips.

    Args:
        table: Counts of one or more methods.

    Returns:
        One row per reference, method and class, with the pixels of reference and prediction.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for head, part in group_entries(table):
        confusion = part.confusion.sum(0)
        scores, boundaries = score_classes(confusion), score_boundaries(part.boundary)
        f1, strict, nsd = (mean_defined(boundaries[key], axis=0) for key in ("f1", "f1_strict", "nsd"))
        for index, name in enumerate(table.classes):
            row = head | {"class_index": index, "class_name": name}
            row |= {column: float(scores[key][index]) for column, key in CLASS_SCORES.items()}
            row |= {"MeanBFScore": float(f1[index]), "BoundaryF1": float(strict[index]), "MeanNSD": float(nsd[index])}
            row["n_fields_undefined"] = int(np.isnan(boundaries["f1"][:, index]).sum())
            row |= {"reference_px": int(confusion[index].sum()), "prediction_px": int(confusion[:, index].sum())}
            rows.append(row)
    return pd.DataFrame(rows)


def tabulate_confusion(
    table: CountTable, *, by: Literal["row", "column", "all"] | None = None
) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the pooled pixel confusion matrix of each reference and method.

    Args:
        table: Counts of one or more methods.
        by: What the shares sum to 1 over; None: counts.

    Returns:
        By (reference, method): rows = class of the reference, columns = predicted class.
    """
    import pandas as pd

    names = list(table.classes)
    found = {}
    for head, part in group_entries(table):
        counts = part.confusion.sum(0)
        values: Any = counts if by is None else normalise_confusion(counts, by=by)
        found[head["reference"], head["method"]] = pd.DataFrame(values, index=names, columns=names)
    return found


def absent_matters(table: CountTable) -> bool:
    """Return whether skipping undefined scores or counting them as 0 changes a data-set score; then print both.

    Args:
        table: Counts of one or more methods.
    """
    return not tabulate_data_set(table, absent="skip").equals(tabulate_data_set(table, absent="zero"))


def group_entries(table: CountTable) -> Iterator[tuple[dict[str, str], CountTable]]:
    """Iterate over the entries of each reference and method that the table has.

    Args:
        table: The counts.

    Yields:
        {"reference": ..., "method": ...} and the counts of that pair.
    """
    for reference in table.references:
        for method in table.methods:
            part = table.select(reference=reference, method=method)
            if len(part):
                yield {"reference": reference, "method": method}, part
