"""The page of all ratios: what they say, a line for each benchmark, and by name what was left out or failed."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

from benchmarks.parts import PARTS
from benchmarks.ratios import figure
from benchmarks.rows import Row

HEAD = """# Benchmarks

<!-- Written by `make bench` (`python -m benchmarks`); changes made by hand are lost. -->

For judging speed and memory: what each part costs, beside other ways and the least possible.

All amounts are costs, so less is better: *peer / ours* above 1 means that ours is cheaper than another way to the same;
*ours / floor* tells how far ours is from what hardly any way avoids. Every row of
[the table of all](tables/{table}) is the median over its rounds in one run on one thread, by processor time
(`cpu`) or the time a person waits (`wall`). Only ratios carry over to other machines.
"""
OTHER_FILES = """Files of `benchmarks/` that print scores or kills and no times are not on this page;
`benchmarks/parts.py` says of each why.
"""
HEADS = ("`python -m benchmarks.`", "measures", "peer / ours", "ours / floor", "aims met")


def render(rows: Sequence[Row], machine: Mapping[str, str], table: str = "benchmarks.csv") -> str:
    """Write the page of some rows.

    Args:
        rows: What was measured, left out, failed or not asked for, in this order.
        machine: Its facts, as `describe_machine` gives them.
        table: Name of the file in tables/ that holds the rows.

    Returns:
        Markdown.
    """
    sections = [
        HEAD.format(table=table),
        tell_findings(rows),
        tabulate(rows),
        tell_conditions(rows, machine),
        describe(machine),
    ]
    left_out = [(row.what, row.why) for row in rows if row.kind == "left out"]
    left_out += [(row.what, "not asked for (`--only`)") for row in rows if row.kind == "not asked for"]
    failed = [(row.what, row.why) for row in rows if row.kind == "failed"]
    return "\n".join([*sections, list_named("Left out", left_out), OTHER_FILES, list_named("Failed", failed)])


def tell_findings(rows: Sequence[Row]) -> str:
    """Say beside how many other ways ours is cheaper, and name where it is not and which aims were missed."""
    beside = [row for row in rows if row.peer_over_ours is not None]
    dearer = [row for row in beside if row.peer_over_ours is not None and row.peer_over_ours < 1]
    names = [f"- {row.what}, beside {row.peer}: {show(row.peer_over_ours)}" for row in dearer]
    met, missed = sort_aims(rows)
    lines = [f"Ours is cheaper than another way in {len(beside) - len(dearer)} of {len(beside)} rows."]
    lines += [f"Aims met: {len(met)} of {len(met) + len(missed)}."] if met or missed else []
    lines += ["Dearer (peer / ours):", "", *map(clean, names)] if names else []
    lines += ["", "**Aims missed**:", "", *(f"- {clean(aim)}" for aim in missed)] if missed else []
    return "## In short\n\n" + "\n".join(lines) + "\n"


def tabulate(rows: Sequence[Row]) -> str:
    """Write a line for each benchmark: what it measures, the least and the greatest ratio, its aims."""
    about = {part.name: part.about for part in PARTS}
    lines: list[Sequence[str]] = [HEADS, ["---"] * len(HEADS)]
    for name, found in groupby((row for row in rows if row.kind == "ratio"), lambda row: row.benchmark):
        some = list(found)
        met, missed = sort_aims(some)
        aims = f"{len(met)} of {len(met) + len(missed)}" if met or missed else ""
        peers, floors = span([row.peer_over_ours for row in some]), span([row.ours_over_floor for row in some])
        lines.append((name.replace("-", " "), about.get(name, ""), peers, floors, aims))
    return "".join(f"| {' | '.join(clean(cell) for cell in line)} |\n" for line in lines) if len(lines) > 2 else ""


def sort_aims(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """List the aims that were met and those that were missed, each once."""
    kept = {f"{row.what}: {row.aim}": row.met for row in rows if row.aim}
    return [aim for aim, met in kept.items() if met], [aim for aim, met in kept.items() if not met]


def span(ratios: Sequence[float | None]) -> str:
    """Write the least and the greatest of the ratios that are numbers.

    Examples:
        >>> span([None, 2.0, 0.5, 111.0]), span([3.0]), span([None])
        ('0.500 to 111', '3.00', '')
    """
    known = sorted({show(ratio) for ratio in ratios if ratio is not None and math.isfinite(ratio)}, key=float)
    return " to ".join([known[0], known[-1]][: len(known)]) if known else ""


def show(ratio: float | None) -> str:
    return "" if ratio is None else figure(ratio)


def tell_conditions(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    """Say when, at which sizes and beside what else the machine did this."""
    ran = {row.benchmark: row for row in rows if row.command}
    minutes = sum(row.seconds for row in ran.values()) / 60
    sentences = [f"Measured on {machine.get('date', 'an unknown day')}, in {minutes:.1f} minutes."]
    if machine.get("sizes") == "quick":
        full = ", ".join(f"`{part.name}`" for part in PARTS if part.name in ran and not part.quick)
        sentences.append("**At quick sizes** (`--quick`): ratios are rougher.")
        sentences += [f"At their only size: {full}."] if full else []
    if ran:
        first = next(iter(ran.values())).load_before
        most = max(load for row in ran.values() for load in (row.load_before, row.load_after))
        sentences.append(f"The load average was {first:.1f} before the first benchmark and at most {most:.1f} between")
        sentences.append(
            f"two, on {machine.get('cores', '?')} cores; ours alone come to 1, and to more where two write."
        )
        if first > 0.5:  # load that comes later is ours or not, and is told
            sentences.append("**Other programs ran beside it**: rows by wall clock say little then, also missed aims.")
    return "\n".join(sentences) + "\n"


def describe(machine: Mapping[str, str]) -> str:
    facts = [f"{name} {value}" for name, value in machine.items() if name not in ("date", "sizes")]
    return "## The machine\n\n" + "; ".join(facts) + ".\n"


def list_named(title: str, named: Sequence[tuple[str, str]]) -> str:
    lines = [f"- {clean(name)}: {clean(why)}" for name, why in dict.fromkeys(named)]
    return f"## {title}\n\n" + "\n".join(lines or ["Nothing."]) + "\n"


def clean(cell: str) -> str:
    """Keep a cell in its column and on its line."""
    return " ".join(cell.replace("|", "\\|").split())
