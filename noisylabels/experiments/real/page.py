"""What the pages of both studies share: tables of scores and of differences, and the report around them."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from evaluation.report.assembly import version_facts
from evaluation.report.pages import Check, Light, Report, Section
from evaluation.report.tables import Style, Table
from noisylabels.data.labels import ClassTable
from noisylabels.experiments.real.scores import EVENTS_IOU, TOLERANCE_PX, Scores, list_metrics
from noisylabels.experiments.real.settings import RealSettings

METRICS = [metric.name for metric in list_metrics(ClassTable(("background", "event")))]
PRIMARY, FOUND, F1 = METRICS[0], METRICS[2], METRICS[3]
ALL_SEEDS = "all seeds"
FEW_GROUPS = 10
"""With fewer groups an interval over them is wide, and a permutation test may not be able to decide."""
Results = Mapping[str, Mapping[str, Any]]
"""What the steps returned, by home ("shared", "seed-0", ...) and step."""


def list_seeds(results: Results) -> list[str]:
    """List the homes of the seeds.

    Examples:
        >>> list_seeds({"shared": {}, "seed-0": {}})
        ['seed-0']
    """
    return [home for home in results if home != "shared"]


def tabulate_scores(name: str, title: str, scored: Mapping[str, Scores], *, head: str = "") -> Table:
    """Make the table of scores of methods.

    Args:
        name: File name of the CSV.
        title: What it shows.
        scored: Scores by what they are about.
        head: Head of the first column.
    """
    rows = tuple((about, *row) for about, scores in scored.items() for row in scores.methods)
    return Table(name, title, (head, "method", *METRICS), rows, grouped=True)


def tabulate_differences(name: str, title: str, scored: Mapping[str, Scores], *, head: str = "") -> Table:
    """Make the table of differences, later method minus earlier.

    Args:
        name: File name of the CSV.
        title: What it shows.
        scored: Scores by what they are about.
        head: Head of the first column.
    """
    rows = tuple(
        (about, f"{method} - {baseline}", *rest)
        for about, scores in scored.items()
        for method, baseline, *rest in scores.differences
    )
    styles: dict[str, Style] = {"p": "p"}
    styles.update(dict.fromkeys(METRICS, "signed"))
    note = f"p: paired permutation test of {PRIMARY} over groups, not adjusted for the number of pairs."
    return Table(name, title, (head, "pair", *METRICS, "p"), rows, note, styles=styles, grouped=True)


def tell_difference(scores: Scores, method: str, baseline: str) -> str:
    """Say a difference in the first metric with its interval.

    Raises:
        KeyError: If the pair was not compared.
    """
    found = {(row[0], row[1]): row[2] for row in scores.differences}[method, baseline]
    return f"{method} - {baseline} {found.estimate:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def assemble(
    title: str,
    verdict: str,
    light: Light,
    facts: Mapping[str, str],
    settings: RealSettings,
    results: Results,
    sections: Sequence[Section],
    *,
    n_groups: int,
) -> Report:
    """Put a report together, with what every page of these studies says.

    Args:
        title: Its title.
        verdict: What came out, in a sentence.
        light: Whether the question is answered with yes.
        facts: What was done, by name.
        settings: Of the study.
        results: Of the steps.
        sections: Its tables.
        n_groups: How many groups were resampled.
    """
    seeds = list_seeds(results)
    minutes = sum(step["seconds"] for steps in results.values() for step in steps.values()) / 60
    more = {
        "seeds": ", ".join(seed.removeprefix("seed-") for seed in seeds),
        "scores": f"{FOUND}, {F1}: events by the IoU of masks from {EVENTS_IOU:g} on; boundaries within "
        f"{TOLERANCE_PX:g} px; all metrics pooled over images, but MeanBFScore, a mean over them",
        "all seeds": "counts of all seeds added up",
        "intervals": f"95 %, jackknife over {n_groups} groups of images, each with all its seeds, and Student's t",
        "best epoch": "chosen by the labels that are learnt from, on the validation images",
        "time": f"{minutes:.0f} minutes of wall time in all",
        "trained with": ", ".join(f"{name} {version(name)}" for name in ("monai", "torch")),
        "changed settings": ", ".join(f"{key} = {value}" for key, value in settings.overrides.items()),
    }
    checks = []
    if len(seeds) < 3:
        checks.append(Check("doubt", f"{len(seeds)} seeds: signs may be read, sizes hardly."))
    if n_groups < FEW_GROUPS:
        checks.append(Check("doubt", f"{n_groups} groups of images: the intervals are too narrow."))
    return Report(
        title, verdict, light, tuple((dict(facts) | more | version_facts()).items()), tuple(checks), tuple(sections)
    )
