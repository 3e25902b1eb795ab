"""Folders that several shards of an experiment may make at the same moment, each with the same bytes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from noisylabels.data.atomic import building


@contextlib.contextmanager
def building_once(folder: Path) -> Iterator[Path]:
    """Give a new folder to build a dataset folder in, which then takes its place unless another shard was first.

    Args:
        folder: The dataset folder to make.

    Yields:
        A folder beside it; if the block raises, it is removed.

    Raises:
        OSError: If it cannot be built or take its place, and no other shard has made it.
    """
    try:
        with building(folder) as part:
            yield part
    except OSError:
        if not (folder / "dataset.json").is_file():
            raise
