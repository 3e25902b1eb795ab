"""The page of intervals and verdicts, docs/coverage.md, from its two tables: shares of every cell, and costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from pydantic import TypeAdapter

from benchmarks.ratios import Ratio, figure, rounds_of
from benchmarks.rows import read_table, write_table
from noisylabels.data.atomic import write_text

HEAD = """# Intervals and verdicts: how often they hold

<!-- Written by `python -m benchmarks.coverage --page docs/coverage.md`; changes made by hand are lost. -->

For knowing how far to trust an interval or a verdict: how often each holds.

{n} simulations per cell. A 95 % interval should hold the truth 95 times in 100, and two equal methods should be called
different at most 5 times in 100. In brackets: what was printed before (percentile bootstrap; the verdict from the
interval alone). Every score alone: [the table of all](tables/{stem}.csv).
"""
ROWS = (
    ("intervals", "Intervals of {scores} scores hold the truth, least", min),
    ("verdicts", "{scores} pairs of equal methods called different, most", max),
    ("equivalence", "Shown not to be worse by the margin that is the true loss, {scores} scores, most", max),
)
NOTES = """
Now: between-cluster jackknife with Student's t; a verdict needs the permutation test too, which cannot reach 5 % with
fewer than 6 wells, so none is given there. Simulations without an interval are left out of its share.
"""


class Cell(NamedTuple):
    """One share: of which score at which number of wells or images, before and now, in so many simulations."""

    table: str
    score: str
    n: int
    before: float
    now: float
    simulations: int


class CostRow(NamedTuple):
    """What one thing costs now and cost before, beside another way now, and what was asked for."""

    what: str
    unit: str
    now: float
    before: float | None = None
    other_way: str = ""
    other_cost: float | None = None
    aim: str = ""
    met: bool | None = None


def write_cells(path: Path, cells: Sequence[Cell]) -> None:
    """Write every share as a row of CSV."""
    write_table(path, Cell._fields, cells)


def write_costs(path: Path, before: Mapping[str, Ratio], now: Mapping[str, Ratio]) -> None:
    """Write what two runs of `benchmarks.evaluation` cost, side by side, as CSV."""
    rows = []
    for what, one in now.items():
        was = median(rounds_of(before[what].ours)) if what in before else None
        other = None if one.peer is None else median(rounds_of(one.peer))
        rows.append(CostRow(what, one.unit, median(rounds_of(one.ours)), was, one.peer_name, other, one.aim, one.met))
    write_table(path, CostRow._fields, rows)


def write_page(page: Path) -> None:
    """Write the page from the tables beside it."""
    cells = TypeAdapter(list[Cell]).validate_python(read_table(page.parent / "tables" / f"{page.stem}.csv"))
    costs = page.parent / "tables" / f"{page.stem}_costs.csv"
    spent = TypeAdapter(list[CostRow]).validate_python(read_table(costs)) if costs.is_file() else []
    write_text(page, report(cells, page.stem) + (report_costs(spent, costs.name) if spent else ""))


def report(cells: Sequence[Cell], stem: str) -> str:
    """Write the worst share of each kind by number of wells, and ratings by number of images."""
    lines = [HEAD.format(n=cells[0].simulations, stem=stem), "## Wells, by their number", ""]
    wells = sorted({cell.n for cell in cells if cell.table == "verdicts"})
    lines += head("", *map(str, wells))
    for table, words, worst in ROWS:
        own = [cell for cell in cells if cell.table == table]
        shares = [_share([cell for cell in own if cell.n == n], worst) for n in wells]
        lines.append(f"| {words.format(scores=len({cell.score for cell in own}))} | {' | '.join(shares)} |")
    ratings = [cell for cell in cells if cell.table == "ratings"]
    images = sorted({cell.n for cell in ratings})
    lines += [NOTES, "## Ratings in whole numbers, by images", "", *head("intervals that hold", *map(str, images))]
    for score in dict.fromkeys(cell.score for cell in ratings):
        own = [cell for cell in ratings if cell.score == score]
        lines.append(f"| {score} | {' | '.join(_share([cell for cell in own if cell.n == n], min) for n in images)} |")
    return "\n".join(lines) + "\n"


def report_costs(spent: Sequence[CostRow], table: str) -> str:
    """Say how many costs fell, and write those that something was asked of."""
    known = [one.now / one.before for one in spent if one.before is not None]
    asked = [one for one in spent if one.aim]
    lines = ["", "## Speed and memory", ""]
    lines.append(f"Of {len(known)} costs that were measured before, {sum(ratio < 1 for ratio in known)} fell; now is")
    lines.append(f"{figure(min(known))} to {figure(max(known))} times before ([every cost](tables/{table})).")
    lines += ["Both on one machine beside other work, processor time.", "", *head("asked of", "before", "now", "aim")]
    for one in asked:
        was = "" if one.before is None else f"{figure(one.before)} {one.unit}"
        other = "" if one.other_cost is None else f" ({one.other_way}: {figure(one.other_cost)} {one.unit})"
        aim = one.aim + (other if "that" in one.aim else "")
        lines.append(
            f"| {one.what} | {was} | {figure(one.now)} {one.unit} | {aim}: {'met' if one.met else '**missed**'} |"
        )
    return "\n".join(lines) + "\n"


def head(*names: str) -> list[str]:
    return [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]


def _share(cells: Sequence[Cell], worst: "type[min] | type[max]") -> str:
    if not cells:
        return ""
    return f"{worst(cell.now for cell in cells):.3f} ({worst(cell.before for cell in cells):.3f})"
