"""The report of a measured screen: plate maps, drift of its wells, what failed, and the table of wells."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evaluation.report.heatmaps import draw_plates
from evaluation.report.pages import Check, Light, Section
from evaluation.report.plate_section import PLATE_LEAD, Wells, place_table
from evaluation.report.tables import Cell, Style, Table
from evaluation.screens.drift import LEVEL

if TYPE_CHECKING:
    import pandas as pd

Failures = Sequence[tuple[str, str, str, str]]
"""Plate, well, field and message of each field that failed."""


def map_section(wells: "pd.DataFrame", classes: Sequence[str]) -> Section:
    """Draw what is worth a map, plate by plate, and ask whether it hangs on the place of the well.

    Args:
        wells: One row per well with `plate`, `well` and measures.
        classes: The classes of events.
    """
    maps = {say_measure(name): by_plate(wells, name) for name in measures_to_map(wells, classes)}
    items = (draw_plates(maps), place_table(maps)) if maps else ("No well has a measurement.",)
    return Section("plates", "Plate maps", PLATE_LEAD, items)


def by_plate(wells: "pd.DataFrame", measure: str) -> Wells:
    """Arrange one measure by plate and well; wells without a value are left out."""
    kept = wells[wells[measure].notna()]
    values = kept[measure].astype(float)
    found: dict[str, dict[str, float]] = {str(plate): {} for plate in wells["plate"].unique()}
    for plate, well, value in zip(kept["plate"], kept["well"], values, strict=True):
        found[str(plate)][str(well)] = float(value)
    return found


def measures_to_map(wells: "pd.DataFrame", classes: Sequence[str]) -> list[str]:
    """Choose what is worth a map: events per field and share of each class, and the failures if there are any."""
    wanted = [f"{kind}_{name}" for name in classes for kind in ("per_field", "fraction")]
    chosen = [name for name in wanted if name in wells.columns and not (len(classes) == 1 and "fraction" in name)]
    failed = "n_fields_failed" in wells.columns and bool(wells["n_fields_failed"].sum())
    return [*chosen, *(["n_fields_failed"] if failed else [])]


def say_measure(measure: str) -> str:
    """Put the name of a measure into words.

    Examples:
        >>> say_measure("per_field_phagophore"), say_measure("fraction_early autolysosome")
        ('phagophore, events per field', 'early autolysosome, share of all events')
    """
    for start, words in (("per_field_", "events per field"), ("fraction_", "share of all events")):
        if measure.startswith(start):
            return f"{measure.removeprefix(start)}, {words}"
    return {"n_fields_failed": "fields that failed"}.get(measure, measure.replace("_", " "))


def well_drift_section(drift: "pd.DataFrame") -> Section:
    """Report what `evaluation.screens.drift.compare_wells` found against a reference screen."""
    styles: dict[str, Style] = {"p": "p", "p_holm": "p", "shift": "signed", "reference": "amount", "screen": "amount"}
    note = (
        "Medians over wells; shift: in robust standard deviations of the reference; p: Kolmogorov-Smirnov, adjusted by "
        f"Holm; drifted: below {LEVEL}. PSI: population stability index."
    )
    table = table_of(drift, "well_drift", "Drift from the reference screen, well by well", note=note, styles=styles)
    return Section(
        "drift", "Drift", "A method is trusted on a screen that looks like the one it was judged on.", (table,)
    )


def well_section(wells: "pd.DataFrame", failures: Failures) -> Section:
    """List the wells, and the fields that failed."""
    shown = wells.drop(columns=["row", "column"], errors="ignore")
    styles: dict[str, Style] = {str(name): "amount" for name in shown.select_dtypes("float").columns}
    items = [table_of(shown, "wells", "Wells", styles=styles)]
    if failures:
        heads = ("plate", "well", "field", "what went wrong")
        items.insert(0, Table("failures", "Fields that failed", heads, tuple(failures)))
    return Section(
        "wells", "Wells", f"{_many(len(wells), 'well')}; wells.csv and wells.parquet hold all columns.", tuple(items)
    )


def judge_measured(wells: "pd.DataFrame", failures: Failures, drift: "pd.DataFrame | None") -> tuple[Light, str]:
    """Return what was measured, what failed and whether the screen drifted from its reference."""
    n_plates = wells["plate"].nunique()
    measured = (
        f"{_many(len(wells), 'well')} on {_many(n_plates, 'plate')} {'was' if len(wells) == 1 else 'were'} measured"
    )
    failed = f"{_many(len(failures), 'field')} failed" if failures else "no field failed"
    if drift is None:
        return "doubt" if failures else "good", f"{measured}, {failed}."
    drifted = drift.loc[drift["drifted"], "feature"].tolist()
    if not drifted:
        return "doubt" if failures else "good", f"{measured}, {failed}; no drift from the reference screen is shown."
    most = say_measure(str(drifted[0]))
    return (
        "bad",
        f"{measured}, {failed}; {len(drifted)} of {len(drift)} measures drifted from the reference, most {most}.",
    )


def check_measured(wells: "pd.DataFrame", failures: Failures, drift: "pd.DataFrame | None") -> tuple[Check, ...]:
    """Find what makes the measurements mislead."""
    return (
        Check("bad" if failures else "good", f"{_many(len(failures), 'field')} failed."),
        Check("doubt" if drift is None else "good", "No reference screen." if drift is None else "Compared by wells."),
        Check("doubt", f"{_many(len(wells), 'well')}: there is no truth here; counts are what the method found."),
    )


def find_measured_step(
    wells: "pd.DataFrame", failures: Failures, drift: "pd.DataFrame | None", classes: Sequence[str]
) -> str:
    """Return in one sentence what a person should do now with a measured screen, from the numbers.

    Args:
        wells: One row per well with `n_fields` and, for each class, `n_<class>`.
        failures: The fields that failed.
        drift: The comparison with a reference screen, if one was made.
        classes: The classes of events.
    """
    if len(failures) > wells["n_fields"].sum() / 10:
        failed = _many(len(failures), "field")
        return f"mend what made {failed} fail, then give noisylabels screen run again: only they are done"
    never = [name for name in classes if not wells[f"n_{name}"].sum()]
    if never:
        return (
            f"look whether there is any {never[0]} in the images: none was found in any well, so another method may fit"
        )
    if drift is not None and drift["drifted"].any():
        return "label ten fields of this screen by hand before its numbers are compared: it differs from the known one"
    joined = "join treatments with noisylabels screen measure RUN --layout CSV"
    return f"look at the fields with the fewest and the most events; {joined}"


def table_of(
    frame: "pd.DataFrame", name: str, title: str, *, note: str = "", styles: dict[str, Style] | None = None
) -> Table:
    """Turn a data frame into a table of a report; what is missing is left empty."""
    heads = tuple(str(column) for column in frame.columns)
    rows = tuple(tuple(_cell(value) for value in row) for row in frame.itertuples(index=False, name=None))
    return Table(name, title, heads, rows, note, styles=styles or {})


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _cell(value: object) -> Cell:
    import pandas as pd

    if value is None or value is pd.NA:
        return None
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, np.generic):
        return _cell(value.item())
    return value if isinstance(value, int | float) else str(value)
