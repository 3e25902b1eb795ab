"""The expert part of a report: each method against each expert, beside expert against expert as the ceiling."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evaluation.experts.experts import CONSENSUS, summarise_agreement, summarise_experts
from evaluation.metrics.counts import CountTable
from evaluation.metrics.scores import data_set_metrics
from evaluation.report.bars import draw_bands
from evaluation.report.canvas import Figure
from evaluation.report.event_section import band_shares
from evaluation.report.pages import Section
from evaluation.report.tables import Cell, Table

if TYPE_CHECKING:
    import pandas as pd


def expert_section(table: CountTable, methods: Sequence[str], *, pixels: bool = True) -> Section:
    """Report methods against several experts.

    Args:
        table: Counts of the methods and of the experts against every expert, and perhaps against the consensus.
        methods: The methods, baseline first.
        pixels: Whether pixels were counted; False where experts drew boxes.
    """
    experts = [name for name in table.references if name != CONSENSUS]
    alone = {method: _against(table, method, experts) for method in methods}
    bands = {
        name: {method: band_shares(part, index) for method, part in alone.items()}
        for index, name in enumerate(table.classes)
        if index
    }
    lead = (
        "Expert against expert tells how far careful people agree on these fields: the ceiling to hold a method "
        "against."
    )
    scores = [score_table(table)] if pixels else []
    figure = draw_bands(bands, name="expert_bands")
    items: tuple[Figure | Table, ...] = (figure, band_table(table), agreement_table(table), *scores)
    return Section("experts", "Experts", lead, items)


def band_table(table: CountTable) -> Table:
    """Tabulate the share of events found by band of overlap, mean and SD over experts (the paper's figure 3B)."""
    frame = summarise_experts(table)
    rows = _rows(frame[frame["mode"] == "paper"], ["method", "class_name", "band"])
    note = "Each expert's event takes its best predicted event of the same class, by IoU of boxes; SD: n - 1 experts."
    heads = ("method", "class", "IoU", "mean", "SD", "experts", "against consensus")
    return Table("expert_bands", "Experts' events found, by overlap", heads, rows, note, grouped=True)


def agreement_table(table: CountTable) -> Table:
    """Tabulate the event F1 against each expert, mean and SD, and that of experts against each other."""
    rows = _rows(summarise_agreement(table), ["method", "class_name"])
    heads = ("method", "class", "mean F1", "SD", "experts", "against consensus")
    return Table("expert_f1", "Event F1 at IoU 0.5, over experts", heads, rows, grouped=True)


def score_table(table: CountTable) -> Table:
    """Tabulate the mean IoU of everything against every expert."""
    metric = next(metric for metric in data_set_metrics(table.classes) if metric.name == "MeanIoU")
    rows: list[tuple[Cell, ...]] = []
    for method in table.methods:
        cells: list[Cell] = [method]
        for reference in table.references:
            part = table.select(method=method, reference=reference)
            cells.append(metric.of_data_set(part) if len(part) else None)
        rows.append(tuple(cells))
    heads = ("prediction", *(f"against {reference}" for reference in table.references))
    return Table("expert_iou", "Mean IoU against each expert", heads, tuple(rows))


def _against(table: CountTable, method: str, experts: Sequence[str]) -> CountTable:
    part = table.select(method=method)
    return part.select(np.isin(part.keys["reference"], experts))


def _rows(frame: "pd.DataFrame", keys: Sequence[str]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (
            *(str(row[key]) for key in keys),
            float(row["mean"]),
            float(row["sd"]),
            int(row["n_experts"]),
            float(row[CONSENSUS]),
        )
        for _, row in frame.iterrows()
    )
