"""The trainings that a run consists of: on what, for how long, and what trusted fields are used for."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.experiments.declaration import Declaration
from noisylabels.experiments.grid import Run
from noisylabels.experiments.label_channels import write_pairs_view
from noisylabels.experiments.workspace import TRAIN, TRUTH, folder_beside, narrow_labels, noisy_labels

FINETUNE_RATE = 0.3
"""Fine-tuning on the trusted fields goes at this share of the learning rate."""


def plan_stages(declaration: Declaration, data: Dataset, view: Dataset, run: Run, folder: Path) -> list[dict[str, Any]]:
    """Plan the trainings of a run.

    Args:
        declaration: Of the experiment.
        data: Its fields; the run may train on fewer.
        view: The dataset folder with the run's labels.
        run: The run.
        folder: Where its results go.

    Returns:
        The bundle's overrides of each training; the last one's weights are those of the run, and its dataset folder
        has the test fields as its network asks for them.
    """
    method = declaration.methods[run.method]
    ids = view.ids("training")
    trusted = ids[: method.trusted]
    declared: dict[str, Any] = {
        "num_workers": 0,  # a grid shares the cores by shards; a worker of a cluster may have no children
        **declaration.overrides,
        **method.overrides,
        "dataset_dir": str(view.folder),
        "label_name": TRAIN,
        "output_dir": str(folder / "model"),
        "seed": run.weights_seed,
        "train::dataset::seed": run.order_seed,
        "train::sampler::seed": run.order_seed,
    }
    most = (declaration.largest_set() or len(data.ids("training"))) if declaration.equal_steps else len(ids)
    by_epochs = bool({"sgd", "paper"} & {*declaration.preset, *method.preset})
    base = declared | _as_many_steps(declared, most, len(ids), by_epochs=by_epochs)
    if method.use == "mix":
        return [base | {"trusted_name": TRUTH, "trusted_ids": trusted}]
    if method.use == "transitions":
        return [base | {"transitions": _transitions(view, trusted)}]
    if method.use == "appearance":
        return [base | _by_appearance(view, trusted)]
    if method.use in ("alone", "correct"):
        as_long = declared | _as_many_steps(declared, most, len(trusted), by_epochs=by_epochs)
        if method.use == "correct":
            return [as_long | _with_weak_labels(declaration, data, view, run, trusted)]
        return [as_long | {"dataset_dir": str(narrow_labels(view, trusted, name="gold").folder)}]
    if method.use == "finetune":
        gold = {
            "dataset_dir": str(narrow_labels(view, trusted, name="gold").folder),
            "output_dir": str(folder / "model" / "finetuned"),
            "init": str(folder / "model" / "last.pt"),
            "learning_rate": FINETUNE_RATE * float(declared.get("learning_rate", 0.03 if by_epochs else 0.003)),
        }
        return [base, declared | gold]
    return [base]


def _as_many_steps(declared: Mapping[str, Any], most: int, fields: int, *, by_epochs: bool) -> dict[str, Any]:
    """Train some fields for as many steps as more of them: more epochs, and the learning rate falls as slowly."""
    batch = int(declared.get("batch_size", 4 if by_epochs else 8))
    times = math.ceil(most / batch) / math.ceil(fields / batch)
    lengths = {"num_epochs": 15, "val_interval": 1} | ({"learning_rate_period": 3} if by_epochs else {})
    lengths = lengths if times != 1 else {}  # the bundle's own
    return {key: max(1, round(times * int(declared.get(key, own)))) for key, own in lengths.items()}


def _with_weak_labels(
    declaration: Declaration, data: Dataset, view: Dataset, run: Run, trusted: list[str]
) -> dict[str, Any]:
    folder = folder_beside(view, trusted, name="pairs")
    if (folder / "dataset.json").is_file():
        pairs = open_dataset(folder)
    else:
        read = lambda case_id: noisy_labels(run, declaration, data, case_id)[1]  # noqa: E731
        pairs = write_pairs_view(view, folder, TRUTH, trusted, view.ids("test"), weak=TRAIN, read_weak=read)
    return {"dataset_dir": str(folder), "label_name": TRUTH, "n_channels": len(pairs.channel_names)}


def _transitions(view: Dataset, trusted: list[str]) -> list[list[float]]:
    from noisylabels.learning.robust.forward import estimate_transitions

    pairs = [(view.label_map(TRUTH, case_id), view.label_map(TRAIN, case_id)) for case_id in trusted]
    truth, noisy = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    table: list[list[float]] = estimate_transitions(truth, noisy, n_classes=len(view.classes)).tolist()
    return table


def _by_appearance(view: Dataset, trusted: list[str]) -> dict[str, Any]:
    from noisylabels.learning.robust.appearance import count_by_appearance

    fields = [
        (view.image(case_id), view.label_map(TRUTH, case_id), view.label_map(TRAIN, case_id)) for case_id in trusted
    ]
    return count_by_appearance(fields, n_classes=len(view.classes))
