"""The table of a CIP's errors against a truth: class fractions beside the paper's, IoU, the rate of each error kind.

A compact look for choosing settings; what is counted, and how, is `evaluation.metrics`.
"""

import numpy as np

from evaluation.metrics.counts import CountTable
from evaluation.metrics.detection import tabulate_errors
from evaluation.metrics.pixels import score_classes

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
        told = [rates.get((name, kind), np.nan) for kind in KINDS]
        words = ("" if np.isnan(rate) else f"{rate:.2f}" for rate in told)
        rows.append((name, *shares, paper.get(name, ""), f"{iou[index]:.3f}", f"{ratio:.2f}", *words))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, f"mean IoU {np.nanmean(iou):.3f} over {len(table)} fields"])
