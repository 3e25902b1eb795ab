"""The colony: where cells lie, how bright each is, and what a plane through them looks like before the optics."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisylabels.simulation.settings import CellSettings, Pair
from noisylabels.simulation.texture import Map, smooth_noise

FAR_PX = 1e6


@dataclass(frozen=True)
class Colony:
    """The cells of one field, on a canvas somewhat larger than the frame.

    Args:
        owner: (row, column) int32, the cell that a pixel belongs to, -1 outside the colony.
        presence: (row, column) share of the pixel that is cell, 0..1, soft at the colony's edge and between cells.
        unevenness: (row, column) relative brightness of the cytosol, about 1.
        expression: (cell,) relative brightness.
        nuclei: (cell, 6) centre row and column, half axes (two) and angle in the plane, height; pixels and radians.
    """

    owner: NDArray[np.int32]
    presence: Map
    unevenness: Map
    expression: NDArray[np.float64]
    nuclei: NDArray[np.float64]

    def inside_nuclei(self, height_px: float) -> Map:
        """Share of each pixel that lies in a nucleus at this height, 0..1, soft over about a pixel."""
        inside = np.zeros(self.owner.shape, np.float32)
        for nucleus in self.nuclei:
            _draw_nucleus(inside, nucleus, height_px)
        return inside

    def levels(self, settings: CellSettings, *, counts: Pair, height_px: float) -> Map:
        """Paint a plane in both channels.

        Args:
            settings: Brightness of the nuclei.
            counts: Counts of the cytosol in each channel.
            height_px: Height of the plane.

        Returns:
            (channel, row, column) float32 counts above offset, without the medium.
        """
        nuclei = self.inside_nuclei(height_px)
        brightness = np.append(self.expression, 0.0).astype(np.float32)[self.owner]
        cytosol = brightness * self.presence * self.unevenness
        planes = [
            count * cytosol * (1 - (1 - level) * nuclei)
            for count, level in zip(counts, settings.nucleus_level, strict=True)
        ]
        painted: Map = np.stack(planes).astype(np.float32, copy=False)
        return painted


def grow_colony(
    settings: CellSettings,
    *,
    shape: tuple[int, int],
    pixel_size_um: float,
    cover: float,
    rng: np.random.Generator,
) -> Colony:
    """Grow a packed colony over part of a field.

    Cells are Voronoi regions of a disturbed hexagonal lattice, with curved borders; a smooth random field, cut at the
    quantile that leaves `cover` of the canvas, is the colony's outline.

    Args:
        settings: Sizes and brightness.
        shape: (rows, columns) of the canvas in pixels.
        pixel_size_um: Side of a pixel.
        cover: Share of the canvas that the colony covers, in [0, 1].
        rng: Source of randomness.
    """
    diameter_px = settings.diameter_um / pixel_size_um
    seeds = _scatter(shape, diameter_px, rng)
    owner, gap = _divide(shape, seeds, diameter_px, rng)
    outline = _outline(shape, cover, 2 * diameter_px, rng)
    missing = rng.random(len(seeds)) < settings.gap_rate
    owner[missing[owner] | (outline <= 0)] = -1
    softness_px = 0.4 / pixel_size_um
    border = 1 - settings.border_dip * np.exp(-((gap / softness_px) ** 2))
    presence = border * np.clip(outline / (3 * softness_px), 0, 1) * (owner >= 0)
    coarse = smooth_noise(shape, scale_px=3 / pixel_size_um, rng=rng)
    fine = smooth_noise(shape, scale_px=0.6 / pixel_size_um, rng=rng)
    return Colony(
        owner=owner,
        presence=presence.astype(np.float32),
        unevenness=np.exp(settings.unevenness * (0.8 * coarse + 0.6 * fine)),
        expression=np.exp(rng.normal(0, settings.expression_sigma, len(seeds))),
        nuclei=_nuclei(seeds, settings.nucleus_diameter_um / pixel_size_um, rng),
    )


def _scatter(shape: tuple[int, int], diameter_px: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Seeds on a disturbed hexagonal lattice that reaches one cell beyond the canvas."""
    step = diameter_px * np.sqrt(3) / 2
    rows = np.arange(-1, np.ceil(shape[0] / step) + 2)
    columns = np.arange(-1, np.ceil(shape[1] / diameter_px) + 2)
    row, column = np.meshgrid(rows * step, columns * diameter_px, indexing="ij")
    column = column + (rows[:, None] % 2) * diameter_px / 2
    lattice = np.stack([row.ravel(), column.ravel()], axis=1) + rng.uniform(-0.5, 0.5, 2) * diameter_px
    return lattice + rng.normal(0, 0.16 * diameter_px, lattice.shape)


def _divide(
    shape: tuple[int, int], seeds: NDArray[np.float64], diameter_px: float, rng: np.random.Generator
) -> tuple[NDArray[np.int32], Map]:
    """The nearest seed of each pixel, and its distance from the border to the next cell, in pixels."""
    bend_px = 0.08 * diameter_px
    rows = np.arange(shape[0], dtype=np.float32)[:, None] + bend_px * smooth_noise(
        shape, scale_px=diameter_px / 3, rng=rng
    )
    columns = np.arange(shape[1], dtype=np.float32) + bend_px * smooth_noise(shape, scale_px=diameter_px / 3, rng=rng)
    owner = np.full(shape, -1, np.int32)
    nearest = np.full(shape, FAR_PX, np.float32)
    second = np.full(shape, FAR_PX, np.float32)
    for index, seed in enumerate(seeds):
        window = _window(seed, 1.5 * diameter_px, shape)
        distance = np.hypot(rows[window] - np.float32(seed[0]), columns[window] - np.float32(seed[1]))
        best = nearest[window]
        closer = distance < best
        second[window] = np.minimum(second[window], np.maximum(distance, best))
        nearest[window] = np.minimum(distance, best)
        owner[window][closer] = index
    return owner, ((second - nearest) / 2).astype(np.float32, copy=False)


def _outline(shape: tuple[int, int], cover: float, scale_px: float, rng: np.random.Generator) -> Map:
    """Signed distance from the colony's outline in pixels (roughly), above 0 inside."""
    heights = smooth_noise(shape, scale_px=scale_px, rng=rng)
    if cover >= 1:
        return np.full(shape, FAR_PX, np.float32)
    if cover <= 0:
        return np.full(shape, -FAR_PX, np.float32)
    above = heights - np.quantile(heights, 1 - cover)
    along_rows, along_columns = np.gradient(heights)
    steepness = np.hypot(along_rows, along_columns)
    distance: Map = above / np.maximum(steepness, 0.2 / scale_px)
    return distance


def _nuclei(seeds: NDArray[np.float64], diameter_px: float, rng: np.random.Generator) -> NDArray[np.float64]:
    n_cells = len(seeds)
    radius = diameter_px / 2 * np.exp(rng.normal(0, 0.08, n_cells))
    stretch = np.exp(rng.uniform(0, 0.25, n_cells))
    centres = seeds + rng.normal(0, 0.06 * diameter_px, seeds.shape)
    angle = rng.uniform(0, np.pi, n_cells)
    height = rng.normal(0, 0.15 * diameter_px, n_cells)
    return np.column_stack([centres, radius * stretch, radius / stretch, angle, height])


def _draw_nucleus(inside: Map, nucleus: NDArray[np.float64], height_px: float) -> None:
    """Paint one nucleus where it is larger than what is there; the canvas belongs to the caller."""
    row, column, long_axis, short_axis, angle, centre_height = nucleus
    radius_share = 1 - ((height_px - centre_height) / short_axis) ** 2
    if radius_share <= 0:
        return
    window = _window((row, column), long_axis + 2, (inside.shape[0], inside.shape[1]))
    down = (np.arange(window[0].start, window[0].stop, dtype=np.float32) - np.float32(row))[:, None]
    right = np.arange(window[1].start, window[1].stop, dtype=np.float32) - np.float32(column)
    along = (down * np.float32(np.cos(angle)) + right * np.float32(np.sin(angle))) / np.float32(long_axis)
    across = (right * np.float32(np.cos(angle)) - down * np.float32(np.sin(angle))) / np.float32(short_axis)
    distance = (np.sqrt(radius_share) - np.hypot(along, across)) * short_axis
    inside[window] = np.maximum(inside[window], np.clip(distance / 1.5 + 0.5, 0, 1))


def _window(
    centre: NDArray[np.float64] | tuple[float, float], radius: float, shape: tuple[int, int]
) -> tuple[slice, slice]:
    row, column = (
        slice(max(0, int(position - radius)), max(0, min(length, int(position + radius) + 1)))
        for position, length in zip(centre, shape, strict=True)
    )
    return row, column
