"""Datasets: where the commands of this room open dataset folders.

`imaging` knows the folder's format and builds on this room, so this room must not import it. Only commands read
folders, and they ask for `imaging` by its name when they run, as the root command asks for every room's `cli`.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def open_dataset(folder: str | Path) -> Any:
    """Open a dataset folder: an `imaging.dataset.Dataset`.

    Raises:
        FileNotFoundError: If it is no dataset folder.
        InputError: If a file in it is not what the format says.
    """
    return importlib.import_module("imaging.dataset").open_dataset(folder)


def label_map_writer() -> Callable[[Path, Any], None]:
    """Give `imaging.files.write_label_map`."""
    writer: Callable[[Path, Any], None] = importlib.import_module("imaging.files").write_label_map
    return writer
