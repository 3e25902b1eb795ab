"""Simulated fields for an experiment, with the CIP's labels where the declaration trains on them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noisylabels import simulation
from noisylabels.cip import labelling
from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError

DEFAULTS: Mapping[str, Any] = {
    "fields": 96,
    "rows": 256,
    "columns": 340,
    "preset": "rosella-lc3",
    "seed": 0,
    "split": (0.6, 0.1, 0.3),
}


def write_simulated(folder: Path, settings: Mapping[str, object], *, labels: str | None = None) -> Dataset:
    """Simulate fields into a dataset folder, and label them with the CIP if asked.

    Args:
        folder: The dataset folder.
        settings: fields, rows, columns, preset, seed, split (three shares); `DEFAULTS` for what is left out.
        labels: Name of the CIP's label set, or None to leave it out.

    Raises:
        InputError: If a setting is unknown.
    """
    unknown = [key for key in settings if key not in DEFAULTS]
    if unknown:
        msg = f"Settings of data.simulate must be among {', '.join(DEFAULTS)}, got {unknown[0]!r}. Remove or rename it."
        raise InputError(msg)
    chosen = {**DEFAULTS, **settings}
    frame = {"frame": {"rows": chosen["rows"], "columns": chosen["columns"]}}
    screen = simulation.preset(chosen["preset"]).replaced(frame)
    plan = simulation.plan_fields(
        simulation.lay_out("untreated", screen.plate), n_fields=chosen["fields"], seed=chosen["seed"]
    )
    training, validation, test = chosen["split"]
    dataset = simulation.simulate_dataset(
        folder, screen, plan, seed=chosen["seed"], fractions=(training, validation, test)
    )
    if labels is not None:
        label_with_cip(folder, name=labels)
    return dataset


def label_with_cip(folder: Path, *, name: str = "cip", preset: str = "lcsb-rosella-lc3-2017", workers: int = 1) -> int:
    """Label every field of a dataset folder with a conventional pipeline; fields that are labelled already are kept.

    Args:
        folder: The dataset folder.
        name: The label set to write.
        preset: The original CIP, or another pipeline of `noisylabels cip`.
        workers: Number of processes.

    Returns:
        The number of fields labelled now; 0 if all were there.

    Raises:
        InputError: If a field cannot be labelled.
    """
    labeller, tasks, _ = labelling.plan_dataset(folder, labelling.load_pipeline(preset), name=name)
    labelling.prepare_label_set(tasks, labeller)
    waiting = sum(not task.target.exists() for task in tasks)
    failures = [
        outcome.failure for _, outcome in labelling.label_files(tasks, labeller, workers=workers) if outcome.failure
    ]
    if failures:
        raise InputError(failures[0])
    return waiting
