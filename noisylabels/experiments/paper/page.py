"""The page: every number the paper states beside ours, in words where they differ, and what only a simulation knows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from noisylabels.experiments.paper import prose
from noisylabels.experiments.paper.results import Number
from noisylabels.experiments.paper.settings import StudySettings
from noisylabels.experiments.paper.statements import AMBIGUITIES, STATEMENTS, Statement

if TYPE_CHECKING:
    import pandas as pd

GOALS = (
    ("CDL over CIP, mean IoU against the truth, relative", "MeanIoU CDL-CIP|all|truth", 25.0, True),
    ("CDL over CIP, events of the truth found", "found CDL-CIP |all|truth", 12.7, False),
    ("CDL over CIP, boxes of experts found", "found CDL-CIP |all|boxes", 12.7, False),
)
"""The paper's own gains, asked of the simulation: 25 % relative in mean IoU, 12.7 points of boxes found."""

FEWEST_SCREENS = 3


@dataclass(frozen=True)
class Findings:
    """What a study found.

    Args:
        preset: Name of its settings.
        settings: Its settings.
        seeds: Its seeds.
        numbers: What `results.measure` gave.
        tables: What `tables.make_tables` gave.
        machine: What it ran on.
        events: Simulated events, corrections by kind.
    """

    preset: str
    settings: StudySettings
    seeds: Sequence[int]
    numbers: Mapping[str, Number]
    tables: "Mapping[str, pd.DataFrame]"
    machine: Mapping[str, Any]
    events: Mapping[str, int]


def render_page(findings: Findings | None = None) -> str:
    """Write the page as Markdown.

    Args:
        findings: What a study found; None: the paper's own numbers alone, and how to make ours.
    """
    if findings is None:
        return _join([_HEAD, prose.METHOD, prose.NOT_RUN, _beside(None), _misprints()])
    head = [_HEAD, *([prose.REHEARSAL] if findings.preset == "tiny" else [])]
    found = [_goals(findings), _beside(findings), _why(), _surrogates(findings), _teacher(findings.tables["teacher"])]
    return _join([*head, *found, _costs(findings), _how(findings), _misprints()])


_HEAD = "# The paper's study, on simulated screens\n\n" + prose.PURPOSE


def _join(sections: Sequence[str]) -> str:
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _how(findings: Findings) -> str:
    seeds = ",".join(map(str, findings.seeds))
    made = f"Made by `noisylabels study --preset {findings.preset} --seeds {seeds} --out OUT`; "
    made += ", ".join(f"{name} {value}" for name, value in findings.machine.items()) + "."
    smaller = [prose.NOT_THE_SIZE] if findings.preset != "paper" else []
    return "\n\n".join(["## How it was made", made, *smaller, _describe(findings.settings), prose.METHOD])


def _describe(settings: StudySettings) -> str:
    unit = "quarters" if settings.cut else "fields of the size of a quarter"
    return (
        f"Each screen: {settings.fields} fields of {settings.columns} x {settings.rows} pixels, of which "
        f"{settings.screen_split[0]:.0%} train CDL for {_epochs(settings)}; at most {settings.corrected} "
        f"corrected {unit}, of which {settings.corrected_split[0]:.0%} train MDL for {settings.mdl_epochs} epochs. "
        "Intervals: 95 %, between-cluster jackknife over wells with Student's t."
    )


def _epochs(settings: StudySettings) -> str:
    if settings.stop:
        return f"{settings.stop} epochs ({settings.looks[-1]} to see what follows)"
    return f"{settings.looks[-1]} epochs, of which the one that fits the CIP's validation labels best is used"


def _beside(findings: Findings | None) -> str:
    title = "## Every number the paper states, beside ours"
    if findings is None:
        rows = [(entry.what, _stated(entry), "not run", "not run") for entry in STATEMENTS]
        return title + "\n\n" + _table(("", "paper", "ours, as measured there", "ours, against the truth"), rows)
    rows_ = [
        (
            entry.what,
            _stated(entry),
            _say(findings.numbers[entry.measured]),
            _say(findings.numbers[entry.true]) if entry.true else "",
            _hold(entry, findings.numbers[entry.measured]),
        )
        for entry in STATEMENTS
    ]
    heads = ("", "paper", "ours, as measured there", "ours, against the truth", "paper's number")
    return "\n\n".join([title, prose.HOW_TO_READ, _table(heads, rows_)])


def _why() -> str:
    return "## Why they differ\n\n" + prose.REASONS


def _goals(findings: Findings) -> str:
    rows = []
    for what, key, goal, relative in GOALS:
        number = findings.numbers[key]
        asked = number.relative if relative else number
        asked = asked or number
        enough = len(findings.seeds) >= FEWEST_SCREENS
        met = asked.estimate >= goal and number.decides and enough
        why = "" if enough else f" ({len(findings.seeds)} of {FEWEST_SCREENS} screens)"
        rows.append((what, f"at least {goal:g}", _say(asked, screens=True), f"{'met' if met else 'not met'}{why}"))
    verdict = findings.numbers[GOALS[0][1]].verdict
    title = "## What the study had to show"
    return "\n\n".join([title, verdict, prose.WHEN_MET, _table(("", "asked for", "found", ""), rows)])


def _surrogates(findings: Findings) -> str:
    wrong = findings.tables["wrong_orders"]
    main = wrong[wrong["method"].isin(_MAIN) & wrong["other"].isin(_MAIN)]
    left, erased, added, overlooked = (findings.events[name] for name in ("left", "erased", "added", "overlooked"))
    corrections = (
        f"The simulated experts left {left} predicted events as they were, erased {erased}, drew {added} and "
        f"overlooked {overlooked}. In the wrong order are {len(wrong)} pairs of points, {len(main)} of them among CIP, "
        "CDL and MDL: [which, and by how much](tables/wrong_orders.csv)."
    )
    shown = findings.tables["surrogates"][["surrogate", "truth", "spearman", "bias", "n_pairs", "n_wrong"]]
    return "\n\n".join(["## Do the surrogates tell the truth?", prose.SURROGATES, _frame(shown), corrections])


_MAIN = ("CIP", "CDL", "MDL", "mdl-finetuned")


def _teacher(table: "pd.DataFrame") -> str:
    return "## Training-set size, and trusting the teacher too much\n\n" + prose.TEACHER + "\n\n" + _frame(table)


def _costs(findings: Findings) -> str:
    shown = findings.tables["costs"][["method", "stage", "scope", "machine_s"]]
    return "\n\n".join(["## Costs", prose.COSTS, _frame(shown), prose.FURTHER])


def _misprints() -> str:
    rows = [(written, holds) for written, holds in AMBIGUITIES]
    return "## Misprints and ambiguities of the paper\n\n" + _table(("the paper", "what holds, and what we do"), rows)


def _stated(entry: Statement) -> str:
    sign = "+" if entry.unit == "points" else ""
    return f"{sign}{entry.value:g}{' %' if entry.unit == '%' else ''}"


def _hold(entry: Statement, number: Number) -> str:
    if math.isnan(number.low) or math.isnan(number.high):
        return "no interval"
    return (
        "inside"
        if number.low <= entry.value <= number.high
        else "below ours"
        if entry.value < number.low
        else "above ours"
    )


def _say(number: Number, *, screens: bool = False) -> str:
    if math.isnan(number.estimate):
        return "undefined"
    text = f"{number.estimate:.2f}"
    if not math.isnan(number.low):
        text += f" [{number.low:.2f}, {number.high:.2f}]"
    shown = ", ".join(f"{value:.2f}" for value in number.screens) if screens else ""
    return f"{text} ({shown})" if shown else text


def _frame(frame: "pd.DataFrame") -> str:
    return _table(list(frame.columns), [[_cell(value) for value in row] for row in frame.itertuples(index=False)])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.3g}"
    return str(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
