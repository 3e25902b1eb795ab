"""The table of `benchmarks/real.py`: one row a pair of set and teacher, counted again from the runs' pixels.

Counts of several seeds are added up before a score is taken. Intervals are the between-group jackknife with Student's
t at 95 %; the interval of a rank correlation resamples the pairs (seed 0), which takes them for independent, though
those of one set share their images.
"""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.real_arms import ARMS, PLAIN
from benchmarks.real_sets import VOTERS
from evaluation.statistics.intervals import Interval, jackknife_interval, leave_clusters_out
from noisylabels.experiments.confusions import class_ious, mean_iou

Row = dict[str, str]


class Runs(NamedTuple):
    """The runs of one set, label set, number of gold fields and arm: counts of all seeds added up.

    Args:
        set: The set.
        labels: The teacher, "voters" or "truth".
        gold: Fields whose truth was learnt; 0 for all fields.
        seeds: Seeds of the trainings.
        teacher: (group, class, class) pixels of labels against truth, test groups.
        student: The same of the students, added up over seeds.
        agreement: (group, class, class) pixels of students against their teacher, validation groups.
        arm: What was made of gold: plain, it alone; fine-tuned and corrector, with weak labels.
        alone: Of an arm with weak labels, `student` of the same gold alone, of the seeds that both have.
    """

    set: str
    labels: str
    gold: int
    seeds: tuple[int, ...]
    teacher: NDArray[np.int64]
    student: NDArray[np.int64]
    agreement: NDArray[np.int64]
    arm: str = PLAIN
    alone: NDArray[np.int64] | None = None


def collect(rows: Sequence[dict[str, object]]) -> list[Runs]:
    """Add the seeds of each training up."""
    by_key: dict[tuple[str, str, int, str], list[dict[str, object]]] = {}
    for row in rows:
        key = (str(row["set"]), str(row["labels"]), int(str(row["gold"])), str(row.get("arm", PLAIN)))
        by_key.setdefault(key, []).append(row)
    found = []
    for (name, labels, gold, arm), members in by_key.items():
        counts = [np.sum([member[key] for member in members], axis=0) for key in ("teacher", "student", "agreement")]
        seeds = tuple(sorted(int(str(member["seed"])) for member in members))
        plain = by_key.get((name, labels, gold, PLAIN), [])
        equals = [row["student"] for row in plain if int(str(row["seed"])) in seeds]
        alone = np.sum(equals, axis=0) if arm != PLAIN and equals else None
        found.append(Runs(name, labels, gold, seeds, *counts, arm, alone))
    return found


def score(counts: NDArray[np.int64]) -> Interval:
    """Give the mean IoU of (group, class, class) pixels with its interval over groups."""
    without, _ = leave_clusters_out(counts, mean_iou)
    return jackknife_interval(without, estimate=float(mean_iou(counts.sum(0))), bounds=(0, 1))


def compare(teacher: NDArray[np.int64], student: NDArray[np.int64]) -> Interval:
    """Give the student's mean IoU less its teacher's with its interval over groups."""
    both = np.stack([teacher, student], axis=1)

    def gain(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(mean_iou(sums[:, 1]) - mean_iou(sums[:, 0]))

    without, _ = leave_clusters_out(both, gain)
    return jackknife_interval(without, estimate=float(gain(both.sum(0)[None].astype(float))[0]))


def tabulate(runs: Sequence[Runs]) -> list[Row]:
    """Make a row of each training, as texts."""
    rows = []
    for one in runs:
        base = one.teacher if one.alone is None else one.alone
        student, gain = score(one.student), compare(base, one.student)
        objects = [float(class_ious(counts.sum(0))[1]) for counts in (one.teacher, one.student)]
        gold, plain = one.labels == "truth", one.labels == "truth" and one.alone is None
        rows.append(
            {
                "set": one.set,
                "labels": one.labels,
                "gold": str(one.gold),
                "arm": one.arm,
                "seeds": str(len(one.seeds)),
                "groups": str(len(one.teacher)),
                "teacher": "" if gold else f"{float(mean_iou(one.teacher.sum(0))):.4f}",
                "student": f"{student.estimate:.4f}",
                "student_low": f"{student.low:.4f}",
                "student_high": f"{student.high:.4f}",
                "gain": "" if plain else f"{gain.estimate:.4f}",
                "gain_low": "" if plain else f"{gain.low:.4f}",
                "gain_high": "" if plain else f"{gain.high:.4f}",
                "inconsistency": "" if gold else f"{1 - float(mean_iou(one.agreement.sum(0))):.4f}",
                "teacher_objects": "" if gold else f"{objects[0]:.4f}",
                "student_objects": f"{objects[1]:.4f}",
            }
        )
    return rows


def write_page(rows: Sequence[Row]) -> Iterator[str]:
    """Write the tables of the page, line by line."""
    yield "| set | teacher | its mean IoU | CDL | CDL - teacher | inconsistency | objects' IoU, teacher / CDL |"
    yield "|---|---|---|---|---|---|---|"
    for row in (row for row in rows if row["labels"] != "truth"):
        gain = _with_ends(row, "gain", "+.3f")
        gain = f"**{gain}**" if float(row["gain_low"]) > 0 else gain
        objects = f"{float(row['teacher_objects']):.3f} / {float(row['student_objects']):.3f}"
        own, lacks = (f"{float(row[name]):.3f}" for name in ("teacher", "inconsistency"))
        cells = (row["set"], row["labels"], own, _with_ends(row, "student", ".3f"), gain, lacks, objects)
        yield f"| {' | '.join(cells)} |"
    gold = [row for row in rows if row["labels"] == "truth"]
    if gold:
        yield ""
        yield "| set | truth of | it alone | CDL fine-tuned, its gain over it | corrector, its gain over it |"
        yield "|---|---|---|---|---|"
    scores = {(row["set"], row["gold"], row["arm"]): _beside_gold(row) for row in gold}
    for name, number in dict.fromkeys((row["set"], row["gold"]) for row in gold):
        fields = {"0": "all training fields", "1": "1 field"}.get(number, f"{number} fields")
        cells = (name, fields, *(scores.get((name, number, arm), "") for arm in ARMS))
        yield f"| {' | '.join(cells)} |"
    yield ""
    pairs = [row for row in rows if row["labels"] not in ("truth", VOTERS)]
    summary = " ".join([*describe(pairs), *describe_arms(gold)])
    yield from textwrap.wrap(summary, 118)


def _beside_gold(row: Row) -> str:
    """Write the score of gold alone with its interval; of an arm the score, and its difference from gold alone."""
    if not row["gain"]:
        return _with_ends(row, "student", ".3f")
    gain = _with_ends(row, "gain", "+.3f")
    return f"{float(row['student']):.3f}, {f'**{gain}**' if float(row['gain_low']) > 0 else gain}"


def _with_ends(row: Row, name: str, form: str) -> str:
    middle, low, high = (format(float(row[f"{name}{end}"]), form) for end in ("", "_low", "_high"))
    return f"{middle} [{low}, {high}]"


def describe(pairs: Sequence[Row]) -> Iterator[str]:
    """Say how many pairs gain, and how well inconsistency ranks the gains."""
    gained = [row for row in pairs if float(row["gain_low"]) > 0]
    lost = [row for row in pairs if float(row["gain_high"]) < 0]
    sets = len({row["set"] for row in gained})
    yield (
        f"Of {len(pairs)} pairs of set and teacher CDL is above its teacher, its interval without 0, in {len(gained)} "
        f"from {sets} sets, and below it in {len(lost)}."
    )
    if len(pairs) > 3:
        gain, foretold, own = (
            np.array([float(row[name]) for row in pairs]) for name in ("gain", "inconsistency", "teacher")
        )
        yield (
            f"Spearman's correlation over pairs: of inconsistency and gain {correlate(foretold, gain)}; of the "
            f"teacher's own score and gain {correlate(own, gain)}."
        )


def describe_arms(gold: Sequence[Row]) -> Iterator[str]:
    """Say how often weak labels beside trusted fields are worth more than these alone."""
    for arm in ARMS:
        gains = [row for row in gold if row["arm"] == arm and row["gain"]]
        if gains:
            above = sum(float(row["gain_low"]) > 0 for row in gains)
            below = sum(float(row["gain_high"]) < 0 for row in gains)
            yield (
                f"Of {len(gains)} sets and numbers of trusted fields, {arm} is above these alone, its interval without "
                f"0, in {above}, and below them in {below}."
            )


def correlate(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """Write Spearman's correlation with its bootstrap interval over pairs."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(x), len(x)) for _ in range(2000)]
    found = [spearmanr(x[draw], y[draw]).statistic for draw in draws if len(set(draw.tolist())) > 2]
    low, high = np.nanquantile(found, [0.025, 0.975])
    return f"{spearmanr(x, y).statistic:.2f} [{low:.2f}, {high:.2f}]"


def order(runs: Sequence[Runs], sets: Sequence[str]) -> list[Runs]:
    """Sort runs by set, teachers before voters before gold, the larger gain first."""

    def place(one: Runs) -> tuple[int, int, int, int, float]:
        kind = {VOTERS: 1, "truth": 2}.get(one.labels, 0)
        return sets.index(one.set), kind, one.gold, ARMS.index(one.arm), -compare(one.teacher, one.student).estimate

    return sorted(runs, key=place)


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as a CSV file."""
    import csv
    import io

    from noisylabels.data.atomic import write_text

    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, stream.getvalue())
