"""Grey morphology with a disc, at a cost that does not grow with its radius."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data.arrays import Value

LARGEST_EXACT_PX = 4


def white_tophat(stack: NDArray[np.float32], radius_px: int) -> NDArray[np.float32]:
    """Subtract the opening by a disc: what is bright and narrower than the disc stays.

    Args:
        stack: (plane, row, column) intensities. Not modified.
        radius_px: Radius of the disc in pixels.

    Returns:
        (plane, row, column) float32, at least 0.

    Examples:
        >>> white_tophat(np.array([[[1, 1, 5, 1, 1]]], np.float32), 1)
        array([[[0., 0., 4., 0., 0.]]], dtype=float32)
    """
    return np.asarray(stack - open_disc(stack, radius_px))


def open_disc(stack: NDArray[Value], radius_px: int) -> NDArray[Value]:
    """Erode, then dilate every plane with a disc.

    Args:
        stack: (..., row, column) intensities or booleans. Not modified.
        radius_px: Radius of the disc in pixels.

    Returns:
        The opening, of the shape and dtype of `stack`.
    """
    return dilate_disc(erode_disc(stack, radius_px), radius_px)


def erode_disc(stack: NDArray[Value], radius_px: int) -> NDArray[Value]:
    """Return for each pixel the minimum over a disc around it, plane by plane; nothing lies beyond the border.

    Up to radius 4 the disc is exact. Above, it is the octagon of Adams' radial decomposition (CVGIP: Graphical
    Models 55:325, 1993) into four lines, the shape that MATLAB's `strel("disk", r)` has too.

    Args:
        stack: (..., row, column) intensities or booleans. Not modified.
        radius_px: Radius in pixels, at least 1.

    Returns:
        The erosion, of the shape and dtype of `stack`.

    Examples:
        >>> erode_disc(np.array([[3, 1, 2, 2]]), 1)
        array([[1, 1, 1, 2]])
    """
    planes = stack.reshape(-1, *stack.shape[-2:])
    eroded = np.stack([_erode_plane(plane, radius_px) for plane in planes])
    return eroded.reshape(stack.shape).astype(stack.dtype, copy=False)


def dilate_disc(stack: NDArray[Value], radius_px: int) -> NDArray[Value]:
    """Return for each pixel the maximum over a disc around it; see `erode_disc`."""
    if stack.dtype == bool:
        return np.asarray(np.invert(erode_disc(np.invert(stack), radius_px)))
    return np.asarray(np.negative(erode_disc(np.negative(stack), radius_px)))


def exact_disc(radius_px: int) -> NDArray[np.bool_]:
    """Draw the disc of all pixels whose centre is within `radius_px` of the middle.

    Examples:
        >>> exact_disc(1).astype(int)
        array([[0, 1, 0],
               [1, 1, 1],
               [0, 1, 0]])
    """
    offsets = np.arange(-radius_px, radius_px + 1)
    return np.asarray(offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius_px**2)


def octagon_half_lengths(radius_px: int) -> tuple[int, int]:
    """Split a disc into lines: half lengths of the straight and of the diagonal ones, in pixel steps.

    Examples:
        >>> octagon_half_lengths(25)
        (11, 7)
    """
    step = 2 * radius_px / (1 / math.tan(math.pi / 8) + 1 / math.sin(math.pi / 8))
    diagonal = int(step / math.sqrt(2))
    return radius_px - 2 * diagonal, diagonal


def _erode_plane(plane: NDArray[np.generic], radius_px: int) -> NDArray[np.generic]:
    values: NDArray[np.generic] = plane.astype(np.uint8) if plane.dtype == bool else plane
    if radius_px <= LARGEST_EXACT_PX:
        # Mirrored pixels lie in the window already, so mirroring adds nothing from beyond the border.
        return np.asarray(ndi.minimum_filter(values, footprint=exact_disc(radius_px), mode="reflect"))
    straight, diagonal = octagon_half_lengths(radius_px)
    # From line to line a path may leave the image and come back: it needs room to do so.
    values = np.pad(values, radius_px, constant_values=_largest(values.dtype))
    for axis in (0, 1):
        values = _minimum_along(values, 2 * straight + 1, axis=axis)
    for slant in (1, -1):
        values = _erode_diagonal(values, diagonal, slant)
    return values[radius_px:-radius_px, radius_px:-radius_px]


def _erode_diagonal(plane: NDArray[Value], half_length: int, slant: int) -> NDArray[Value]:
    """Compute minima along diagonals: in a flat buffer, a diagonal is every (width + slant)-th value."""
    n_rows, n_columns = plane.shape
    width = n_columns + half_length
    n_lines = -(-n_rows * width // (width + slant))
    buffer = np.full(n_lines * (width + slant) + width, _largest(plane.dtype), plane.dtype)
    buffer[: n_rows * width].reshape(n_rows, width)[:, :n_columns] = plane
    lines = buffer[: n_lines * (width + slant)].reshape(n_lines, width + slant)
    buffer[: lines.size] = _minimum_along(lines, 2 * half_length + 1, axis=0).ravel()
    return buffer[: n_rows * width].reshape(n_rows, width)[:, :n_columns]


def _minimum_along(values: NDArray[Value], length: int, *, axis: int) -> NDArray[Value]:
    return np.asarray(ndi.minimum_filter1d(values, length, axis=axis, mode="reflect"))


def _largest(dtype: np.dtype[np.generic]) -> float:
    return np.inf if dtype.kind == "f" else np.iinfo(dtype.name).max
