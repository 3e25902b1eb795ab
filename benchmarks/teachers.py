"""Does the held-out agreement of a student with its own teacher foresee its gain, and does it choose the teacher?

    python -m benchmarks.teachers run SCREEN... [--labels cip-1 ...] [--gold 1 2 4 8] [--out teachers.csv]
    python -m benchmarks.teachers table teachers.csv [--page FILE]

Each screen is a dataset folder with a truth, which is looked at only to score. For every label set a student is
trained for so many steps, its learning rate fallen to 0 at the last: no stop is chosen. `--gold` trains on the truth of
the first fields of one training plate (or of all, where there is one plate) for as many steps. The table is written
line by line: a second call goes on.
"""

import argparse
import csv
import logging
import tempfile
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from evaluation.statistics.intervals import Interval, jackknife_interval, leave_clusters_out
from noisylabels.data.atomic import write_text
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.images import read_label_map
from noisylabels.experiments.foresight import Confusions, confuse, estimate_score, mean_iou, train_student
from noisylabels.experiments.paper.presets import HALF_WIDTH

COLUMNS = (
    *("screen", "kind", "labels", "gold", "steps", "seed", "teacher", "student", "student_low", "student_high"),
    *("gain", "gain_low", "gain_high", "agreement", "agreement_low", "agreement_high"),
)
Row = dict[str, str]


def main() -> None:
    """Train, or tabulate."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("screens", nargs="+", type=Path)
    run.add_argument("--kind", choices=["simulated", "real"], default="simulated")
    run.add_argument("--labels", nargs="*", default=[])
    run.add_argument("--gold", nargs="*", type=int, default=[])
    run.add_argument("--steps", type=int, default=100)
    run.add_argument("--crop", type=int, default=128, help="64: the student of foresee")
    run.add_argument("--seed", type=int, default=0)
    run.add_argument("--out", type=Path, default=Path("teachers.csv"))
    run.set_defaults(call=run_all)
    table = commands.add_parser("table")
    table.add_argument("rows", type=Path)
    table.add_argument("--page", type=Path)
    table.set_defaults(call=tabulate)
    options = parser.parse_args()
    options.call(options)


def run_all(options: argparse.Namespace) -> None:
    """Train a student of every label set of every screen, and of some fields' truth."""
    done = {(row["screen"], row["labels"], row["gold"], row["seed"]) for row in read(options.out)}
    for folder in options.screens:
        dataset = open_dataset(folder)
        for labels, gold in [(name, 0) for name in options.labels] + [("truth", n) for n in options.gold]:
            if (folder.name, labels, str(gold), str(options.seed)) not in done:
                row = measure(dataset, labels, gold, options)
                append(options.out, row)
                print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)


def measure(dataset: Dataset, labels: str, gold: int, options: argparse.Namespace) -> Row:
    """Train one student and hold it against its teacher and the truth."""
    training = dataset.ids("training")
    plate = training[0].split("_")[0]
    trusted = [case_id for case_id in training if case_id.split("_")[0] == plate][:gold] if gold else []
    overrides = {**HALF_WIDTH, "patch_size": [options.crop, options.crop]}
    if len(dataset.channel_names) != 2:
        overrides |= {"n_channels": len(dataset.channel_names), "class_names": list(dataset.classes)}
    with tempfile.TemporaryDirectory() as folder:
        student = train_student(
            dataset,
            labels,
            Path(folder),
            steps=options.steps,
            seed=options.seed,
            training_ids=trusted,
            overrides=overrides,
        )
        truth = partial(dataset.label_map, "truth")
        own = confuse(dataset, truth, partial(dataset.label_map, labels), split="test")
        predicted = confuse(
            dataset, truth, lambda case_id: read_label_map(student.folder / f"{case_id}.tif"), split="test"
        )
    score, gain = estimate_score(dataset, predicted, split="test"), estimate_gain(dataset, own, predicted)
    values = [float(mean_iou(own.sum(0))), *ends(score), *ends(gain), *ends(student.agreement)]
    about = [dataset.folder.name, options.kind, labels, str(gold), str(options.steps), str(options.seed)]
    return dict(zip(COLUMNS, [*about, *(f"{value:.4f}" for value in values)], strict=True))


def estimate_gain(dataset: Dataset, own: Confusions, predicted: Confusions) -> Interval:
    """Give the student's score less its teacher's with a jackknife interval over wells."""
    groups = [dataset.case(case_id).group for case_id in dataset.ids("test")]
    both = np.stack([own, predicted], axis=1)

    def score(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(mean_iou(sums[:, 1]) - mean_iou(sums[:, 0]))

    without, _ = leave_clusters_out(both, score, clusters=groups)
    return jackknife_interval(without, estimate=float(score(both.sum(0)[None].astype(float))[0]))


def ends(interval: Interval) -> Sequence[float]:
    """Give estimate, low and high."""
    return interval.estimate, interval.low, interval.high


def read(path: Path) -> list[Row]:
    """Read the rows there are."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append(path: Path, row: Row) -> None:
    """Write one more row."""
    new = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerow(row)


def tabulate(options: argparse.Namespace) -> None:
    """Print every pair, and the rank correlations with their intervals over pairs."""
    rows = read(options.rows)
    lines = ["| data | labels | labels against truth | student | gain | held-out agreement |", f"|{6 * '---|'}"]
    for row in rows:
        gold = f", {row['gold']} quarters of one plate" if row["gold"] != "0" else ""
        gain = "" if row["labels"] == "truth" else f"{row['gain']} [{row['gain_low']}, {row['gain_high']}]"
        lines.append(
            f"| {row['screen']} ({row['kind']}) | {row['labels']}{gold} | {row['teacher']} | {row['student']} "
            f"[{row['student_low']}, {row['student_high']}] | {gain} | {row['agreement']} |"
        )
    for kind in ("simulated", "real", "all"):
        chosen = [row for row in rows if row["labels"] != "truth" and kind in ("all", row["kind"])]
        if len(chosen) > 3:
            lines += ["", describe_ranks(kind, chosen)]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.page:
        write_text(options.page, text)


def describe_ranks(kind: str, rows: Sequence[Row]) -> str:
    """Say how inconsistency ranks gains, and agreement teachers; bootstrap over pairs, seed 0."""
    columns = {name: np.array([float(row[name]) for row in rows]) for name in ("agreement", "gain", "teacher")}
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(rows), len(rows)) for _ in range(2000)]

    def rank(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
        found = [spearmanr(x[draw], y[draw]).statistic for draw in draws if len(set(draw.tolist())) > 2]
        low, high = np.nanquantile(found, [0.025, 0.975])
        return f"{spearmanr(x, y).statistic:.2f} [{low:.2f}, {high:.2f}]"

    foreseen, chosen = rank(1 - columns["agreement"], columns["gain"]), rank(columns["agreement"], columns["teacher"])
    return (
        f"{kind}, {len(rows)} pairs: Spearman of inconsistency and gain {foreseen}; of agreement and the teacher's own "
        f"score {chosen}."
    )


if __name__ == "__main__":
    main()
