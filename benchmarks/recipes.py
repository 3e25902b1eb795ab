"""Which recipe of training comes to which score in how much time of a processor.

    noisylabels simulate whole --fields 36 --seed 21 --fractions 0.7,0.05,0.25
    noisylabels cip whole && noisylabels quarters whole screen
    python -m benchmarks.recipes run screen [--recipes ...] [--steps 60 120] [--seeds 0 1 2] [--label_name cip]
    python -m benchmarks.recipes run screen --recipes robust_coteaching robust_nrdice sgd   # presets of the bundle
    python -m benchmarks.recipes run screen --bundle mdl --label_name truth --fields 16     # few corrected fields
    python -m benchmarks.recipes run nuclei --label_name otsu --crop 64                     # smaller crops
    python -m benchmarks.recipes table recipes.csv [--page docs/teachers.md]

Every line is a training of its own, whose learning rate has fallen to 0 at its last step, by the bundle and nothing
but overrides of its config. Printed: mean IoU of the classes on the test fields against the truth (the label set's own
first), the least of any event class (0 = a class was left behind), spurious pixels per true one of the event classes,
and seconds of one busy core. The rows go to --out as CSV line by line: a second call goes on. In the table a run has
*collapsed* if an event class is left behind (IoU below .1) or more than five spurious pixels come to a true one.
"""

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.marks import add_table
from benchmarks.score_rows import complete
from benchmarks.training_commands import start_commands
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.images import read_label_map
from noisylabels.data.views import write_view
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
SLOW = {"learning_rate": 0.003, "warm_up": 0.05}  # of CDL by default
FAST = {"learning_rate": 0.01, "warm_up": 0.2}  # of MDL by default
RECIPES: Mapping[str, Mapping[str, Any]] = {
    "whole fields, SGD, GDL": {**SGD, **GDL},
    "crops, AdamW, GDL, rate 0.003": {**GDL, **SLOW},
    "crops, AdamW, Dice + CE, rate 0.003": SLOW,
    "crops, AdamW, GDL, rate 0.01": {**GDL, **FAST},
    "crops, AdamW, Dice + CE, rate 0.01": FAST,
}


COLUMNS = ("screen", "bundle", "labels", "recipe", "steps", "seed", "mean_iou", "least_iou", "spurious", "seconds")
LEFT_BEHIND, FLOODED = 0.1, 5.0
"""A run has collapsed below this IoU of an event class, or above so many spurious pixels per true one."""
BEGIN, END = "<!-- recipes: begin -->", "<!-- recipes: end -->"


def main() -> None:
    """Train, or tabulate."""
    parser, commands = start_commands(__doc__)
    run = commands.add_parser("run")
    run.add_argument("dataset", type=Path)
    run.add_argument("--bundle", default="cdl")
    run.add_argument("--label_name", default="cip")
    run.add_argument("--fields", type=int, help="train on the first so many; all if not given")
    run.add_argument("--crop", type=int, help="rows and columns of a crop in pixels; as the recipe says if not given")
    run.add_argument("--recipes", nargs="+", default=list(RECIPES), help=f"{', '.join(RECIPES)}, or presets.")
    run.add_argument("--steps", nargs="+", type=int, default=[60, 120])
    run.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    run.add_argument("--out", type=Path, default=Path("recipes.csv"))
    run.set_defaults(call=run_all)
    add_table(commands, write_lines, BEGIN, END)
    options = parser.parse_args()
    options.call(options)


def run_all(options: argparse.Namespace) -> None:
    """Train every recipe, length and seed that is not there yet."""
    dataset = open_dataset(options.dataset)
    score = score_labels(dataset, lambda case_id: dataset.label_map(options.label_name, case_id))
    print(f"{options.label_name} itself: {describe(score)}", flush=True)
    labels = options.label_name + (f" of {options.fields}" if options.fields else "")
    keys = itertools.product(options.steps, options.recipes, options.seeds)
    complete(
        options.out,
        COLUMNS,
        [(dataset.folder.name, options.bundle, labels, recipe, steps, seed) for steps, recipe, seed in keys],
        lambda _, __, ___, recipe, steps, seed: train(dataset, options, recipe=recipe, steps=steps, seed=seed),
    )


def train(dataset: Dataset, options: argparse.Namespace, *, recipe: str, steps: int, seed: int) -> Sequence[float]:
    """Train a bundle for so many steps, as whole epochs: scores of its last weights, processor seconds of training."""
    overrides, presets = dict(RECIPES.get(recipe, {})), () if recipe in RECIPES else (recipe,)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = narrow(dataset, folder / "fields", options.label_name, options.fields)
        per_epoch = -(-len(source.ids("training")) // int(overrides.get("batch_size", 8)))
        epochs = max(1, round(steps / per_epoch))
        overrides |= {"dataset_dir": str(source.folder), "label_name": options.label_name, "output_dir": name}
        overrides |= {"n_channels": len(dataset.channel_names), "class_names": list(dataset.classes)}
        if options.crop and "patch_size" not in overrides:
            overrides["patch_size"] = [options.crop, options.crop]
        overrides |= {"num_epochs": epochs, "val_interval": epochs, "seed": seed}
        start = time.process_time()
        launcher.run(launcher.plan_training(options.bundle, presets, overrides))
        seconds = time.process_time() - start
        values = {"dataset_dir": str(dataset.folder), "split": "test", "ckpt_path": f"{name}/last.pt"}
        launcher.run(launcher.plan_prediction(options.bundle, (), {**values, "output_dir": f"{name}/labels"}))
        score = score_labels(dataset, lambda case_id: read_label_map(folder / "labels" / f"{case_id}.tif"))
        return [*score.values(), seconds]


def narrow(dataset: Dataset, folder: Path, label_name: str, fields: int | None) -> Dataset:
    """Keep the first so many training fields, and the validation fields; all when None."""
    if fields is None:
        return dataset
    ids = {*dataset.ids("training")[:fields], *dataset.ids("validation")}
    return open_dataset(write_view(dataset, folder, ids=ids, name=label_name, source=label_name))


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


def write_lines(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Write the table: of every recipe the median of score and seconds, and the range of the score over seeds."""
    yield "| screen | bundle | labels | recipe | steps | seeds | mean IoU [least, most] | collapsed | seconds |"
    yield f"|{9 * '---|'}"
    for kind in dict.fromkeys(tuple(row[name] for name in COLUMNS[:5]) for row in rows):
        runs = [row for row in rows if tuple(row[name] for name in COLUMNS[:5]) == kind]
        scores, seconds = ([float(row[name]) for row in runs] for name in ("mean_iou", "seconds"))
        spread = f"{median(scores):.3f} [{min(scores):.3f}, {max(scores):.3f}]"
        collapsed = sum(map(has_collapsed, runs))
        yield f"| {' | '.join(kind)} | {len(runs)} | {spread} | {collapsed} | {median(seconds):.0f} |"


def has_collapsed(row: Mapping[str, str]) -> bool:
    """Return whether a run left a class behind or drowned the fields in spurious pixels."""
    return float(row["least_iou"]) < LEFT_BEHIND or float(row["spurious"]) > FLOODED


if __name__ == "__main__":
    main()
