"""Fields to corrupt: drawn at random, but the same every time."""

import numpy as np

from noisylabels.data.labels import ROSELLA


def crowded_field(seed=0, *, shape=(96, 128), n_events=40, n_classes=2, background=100.0):
    """Give a label map of overlapping discs, many of them in contact, and a two-channel image of it."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    label_map = np.zeros(shape, np.uint8)
    image = rng.normal(background, 5, (2, *shape))
    for _ in range(n_events):
        row, column = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        inside = (rows - row) ** 2 + (columns - column) ** 2 <= rng.uniform(1, 6) ** 2
        label_map[inside] = rng.integers(1, n_classes + 1)
        image[:, inside] += rng.uniform(5, 100)
    return label_map, image.astype(np.float32)


def grid_of_discs(*, radius=5, step=20, n=(10, 10), n_classes=2):
    """Give a label map of equal discs that do not touch, classes taking turns."""
    side = step // 2
    rows, columns = np.indices((step, step)) - side
    disc = rows**2 + columns**2 <= radius**2
    tiles = np.arange(n[0] * n[1]).reshape(n) % n_classes + 1
    return np.kron(tiles, disc).astype(np.uint8)


CLASSES = ROSELLA
