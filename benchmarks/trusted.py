"""Do trusted fields beside weak labels beat trusted fields alone, on plates that neither has seen?

    python -m benchmarks.trusted run SCREEN... --labels consensus [--gold 1 2 4 8] [--seeds 0 1] [--out trusted.csv]
    python -m benchmarks.trusted table trusted.csv [--page docs/teachers.md]

Each screen is a dataset folder with a truth, cut into quarters, its plates split. The trusted fields are the first of
one training plate, with their truth. *Gold only* learns from them alone; *fine-tuned* learns the weak labels of all
training fields for half of the steps and then the trusted fields for the other half (`noisylabels train --init`), so
both take as many steps. No stop is chosen. The gain is the difference of mean IoU on the test plates, with a jackknife
interval over wells. The table is written line by line: a second call goes on.
"""

import argparse
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.marks import add_table
from benchmarks.real import predict
from benchmarks.real_arms import fine_tune, read_from
from benchmarks.score_rows import Row, complete
from benchmarks.teachers import ends
from benchmarks.training_commands import start_commands
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.experiments.confusions import Confusions, confuse, estimate_gain, mean_iou
from noisylabels.experiments.foresight import PROBE, train_student

COLUMNS = ("screen", "labels", "gold", "steps", "seed", "gold_only", "fine_tuned", "gain", "gain_low", "gain_high")
BEGIN, END = "<!-- trusted: begin -->", "<!-- trusted: end -->"


def main() -> None:
    """Train, or tabulate."""
    parser, commands = start_commands(__doc__)
    run = commands.add_parser("run")
    run.add_argument("screens", nargs="+", type=Path)
    run.add_argument("--labels", default="consensus")
    run.add_argument("--gold", nargs="*", type=int, default=[1, 2, 4, 8])
    run.add_argument("--steps", type=int, default=250, help="of either way, in all")
    run.add_argument("--seeds", nargs="*", type=int, default=[0])
    run.add_argument("--out", type=Path, default=Path("trusted.csv"))
    run.set_defaults(call=run_all)
    add_table(commands, write_lines, BEGIN, END)
    options = parser.parse_args()
    options.call(options)


def run_all(options: argparse.Namespace) -> None:
    """Train both ways for every screen, number of trusted fields and seed that is not there yet."""
    folders = {folder.name: folder for folder in options.screens}
    keys = itertools.product(options.seeds, options.gold, folders)
    complete(
        options.out,
        COLUMNS,
        [(screen, options.labels, gold, options.steps, seed) for seed, gold, screen in keys],
        lambda screen, labels, gold, steps, seed: measure(
            open_dataset(folders[screen]), labels, gold, steps=steps, seed=seed
        ),
    )


def measure(dataset: Dataset, labels: str, gold: int, *, steps: int, seed: int) -> Sequence[float]:
    """Train both ways; score them, and their difference with its interval."""
    alone, both = train_both(dataset, labels, gold, steps=steps, seed=seed)
    scores = [float(mean_iou(counts.sum(0))) for counts in (alone, both)]
    return [*scores, *ends(estimate_gain(dataset, alone, both, split="test"))]


def train_both(dataset: Dataset, labels: str, gold: int, *, steps: int, seed: int) -> tuple[Confusions, Confusions]:
    """Count the pixels of the test fields by truth and prediction: of gold only, and of the fine-tuned network."""
    training = dataset.ids("training")
    ids = [case_id for case_id in training if case_id.split("_")[0] == training[0].split("_")[0]][:gold]
    overrides = dict(PROBE) | {"crops_per_field": max(1, 8 // gold)}
    truth = partial(dataset.label_map, "truth")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learner = train_student(
            dataset, "truth", folder / "alone", steps=steps, seed=seed, training_ids=ids, overrides=overrides
        )
        alone = confuse(dataset, truth, learner.read, split="test")
        weights = fine_tune(
            dataset, ids, labels, folder / "both", steps=steps // 2, seed=seed, overrides=overrides, recipe=PROBE
        )
        predict(dataset, weights, folder / "labels", split="test")
        return alone, confuse(dataset, truth, read_from(folder / "labels"), split="test")


def write_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Write one line a screen and number of trusted fields: the mean over seeds, and each seed's gain."""
    yield "| screen | trusted quarters | gold only | fine-tuned | gain of each seed |"
    yield f"|{5 * '---|'}"
    for screen, gold in sorted({(row["screen"], int(row["gold"])) for row in rows}):
        runs = [row for row in rows if (row["screen"], row["gold"]) == (screen, str(gold))]
        alone, both = (sum(float(row[name]) for row in runs) / len(runs) for name in ("gold_only", "fine_tuned"))
        gains = ", ".join(f"{float(row['gain']):+.3f} [{row['gain_low']}, {row['gain_high']}]" for row in runs)
        yield f"| {screen} | {gold} | {alone:.3f} | {both:.3f} | {gains} |"


if __name__ == "__main__":
    main()
