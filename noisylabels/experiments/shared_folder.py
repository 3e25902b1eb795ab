"""Folders that several shards of an experiment may make at the same moment, each with the same bytes."""

import contextlib
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def building_once(folder: Path) -> Iterator[Path]:
    """Give a path to build a dataset folder at, which then takes its place unless another shard was first.

    Args:
        folder: The dataset folder to make.

    Yields:
        A path beside it that is not there yet.

    Raises:
        OSError: If the folder cannot take its place, and no other shard has made it.
    """
    part = folder.with_name(f".{folder.name}-{platform.node()}-{os.getpid()}")  # machines may share the folder
    shutil.rmtree(part, ignore_errors=True)
    yield part
    try:
        part.rename(folder)
    except OSError:
        shutil.rmtree(part)
        if not (folder / "dataset.json").is_file():
            raise
