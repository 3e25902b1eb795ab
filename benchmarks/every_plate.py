"""What does a network gain over a conventional pipeline whose labels of every plate it has learnt, in wells it has not?

    noisylabels amend SCREEN --fractions 0.67,0,0.33                  # wells of every plate train, others test
    python -m benchmarks.every_plate run SCREEN... [--labels consensus cip-3] [--steps 500] [--out every_plate.csv]
    python -m benchmarks.every_plate table every_plate.csv [--page docs/teachers.md]

A pipeline's labels cost nothing, so they can be had of every plate; `benchmarks.teachers` asks what a network gains on
plates that it has not seen. Each screen is a dataset folder with a truth, which is looked at only to score; no stop is
chosen. The gain is the network's mean IoU less that of the pipeline as published (`--published`), paired by well, with
a jackknife interval over the test wells. The table is written line by line: a second call goes on.
"""

import argparse
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.marks import add_table
from benchmarks.score_rows import Row, complete
from benchmarks.teachers import PUBLISHED, ends
from benchmarks.training_commands import start_commands
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.experiments.confusions import confuse, estimate_gain, mean_iou
from noisylabels.experiments.foresight import PROBE, train_student

COLUMNS = ("screen", "labels", "steps", "seed", "published", "teacher", "student", "gain", "gain_low", "gain_high")
BEGIN, END = "<!-- every plate: begin -->", "<!-- every plate: end -->"


def main() -> None:
    """Train, or tabulate."""
    parser, commands = start_commands(__doc__)
    run = commands.add_parser("run")
    run.add_argument("screens", nargs="+", type=Path)
    run.add_argument("--labels", nargs="+", default=["consensus", PUBLISHED])
    run.add_argument("--published", default=PUBLISHED, help="the label set to gain over")
    run.add_argument("--steps", type=int, default=500)
    run.add_argument("--seeds", nargs="*", type=int, default=[0])
    run.add_argument("--out", type=Path, default=Path("every_plate.csv"))
    run.set_defaults(call=run_all)
    add_table(commands, write_lines, BEGIN, END)
    options = parser.parse_args()
    options.call(options)


def run_all(options: argparse.Namespace) -> None:
    """Train on every label set of every screen that is not there yet."""
    folders = {folder.name: folder for folder in options.screens}
    keys = itertools.product(options.seeds, options.labels, folders)
    complete(
        options.out,
        COLUMNS,
        [(screen, labels, options.steps, seed) for seed, labels, screen in keys],
        lambda screen, labels, steps, seed: measure(
            open_dataset(folders[screen]), labels, options.published, steps=steps, seed=seed
        ),
    )


def measure(dataset: Dataset, labels: str, published: str, *, steps: int, seed: int) -> Sequence[float]:
    """Train on one label set: scores of the published pipeline, the labels and the network; the gain."""
    truth = partial(dataset.label_map, "truth")
    own = {
        name: confuse(dataset, truth, partial(dataset.label_map, name), split="test") for name in (published, labels)
    }
    with tempfile.TemporaryDirectory() as folder:
        student = train_student(dataset, labels, Path(folder), steps=steps, seed=seed, overrides=PROBE)
        predicted = confuse(dataset, truth, student.read, split="test")
    scores = [float(mean_iou(counts.sum(0))) for counts in (own[published], own[labels], predicted)]
    return [*scores, *ends(estimate_gain(dataset, own[published], predicted, split="test"))]


def write_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Write one line a run."""
    yield "| screen | learnt | steps | CIP as published | learnt labels | network | gain over published | relative |"
    yield f"|{8 * '---|'}"
    for row in sorted(rows, key=lambda row: [row[name] for name in COLUMNS[:4]]):
        published, teacher, student, gain, low, high = (float(row[name]) for name in COLUMNS[4:])
        yield (
            f"| {row['screen']} | {row['labels']} | {row['steps']} | {published:.3f} | {teacher:.3f} | {student:.3f} "
            f"| {gain:+.3f} [{low:.3f}, {high:.3f}] | {student / published - 1:+.0%} |"
        )


if __name__ == "__main__":
    main()
