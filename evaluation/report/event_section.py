"""The event part of a report: found or not, by class, overlap and size; and how well events are counted."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from evaluation.metrics.counts import ERRORS, CountTable
from evaluation.metrics.detection import tabulate_panoptic, tabulate_thresholds
from evaluation.metrics.pixels import divide
from evaluation.metrics.precision_recall import curves_of, tabulate_average_precision
from evaluation.metrics.scores import event_f1, threshold_place
from evaluation.metrics.settings import IOU_THRESHOLDS
from evaluation.report.bars import draw_bands, draw_errors, draw_overlap_curves, draw_precision
from evaluation.report.canvas import Figure
from evaluation.report.distributions import draw_count_agreement, draw_sizes
from evaluation.report.heatmaps import draw_confusions
from evaluation.report.pages import Section
from evaluation.report.tables import Cell, Style, Table
from evaluation.statistics.agreement import limits_of_agreement
from noisylabels.data.events import EventTable

SHOWN_IOUS = (0.1, 0.5)  # lower edges of the paper's bands
FATES = ("found", "incomplete", "misclassified", "missed")
SIZE_EDGES = (0, 10, 25, 50, 100, 250, np.inf)  # pixels; an event of 10 px is 0.46 um2 at 0.2152 um


def event_section(table: CountTable, events: EventTable, methods: Sequence[str]) -> Section:
    """Report events: found, missed, of another class, invented; by overlap; and how well they are counted."""
    classes = table.classes
    curves = {
        name: {
            m: [event_f1(classes, name, iou=iou).of_data_set(table.select(method=m)) for iou in IOU_THRESHOLDS]
            for m in methods
        }
        for name in classes.foreground
    }
    reference, predicted = event_counts(table, methods)
    detection = {m: table.select(method=m).detection.sum(0) for m in methods}
    sizes = fates_by_size(events, table.classes.foreground, methods)
    items = (
        error_table(table, methods),
        detection_table(table, methods),
        panoptic_table(table, methods),
        *precision_items(events, table, methods),
        draw_errors(sizes, size_names()),
        size_table(events, table.classes.foreground, methods),
        draw_sizes(event_areas(events, table.classes.foreground, methods), unit="pixels"),
        draw_confusions(detection, ("no event", *table.classes.foreground), events=True),
        draw_bands(
            {
                name: {m: band_shares(table.select(method=m), index) for m in methods}
                for index, name in enumerate(classes)
                if index
            }
        ),
        draw_overlap_curves(curves, IOU_THRESHOLDS),
        draw_count_agreement(reference, predicted),
        agreement_table(reference, predicted),
    )
    lead = (
        "An event is one 8-connected piece of one class. Missed, misclassified, incomplete and spurious are the "
        "paper's kinds of error; split and merged are counted beside them."
    )
    return Section("events", "Events", lead, items)


def error_table(table: CountTable, methods: Sequence[str]) -> Table:
    """Count the events and their errors by class and method."""
    rows = []
    for index, name in enumerate(table.classes):
        for method in methods if index else ():
            errors = dict(zip(ERRORS, table.select(method=method).errors[:, index].sum(0).tolist(), strict=True))
            found = float(event_f1(table.classes, name, iou=0.5).of_data_set(table.select(method=method)))
            rows.append((name, method, *(errors[kind] for kind in ERRORS), found))
    heads = ("class", "method", *(kind.replace("n_", "in ") for kind in ERRORS), "F1 at IoU 0.5")
    settings = table.settings
    note = (
        f"missed: at most {settings.covered:.0%} of its pixels predicted as any event; incomplete: less than "
        f"{settings.complete:.0%} predicted as its class; split and merged: at least two events with "
        f"{settings.inside:.0%} of themselves inside one. F1: pairs one to one, "
        f"IoU of {'boxes' if settings.overlap == 'box' else 'pixels'}."
    )
    return Table("event_errors", "Events and their errors", heads, tuple(rows), note, grouped=True)


def detection_table(table: CountTable, methods: Sequence[str]) -> Table:
    """Tabulate how well events are detected, in the paper's mode and one to one, at every IoU; the page shows two."""
    frame = tabulate_thresholds(table)
    frame = frame[frame["method"].isin(methods)]
    main = np.isclose(frame["iou"].to_numpy()[:, None], SHOWN_IOUS).any(1)
    ordered = [*np.flatnonzero(main), *np.flatnonzero(~main)]  # the page shows the first rows, the CSV has all
    texts, numbers = ["class_name", "method", "reference", "mode"], ["iou", "recall", "precision", "f1", "accuracy"]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (*(str(record[name]).replace("_", " ") for name in texts), *(float(record[name]) for name in numbers))
        for record in frame.iloc[ordered].to_dict("records")
    )
    heads = ("class", "method", "reference", "mode", "IoU from", "recall", "precision", "F1", "TP / (TP + FP + FN)")
    note = (
        "paper: each reference event takes its best predicted event, however often, so that only a recall exists. "
        "one to one: optimal pairs; TP / (TP + FP + FN) is what DSB 2018, Cellpose and StarDist call accuracy or AP."
    )
    shown = int(main.sum())
    return Table(
        "detection", "Detection of events", heads, rows, note, styles={"IoU from": "amount"}, grouped=True, shown=shown
    )


def panoptic_table(table: CountTable, methods: Sequence[str]) -> Table:
    """Tabulate the panoptic quality of each class and of all events together."""
    frame = tabulate_panoptic(table)
    texts, numbers = ["class_name", "method", "reference"], ["PQ", "SQ", "RQ", "mean_accuracy"]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (*(str(record[name]) for name in texts), *(float(record[name]) for name in numbers))
        for record in frame[frame["method"].isin(methods)].to_dict("records")
    )
    heads = ("class", "method", "reference", "PQ", "SQ", "RQ", "mean TP / (TP + FP + FN)")
    note = (
        "PQ = SQ x RQ at IoU 0.5 (Kirillov et al. 2019): mean IoU of the pairs, times their F1. The last column is "
        f"averaged over IoU 0.5, 0.55, ..., 0.95. IoU of {'boxes' if table.settings.overlap == 'box' else 'pixels'}."
    )
    return Table("panoptic", "Panoptic quality", heads, rows, note, grouped=True)


def precision_items(events: EventTable, table: CountTable, methods: Sequence[str]) -> tuple[Table | Figure, ...]:
    """Tabulate and draw precision against recall, where methods wrote how probable their events are."""
    curves = curves_of(events, table.classes.foreground, methods)
    if not curves:
        return ()
    frame = tabulate_average_precision(events, table.classes.foreground, methods)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            str(record["class_name"]),
            str(record["method"]),
            int(record["n_reference"]),
            int(record["n_prediction"]),
            float(record["average_precision"]),
        )
        for record in frame.to_dict("records")
    )
    heads = ("class", "method", "events, reference", "events, predicted", "average precision")
    note = (
        "Events ranked by their mean probability (events.csv beside the label maps); right if paired one to one at an "
        f"IoU of 0.5, IoU of {'boxes' if table.settings.overlap == 'box' else 'pixels'}. Area under the steps, without "
        "interpolation."
    )
    drawn = {
        name: {method: (curve.recall, curve.precision) for method, (curve, _, _) in by_method.items()}
        for name, by_method in curves.items()
    }
    return Table("average_precision", "Average precision", heads, rows, note, grouped=True), draw_precision(drawn)


def band_shares(table: CountTable, index: int) -> tuple[list[float], list[float]]:
    """Return the shares of reference events found with low and with high overlap, per reference (expert).

    Args:
        table: Counts of one method against one or more references.
        index: Class index.

    Returns:
        (expert,) shares with IoU in [0.1, 0.5), and (expert,) shares with IoU in [0.5, 1].
    """
    low, high = [], []
    for reference in table.references:
        part = table.select(reference=reference)
        total = part.errors[:, index, ERRORS.index("n_reference")].sum()
        any_, good = (part.paper[:, index, threshold_place(iou)].sum() for iou in (0.1, 0.5))
        low.append(float(divide(any_ - good, total)))
        high.append(float(divide(good, total)))
    return low, high


def event_counts(table: CountTable, methods: Sequence[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Count the events of every field: (field,) of the reference, and (field,) predicted by method."""
    parts = table.paired(methods)
    reference = parts[0].errors[:, :, ERRORS.index("n_reference")].sum(1)
    place = ERRORS.index("n_prediction")
    return reference, {method: part.errors[:, :, place].sum(1) for method, part in zip(methods, parts, strict=True)}


def agreement_table(reference: np.ndarray, predicted: dict[str, np.ndarray]) -> Table:
    """Tabulate how well methods count events (Bland-Altman)."""
    rows = []
    for method, counts in predicted.items():
        limits = limits_of_agreement(reference, counts)
        rows.append((method, int(reference.sum()), int(counts.sum()), limits["bias"], limits["low"], limits["high"]))
    heads = ("method", "events, reference", "events, predicted", "bias per field", "lower limit", "upper limit")
    styles: dict[str, Style] = dict.fromkeys(heads[3:], "signed")
    return Table(
        "count_agreement",
        "Agreement of event counts per field",
        heads,
        tuple(rows),
        "Limits of agreement: bias ± 1.96 SD.",
        styles=styles,
    )


def size_names() -> list[str]:
    """Return the size bins: half-open ranges of pixels."""
    pairs = pairwise(SIZE_EDGES)
    return [f"{low:g}–{high - 1:g}" if np.isfinite(high) else f"≥ {low:g}" for low, high in pairs]


def fates_by_size(
    events: EventTable, class_names: Sequence[str], methods: Sequence[str]
) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Share the reference events of each size among their fates, (bin,) by fate by method by class name."""
    shares: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    for index, name in enumerate(class_names, 1):
        shares[name] = {}
        for method in methods:
            counts = _fate_counts(events, index, method)
            shares[name][method] = dict(zip(FATES, divide(counts, counts.sum(0)), strict=True))
    return shares


def _fate_counts(events: EventTable, index: int, method: str) -> np.ndarray:
    """(fate, bin) reference events of a class."""
    rows = (events["side"] == "reference") & (events["method"] == method) & (events["class_index"] == index)
    bins = np.digitize(events["area_px"][rows], SIZE_EDGES[1:-1])
    return np.array([np.bincount(bins[events["fate"][rows] == fate], minlength=len(SIZE_EDGES) - 1) for fate in FATES])


def size_table(events: EventTable, class_names: Sequence[str], methods: Sequence[str]) -> Table:
    """Count the fates of reference events by class, method and size."""
    rows: list[tuple[Cell, ...]] = []
    for index, name in enumerate(class_names, 1):
        for method in methods:
            counts = _fate_counts(events, index, method)
            rows += [
                (name, method, size, int(column.sum()), *(int(count) for count in column))
                for size, column in zip(size_names(), counts.T, strict=True)
                if column.any()
            ]
    heads = ("class", "method", "area (pixels)", "events", *FATES)
    return Table("errors_by_size", "Fates of reference events by size", heads, tuple(rows), grouped=True)


def event_areas(
    events: EventTable, class_names: Sequence[str], methods: Sequence[str]
) -> dict[str, dict[str, np.ndarray]]:
    """Collect the areas of events, (event,) by series ("reference" and each method) by class name."""
    first = methods[0]
    areas: dict[str, dict[str, np.ndarray]] = {}
    for index, name in enumerate(class_names, 1):
        of_class = events["class_index"] == index
        truth = of_class & (events["side"] == "reference") & (events["method"] == first)
        areas[name] = {"reference": events["area_px"][truth]}
        for method in methods:
            rows = of_class & (events["side"] == "prediction") & (events["method"] == method)
            areas[name][method] = events["area_px"][rows]
    return areas
