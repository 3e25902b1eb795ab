"""Other people's images for an experiment: `noisylabels import` as data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable
from noisylabels.importing.folder import import_folder, read_groups

KEYS = ("images", "labels", "classes", "groups", "split", "seed", "instances")


def write_imported(folder: Path, settings: Mapping[str, Any]) -> Dataset:
    """Import images and label maps into a dataset folder.

    Args:
        folder: The dataset folder to make.
        settings: images (folder), labels (folder by label-set name), classes (names, background first), groups
            (TABLE.csv:COLUMN), split (three shares), seed, instances (label maps hold object numbers).

    Raises:
        InputError: If a setting is unknown or missing.
    """
    unknown = [key for key in settings if key not in KEYS]
    missing = [key for key in ("images", "labels", "classes") if key not in settings]
    if unknown or missing:
        got = f"{unknown[0]!r}" if unknown else f"no {missing[0]}"
        msg = f"Settings of data.imported must be {', '.join(KEYS)}, got {got}. Remove, rename or add it."
        raise InputError(msg)
    table, _, column = str(settings.get("groups", "")).rpartition(":")
    training, validation, test = settings.get("split", (0.6, 0.1, 0.3))
    return import_folder(
        settings["images"],
        folder,
        classes=ClassTable(tuple(settings["classes"])),
        labels={name: Path(where) for name, where in settings["labels"].items()},
        groups=read_groups(table, column=column) if table else None,
        fractions=(training, validation, test),
        seed=int(settings.get("seed", 0)),
        masks="objects" if settings.get("instances", False) else "auto",
    ).dataset
