"""What `python -m benchmarks` keeps beside its page: a row for each thing measured, left out or failed; the machine.

`docs/tables/benchmarks.csv` holds the rows, `docs/tables/benchmarks_machine.csv` where and when they were measured. The
page is written from these two, so that its words can change without a second run.
"""

import csv
import io
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from pydantic import TypeAdapter

from benchmarks.parts import Part, Run
from benchmarks.ratios import Cost, LeftOut, Ratio, rounds_of
from noisylabels.data.atomic import write_text

PACKAGES = (
    *("noisylabels", "numpy", "scipy", "numba", "scikit-image", "scikit-learn", "cleanlab", "torch", "monai"),
    *("torchmetrics", "surface-distance", "onnxruntime", "openvino", "tifffile", "zarr", "playwright"),
)


@dataclass(frozen=True)
class Row:
    """One thing measured beside one other way, or one thing that was not measured.

    Attributes:
        benchmark: Name of the part that ran.
        command: As a person would type it.
        seconds: What the whole benchmark took, by the clock on the wall.
        load_before: Load average of the machine (over a minute) before the benchmark.
        load_after: The same after it.
        kind: "ratio", "left out", "failed" or "not asked for".
        what: What was measured, or left out.
        clock: "cpu", "wall", or "" for what is no time.
        unit: Of the three costs.
        ours: What it costs us, the median over the rounds.
        peer: Name of another way.
        peer_cost: What it costs that way.
        peer_over_ours: How many times what ours costs; the median over the rounds.
        floor: Name of what hardly any way avoids.
        floor_cost: What that costs.
        ours_over_floor: How many times what the floor costs ours costs.
        aim: What was promised.
        met: Whether it was kept.
        why: Why it was left out, or how it failed.
    """

    benchmark: str
    command: str
    seconds: float
    load_before: float
    load_after: float
    kind: str
    what: str = ""
    clock: str = ""
    unit: str = ""
    ours: float | None = None
    peer: str = ""
    peer_cost: float | None = None
    peer_over_ours: float | None = None
    floor: str = ""
    floor_cost: float | None = None
    ours_over_floor: float | None = None
    aim: str = ""
    met: bool | None = None
    why: str = ""


def list_rows(runs: Sequence[Run], not_asked: Sequence[Part] = ()) -> list[Row]:
    """List a row for everything that runs measured, left out or failed at, and for each part that was not to run."""
    rows = [row for run in runs for row in _rows_of(run)]
    return [*rows, *(Row(part.name, "", 0, 0, 0, "not asked for", part.name) for part in not_asked)]


def _rows_of(run: Run) -> Iterator[Row]:
    ran = (run.part.name, run.command, run.taken_s, *run.load)
    if run.failure:
        yield Row(*ran, "failed", run.part.name, why=run.failure)
    for one in run.measured:
        yield Row(*ran, "left out", one.what, why=one.why) if isinstance(one, LeftOut) else _row_of_ratio(one, ran)


def _row_of_ratio(ratio: Ratio, ran: tuple[str, str, float, float, float]) -> Row:
    return Row(
        *ran,
        "ratio",
        *(ratio.what, ratio.clock, ratio.unit, median(rounds_of(ratio.ours))),
        *(ratio.peer_name, _median(ratio.peer), ratio.peer_over),
        *(ratio.floor_name, _median(ratio.floor), ratio.over_floor),
        *(ratio.aim, ratio.met),
    )


def _median(cost: Cost | None) -> float | None:
    return None if cost is None else median(rounds_of(cost))


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as CSV, numbers with four digits that count; an empty cell is what does not apply."""
    write_table(path, [field.name for field in fields(Row)], [list(asdict(row).values()) for row in rows])


def read_rows(path: Path) -> list[Row]:
    """Read what `write_rows` wrote."""
    return TypeAdapter(list[Row]).validate_python(read_table(path))


def write_machine(path: Path, machine: Mapping[str, str]) -> None:
    """Write the facts of a machine, a row each."""
    write_table(path, ["name", "value"], list(machine.items()))


def read_machine(path: Path) -> dict[str, str]:
    """Read what `write_machine` wrote."""
    return {row["name"]: row["value"] for row in read_table(path)}


def write_table(path: Path, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write rows as CSV, whole or not at all: None is an empty cell, numbers have four digits that count."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([heads, *([_cell(value) for value in row] for row in rows)])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text.getvalue())


def read_table(path: Path) -> list[dict[str, str]]:
    """Read the filled cells of each row by the names of their columns."""
    with path.open(newline="") as file:
        return [{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(file)]


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def describe_machine(*, quick: bool) -> dict[str, str]:
    """Return when, at which sizes and on what this process measures: name -> value."""
    facts = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "sizes": "quick" if quick else "full"}
    facts |= {"processor": name_processor(), "cores": str(count_cores()), "system": platform.platform()}
    facts |= {"GPU": name_gpu(), "python": platform.python_version()}
    return facts | {package: state(package) for package in PACKAGES}


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
