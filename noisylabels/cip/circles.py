"""Find circles of unknown radius by Hough voting along gradients, the radius coded as a phase.

The idea is Atherton and Kerbyson's (Image and Vision Computing 17:795, 1999): every edge pixel votes for the
centres that lie along its gradient, one for each radius, with a complex number whose angle tells the radius. Votes for
one circle agree in angle and add up; others cancel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.cip.settings import CircleRings


@dataclass(frozen=True)
class Circles:
    """Circles of one plane.

    Args:
        rows: (circle,) row of the centre in pixels.
        columns: (circle,) column of the centre in pixels.
        radii_px: (circle,) radius in pixels.
        scores: (circle,) about the share of the circumference that voted; above 1 for thick edges.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    radii_px: NDArray[np.float64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the circles."""
        return len(self.rows)


def find_circles(plane: NDArray[np.floating], settings: CircleRings) -> Circles:
    """Find bright circles on dark ground.

    Args:
        plane: (row, column) intensities. Not modified.
        settings: The radii, `edge_threshold` and `score_threshold`.

    Returns:
        The circles with a score above the threshold, best first.

    Examples:
        >>> row, column = np.mgrid[:41, :41]
        >>> soft_disc = np.clip(8.5 - np.hypot(row - 20, column - 18), 0, 1)
        >>> circles = find_circles(soft_disc, CircleRings())
        >>> int(circles.rows[0]), int(circles.columns[0]), bool(7 < circles.radii_px[0] < 9)
        (20, 18, True)
    """
    votes = _vote(plane, settings)
    strength = np.abs(votes)
    peaks = (strength == ndi.maximum_filter(strength, 5)) & (strength > settings.score_threshold)
    rows, columns = np.nonzero(peaks)
    order = np.argsort(-strength[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    turn = np.mod(np.angle(votes[rows, columns]), 2 * np.pi) / (2 * np.pi)
    span = np.log((settings.radius_max_px + settings.radius_step_px) / settings.radius_min_px)
    radii = settings.radius_min_px * np.exp(turn * span)
    return Circles(rows, columns, np.clip(radii, None, settings.radius_max_px), strength[rows, columns])


def draw_circles(circles: Circles, keep: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Fill the chosen circles as discs."""
    mask = np.zeros(shape, bool)
    for index in np.flatnonzero(keep):
        box, disc = disc_in(circles, int(index), shape)
        mask[box] |= disc
    return mask


def disc_in(circles: Circles, index: int, shape: tuple[int, int]) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
    """Return the box of one circle, cut at the image border, and the disc within that box."""
    row, column, radius = circles.rows[index], circles.columns[index], circles.radii_px[index]
    reach = int(np.ceil(radius))
    rows = np.arange(max(row - reach, 0), min(row + reach + 1, shape[0]))
    columns = np.arange(max(column - reach, 0), min(column + reach + 1, shape[1]))
    disc = np.hypot(rows[:, None] - row, columns[None, :] - column) <= radius
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)), disc


def _vote(plane: NDArray[np.floating], settings: CircleRings) -> NDArray[np.complex128]:
    down, right = ndi.sobel(plane, axis=0), ndi.sobel(plane, axis=1)
    steepness = np.hypot(down, right)
    rows, columns = np.nonzero(steepness > settings.edge_threshold * steepness.max())
    step_down, step_right = (d[rows, columns] / steepness[rows, columns] for d in (down, right))
    n_rows, n_columns = plane.shape
    real, imaginary = np.zeros(plane.size), np.zeros(plane.size)
    radii = np.arange(
        settings.radius_min_px, settings.radius_max_px + settings.radius_step_px / 2, settings.radius_step_px
    )
    span = np.log((settings.radius_max_px + settings.radius_step_px) / settings.radius_min_px)
    for radius in radii:
        to_row = np.rint(rows + radius * step_down).astype(np.intp)
        to_column = np.rint(columns + radius * step_right).astype(np.intp)
        inside = (to_row >= 0) & (to_row < n_rows) & (to_column >= 0) & (to_column < n_columns)
        hits = np.bincount(to_row[inside] * n_columns + to_column[inside], minlength=plane.size)
        phase = 2 * np.pi * np.log(radius / settings.radius_min_px) / span
        real += hits * (np.cos(phase) / (2 * np.pi * radius))
        imaginary += hits * (np.sin(phase) / (2 * np.pi * radius))
    votes = [ndi.uniform_filter(part.reshape(plane.shape), 3) for part in (real, imaginary)]
    return np.asarray(votes[0] + 1j * votes[1])
