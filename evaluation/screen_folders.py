"""Screen reports: a dataset folder without truth, or a table of measured wells, in; a report, tables, figures out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.report.assembly import version_facts, write_report
from evaluation.report.galleries import FieldView
from evaluation.report.measured_fields import MeasuredFields, show_measured
from evaluation.report.measured_section import (
    Failures,
    check_measured,
    find_measured_step,
    judge_measured,
    map_section,
    well_drift_section,
    well_section,
)
from evaluation.report.pages import Report
from evaluation.report.screen_sections import (
    check_screen,
    disagreement_section,
    drift_section,
    find_screen_step,
    found_section,
    judge_screen,
    quality_section,
    screen_plate_section,
)
from evaluation.screens.screens import survey_screen
from evaluation.sources import FieldSource, method_name

if TYPE_CHECKING:
    import pandas as pd


def write_screen_report(
    source: FieldSource,
    folder: str | Path,
    *,
    methods: Sequence[str],
    name: str,
    reference: FieldSource | None = None,
    n_gallery: int = 6,
    on_field: Callable[[str], None] = lambda _: None,
) -> tuple[Path, str]:
    """Report a screen without truth: report.html, tables/*.csv and figures/*.svg.

    Args:
        source: The new screen.
        folder: Folder to write into; made when missing.
        methods: Label sets, baseline first.
        name: What to call the screen.
        reference: A screen that the methods were judged on, to measure drift from.
        n_gallery: How many of the most disagreeing fields to show.
        on_field: Called with each field's name once it is done.

    Returns:
        The page, and the answer in words: the verdict, and what comes next.
    """
    new = survey_screen(source, methods, on_field=on_field)
    usual = survey_screen(reference, methods, on_field=on_field) if reference else None

    def look(field: str) -> FieldView:
        maps = {method_name(one): source.label_map(one, field) for one in methods}
        return FieldView(np.asarray(source.image(field)), maps[new.methods[0]], maps, source.pixel_size_um)

    light, verdict = judge_screen(new, usual)
    plates = screen_plate_section(new)
    sections = (
        *([disagreement_section(new, look, n=n_gallery)] if len(methods) > 1 else []),
        quality_section(new, usual),
        found_section(new),
        *([drift_section(usual, new)] if usual else []),
        *([plates] if plates else []),
    )
    facts = {
        "fields": str(len(new.fields)),
        "methods": ", ".join(new.methods),
        "reference screen": f"{len(usual.fields)} fields" if usual else "none",
    }
    title = f"{' and '.join(new.methods)} on {name}, without truth"
    about = tuple((facts | version_facts()).items())
    step = find_screen_step(new, usual, light)
    report = Report(title, verdict, light, about, check_screen(new, usual), sections, next_step=step)
    return write_report(report, folder), report.spoken


def write_measurement_report(
    wells: "pd.DataFrame",
    folder: str | Path,
    *,
    title: str,
    facts: Mapping[str, str],
    classes: Sequence[str],
    failures: Failures = (),
    drift: "pd.DataFrame | None" = None,
    fields: MeasuredFields | None = None,
) -> tuple[Path, str]:
    """Report the measurements of a screen: report.html, tables/*.csv and figures/*.svg.

    Args:
        wells: One row per well with `plate`, `well` and measures, as `noisylabels screen measure` writes them.
        folder: Folder to write into; made when missing.
        title: What was measured.
        facts: What was done, by name.
        classes: The classes of events.
        failures: Plate, well, field and message of each field that failed.
        drift: What `evaluation.screens.drift.compare_wells` found against a reference screen.
        fields: The fields that were measured, to show some; None: the page has no pictures of them.

    Returns:
        The page, and the answer in words: the verdict, and what comes next.
    """
    light, verdict = judge_measured(wells, failures, drift)
    typical, extremes = show_measured(fields) if fields else (None, None)
    sections = (
        *([extremes] if extremes else []),
        map_section(wells, classes),
        *([] if drift is None else [well_drift_section(drift)]),
        well_section(wells, failures),
    )
    about = tuple((dict(facts) | version_facts()).items())
    checks = check_measured(wells, failures, drift)
    step = find_measured_step(wells, failures, drift, classes)
    report = Report(title, verdict, light, about, checks, sections, next_step=step, typical=typical)
    return write_report(report, folder), report.spoken
