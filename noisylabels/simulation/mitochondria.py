"""The mitochondrial network, which carries the sensor in the mitophagy assay: short curved tubes in the cytosol."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.simulation.cells import Colony
from noisylabels.simulation.optics import FWHM_PER_SIGMA
from noisylabels.simulation.settings import CellSettings
from noisylabels.simulation.texture import Map

STEP_PX = 0.5
"""Distance of the points along a tube."""


@dataclass(frozen=True)
class Tubes:
    """Mitochondria as chains of points.

    Args:
        points: (point, 3) row, column and height, all in pixels.
        brightness: (point,) relative brightness of their cell.
        sigma_px: Standard deviation of a tube's cross-section.
    """

    points: NDArray[np.float64]
    brightness: NDArray[np.float64]
    sigma_px: float

    def density(self, *, height_px: float, section_px: float, shape: tuple[int, int]) -> Map:
        """Paint the tubes near a height: 1 in the middle of a usual tube in focus.

        Args:
            height_px: Height of the plane.
            section_px: Standard deviation of the optical section.
            shape: (rows, columns) of the canvas.

        Returns:
            (row, column) float32.
        """
        rows, columns = self.points[:, 0].astype(int), self.points[:, 1].astype(int)
        inside = (self.points[:, :2] >= 0).all(axis=1) & (rows < shape[0]) & (columns < shape[1])
        thick = np.hypot(section_px, self.sigma_px)
        seen = self.brightness * np.exp(-(((self.points[:, 2] - height_px) / thick) ** 2) / 2) * inside
        flat = np.where(inside, rows * shape[1] + columns, 0)
        painted = np.bincount(flat, weights=seen, minlength=shape[0] * shape[1]).reshape(shape)
        # A straight line of points one step apart has 1 / step of light per pixel of its length.
        peak = np.sqrt(2 * np.pi) * self.sigma_px * STEP_PX
        return np.asarray(peak * ndi.gaussian_filter(painted, self.sigma_px, mode="nearest"), np.float32)


def draw_tubes(settings: CellSettings, colony: Colony, *, pixel_size_um: float, rng: np.random.Generator) -> Tubes:
    """Draw the mitochondria of a colony: each starts in the cytosol and wanders, bending, for its length.

    Args:
        settings: Number, length and width of the tubes.
        colony: The cells.
        pixel_size_um: Side of a pixel.
        rng: Source of randomness.
    """
    cytosol = np.flatnonzero((colony.presence > 0.75) & (colony.inside_nuclei(0.0) < 0.1))
    n_cells = np.unique(colony.owner[colony.owner >= 0]).size
    n_tubes = int(rng.poisson(settings.tubes_per_cell * n_cells)) if cytosol.size else 0
    sigma_px = settings.tube_width_um / FWHM_PER_SIGMA / pixel_size_um
    starts = np.stack(
        np.unravel_index(cytosol[rng.integers(0, max(1, cytosol.size), n_tubes)], colony.owner.shape), axis=1
    )
    lengths_px = rng.uniform(*settings.tube_length_range_um, n_tubes) / pixel_size_um
    n_steps = int(np.ceil(settings.tube_length_range_um[1] / pixel_size_um / STEP_PX))
    bends = rng.normal(0, 0.12, (n_tubes, n_steps)) + rng.normal(0, 0.03, (n_tubes, 1))
    direction = rng.uniform(0, 2 * np.pi, (n_tubes, 1)) + np.cumsum(bends, axis=1)
    steps = STEP_PX * np.stack([np.sin(direction), np.cos(direction)], axis=2)
    paths = starts[:, None, :] + rng.random((n_tubes, 1, 2)) + np.cumsum(steps, axis=1)
    heights = rng.uniform(-0.5, 0.5, (n_tubes, 1)) * settings.layer_um / pixel_size_um
    points = np.concatenate([paths, np.broadcast_to(heights[..., None], (n_tubes, n_steps, 1))], axis=2)
    reached = np.arange(n_steps) * STEP_PX < lengths_px[:, None]
    cells = colony.owner[tuple(starts.T)] if n_tubes else np.zeros(0, int)
    brightness = np.repeat(colony.expression[cells], n_steps).reshape(n_tubes, n_steps)
    return Tubes(points[reached], brightness[reached], sigma_px)
