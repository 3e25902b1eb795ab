"""Smooth random maps: uneven cytosol, bent borders, outlines of colonies."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Map = NDArray[np.float32]

REACH = 4
"""Bumps end this many standard deviations from their centre."""


def smooth_noise(shape: tuple[int, int], *, scale_px: float, rng: np.random.Generator) -> Map:
    """Draw a smooth random map: Gaussian bumps on a grid, of mean 0 and standard deviation about 1.

    Args:
        shape: (rows, columns) of the map.
        scale_px: Width of a bump (standard deviation of the kernel) in pixels, > 0. It is also the spacing of the grid.
        rng: Source of randomness.

    Returns:
        (row, column) float32 values.

    Examples:
        >>> smooth_noise((2, 3), scale_px=10, rng=np.random.default_rng(0)).shape
        (2, 3)
    """
    rows, columns = (_bumps(length, scale_px) for length in shape)
    weights = rng.standard_normal((rows.shape[1], columns.shape[1]))
    # Sparse products sum in a fixed order; dense ones change their last bits with the number of threads.
    return np.asarray((columns @ (rows @ weights).T).T, np.float32, order="C")


def _bumps(length: int, scale_px: float) -> sparse.csr_array:
    """(pixel, bump) kernel values, scaled so that a sum of unit normals has unit variance."""
    centres = np.arange(-REACH, np.ceil(length / scale_px) + REACH + 1) * scale_px
    distance = (np.arange(length)[:, None] - centres) / scale_px
    values = np.exp(-(distance**2) / 2) * (np.abs(distance) <= REACH)
    return sparse.csr_array(values / np.sqrt((values**2).sum(axis=1, keepdims=True)))
