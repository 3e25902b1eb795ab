"""Do a student's held-out agreement with its own teacher, or a referee, foresee its gain? Do they choose the teacher?

    python -m benchmarks.teachers run SCREEN... [--labels cip-1 ...] [--gold 1 2 4 8] [--crop 64] [--out teachers.csv]
    python -m benchmarks.teachers run SCREEN... --labels cip-1 consensus --referee consensus --crop 64 --out probes.csv
    python -m benchmarks.teachers curve SCREEN --labels cip-3 [--out curves.csv]
    python -m benchmarks.teachers pairs probes.csv --out noisylabels/experiments/pairs.csv
    python -m benchmarks.teachers table teachers.csv [--pairs pairs.csv] [--curves curves.csv] [--page docs/teachers.md]

Each screen is a dataset folder with a truth, which is looked at only to score. For every label set a student is
trained for so many steps, its learning rate fallen to 0 at the last: no stop is chosen. `--gold` trains on the truth of
the first fields of one training plate (or of all, where there is one plate) for as many steps. `curve` looks at a
training several times on its way, and asks rules that see no truth where they would have stopped. Tables are written
line by line: a second call goes on. `--referee` names labels that vote: the gain is also judged by their student in
place of the truth (`noisylabels.experiments.foresight.judge`). `--crop 64` is the student of `noisylabels foresee`,
128 the recipe's crop.
"""

import argparse
import textwrap
from collections.abc import Iterator, Sequence
from functools import partial
from math import nan
from pathlib import Path

from benchmarks.marks import publish
from benchmarks.recipes import RECIPES
from benchmarks.score_rows import Row, complete, read
from benchmarks.teacher_curves import follow_all, write_curves
from benchmarks.teacher_pairs import collect_pairs, read_all, write_left_out, write_ranks
from benchmarks.training_commands import start_commands
from evaluation.statistics.intervals import Interval
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.experiments.confusions import confuse, estimate_gain, estimate_score, mean_iou
from noisylabels.experiments.foresight import PROBE, Student, judge, train_student
from noisylabels.experiments.pairs import read_pairs

COLUMNS = (
    *("screen", "kind", "labels", "gold", "steps", "seed", "teacher", "student", "student_low", "student_high"),
    *("gain", "gain_low", "gain_high", "agreement", "agreement_low", "agreement_high"),
    "refereed",
)
PUBLISHED = "cip-3"
"""The member of seven threshold scales from 0.5 to 4 that is the CIP as published: scale 1."""

VOTES = ("consensus", "voters")

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def main() -> None:
    """Train, or tabulate."""
    parser, commands = start_commands(__doc__)
    run = commands.add_parser("run")
    run.add_argument("screens", nargs="+", type=Path)
    run.add_argument("--kind", choices=["simulated", "real"], default="simulated")
    run.add_argument("--labels", nargs="*", default=[])
    run.add_argument("--gold", nargs="*", type=int, default=[])
    run.add_argument("--steps", type=int, default=100)
    run.add_argument("--crop", type=int, default=128, help="64: the student of foresee")
    run.add_argument("--seed", type=int, default=0)
    run.add_argument("--referee", help="a label set that votes, whose student stands in for the truth")
    run.add_argument("--work", type=Path, default=Path("students"), help="folder of the trainings")
    run.add_argument("--out", type=Path, default=Path("teachers.csv"))
    run.set_defaults(call=run_all)
    curve = commands.add_parser("curve")
    curve.add_argument("screen", type=Path)
    curve.add_argument("--labels", nargs="+", default=["cip-3"])
    curve.add_argument("--recipe", choices=RECIPES, default="crops, AdamW, Dice + CE, rate 0.01")
    curve.add_argument("--looks", type=int, default=10)
    curve.add_argument("--fields", type=int, default=24, help="Training and test fields that are looked at.")
    curve.add_argument("--steps", type=int, default=100)
    curve.add_argument("--crop", type=int, default=64)
    curve.add_argument("--seed", type=int, default=0)
    curve.add_argument("--out", type=Path, default=Path("curves.csv"))
    curve.set_defaults(call=follow_all)
    pairs = commands.add_parser("pairs")
    pairs.add_argument("rows", nargs="+", type=Path)
    pairs.add_argument("--out", type=Path, required=True)
    pairs.set_defaults(call=collect_pairs)
    table = commands.add_parser("table")
    table.add_argument("rows", nargs="+", type=Path)
    table.add_argument("--family", type=Path, help="runs on all label sets of each screen, of one crop")
    table.add_argument("--pairs", type=Path)
    table.add_argument("--curves", type=Path)
    table.add_argument("--page", type=Path)
    table.set_defaults(call=tabulate)
    options = parser.parse_args()
    options.call(options)


def run_all(options: argparse.Namespace) -> None:
    """Train a student of every label set of every screen, and of some fields' truth."""
    folders = {folder.name: folder for folder in options.screens}
    learnt = [(name, 0) for name in options.labels] + [("truth", n) for n in options.gold]
    complete(
        options.out,
        COLUMNS,
        [(screen, options.kind, *one, options.steps, options.seed) for screen in folders for one in learnt],
        lambda screen, _, labels, gold, *__: measure(open_dataset(folders[screen]), labels, gold, options),
    )


def measure(dataset: Dataset, labels: str, gold: int, options: argparse.Namespace) -> Sequence[float]:
    """Train one student and compare it with its teacher, the truth and the referee."""
    student = train(dataset, labels, gold, options)
    truth, read = partial(dataset.label_map, "truth"), student.read
    own = confuse(dataset, truth, partial(dataset.label_map, labels), split="test")
    predicted = confuse(dataset, truth, read, split="test")
    score, gain = estimate_score(dataset, predicted, split="test"), estimate_gain(dataset, own, predicted, split="test")
    refereed = nan
    if options.referee not in (None, labels) and not gold:
        refereed = judge(dataset, student, train(dataset, options.referee, 0, options), split="test").estimate
    return [float(mean_iou(own.sum(0))), *ends(score), *ends(gain), *ends(student.agreement), refereed]


def train(dataset: Dataset, labels: str, gold: int, options: argparse.Namespace) -> Student:
    """Train a student, of the truth of a plate's first fields if gold; one that is in the folder is taken as it is."""
    training = dataset.ids("training")
    plate = training[0].split("_")[0]
    trusted = [case_id for case_id in training if case_id.split("_")[0] == plate][:gold] if gold else []
    name = f"{labels}-{gold}-{options.steps}-{options.crop}-{options.seed}"
    return train_student(
        dataset,
        labels,
        options.work / dataset.folder.name / name,
        steps=options.steps,
        seed=options.seed,
        training_ids=trusted,
        overrides={**PROBE, "patch_size": [options.crop, options.crop]},
    )


def ends(interval: Interval) -> Sequence[float]:
    """Give estimate, low and high."""
    return interval.estimate, interval.low, interval.high


def tabulate(options: argparse.Namespace) -> None:
    """Print every run, what choosing by agreement would choose of a family, the curves, and the rank correlations."""
    rows = read_all(options.rows)
    lines = list(write_runs(rows))
    for screen in sorted({row["screen"] for row in rows}):
        lines += ["", *describe_screen(screen, [row for row in rows if row["screen"] == screen])]
    if options.family:
        lines += ["", *write_families(read(options.family))]
    if options.curves:
        lines += ["", *write_curves(read(options.curves))]
    if options.pairs:
        pairs = read_pairs(options.pairs)
        lines += ["", *write_ranks(pairs), "", *write_left_out(pairs)]
    text = "\n".join(lines)
    publish(text, options.page, BEGIN, END)


def write_runs(rows: Sequence[Row]) -> Iterator[str]:
    """Write one line a run."""
    yield "| screen | labels | steps | labels against truth | student | gain | held-out agreement |"
    yield f"|{7 * '---|'}"
    for row in rows:
        gold = f", {row['gold']} quarters of one plate" if row["gold"] != "0" else ""
        own = "" if row["labels"] == "truth" else row["teacher"]
        gain = "" if row["labels"] == "truth" else f"{row['gain']} [{row['gain_low']}, {row['gain_high']}]"
        agreement = "" if row["labels"] == "truth" else row["agreement"]
        yield (
            f"| {row['screen']} | {row['labels']}{gold} | {row['steps']} | {own} | {row['student']} "
            f"[{row['student_low']}, {row['student_high']}] | {gain} | {agreement} |"
        )


def describe_screen(screen: str, rows: Sequence[Row]) -> Iterator[str]:
    """Say what a student gains over the published pipeline."""
    base = next((float(row["teacher"]) for row in rows if row["labels"] == PUBLISHED), None)
    if base is None:
        return
    said = [
        f"the student of {row['labels']} is {float(row['student']) / base - 1:+.0%} after {row['steps']} steps"
        for row in rows
        if row["labels"] in (PUBLISHED, "consensus")
    ]
    line = f"- {screen}: relative to the CIP as published ({base:.3f}), {', '.join(said)}."
    yield textwrap.fill(line, 118, subsequent_indent="  ")


def write_families(rows: Sequence[Row]) -> Iterator[str]:
    """Write which label set agreement chooses on each screen, beside what the truth says; votes are none to choose."""
    yield "| screen | label sets | agreement chooses | published | best | worst |"
    yield f"|{6 * '---|'}"
    for screen in dict.fromkeys(row["screen"] for row in rows):
        family = [row for row in rows if row["screen"] == screen and row["labels"] not in (*VOTES, "truth")]
        chosen = max(family, key=lambda row: float(row["agreement"]))
        ranked = sorted(family, key=lambda row: float(row["teacher"]))
        published = next((row for row in family if row["labels"] == PUBLISHED), None)
        shown = (chosen, published, ranked[-1], ranked[0])
        cells = [f"{row['labels']} {float(row['teacher']):.3f}" if row else "" for row in shown]
        yield f"| {screen} | {len(family)} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
