"""Other people's images for an experiment: `noisylabels import` as data."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from noisylabels.cip.labelling import label_files, plan_dataset, prepare_label_set
from noisylabels.cip.stock import STOCK, StockSettings
from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable
from noisylabels.data.settings import build
from noisylabels.experiments.declaration import DATA
from noisylabels.importing.folder import import_folder, read_groups
from noisylabels.noise.fusing import Vote, fuse_dataset

KEYS = ("images", "labels", "classes", "groups", "split", "seed", "instances", "teachers")

VOTERS = "voters"
"""The label set on which the majority of the teachers agrees."""


def write_imported(folder: Path, settings: Mapping[str, Any], *, root: str | None = None) -> Dataset:
    """Import images and label maps into a dataset folder.

    Args:
        folder: The dataset folder to make.
        settings: images (folder), labels (folder by label-set name), classes (names, background first), groups
            (TABLE.csv:COLUMN), split (three shares), seed, instances (label maps hold object numbers), teachers
            (stock pipelines by label-set name, as settings that differ from the preset `preset`).
        root: The folder that `$data` at the beginning of a path is.

    Returns:
        The dataset folder; each teacher is a label set, and their majority is `voters`.

    Raises:
        InputError: If a setting is unknown or missing, or `$data` is.
    """
    unknown = [key for key in settings if key not in KEYS]
    missing = [key for key in ("images", "labels", "classes") if key not in settings]
    if unknown or missing:
        got = f"{unknown[0]!r}" if unknown else f"no {missing[0]}"
        msg = f"Settings of data.imported must be {', '.join(KEYS)}, got {got}. Remove, rename or add it."
        raise InputError(msg)
    if root is None and DATA in str(settings):
        msg = f"The images of {folder} must lie in a folder that is named, got none. Add --data FOLDER."
        raise InputError(msg)

    def place(path: object) -> str:
        return str(path).replace(DATA, str(root), 1) if str(path).startswith(DATA) else str(path)

    table, _, column = place(settings.get("groups", "")).rpartition(":")
    training, validation, test = settings.get("split", (0.6, 0.1, 0.3))
    teachers = {name: _pipeline(name, changed or {}) for name, changed in settings.get("teachers", {}).items()}
    made = import_folder(
        place(settings["images"]),
        folder,
        classes=ClassTable(tuple(settings["classes"])),
        labels={name: Path(place(where)) for name, where in settings["labels"].items()},
        groups=read_groups(table, column=column) if table else None,
        fractions=(training, validation, test),
        seed=int(settings.get("seed", 0)),
        masks="objects" if settings.get("instances", False) else "auto",
    ).dataset
    for name, pipeline in teachers.items():
        _label(made, name, pipeline)
    if teachers:
        fuse_dataset(made, list(teachers), Vote("majority"), name=VOTERS)
    return made


def _pipeline(name: str, changed: Mapping[str, Any]) -> StockSettings:
    preset = str(changed.get("preset", name))
    if preset not in STOCK:
        msg = f"The preset of teacher {name!r} must be one of {', '.join(STOCK)}, got {preset!r}. Name one of them."
        raise InputError(msg)
    rest = {key: value for key, value in changed.items() if key != "preset"}
    whole = {**asdict(STOCK[preset]), **rest, "name": name}
    return build(StockSettings, whole, what=f"In teacher {name!r} the key")


def _label(dataset: Dataset, name: str, pipeline: StockSettings) -> None:
    labeller, tasks, _ = plan_dataset(dataset.folder, pipeline, name=name)
    prepare_label_set(tasks, labeller)
    for _, outcome in label_files(tasks, labeller):
        if outcome.failure:
            raise InputError(outcome.failure)
