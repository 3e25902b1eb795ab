"""Dataset folders that tests are about: fields with label maps drawn or given."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from noisylabels.data.arrays import RealArray
from noisylabels.data.dataset import Case, Dataset, open_dataset, write_dataset
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ROSELLA, ClassTable

CHANNELS = ("DsRed", "pHluorin")


def write_fields(
    folder: Path,
    labels: Mapping[str, Sequence[ArrayLike | None]],
    *,
    ids: Sequence[str] = (),
    groups: Sequence[str] = (),
    split: str | Sequence[str] = "training",
    images: Sequence[RealArray] = (),
    channel_names: tuple[str, ...] = CHANNELS,
    classes: ClassTable = ROSELLA,
    pixel_size_um: float | None = None,
    label_name: str = "truth",
) -> Dataset:
    """Write a dataset folder, and open it.

    Args:
        folder: The folder to write.
        labels: By label set, a label map for each field; None leaves one out.
        ids: Names of the fields; f0, f1, ... when left out.
        groups: What must stay together; each field alone when left out.
        split: Where all fields are, or each.
        images: (channel, row, column) of each field; random 12-bit counts, seed 0, when left out.
        channel_names: One per channel.
        classes: The class table.
        pixel_size_um: Side of a pixel.
        label_name: The label set that the lists point at.
    """
    rng = np.random.default_rng(0)
    names = list(ids) or [f"f{place}" for place in range(max(map(len, labels.values())))]
    for place, name in enumerate(names):
        maps = {key: np.asarray(given[place], np.uint8) for key, given in labels.items() if given[place] is not None}
        shape = (len(channel_names), *next(iter(maps.values())).shape) if maps else (len(channel_names), 4, 4)
        image = images[place] if images else rng.integers(0, 4095, shape).astype(np.uint16)
        write_image(folder / "images" / f"{name}.ome.tif", image, channel_names=channel_names)
        for key, label_map in maps.items():
            write_label_map(folder / "labels" / key / f"{name}.tif", label_map)
    splits = [split] * len(names) if isinstance(split, str) else split
    cases = [
        Case(name, group, part, f"images/{name}.ome.tif")
        for name, group, part in zip(names, groups or names, splits, strict=True)
    ]
    write_dataset(Dataset(folder, classes, channel_names, pixel_size_um, tuple(cases)), label_name=label_name)
    return open_dataset(folder)
