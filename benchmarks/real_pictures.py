"""One field of a real set in a row: the image, then its teacher, CDL and truth as outlines."""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.dataset import Dataset
from noisylabels.data.images import read_label_map
from noisylabels.experiments.confusions import confuse, mean_iou
from noisylabels.importing.look import draw_overlay

Picture = NDArray[np.uint8]

SIDE = 340
"""Largest side of one panel; a larger field is cut to its middle."""
GAP = 6


def draw(dataset: Dataset, labels: str, predictions: Path) -> tuple[str, Picture]:
    """Draw the test field of the median gain among those with objects: image, label set, prediction, truth in a row.

    Args:
        dataset: The dataset folder.
        labels: The teacher's label set.
        predictions: Folder of the student's label maps of the test fields.

    Returns:
        The field's id, and the picture, (row, column, 3).
    """
    ids = dataset.ids("test")
    truth, own = partial(dataset.label_map, "truth"), partial(dataset.label_map, labels)
    teacher = confuse(dataset, truth, own, split="test")
    student = confuse(dataset, truth, lambda one: read_label_map(predictions / f"{one}.tif"), split="test")
    gains = mean_iou(student) - mean_iou(teacher)
    with_objects = np.flatnonzero(teacher[:, 1:].sum(axis=(1, 2)))
    field = ids[with_objects[np.argsort(gains[with_objects], kind="stable")[len(with_objects) // 2]]]
    image, reference = dataset.image(field), truth(field)
    maps = (None, own(field), read_label_map(predictions / f"{field}.tif"), reference)
    panels = [_middle(draw_overlay(image, dataset.channel_names, label_map)) for label_map in maps]
    gap = np.full((panels[0].shape[0], GAP, 3), 255, np.uint8)
    row = [panels[0], gap, panels[1], gap, panels[2], gap, panels[3]]
    return field, np.concatenate(row, axis=1)


def write_picture(path: Path, picture: Picture) -> None:
    """Write a picture as PNG of 64 colours."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).quantize(64).save(path, optimize=True)


def _middle(picture: Picture) -> Picture:
    row, column = (max(0, (size - SIDE) // 2) for size in picture.shape[:2])
    return picture[row : row + SIDE, column : column + SIDE]
