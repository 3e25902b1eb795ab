"""The plate part of a report: heat maps of wells, effects of the place, Z' of the controls."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from evaluation.metrics.counts import ERRORS, CountTable
from evaluation.report.heatmaps import draw_plates
from evaluation.report.pages import Section
from evaluation.report.tables import Cell, Style, Table
from evaluation.report.verdicts import score_name
from evaluation.screens.plates import find_place_effects, mean_by_well, z_prime
from evaluation.statistics.comparison import Comparison

Wells = Mapping[str, Mapping[str, float]]
"""Value by well by plate."""
PLATE_LEAD = "What follows rows, columns or the edge of a plate comes from the plate, not from the biology."


def plate_section(
    table: CountTable, comparison: Comparison, *, controls: Mapping[str, str] | None = None
) -> Section | None:
    """Report plates well by well: the score, the events counted, their area; None when fields name no wells.

    Args:
        table: The counts.
        comparison: The comparison of its methods.
        controls: "positive" or "negative" by well name, for Z'.
    """
    method = comparison.methods[-1]
    part = table.paired(comparison.methods)[-1]
    if not (part.keys["well"] != "").any():
        return None
    metric = comparison.primary_metric
    events = part.errors[:, :, ERRORS.index("n_prediction")].sum(1)
    pixels = part.confusion[:, :, 1:].sum((1, 2))
    quantities = {
        score_name(metric): comparison.by_field[:, -1, comparison.metrics.index(metric)],
        "events per field": events,
        "event pixels per field": pixels,
    }
    wells = {name: by_plate(values, part.keys["plate"], part.keys["well"]) for name, values in quantities.items()}
    lead = f"Of {method}. {PLATE_LEAD}"
    tables = [place_table(wells), *([control_table(wells, controls)] if controls else [])]
    return Section("plates", "Plates", lead, (draw_plates(wells), *tables))


def by_plate(values: ArrayLike, plates: Sequence[str] | np.ndarray, wells: Sequence[str] | np.ndarray) -> Wells:
    """Average the fields of each well, plate by plate."""
    numbers, plate_names, well_names = np.asarray(values, float), np.asarray(plates), np.asarray(wells)
    return {
        str(plate): mean_by_well(numbers[plate_names == plate], well_names[plate_names == plate].tolist())
        for plate in np.unique(plate_names)
    }


def place_table(wells: Mapping[str, Wells]) -> Table:
    """Tabulate effects of the edge, of rows and of columns."""
    rows: list[tuple[Cell, ...]] = []
    for quantity, plates in wells.items():
        for plate, values in plates.items():
            effect = find_place_effects(values)
            rows.append(
                (
                    quantity,
                    plate or "–",
                    effect.n_edge,
                    effect.n_inner,
                    effect.edge_shift,
                    effect.edge_p,
                    effect.row_p,
                    effect.column_p,
                )
            )
    heads = ("quantity", "plate", "edge wells", "inner wells", "edge − inner", "p edge", "p rows", "p columns")
    styles: dict[str, Style] = {"edge − inner": "signed", "p edge": "p", "p rows": "p", "p columns": "p"}
    note = (
        "Edge: Mann-Whitney of the outermost wells against the others; rows and columns: Kruskal-Wallis. Not adjusted."
    )
    return Table("plate_effects", "Effects of the place on the plate", heads, tuple(rows), note, styles=styles)


def control_table(wells: Mapping[str, Wells], controls: Mapping[str, str]) -> Table:
    """Tabulate Z' between the control wells."""
    rows: list[tuple[Cell, ...]] = []
    for quantity, plates in wells.items():
        for plate, values in plates.items():
            groups = {
                kind: [value for well, value in values.items() if controls.get(well) == kind]
                for kind in ("positive", "negative")
            }
            rows.append(
                (
                    quantity,
                    plate or "–",
                    len(groups["positive"]),
                    len(groups["negative"]),
                    z_prime(groups["positive"], groups["negative"]),
                )
            )
    heads = ("quantity", "plate", "positive wells", "negative wells", "Z'")
    note = "Z' above 0.5: the controls are well apart; below 0: they overlap."
    return Table("z_prime", "Z' of the controls", heads, tuple(rows), note)
