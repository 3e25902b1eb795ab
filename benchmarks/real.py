"""Where a network beats its teacher on real images, and where it does not.

    python -m benchmarks.real teachers DATA_ROOT
    python -m benchmarks.real run DATA_ROOT --out docs/tables/real_runs.jsonl [--sets "u2os nuclei" ...] [--seeds 1 2]
    python -m benchmarks.real run DATA_ROOT --out docs/tables/real_arms.jsonl --arms fine-tuned corrector
    python -m benchmarks.real table docs/tables/real_*.jsonl --csv docs/tables/real.csv --page docs/real-data.md
    python -m benchmarks.real pictures DATA_ROOT --runs docs/tables/real_runs.jsonl --out docs/images

`benchmarks/real_sets.py` declares sets, splits and teachers. For every pair of set and teacher a student is trained
with the bundle's default recipe (half the width, crops of 64 pixels) for so many steps, its learning rate fallen to 0
at the last; another on the majority of the set's teachers, others on the truth of 1, 2, 4, 8 training fields (gold).
`--arms` adds what is made of gold and weak labels together (`benchmarks/real_arms.py`), at the same numbers of fields.
The truth of the validation and test fields is looked at only to score. Agreement of student and teacher is counted on
the validation groups, gain on the test groups. Every run is a line of the file: a second call goes on.
"""

import argparse
import json
import logging
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.marks import replace_between
from benchmarks.real_arms import (
    ARMS,
    CORRECTOR,
    FINE_TUNED,
    PLAIN,
    Reader,
    choose_labels,
    correct,
    fine_tune,
    read_from,
)
from benchmarks.real_pictures import draw, write_picture
from benchmarks.real_sets import SETS, VOTERS, RealSet, find_set, prepare
from benchmarks.real_table import collect, compare, order, tabulate, write_csv, write_page
from noisylabels.data.dataset import Dataset
from noisylabels.data.labels import LabelMap
from noisylabels.experiments.confusions import confuse, mean_iou
from noisylabels.experiments.foresight import train_student
from noisylabels.experiments.paper.presets import HALF_WIDTH

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
"""Between these lines of the page stands what `table --page` writes."""

GOLD = (1, 2, 4, 8)
RECIPE = {**HALF_WIDTH, "patch_size": [64, 64]}
"""The default recipe on half the width and a quarter of the crops' area, so that a training costs half a minute."""


class Run(NamedTuple):
    """One training: of a teacher's labels, of the voters', or of the truth of `gold` fields; `arm` adds weak labels."""

    set: str
    labels: str
    gold: int
    seed: int
    arm: str = PLAIN

    @classmethod
    def of(cls, row: Mapping[str, object]) -> "Run":
        """Read the run of a line; one without an arm is plain."""
        gold, seed = (int(str(row[name])) for name in ("gold", "seed"))
        return cls(str(row["set"]), str(row["labels"]), gold, seed, str(row.get("arm", PLAIN)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Score teachers, train students, tabulate, or draw."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, call in (("teachers", score_teachers), ("run", run_all)):
        command = commands.add_parser(name)
        command.add_argument("data", type=Path, help="folder of the image sets")
        command.add_argument("--work", type=Path, default=Path("runs/real"), help="dataset folders and trainings")
        command.add_argument("--sets", nargs="*", default=[one.name for one in SETS])
        command.set_defaults(call=call)
    command.add_argument("--out", type=Path, default=Path("real_runs.jsonl"))
    command.add_argument("--teachers", nargs="*", default=[], help="label sets; all of each set if not given")
    command.add_argument("--gold", nargs="*", type=int, default=GOLD)
    command.add_argument("--arms", nargs="*", choices=ARMS, default=[PLAIN])
    command.add_argument("--steps", type=int, default=100)
    command.add_argument("--seeds", nargs="*", type=int, default=[1])
    command.add_argument("--at-most", type=int, default=10_000, help="trainings in this call")
    table = commands.add_parser("table")
    table.add_argument("runs", type=Path, nargs="+")
    table.add_argument("--csv", type=Path)
    table.add_argument("--page", type=Path)
    table.set_defaults(call=write_tables)
    pictures = commands.add_parser("pictures")
    pictures.add_argument("data", type=Path, help="folder of the image sets")
    pictures.add_argument("--work", type=Path, default=Path("runs/real"))
    pictures.add_argument("--sets", nargs="*", default=[one.name for one in SETS])
    pictures.add_argument("--runs", type=Path, default=Path("real_runs.jsonl"))
    pictures.add_argument("--out", type=Path, default=Path())
    pictures.set_defaults(call=draw_all)
    options = parser.parse_args(arguments)
    options.call(options)


def score_teachers(options: argparse.Namespace) -> None:
    """Print IoU of objects, share missed by area and area ratio of every teacher on the test fields."""
    print("| set | labels | mean IoU | IoU of objects | pixels missed | area ratio |\n|---|---|---|---|---|---|")
    for one, dataset in _open(options):
        truth = partial(dataset.label_map, "truth")
        for name in (*(settings.name for settings in one.teachers), VOTERS):
            sums = confuse(dataset, truth, partial(dataset.label_map, name), split="test").sum(0)
            missed, ratio = sums[1, 0] / sums[1].sum(), sums[:, 1].sum() / sums[1].sum()
            iou = sums[1, 1] / (sums.sum() - sums[0, 0])
            print(
                f"| {one.name} | {name} | {mean_iou(sums):.3f} | {iou:.3f} | {missed:.2f} | {ratio:.2f} |", flush=True
            )


def run_all(options: argparse.Namespace) -> None:
    """Train what is not there yet: seed by seed, teachers before voters before gold."""
    import torch  # here, so that tables and pictures come at once

    torch.set_num_threads(1)
    done = {Run.of(row) for row in read_runs(options.out)}
    datasets = {one.name: (one, dataset) for one, dataset in _open(options)}
    waiting = [run for run in plan(list(datasets), options) if run not in done]
    for run in waiting[: options.at_most]:
        row = measure(datasets[run.set][1], run, steps=options.steps)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        with options.out.open("a") as file:
            file.write(json.dumps(row) + "\n")
        teacher, student = (mean_iou(np.sum(row[key], axis=0)) for key in ("teacher", "student"))
        print(f"{run}: labels {teacher:.3f}, student {student:.3f}, {row['seconds']} s", flush=True)
    print(f"{max(0, len(waiting) - options.at_most)} trainings are left", flush=True)


def plan(names: Sequence[str], options: argparse.Namespace) -> Iterator[Run]:
    """List the trainings in the order in which they are worth having, sets taking turns."""
    for seed in options.seeds:
        mixed = [arm for arm in options.arms if arm != PLAIN]
        if PLAIN in options.arms:
            yield from _plan_plain(names, options, seed)
        yield from (Run(name, "truth", gold, seed, arm) for gold in options.gold for arm in mixed for name in names)


def _plan_plain(names: Sequence[str], options: argparse.Namespace, seed: int) -> Iterator[Run]:
    places = range(max(len(find_set(name).teachers) for name in names))
    for place in places:
        for name in names:
            for settings in find_set(name).teachers[place : place + 1]:
                if not options.teachers or settings.name in options.teachers:
                    yield Run(name, settings.name, 0, seed)
    if not options.teachers or VOTERS in options.teachers:
        yield from (Run(name, VOTERS, 0, seed) for name in names)
    yield from (Run(name, "truth", gold, seed) for gold in options.gold for name in names)


def measure(dataset: Dataset, run: Run, *, steps: int) -> dict[str, object]:
    """Train one student; count it and its teacher against the truth, and against each other.

    Returns:
        The run, and (group, class, class) pixels: `teacher` and `student` against the truth of the test groups,
        `agreement` of the student with its teacher in the validation groups. The teacher of an arm is the label set
        `from` that its trusted fields chose.
    """
    began = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        weak, read = _train(dataset, run, Path(name), steps=steps)
        truth, own = partial(dataset.label_map, "truth"), partial(dataset.label_map, weak or run.labels)
        counts = {
            "teacher": _by_group(dataset, truth, own, split="test"),
            "student": _by_group(dataset, truth, read, split="test"),
            "agreement": _by_group(dataset, own, read, split="validation"),
        }
    seconds = round(time.process_time() - began)
    about = {"steps": steps, "fields": len(dataset.ids("test")), "groups": _groups(dataset, "test"), "seconds": seconds}
    return run._asdict() | {"from": weak} | about | {key: value.tolist() for key, value in counts.items()}


def _train(dataset: Dataset, run: Run, folder: Path, *, steps: int) -> tuple[str, Reader]:
    """Train a run; return the weak labels that trusted fields chose, if any, and what reads its label maps."""
    ids = dataset.ids("training")[: run.gold]
    overrides = RECIPE | ({"crops_per_field": max(1, 8 // run.gold)} if run.gold else {})
    weak = choose_labels(dataset, ids) if run.arm != PLAIN else ""
    if run.arm == CORRECTOR:
        return weak, correct(dataset, ids, weak, folder, steps=steps, seed=run.seed, overrides=overrides)
    if run.arm == FINE_TUNED:
        weights = fine_tune(
            dataset, ids, weak, folder, steps=steps, seed=run.seed, overrides=overrides, recipe=RECIPE
        )  # fmt: skip
        for split in ("validation", "test"):
            predict(dataset, weights, folder / "labels", split=split)
        return weak, read_from(folder / "labels")
    train_student(
        dataset, run.labels, folder, split="validation", steps=steps, seed=run.seed, training_ids=ids,
        overrides=overrides,
    )  # fmt: skip
    predict(dataset, folder / "model" / "last.pt", folder / "labels", split="test")
    if not run.gold:
        for case_id in dataset.ids("test"):
            path = predicted(dataset, run.labels) / f"{case_id}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / "labels" / path.name, path)
    return weak, read_from(folder / "labels")


def predicted(dataset: Dataset, labels: str) -> Path:
    """Tell where the test predictions of the last student of a label set are kept."""
    return dataset.folder / "predicted" / labels


def predict(dataset: Dataset, weights: Path, folder: Path, *, split: str) -> None:
    """Write the label maps of a network, as `noisylabels predict` does."""
    from noisylabels.learning import launcher

    plan = {"dataset_dir": str(dataset.folder), "split": split, "ckpt_path": str(weights), "output_dir": str(folder)}
    launcher.run(launcher.plan_prediction("cdl", (), plan))


def read_runs(path: Path) -> list[dict[str, object]]:
    """Read the runs there are."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def write_tables(options: argparse.Namespace) -> None:
    """Print the page's tables; write them and the CSV where asked."""
    known = [one.name for one in SETS]
    rows = tabulate(order(collect([run for path in options.runs for run in read_runs(path)]), known))
    text = "\n".join(write_page(rows))
    print(text)
    if options.page:
        replace_between(options.page, BEGIN, END, f"\n{text}\n")
    if options.csv:
        write_csv(rows, options.csv)


def draw_all(options: argparse.Namespace) -> None:
    """Draw one field of each set: image, teacher, CDL, truth; the pair with the largest gain, its median field."""
    runs = [one for one in collect(read_runs(options.runs)) if one.labels not in (VOTERS, "truth")]
    for one, dataset in _open(options):
        mine = [run for run in runs if run.set == one.name and predicted(dataset, run.labels).is_dir()]
        if not mine:
            print(f"{one.name}: no predictions are kept; run it first")
            continue
        labels = max(mine, key=lambda run: compare(run.teacher, run.student).estimate).labels
        field, picture = draw(dataset, labels, predicted(dataset, labels))
        path = options.out / f"real_{one.name.replace(' ', '_')}.png"
        write_picture(path, picture)
        print(f"{path}: {field}, teacher {labels}")


def _open(options: argparse.Namespace) -> Iterator[tuple[RealSet, Dataset]]:
    for name in options.sets:
        one = find_set(name)
        yield one, prepare(one, options.data, options.work / name.replace(" ", "_"))


def _groups(dataset: Dataset, split: str) -> list[str]:
    return sorted({dataset.case(case_id).group for case_id in dataset.ids(split)})


def _by_group(
    dataset: Dataset, reference: Callable[[str], LabelMap], prediction: Callable[[str], LabelMap], *, split: str
) -> NDArray[np.int64]:
    counts = confuse(dataset, reference, prediction, split=split)
    groups = np.array([dataset.case(case_id).group for case_id in dataset.ids(split)])
    return np.stack([counts[groups == group].sum(0) for group in _groups(dataset, split)])


if __name__ == "__main__":
    main()
