"""A dataset folder small enough to count by eye."""

from pathlib import Path

import numpy as np

from tests.cases import draw
from tests.datasets import write_fields

TRUTH = draw("11....22 / 11....22 / ........ / ..22.... / ..22..11 / ........")
SHIFTED = draw("11....22 / ......22 / ........ / ..11.... / ..11..11 / ........")  # one incomplete, one misclassified
EMPTY = np.zeros_like(TRUTH)


def make_dataset(folder: Path, labels: dict[str, list[np.ndarray]], *, wells: bool = True) -> Path:
    """Write fields with the label maps given, one list of maps per label set; None leaves a map out."""
    n = max(map(len, labels.values()))
    ids = [f"P1_{'BCDEFG'[place // 3]}{place % 3 + 2:02d}_f1" if wells else f"img_{place}" for place in range(n)]
    write_fields(folder, labels, ids=ids, split="test", channel_names=("pHluorin", "DsRed"), pixel_size_um=0.2152)
    return folder
