"""The table of a CIP's errors against a truth: class fractions beside the paper's, IoU, the rate of each error kind.

A compact look for choosing settings; what is counted, and how, is `evaluation.metrics`.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.counts import CountTable
from evaluation.metrics.detection import tabulate_errors
from evaluation.metrics.fields import examine_field
from evaluation.metrics.pixels import score_classes
from noisylabels.data.arrays import RealArray
from noisylabels.data.events import label_events, measure_events
from noisylabels.data.labels import ClassTable, LabelMap

PAPER_FRACTIONS = {
    "background": "0.95",
    "phagophore": "0.023",
    "autophagosome": "< 0.001",
    "early autolysosome": "0.001",
    "autolysosome": "0.024",
}
"""The paper's pixel fractions of the CIP's classes."""

KINDS = ("missed", "misclassified", "incomplete", "swollen", "spurious")


def format_errors(table: CountTable) -> str:
    """Write counts as a table for people: one row per class, and the mean IoU below.

    Args:
        table: Counts of one method against one reference.

    Returns:
        Lines of text; a rate without events is left empty. The kinds are those of `evaluation.metrics.taxonomy`.
    """
    errors = tabulate_errors(table)
    keys = zip(errors["class_name"], errors["kind"], strict=True)
    rates: dict[tuple[str, str], float] = dict(zip(keys, errors["rate"].tolist(), strict=True))
    confusion = table.confusion.sum(0)
    in_reference, in_prediction, n_pixels = confusion.sum(1), confusion.sum(0), max(int(confusion.sum()), 1)
    iou = score_classes(confusion)["iou"]
    paper = PAPER_FRACTIONS if set(table.classes) <= set(PAPER_FRACTIONS) else {}
    rows: list[tuple[str, ...]] = [("class", "reference", "CIP", "paper's CIP", "IoU", "area ratio", *KINDS)]
    for index, name in enumerate(table.classes):
        ratio = in_prediction[index] / in_reference[index] if in_reference[index] else np.nan
        shares = (f"{in_reference[index] / n_pixels:.4f}", f"{in_prediction[index] / n_pixels:.4f}")
        shown = [rates.get((name, kind), np.nan) for kind in KINDS]
        words = ("" if np.isnan(rate) else f"{rate:.2f}" for rate in shown)
        rows.append((name, *shares, paper.get(name, ""), f"{iou[index]:.3f}", f"{ratio:.2f}", *words))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, f"mean IoU {np.nanmean(iou):.3f} over {len(table)} fields"])


def describe_misses(fields: Iterable[tuple[RealArray, LabelMap, LabelMap]], classes: ClassTable) -> str:
    """Return which events are missed: the share of each quarter of them, from dim to bright and from small to large.

    A pipeline that misses at random has four equal numbers; one that misses dim events has falling ones.

    Args:
        fields: Image (channel, row, column), reference and prediction of each, (row, column). Not modified.
        classes: The class table.

    Returns:
        One line for each class that has at least four events. Brightness is that of `noisylabels.data.features`: the
        mean in standard deviations of the field.
    """
    parts = [np.zeros((0, 4))]
    for image, reference, prediction in fields:
        plane = image if image.ndim == 3 else image.max(axis=1)
        shown = examine_field(reference, prediction, classes=classes)[1].reference
        found = measure_events(*label_events(reference), plane, wanted=("brightness",))
        parts.append(np.stack([shown["class_index"], shown["missed"], found["brightness"], found["area_px"]], axis=1))
    events = np.concatenate(parts)
    lines = []
    for index, name in enumerate(classes):
        _, missed, brightness, area = events[events[:, 0] == index].T
        if index and len(missed) >= 4:
            shares = [_by_quarter(missed, values) for values in (brightness, area)]
            lines.append(f"{name} missed, dim to bright: {shares[0]}; small to large: {shares[1]}")
    return "\n".join(lines)


def _by_quarter(missed: NDArray[np.float64], values: NDArray[np.float64]) -> str:
    quarters = np.array_split(missed[np.argsort(values, kind="stable")], 4)
    return " ".join(f"{quarter.mean():.2f}" for quarter in quarters)
