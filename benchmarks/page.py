"""One page of all ratios: the machine, what was measured, and by name what was left out or failed."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path

from benchmarks.parts import ELSEWHERE, Part, Run
from benchmarks.ratios import Cost, LeftOut, Ratio, amount, figure

PACKAGES = (
    *("noisylabels", "numpy", "scipy", "numba", "scikit-image", "scikit-learn", "cleanlab", "torch", "monai"),
    *("torchmetrics", "surface-distance", "onnxruntime", "openvino", "tifffile", "zarr", "playwright"),
)
HEAD = """# Benchmarks

<!-- Written by `make bench` (`python -m benchmarks`); changes made by hand are lost. -->

For judging speed and memory: what each part costs, beside other ways and the least possible.

Every row was measured in one run on one thread. All amounts are costs, so less is better: *peer / ours* above 1 means
that ours is cheaper than another way to the same; *ours / floor* tells how far ours is from what hardly any way avoids.
Only ratios carry over to other machines. *cpu* is processor time, which other programs disturb less than *wall*, the
time a person waits. Where a row has several rounds, amounts and ratios are medians over the rounds.
"""


def render(runs: Sequence[Run], not_asked: Sequence[Part], *, quick: bool) -> str:
    """Write the page of some runs.

    Args:
        runs: What ran, in this order.
        not_asked: Parts that were not to run.
        quick: Whether they ran at quick sizes.

    Returns:
        Markdown.
    """
    sections = [
        HEAD,
        tell_conditions(runs, quick=quick),
        describe_machine(),
        tabulate_ratios(runs),
    ]
    left_out = [(one.what, one.why) for run in runs for one in run.measured if isinstance(one, LeftOut)]
    left_out += [(part.name, "not asked for (`--only`)") for part in not_asked]
    sections.append(list_named("Left out", left_out, "Nothing."))
    sections.append(list_named("Failed", [(run.part.name, run.failure) for run in runs if run.failure], "Nothing."))
    files = [(f"`benchmarks/{name}.py`", why) for name, why in ELSEWHERE.items()]
    return "\n".join([*sections, list_named("Files of this folder that are not on the page", files, "None.")])


def tell_conditions(runs: Sequence[Run], *, quick: bool) -> str:
    """Say when, at which sizes and beside what else the machine did this."""
    sentences = [f"Measured on {datetime.now(UTC):%Y-%m-%d}, in {sum(run.taken_s for run in runs) / 60:.0f} minutes."]
    if quick:
        full = ", ".join(f"`{run.part.name}`" for run in runs if not run.part.quick)
        sentences.append("**At quick sizes** (`--quick`): ratios are rougher.")
        sentences += [f"At their only size: {full}."] if full else []
    if runs:
        first, most = runs[0].load[0], max(load for run in runs for load in run.load)
        sentences.append(
            f"The load average was {first:.1f} before the first benchmark and at most {most:.1f} between two, on "
            f"{count_cores()} cores; ours alone come to 1, and to more where two processes write."
        )
    if is_loaded(runs):
        sentences.append("**Other programs ran beside it**: rows by wall clock say little then, their missed aims too.")
    return "\n".join(sentences) + "\n"


def is_loaded(runs: Sequence[Run]) -> bool:
    """Tell whether others used the machine before the first benchmark; later, load is ours or not, and is told."""
    return bool(runs) and runs[0].load[0] > 0.5


def describe_machine() -> str:
    facts = [("processor", name_processor()), ("cores", str(count_cores())), ("system", platform.platform())]
    facts += [("GPU", name_gpu()), ("python", platform.python_version()), *((name, state(name)) for name in PACKAGES)]
    return "## The machine\n\n" + "; ".join(f"{name} {value}" for name, value in facts) + ".\n"


def name_processor() -> str:
    """Name the processor as the operating system does."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        words = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() or platform.machine()
    return platform.processor() or platform.machine()


def name_gpu() -> str:
    try:
        import torch
    except ImportError:
        return "unknown: torch is not installed"
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none"


def count_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def state(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


HEADS = ("what is measured", "clock", "ours", "other ways: peer / ours", "floor: ours / floor", "aim")


def tabulate_ratios(runs: Sequence[Run]) -> str:
    """Write a table for each benchmark, a row for each thing measured; columns that hold nothing are left out."""
    tables = []
    for run in runs:
        ratios = [one for one in run.measured if isinstance(one, Ratio)]
        rows = [cells(list(alike)) for _, alike in groupby(ratios, lambda one: (one.what, one.clock))]
        if rows:
            used = [place for place, _ in enumerate(HEADS) if place < 1 or any(row[place] for row in rows)]
            kept = [[row[place] for place in used] for row in (HEADS, *rows)]
            tables.append(f"{describe(run)}\n\n{rule(kept[0], kept[1:])}")
    return "## Ratios\n\n" + "\n".join(tables)


def cells(ratios: Sequence[Ratio]) -> tuple[str, ...]:
    """Give the cells of one thing that was measured, beside one or several other ways."""
    one = ratios[0]
    peers = [beside(ratio.peer, ratio.unit, ratio.peer_name, ratio.peer_over) for ratio in ratios]
    aims = [f"{ratio.aim}: {'met' if ratio.met else 'MISSED'}" for ratio in ratios if ratio.aim]
    floor = beside(one.floor, one.unit, one.floor_name, one.over_floor)
    return one.what, one.clock, amount(one.ours, one.unit), "; ".join(filter(None, peers)), floor, "; ".join(aims)


def beside(cost: Cost | None, unit: str, name: str, ratio: float | None) -> str:
    return "" if cost is None or ratio is None else f"{name} {amount(cost, unit)}: {figure(ratio)}"


def describe(run: Run) -> str:
    """Say how a benchmark ran."""
    return f"`{run.command}`: {run.taken_s:.0f} s, load {run.load[0]:.1f} before, {run.load[1]:.1f} after."


def rule(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    ruled = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(clean(cell) for cell in row)} |\n" for row in ruled)


def list_named(title: str, named: Sequence[tuple[str, str]], nothing: str) -> str:
    lines = [f"- {clean(name)}: {clean(why)}" for name, why in dict.fromkeys(named)]
    return f"## {title}\n\n" + "\n".join(lines or [nothing]) + "\n"


def clean(cell: str) -> str:
    """Keep a cell in its column and on its line."""
    return " ".join(cell.replace("|", "\\|").split())
