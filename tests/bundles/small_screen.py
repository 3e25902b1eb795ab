"""A screen small enough to train on in a second: squares of 5 x 5 pixels, one brightness per class and channel."""

from pathlib import Path

import numpy as np

from noisylabels.data.labels import ROSELLA, ClassTable
from tests.datasets import write_fields

SPLITS = ("training",) * 6 + ("validation",) * 2 + ("test",) * 2


def write_screen(
    root: Path,
    *,
    splits: tuple[str, ...] = SPLITS,
    size: tuple[int, int] = (44, 60),
    classes: ClassTable = ROSELLA,
    n_channels: int = 2,
) -> Path:
    """Write a dataset folder of fields of `size` (rows, columns), with the label set `cip`."""
    rng = np.random.default_rng(0)
    images, labels = [], []
    for _ in splits:
        label_map = np.zeros(size, np.uint8)
        for class_index in classes.indices[1:]:
            for row, column in rng.integers(0, (size[0] - 5, size[1] - 5), (6, 2)):
                label_map[row : row + 5, column : column + 5] = class_index
        image = rng.normal(200, 10, (n_channels, *size))
        for channel in range(n_channels):
            image[channel] += 200 * (label_map == 1 + channel) + 100 * (label_map > 0)
        images.append(image.astype(np.uint16))
        labels.append(label_map)
    write_fields(
        root,
        {"cip": labels},
        groups=[f"w{number // 2}" for number in range(len(splits))],
        split=splits,
        images=images,
        channel_names=tuple(f"channel {i + 1}" for i in range(n_channels)),
        classes=classes,
        label_name="cip",
    )
    return root
