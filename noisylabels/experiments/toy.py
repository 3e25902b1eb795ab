"""Toy fields: discs of two classes on noise, small enough to train on in seconds. No claim to look like cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ROSELLA, LabelMap
from noisylabels.data.splits import SPLITS

CHANNELS = ("DsRed", "pHluorin")
BACKGROUND, NOISE = 1000.0, 60.0


@dataclass(frozen=True)
class Toy:
    """Settings of the toy.

    Args:
        fields: Number of fields.
        rows: Height of a field in pixels.
        columns: Width of a field in pixels.
        events: Discs per field; one that would come too near to another is left out.
        radius: Smallest and largest radius of a disc in pixels.
        test: Share of fields for testing, and as many for validation.
        seed: Seed of the fields.
    """

    fields: int = 48
    rows: int = 64
    columns: int = 64
    events: int = 10
    radius: tuple[float, float] = (2.0, 4.0)
    test: float = 0.25
    seed: int = 0


def read_toy(settings: Mapping[str, Any]) -> Toy:
    """Check toy settings.

    Raises:
        InputError: If a key is unknown, or a disc would not fit.
    """
    known = list(Toy.__dataclass_fields__)
    unknown = [key for key in settings if key not in known]
    if unknown:
        msg = f"Settings of the toy must be among {', '.join(known)}, got {unknown[0]!r}. Remove or rename it."
        raise InputError(msg)
    toy = Toy(**settings)
    radius = tuple(toy.radius) if isinstance(toy.radius, (list, tuple)) else ()
    if len(radius) != 2 or not 0 < radius[0] <= radius[1] < min(toy.rows, toy.columns) / 2:
        msg = f"radius of the toy must be two rising numbers of pixels that fit a field, got {toy.radius}. Change it."
        raise InputError(msg)
    return toy


def draw_toy(toy: Toy, index: int) -> tuple[NDArray[np.uint16], LabelMap]:
    """Draw one field of discs: class 1 shines in pHluorin, class 2 in DsRed, faint to bright.

    Args:
        toy: The settings.
        index: Number of the field; the same number gives the same field.

    Returns:
        (channel, row, column) uint16 image and (row, column) label map.

    Examples:
        >>> image, label_map = draw_toy(Toy(rows=32, columns=40, events=3), 0)
        >>> image.shape, sorted(set(label_map.ravel().tolist()) - {0}) != []
        ((2, 32, 40), True)
    """
    rng = np.random.default_rng([toy.seed, index])
    signal = np.zeros((2, toy.rows, toy.columns))
    label_map = np.zeros((toy.rows, toy.columns), np.uint8)
    rows, columns = np.ogrid[: toy.rows, : toy.columns]
    for _ in range(toy.events):
        radius = rng.uniform(*toy.radius)
        row, column = rng.uniform(radius, toy.rows - radius), rng.uniform(radius, toy.columns - radius)
        disc = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
        near = (rows - row) ** 2 + (columns - column) ** 2 <= (radius + 2) ** 2
        if label_map[near].any():
            continue  # discs keep their distance: an event is one disc
        class_index = int(rng.integers(1, 3))
        label_map[disc] = class_index
        signal[2 - class_index, disc] += rng.uniform(150, 700)
    image = BACKGROUND + signal + rng.normal(0, NOISE, signal.shape)
    return image.clip(0, 65535).astype(np.uint16), label_map


def write_toy(folder: Path, toy: Toy) -> Dataset:
    """Write the toy fields as a dataset folder with the label set `truth`."""
    cases = []
    n_held = round(toy.fields * toy.test)
    for index in range(toy.fields):
        name = f"toy{index:03d}"
        image, label_map = draw_toy(toy, index)
        write_image(folder / "images" / f"{name}.ome.tif", image, channel_names=CHANNELS)
        write_label_map(folder / "labels" / "truth" / f"{name}.tif", label_map)
        place = 2 if index < n_held else 1 if index < 2 * n_held else 0
        cases.append(Case(name, name, SPLITS[place], f"images/{name}.ome.tif"))
    cases.sort(key=lambda case: SPLITS.index(case.split))
    dataset = Dataset(folder, ROSELLA, CHANNELS, None, tuple(cases), {"toy": vars(toy)})
    write_dataset(dataset)
    return dataset
