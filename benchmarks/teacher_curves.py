"""One training looked at on its way: where rules that see no truth would stop, beside the peak that only it shows."""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.recipes import RECIPES
from benchmarks.score_rows import Row, append, read
from noisylabels.data.dataset import Dataset, open_dataset, write_dataset
from noisylabels.data.images import read_label_map
from noisylabels.data.labels import IGNORE_INDEX, LabelMap
from noisylabels.data.views import view_of
from noisylabels.experiments.confusions import mean_iou
from noisylabels.experiments.paper.presets import HALF_WIDTH
from noisylabels.experiments.stops import count_changes, stop_at_slope, stop_at_wave
from noisylabels.learning import launcher

COLUMNS = ("screen", "labels", "recipe", "seed", "steps", "fit", "changes", "truth")


def follow_all(options: argparse.Namespace) -> None:
    """Follow a training on each label set."""
    done = {tuple(row[name] for name in COLUMNS[:4]) for row in read(options.out)}
    dataset = open_dataset(options.screen)
    for labels in options.labels:
        if (options.screen.name, labels, options.recipe, str(options.seed)) not in done:
            for row in follow(dataset, labels, options):
                append(options.out, row, COLUMNS)


def follow(dataset: Dataset, labels: str, options: argparse.Namespace) -> list[Row]:
    """Look at one training on its way: its fit to the labels, changes of its predictions, its score on the truth."""
    training, test = (dataset.ids(split)[: options.fields] for split in ("training", "test"))
    per_epoch = -(-len(dataset.ids("training")) // 8)
    epochs = max(1, round(options.steps / per_epoch))
    looks = sorted({max(1, round(epochs * look / options.looks)) for look in range(1, options.looks + 1)})
    values = {**HALF_WIDTH, "patch_size": [options.crop, options.crop], **RECIPES[options.recipe]}
    values |= {"schedule_epochs": epochs, "seed": options.seed}
    taught = [dataset.label_map(labels, case_id, ignore_index=IGNORE_INDEX) for case_id in training]
    before = [np.zeros_like(one) for one in taught]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids = [*training, *test]
        view = view_of(dataset, folder / "fields", ids)
        cases = tuple(replace(case, split="test", group=case.id) for case in view.cases)
        write_dataset(replace(view, cases=cases), label_name=labels)
        for epoch in looks:
            plan = {**values, "dataset_dir": str(dataset.folder), "label_name": labels, "output_dir": str(folder / "m")}
            launcher.run(launcher.plan_training("cdl", (), {**plan, "num_epochs": epoch, "val_interval": epochs}))
            target = folder / f"labels-{epoch}"
            plan = {"dataset_dir": str(view.folder), "split": "test", "ckpt_path": str(folder / "m" / "last.pt")}
            launcher.run(launcher.plan_prediction("cdl", (), {**plan, "output_dir": str(target)}))
            now = [read_label_map(target / f"{case_id}.tif") for case_id in training]
            found = [read_label_map(target / f"{case_id}.tif") for case_id in test]
            truth = [dataset.label_map("truth", case_id) for case_id in test]
            numbers = (_agree(taught, now, dataset), count_changes(before, now, taught), _agree(truth, found, dataset))
            about = (dataset.folder.name, labels, options.recipe, str(options.seed), str(epoch * per_epoch))
            rows.append(dict(zip(COLUMNS, [*about, *(f"{value:.4f}" for value in numbers)], strict=True)))
            before = now
    return rows


def _agree(reference: Sequence[LabelMap], prediction: Sequence[LabelMap], dataset: Dataset) -> float:
    n = len(dataset.classes)
    one, other = (np.concatenate([each.ravel() for each in maps]).astype(np.int64) for maps in (reference, prediction))
    known = one != IGNORE_INDEX
    return float(mean_iou(np.bincount(one[known] * n + other[known], minlength=n * n).reshape(n, n)))


def write_curves(rows: Sequence[Row]) -> Iterator[str]:
    """Write where each rule stops, beside the peak that only the truth shows."""
    yield "| screen | labels | recipe | peak (steps) | end | Label Wave | slope of the fit |"
    yield f"|{7 * '---|'}"
    for key in dict.fromkeys(tuple(row[name] for name in COLUMNS[:4]) for row in rows):
        curve = [row for row in rows if tuple(row[name] for name in COLUMNS[:4]) == key]
        scores = [float(row["truth"]) for row in curve]
        stops = [
            int(np.argmax(scores)),
            len(scores) - 1,
            stop_at_wave([float(row["changes"]) for row in curve]),
            stop_at_slope([float(row["fit"]) for row in curve]),
        ]
        cells = [f"{scores[stop]:.3f} ({curve[stop]['steps']})" for stop in stops]
        yield f"| {' | '.join(key[:3])} | {' | '.join(cells)} |"
