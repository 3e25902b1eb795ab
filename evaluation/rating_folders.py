"""Rating folders: a rating sheet in; a report, its tables and figures out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

from evaluation.experts.preferences import compare_ratings
from evaluation.experts.ratings import read_ratings
from evaluation.report.assembly import version_facts, write_report
from evaluation.report.pages import Report
from evaluation.report.rating_section import check_ratings, judge_ratings, rating_section
from noisylabels.data.hashes import hash_file


def write_rating_report(
    sheet: str | Path, folder: str | Path, *, methods: Sequence[str] = (), ks_method: str = "exact"
) -> tuple[Path, str]:
    """Report a rating sheet: report.html, tables/*.csv and figures/*.svg.

    Args:
        sheet: Rating sheet; see `read_ratings`.
        folder: Folder to write into; made when missing.
        methods: Methods, baseline first; empty: as they occur.
        ks_method: "exact" or "matlab".

    Returns:
        The page, and the verdict in words.

    Raises:
        InputError: If the sheet is faulty, or it holds only one method.
    """
    ratings = read_ratings(sheet)
    method = cast("Literal['exact', 'matlab']", ks_method)  # checked where it is used
    preferences = compare_ratings(ratings, methods=methods or None, ks_method=method)
    light, verdict = judge_ratings(preferences)
    facts = {
        "sheet": f"{Path(sheet).resolve()}, SHA-256 {hash_file(sheet)}",
        "raters": ", ".join(ratings.raters),
        "methods": ", ".join(methods or ratings.methods),
        "KS": ks_method,
    }
    title = f"Ratings of {' and '.join(methods or ratings.methods)}"
    report = Report(
        title,
        verdict,
        light,
        tuple((facts | version_facts()).items()),
        check_ratings(ratings),
        (rating_section(ratings, preferences),),
    )
    return write_report(report, folder), verdict
