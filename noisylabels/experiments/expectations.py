"""What students of label sets let a person expect, in words, and what to do next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.statistics.intervals import Interval
from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.experiments.foresight import Student, judge, train_student
from noisylabels.experiments.pairs import Gain, Pair, describe_gain, expect_gain, read_known_pairs


@dataclass(frozen=True)
class Expectation:
    """What one student lets expect.

    Args:
        student: Of one label set.
        refereed: Its gain as a referee sees it (`foresight.judge`); None where none judged it.
        gain: What pairs whose truth is known let expect: from the refereed gain if there is one, else from the labels'
            inconsistency; None where there are too few pairs.
    """

    student: Student
    refereed: Interval | None
    gain: Gain | None


def foresee_gains(
    dataset: Dataset,
    labels: Sequence[str],
    folder: Path,
    *,
    referee: str | None = None,
    split: str = "test",
    steps: int = 100,
    seed: int = 0,
) -> list[Expectation]:
    """Train a student of every label set, let a referee judge them, and expect their gains.

    Args:
        dataset: The dataset folder.
        labels: The label sets that are asked about.
        folder: Where the students go; a second call goes on.
        referee: A label set that votes, whose student stands in for the truth of the others.
        split: The held-out fields: validation or test.
        steps: Of each training.
        seed: Of the trainings.

    Raises:
        InputError: If no label set is named, one is missing, or the referee is to judge itself alone.
    """
    if not labels:
        msg = "--labels must name at least one label set, got none. Write for instance --labels cip."
        raise InputError(msg)
    if list(labels) == [referee]:
        msg = f"--referee must judge other labels than its own, got {referee} for both. Name other --labels."
        raise InputError(msg)
    learnt = dict.fromkeys([*labels, *([referee] if referee else [])])
    for name in learnt:
        dataset.require_labels(name)
    known = {name: train_student(dataset, name, folder / name, split=split, steps=steps, seed=seed) for name in learnt}
    refereed = {}
    if referee:
        judged = [name for name in labels if name != referee]
        refereed = {name: judge(dataset, known[name], known[referee], split=split) for name in judged}
    return expect([known[name] for name in labels], read_known_pairs(), refereed=refereed)


def expect(
    students: Sequence[Student], pairs: Sequence[Pair], *, refereed: Mapping[str, Interval] | None = None
) -> list[Expectation]:
    """Expect the gain of every student over its labels.

    Args:
        students: One per label set.
        pairs: Teachers and students whose truth is known. Simulated ones count for refereed gains alone: on simulated
            plates inconsistency does not rank gains (docs/teachers.md).
        refereed: By label set, what a referee sees of the gain.
    """
    real = [pair for pair in pairs if pair.kind == "real"]
    found = []
    for student in students:
        judged = (refereed or {}).get(student.labels)
        if judged is None:
            gain = expect_gain(student.inconsistency, real)
        else:
            gain = expect_gain(judged.estimate, pairs, by="refereed")
        found.append(Expectation(student, judged, gain))
    return found


def describe(expectations: Sequence[Expectation], class_names: Sequence[str]) -> str:
    """Return what can be expected, most inconsistent labels first.

    Args:
        expectations: One per label set.
        class_names: One name per class index.
    """
    lines = []
    for one in sorted(expectations, key=lambda each: -each.student.inconsistency):
        student = one.student
        ious = ", ".join(f"{name} {iou:.3f}" for name, iou in zip(class_names, student.classes, strict=True))
        lines.append(f"{student.labels}: held-out agreement {_describe(student.agreement)} ({ious})")
        if one.refereed is not None:
            lines.append(f"  gain as the referee sees it {_describe(one.refereed)}")
        lines.append(f"  {describe_gain(one.gain)}")
    alone = all(one.refereed is None for one in expectations)
    return "\n".join([*lines, ADVICE, *([VOTE] if alone else [])])


def _describe(found: Interval) -> str:
    ends = "no interval: fewer than three wells" if np.isnan(found.low) else f"[{found.low:.3f}, {found.high:.3f}]"
    return f"{found.estimate:.3f} {ends}"


def find_next_step(expectations: Sequence[Expectation], dataset: str | Path) -> str:
    """Return what a person should do now, with the command, from the largest gain that is expected.

    Args:
        expectations: One per label set.
        dataset: The dataset folder, for the command.
    """
    best = max(expectations, key=lambda one: -np.inf if one.gain is None else one.gain.expected)
    gain, labels = best.gain, best.student.labels
    if gain is not None and gain.low > 0:
        train = f"noisylabels train cdl --dataset_dir {dataset} --label_name {labels} --output_dir runs/cdl"
        return f"Next: train a network on {labels}, for a gain over it is expected.\n  {train}"
    correct = f"noisylabels annotate create {dataset}.desk {dataset} --start {labels}"
    if gain is not None and gain.expected <= 0:
        why = f"{labels} is consistent, so a network learns its errors too, and more of its labels buy nothing"
        return f"Next: correct fields by hand: {why}.\n  {correct}"
    why = "whether a network gains over them cannot be told from the labels alone"
    return f"Next: correct ten test fields, and score {labels} and a network on them: {why}.\n  {correct}"


ADVICE = """\
The lower the agreement, the more of the labels' errors have no cause in the picture, and the more a network trained on
them can gain over them. A high agreement does not say that labels are right: what is wrong everywhere alike, such as
swollen outlines, is foretold perfectly. Look at the outlines of some isolated events beside this."""
VOTE = "Where several pipelines label the fields, let them vote (noisylabels fuse), and name the votes as --referee."
