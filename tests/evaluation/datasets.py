"""A dataset folder small enough to count by eye."""

from pathlib import Path

import numpy as np

from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ROSELLA
from tests.cases import draw

TRUTH = draw("11....22 / 11....22 / ........ / ..22.... / ..22..11 / ........")
SHIFTED = draw("11....22 / ......22 / ........ / ..11.... / ..11..11 / ........")  # one incomplete, one misclassified
EMPTY = np.zeros_like(TRUTH)


def make_dataset(folder: Path, labels: dict[str, list[np.ndarray]], *, wells: bool = True) -> Path:
    """Write fields with the label maps given, one list of maps per label set; None leaves a map out."""
    n = max(map(len, labels.values()))
    ids = [f"P1_{'BCDEFG'[place // 3]}{place % 3 + 2:02d}_f1" if wells else f"img_{place}" for place in range(n)]
    rng = np.random.default_rng(0)
    for place, name in enumerate(ids):
        write_image(folder / "images" / f"{name}.ome.tif", rng.integers(0, 4095, (2, *TRUTH.shape)).astype(np.uint16))
        for label_set, maps in labels.items():
            if maps[place] is not None:
                write_label_map(folder / "labels" / label_set / f"{name}.tif", maps[place])
    cases = tuple(Case(name, name, "test", f"images/{name}.ome.tif") for name in ids)
    write_dataset(Dataset(folder, ROSELLA, ("pHluorin", "DsRed"), 0.2152, cases))
    return folder
