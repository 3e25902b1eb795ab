"""Costs: human minutes and machine seconds of every stage, and how many fields until a method pays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evaluation.experts.sheets import read_rows, refuse_faults
from noisylabels.data.errors import InputError

Scope = Literal["once", "field"]
COLUMNS = ("method", "stage", "scope", "human_min", "machine_s")
"""Of a cost sheet: one row per method and stage; scope is `once` or `field`; an empty cost is 0."""

HOUR_S, MINUTE_S = 3600, 60


@dataclass(frozen=True)
class Cost:
    """What one stage of a method takes.

    Args:
        method: The method.
        stage: What is done: set-up, annotation, training, inference.
        scope: "once" per method, or for each "field".
        human_min: Minutes of a person's attention.
        machine_s: Seconds of a computer.
    """

    method: str
    stage: str
    scope: Scope
    human_min: float = 0.0
    machine_s: float = 0.0

    def hours(self, *, count: Literal["human", "machine", "both"] = "both") -> float:
        """Return the cost in hours, of the person, the computer, or both one after the other."""
        human = self.human_min * MINUTE_S if count != "machine" else 0.0
        machine = self.machine_s if count != "human" else 0.0
        return (human + machine) / HOUR_S


def read_costs(path: str | Path) -> list[Cost]:
    """Read a cost sheet.

    Args:
        path: CSV with the columns method, stage, scope (`once` or `field`), human_min, machine_s.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If columns are missing or rows faulty; all faults at once, one line each.
    """
    rows = read_rows(path, COLUMNS)
    faults = [fault for line, row in enumerate(rows, 2) for fault in _faults(line, row)]
    refuse_faults(faults, source=str(path))
    return [
        Cost(
            row["method"],
            row["stage"],
            "once" if row["scope"] == "once" else "field",
            float(row["human_min"] or 0),
            float(row["machine_s"] or 0),
        )
        for row in rows
    ]


def cost_of_annotation(path: str | Path, *, method: str, activity: str = "correction", once: bool = True) -> Cost:
    """Read the human cost from the times that the annotation desk logged.

    Args:
        path: `times.csv` of an annotation project: one row per task, with `activity` and `active_s` (seconds in which
            somebody worked; pauses are not counted).
        method: The method that this work is for.
        activity: "correction", "boxes" or "rating".
        once: Whether the sum is paid once (to make a training set), or the mean for every field.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If columns are missing, or no row has this activity.
    """
    rows = read_rows(path, ("activity", "active_s"))
    seconds = [float(row["active_s"] or 0) for row in rows if row["activity"] == activity]
    if not seconds:
        there = ", ".join(sorted({row["activity"] for row in rows})) or "none"
        msg = f"activity must occur in {path}, got {activity!r}; it has {there}. Name one of those."
        raise InputError(msg)
    total = sum(seconds) if once else sum(seconds) / len(seconds)
    return Cost(method, activity, "once" if once else "field", human_min=total / MINUTE_S)


def cost_of_run(folder: str | Path, *, method: str, stage: str = "training") -> Cost:
    """Read the machine cost from a run folder: first to last TensorBoard event, by the clock.

    Start-up before the first logged loss is not in it.

    Args:
        folder: Run folder with TensorBoard event files.
        method: The method that was trained.
        stage: Name of the stage.

    Raises:
        InputError: If the folder has no event file.
    """
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event

    files = sorted(Path(folder).rglob("events.out.tfevents.*"))
    times = [Event.FromString(raw).wall_time for file in files for raw in RawEventFileLoader(str(file)).Load()]
    if not times:
        msg = f"{folder} must hold TensorBoard events of a run, got none. Name the folder that training wrote."
        raise InputError(msg)
    return Cost(method, stage, "once", machine_s=max(times) - min(times))


def total_hours(
    costs: Sequence[Cost], *, count: Literal["human", "machine", "both"] = "both"
) -> dict[str, tuple[float, float]]:
    """Add the stages of each method up.

    Args:
        costs: All stages.
        count: Whose hours.

    Returns:
        (hours once, hours per field) by method, in order of appearance.

    Examples:
        >>> training = Cost("CDL", "training", "once", machine_s=7200)
        >>> total_hours([training, Cost("CDL", "inference", "field", machine_s=36)])
        {'CDL': (2.0, 0.01)}
    """
    totals = dict.fromkeys((cost.method for cost in costs), (0.0, 0.0))
    for cost in costs:
        once, each = totals[cost.method]
        hours = cost.hours(count=count)
        totals[cost.method] = (once + hours, each) if cost.scope == "once" else (once, each + hours)
    return totals


def find_crossings(costs: Mapping[str, tuple[float, float]]) -> list[tuple[str, str, float]]:
    """Find where one method's total cost falls below another's.

    Args:
        costs: (cost once, cost per field) by method.

    Returns:
        The method that is cheaper from there on, the one it overtakes, and the number of fields.

    Examples:
        >>> find_crossings({"manual": (0, 2), "CDL": (10, 1)})
        [('CDL', 'manual', 10.0)]
    """
    return [
        (later, earlier, (fixed - other_fixed) / (other_slope - slope))
        for later, (fixed, slope) in costs.items()
        for earlier, (other_fixed, other_slope) in costs.items()
        if fixed > other_fixed and slope < other_slope
    ]


def _faults(line: int, row: Mapping[str, str]) -> list[str]:
    faults = [f"row {line}: {name} must not be empty" for name in ("method", "stage") if not row[name]]
    if row["scope"] not in ("once", "field"):
        faults.append(f"row {line}: scope must be 'once' or 'field', got {row['scope']!r}")
    for name in ("human_min", "machine_s"):
        if row[name] and not _is_amount(row[name]):
            faults.append(f"row {line}: {name} must be a number of at least 0, got {row[name]!r}")
    return faults


def _is_amount(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False
