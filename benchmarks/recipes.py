"""Which recipe of training comes to which score in how much time of a processor, trained on a CIP's labels.

    noisylabels simulate whole --fields 36 --seed 21 --fractions 0.7,0.05,0.25
    noisylabels cip whole && noisylabels quarters whole screen
    python -m benchmarks.recipes screen [--recipes ...] [--steps 60 120] [--seeds 0 1 2] [--label_name cip]
    python -m benchmarks.recipes screen --recipes robust_coteaching robust_nrdice sgd   # presets of the bundle

Every line is a training of its own, whose learning rate has fallen to 0 at its last step, by the bundle and nothing
but overrides of its config. Printed: mean IoU of the classes on the test fields against the truth (the CIP's own
first), the least of any event class (0 = a class was left behind), spurious pixels per true one of the event classes,
and seconds of one busy core. The table goes to --out as CSV line by line: a second call goes on.
"""

import argparse
import csv
import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.images import read_label_map
from noisylabels.learning import launcher

SGD = {
    "patch_size": [-1, -1],
    "batch_size": 4,
    "learning_rate": 0.03,
    "optimizer": {
        "_target_": "torch.optim.SGD",
        "params": "$@network.parameters()",
        "lr": "@learning_rate",
        "momentum": 0.9,
        "weight_decay": 0.001,
    },
    # 0.8 after each fifth of the training, as the paper's 3 of 15 epochs
    "lr_scheduler": {
        "_target_": "torch.optim.lr_scheduler.StepLR",
        "optimizer": "@optimizer",
        "step_size": "$max(1, @n_steps // 5)",
        "gamma": 0.8,
    },
}
GDL = {
    "loss": {
        "_target_": "GeneralizedDiceLoss",
        "softmax": True,
        "to_onehot_y": True,
        "w_type": "square",
        "smooth_nr": 0.0,
        "smooth_dr": 1.0e-12,
    }
}
RECIPES: Mapping[str, Mapping[str, Any]] = {
    "whole fields, SGD, GDL": {**SGD, **GDL},
    "crops, AdamW, GDL": GDL,
    "crops, AdamW, Dice + CE": {},  # the bundles' own
}


def main() -> None:
    """Train, and print."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--bundle", default="cdl")
    parser.add_argument("--label_name", default="cip")
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), help=f"{', '.join(RECIPES)}, or presets.")
    parser.add_argument("--steps", nargs="+", type=int, default=[60, 120])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("recipes.csv"))
    options = parser.parse_args()
    dataset = open_dataset(options.dataset)
    score = score_labels(dataset, lambda case_id: dataset.label_map(options.label_name, case_id))
    print(f"{options.label_name} itself: {describe(score)}", flush=True)
    done = _read(options.out)
    for steps in options.steps:
        for recipe in options.recipes:
            for seed in options.seeds:
                key = (options.bundle, options.label_name, recipe, str(steps), str(seed))
                if key not in done:
                    score, seconds = train(dataset, options, recipe=recipe, steps=steps, seed=seed)
                    _append(options.out, [*key, *score.values(), seconds])
                    print(f"{', '.join(key)}: {describe(score)}, {seconds:.0f} s", flush=True)


def train(
    dataset: Dataset, options: argparse.Namespace, *, recipe: str, steps: int, seed: int
) -> tuple[dict[str, float], float]:
    """Train a bundle for so many steps, as whole epochs, and score its last weights; processor seconds of training."""
    overrides, presets = dict(RECIPES.get(recipe, {})), () if recipe in RECIPES else (recipe,)
    per_epoch = -(-len(dataset.ids("training")) // int(overrides.get("batch_size", 8)))
    epochs = max(1, round(steps / per_epoch))
    with tempfile.TemporaryDirectory() as folder:
        overrides |= {"dataset_dir": str(dataset.folder), "label_name": options.label_name, "output_dir": folder}
        overrides |= {"num_epochs": epochs, "val_interval": epochs, "seed": seed}
        start = time.process_time()
        launcher.run(launcher.plan_training(options.bundle, presets, overrides))
        seconds = time.process_time() - start
        values = {"dataset_dir": str(dataset.folder), "split": "test", "ckpt_path": f"{folder}/last.pt"}
        launcher.run(launcher.plan_prediction(options.bundle, (), {**values, "output_dir": f"{folder}/labels"}))
        labels = Path(folder) / "labels"
        return score_labels(dataset, lambda case_id: read_label_map(labels / f"{case_id}.tif")), seconds


def score_labels(dataset: Dataset, read: Callable[[str], NDArray[np.uint8]]) -> dict[str, float]:
    """Hold label maps of the test fields against the truth, all pixels pooled."""
    n = len(dataset.classes)
    confusion = np.zeros((n, n), np.int64)
    for case_id in dataset.ids("test"):
        truth = dataset.label_map("truth", case_id).astype(np.int64)
        confusion += np.bincount((truth * n + read(case_id)).ravel(), minlength=n * n).reshape(n, n)
    hits = np.diagonal(confusion)
    ious = hits / (confusion.sum(0) + confusion.sum(1) - hits)
    spurious = confusion[0, 1:].sum() / confusion[1:].sum()
    return {"mean_iou": float(ious.mean()), "least_iou": float(ious[1:].min()), "spurious": float(spurious)}


def describe(score: Mapping[str, float]) -> str:
    """Write a score in one line."""
    return f"mean IoU {score['mean_iou']:.3f}, least {score['least_iou']:.3f}, spurious {score['spurious']:.2f}"


def _read(path: Path) -> set[tuple[str, ...]]:
    if not path.is_file():
        return set()
    with path.open(newline="") as file:
        return {tuple(row[:5]) for row in csv.reader(file)}


def _append(path: Path, row: list[Any]) -> None:
    with path.open("a", newline="") as file:
        csv.writer(file).writerow(row)


if __name__ == "__main__":
    main()
