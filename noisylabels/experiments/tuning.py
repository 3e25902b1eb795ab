"""Settings of a pipeline proposed without a truth: the member of its family whose labels a network foretells best.

Of several pipelines of real images it chose the best in two of four sets (docs/teachers.md): labels that are wrong
everywhere alike agree best. So it stays within one pipeline's family, the borders of isolated events are measured
beside it, and the proposal is one, not a choice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from noisylabels.cip.labelling import PIPELINES, Pipeline
from noisylabels.data.atomic import write_text
from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.experiments.foresight import Student, train_student
from noisylabels.noise.borders import BorderOffset, measure_dataset

FAILS = """\
Labels that are wrong everywhere alike, such as swollen ones, agree best of all: between pipelines of real images this
chose the best one in two of four sets. Look at the borders above; compare the proposal with a few trusted fields."""


@dataclass(frozen=True)
class Member:
    """One member of a family, and what its student says of it.

    Args:
        settings: The pipeline.
        student: Of its label set.
        borders: How far its labels lie outside the half-maximum, by class index.
    """

    settings: Pipeline
    student: Student
    borders: Mapping[int, BorderOffset]

    @property
    def agreement(self) -> float:
        """Mean IoU of the student with these labels on held-out fields."""
        return self.student.agreement.estimate


def held_out(dataset: Dataset) -> str:
    """Return the split that agreement is measured on: validation, or test where there is none.

    Raises:
        InputError: If the dataset has neither.
    """
    for split in ("validation", "test"):
        if dataset.ids(split):
            return split
    msg = (
        f"--tune must have held-out fields, got none in {dataset.folder}. Split it: --fractions of import or simulate."
    )
    raise InputError(msg)


def measure_members(
    dataset: Dataset, family: Mapping[str, Pipeline], folder: Path, *, steps: int = 100, seed: int = 0
) -> list[Member]:
    """Train a student of every member's labels, and measure their borders.

    Args:
        dataset: The dataset folder, with a label set of each member.
        family: Pipelines by label set.
        folder: Where the students go; what is there is gone on with.
        steps: Of each training.
        seed: Of the trainings.
    """
    split = held_out(dataset)
    members = []
    for name, settings in family.items():
        student = train_student(dataset, name, folder / name, split=split, steps=steps, seed=seed)
        members.append(Member(settings, student, measure_dataset(dataset, name)))
    return members


def propose(members: Sequence[Member]) -> Member:
    """Propose the member with the highest agreement, the first of equal ones.

    Raises:
        InputError: If no member has an agreement: none labels anything.
    """
    known = [member for member in members if np.isfinite(member.agreement)]
    if not known:
        msg = "At least one member must have labels to agree with, got none. Widen --ranges."
        raise InputError(msg)
    return max(known, key=lambda member: member.agreement)


def write_proposal(path: Path, settings: Pipeline) -> None:
    """Write what differs from the preset, as `noisylabels cip --settings` reads it."""
    import yaml

    values = {"preset": settings.name, **differences(settings)}
    write_text(path, yaml.safe_dump(values, sort_keys=False))


def differences(settings: Pipeline) -> dict[str, Any]:
    """Return in nested plain values what differs from the preset of the same name.

    Examples:
        >>> from noisylabels.cip.stock import STOCK
        >>> from noisylabels.data.settings import change
        >>> differences(change(STOCK["otsu"], {"level": 0.5}))
        {'level': 0.5}
    """
    return _differences(asdict(settings), asdict(PIPELINES[settings.name]))


def _differences(values: Mapping[str, Any], of_preset: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            nested = _differences(value, of_preset[key])
            found |= {key: nested} if nested else {}
        elif value != of_preset[key]:
            found[key] = list(value) if isinstance(value, tuple) else value
    return found


def describe_members(members: Sequence[Member], proposed: Member, class_names: Sequence[str]) -> str:
    """Return of every member how far it agrees and where its borders lie, and which one is proposed."""
    lines = []
    for member in members:
        found = member.student.agreement
        ends = "" if np.isnan(found.low) else f" [{found.low:.3f}, {found.high:.3f}]"
        offsets = ", ".join(
            f"{class_names[index]} {offset.median_px:+.1f} px of {offset.n_events}"
            for index, offset in member.borders.items()
            if offset.n_events
        )
        mark = "  <- proposed" if member is proposed else ""
        lines.append(
            f"{member.student.labels}: held-out agreement {found.estimate:.3f}{ends}; "
            f"borders {offsets or 'not measurable'}{mark}"
        )
    return "\n".join([*lines, FAILS])
