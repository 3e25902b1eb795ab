"""Randomness by name: every draw is keyed by what it is for, so order and workers do not matter."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from noisylabels.errors import InputError

Map = NDArray[np.float32]


def keyed_generator(*key: str | int) -> np.random.Generator:
    """Make the generator that belongs to a key, for instance (seed, plate, well, field, purpose).

    The parts are hashed (SHA-256) into the key of a Philox counter generator (Salmon et al. 2011,
    doi:10.1145/2063384.2063405). Two different keys give unrelated streams; the same key gives the same stream in
    every process and whatever was drawn before.

    Args:
        key: Numbers and words. `1` and `"1"` are different parts, and no two different keys are written alike.

    Returns:
        A generator at the start of its stream.

    Raises:
        InputError: If the key is empty.

    Examples:
        >>> first, second = keyed_generator(7, "B02", "cells"), keyed_generator(7, "B02", "cells")
        >>> bool(first.random() == second.random())
        True
        >>> bool(keyed_generator(7, "B02").random() == keyed_generator(7, "B03").random())
        False
    """
    if not key:
        msg = "A key must have at least one part, got none. Give the seed and what the numbers are for."
        raise InputError(msg)
    digest = hashlib.sha256(repr(key).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def smooth_noise(shape: tuple[int, int], *, scale_px: float, rng: np.random.Generator) -> Map:
    """Draw a smooth random map: Gaussian bumps on a grid, of mean 0 and standard deviation about 1.

    Args:
        shape: (rows, columns) of the map.
        scale_px: Width of a bump (standard deviation of the kernel) in pixels, > 0. It is also the spacing of the grid.
        rng: Source of randomness.

    Returns:
        (row, column) float32 values.

    Examples:
        >>> smooth_noise((2, 3), scale_px=10, rng=keyed_generator(0)).shape
        (2, 3)
    """
    rows, columns = (_bumps(length, scale_px) for length in shape)
    weights = rng.standard_normal((rows.shape[1], columns.shape[1])).astype(np.float32)
    noise: Map = rows @ weights @ columns.T
    return noise


def _bumps(length: int, scale_px: float) -> Map:
    """(pixel, bump) kernel values, scaled so that a sum of unit normals has unit variance."""
    centres = np.arange(-3, np.ceil(length / scale_px) + 4) * scale_px
    values = np.exp(-(((np.arange(length)[:, None] - centres) / scale_px) ** 2) / 2)
    values /= np.sqrt((values**2).sum(axis=1, keepdims=True))
    scaled: Map = values.astype(np.float32)
    return scaled
