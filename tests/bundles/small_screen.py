"""A screen small enough to train on in a second: squares of 5 x 5 pixels, one brightness per class and channel."""

from pathlib import Path

import numpy as np

from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ROSELLA, ClassTable

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
    cases = []
    for number, split in enumerate(splits):
        label_map = np.zeros(size, np.uint8)
        for class_index in classes.indices[1:]:
            for row, column in rng.integers(0, (size[0] - 5, size[1] - 5), (6, 2)):
                label_map[row : row + 5, column : column + 5] = class_index
        image = rng.normal(200, 10, (n_channels, *size))
        for channel in range(n_channels):
            image[channel] += 200 * (label_map == 1 + channel) + 100 * (label_map > 0)
        name = f"f{number}"
        write_image(root / "images" / f"{name}.ome.tif", image.astype(np.uint16))
        write_label_map(root / "labels" / "cip" / f"{name}.tif", label_map)
        cases.append(Case(name, f"w{number // 2}", split, f"images/{name}.ome.tif"))
    channels = tuple(f"channel {i + 1}" for i in range(n_channels))
    write_dataset(Dataset(root, classes, channels, cases=tuple(cases)), label_name="cip")
    return root
