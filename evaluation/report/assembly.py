"""Assembly: counts in, a whole report out, written as one page with its tables and figures beside it."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from evaluation.metrics.counts import CountTable
from evaluation.metrics.scores import class_metrics, data_set_metrics
from evaluation.metrics.settings import EvaluationSettings
from evaluation.report.answer import draw_answer, say_where_to_look
from evaluation.report.checks import check_evaluation
from evaluation.report.event_section import event_section
from evaluation.report.headline import count_found, find_next_step, list_not_better
from evaluation.report.pages import Gallery, Report, Section, render_page
from evaluation.report.plate_section import plate_section
from evaluation.report.sections import field_section, score_section
from evaluation.report.tables import csv_text
from evaluation.report.verdicts import judge
from evaluation.statistics.comparison import Comparison, compare_methods
from noisylabels.data.atomic import write_bytes, write_text
from noisylabels.data.events import EventTable

WORDS = Section(
    "words",
    "Words",
    "",
    (
        "CIP: conventional image processing, the pipeline whose labels are the teacher. CDL: a network trained on the "
        "CIP's labels. MDL: a network trained on few corrected ones. Any other name is that of its label set.",
        "IoU: pixels that both have, divided by pixels that either has. BF: boundary F1, the share of outlines that "
        "lie within the tolerance. Event: one 8-connected piece of one class. False (spurious): a predicted event that "
        "touches none of the reference. Cluster: what is independent, a well or a field; intervals and tests count "
        "these.",
        'The smallest p-value that can be printed is one in the number of swaps: read it as "at most".',
    ),
)
"""What a reader who knows none of the abbreviations needs."""

LIBRARIES = ("noisylabels", "numpy", "scipy", "matplotlib", "pandas")


def compare_all(table: CountTable, *, n_resamples: int, seed: int, primary: str | None = None) -> Comparison:
    """Compare all methods of a table in every score that a report shows.

    Args:
        table: The counts, baseline method first.
        n_resamples: Random swaps.
        seed: Of the swaps.
        primary: Title of the score that is tested alone; None: MeanIoU.

    Raises:
        InputError: If there is no such score.
    """
    metrics = (*data_set_metrics(table.classes), *class_metrics(table.classes))
    rng = np.random.default_rng(seed)
    return compare_methods(table, metrics, primary=primary, n_resamples=n_resamples, rng=rng)


def make_report(
    table: CountTable,
    comparison: Comparison,
    *,
    events: EventTable,
    title: str,
    facts: Mapping[str, str],
    hashes: Mapping[str, str],
    skipped: Mapping[str, str],
    more: Sequence[Section] = (),
    controls: Mapping[str, str] | None = None,
    margin: float | None = None,
    typical: Gallery | None = None,
) -> Report:
    """Put the report on methods compared with a reference together, in the order a reviewer reads.

    Args:
        table: The counts.
        comparison: The comparison of the methods of `table`.
        events: One row per event, with its fate.
        title: What was compared, on what.
        facts: What was done, by name: data set, split, seed.
        hashes: Hash of each label set.
        skipped: Why a label map was left out, by "set/field".
        more: Further sections: galleries, ratings, costs.
        controls: "positive" or "negative" by well name, for Z'.
        margin: Largest difference of scores that would not matter; None: equivalence is not asked about.
        typical: One field that stands for all, shown first.
    """
    light, verdict = judge(comparison)
    plates = plate_section(table, comparison, controls=controls)
    sections = (
        score_section(table, comparison, margin=margin),
        field_section(table, comparison),
        event_section(table, events, comparison.methods),
        *([plates] if plates else []),
        *more,
        WORDS,
    )
    policies = {f"SHA-256 of {name}": digest for name, digest in hashes.items()} | policy_facts(table.settings, table)
    about = tuple((dict(facts) | policies | version_facts()).items())
    checks = check_evaluation(table, hashes=hashes, skipped=skipped)
    look, picture = say_where_to_look(table, comparison), draw_answer(comparison)
    points = tuple(filter(None, (count_found(table, comparison), list_not_better(table, comparison))))
    step = find_next_step(table, comparison)
    return Report(title, verdict, light, about, checks, sections, look, picture, points, step, typical)


def policy_facts(settings: EvaluationSettings, table: CountTable) -> dict[str, str]:
    """Return the decisions that the numbers hang on."""
    tolerances = sorted(set(np.round(table.tolerance_px, 3).tolist()))
    shown = ", ".join(f"{value:g}" for value in tolerances[:3])
    return {
        "boundary": f"4-connected inner perimeter, the frame counts; tolerance {shown} px, "
        f"{'inclusive' if settings.inclusive else 'strict'}",
        "events": (
            f"{'objects of instance maps' if settings.instances else '8-connected pieces of one class'}; "
            f"at least {settings.min_area_px} px; "
            f"{'without' if settings.drop_border else 'with'} those at the frame; "
            f"IoU of {'boxes' if settings.overlap == 'box' else 'pixels'}"
        ),
        "undefined scores": "0/0 is skipped in means, as MATLAB does; shown beside counting as 0 where that differs",
        "ignored pixels": "none"
        if settings.ignore_index is None
        else f"class index {settings.ignore_index} of the reference",
    }


def version_facts() -> dict[str, str]:
    """Return the versions of what computed the report."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return {"versions": f"{versions}, Python {platform.python_version()}"}


def write_report(report: Report, folder: str | Path, *, page: str = "report.html") -> Path:
    """Write the page, and every table and figure as a file of its own.

    Args:
        report: The report.
        folder: Evaluation folder: gets `report.html`, `tables/*.csv` and `figures/*.svg`, each whole or not at all.
        page: Name of the page.

    Returns:
        The path of the page.
    """
    root = Path(folder)
    for table in report.tables:
        write_text(root / "tables" / f"{table.name}.csv", csv_text(table))
    for figure in report.figures:
        write_bytes(root / "figures" / f"{figure.name}.svg", figure.svg)
    write_text(root / page, render_page(report))
    return root / page
