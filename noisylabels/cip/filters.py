"""Linear filters of the CIP: each works on every plane of a stack by itself."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy import ndimage as ndi

Stack = NDArray[np.float32]

NEGLIGIBLE = 1e-7
"""Kernel weights below this share of the largest change nothing that float32 can hold; they are left out."""


def gaussian_weights(sigma_px: float, size_px: int) -> NDArray[np.float64]:
    """Sample a Gaussian at `size_px` places around its centre and normalise it to sum 1.

    A wide Gaussian in a small kernel is cut off; an even kernel has no middle sample.

    Args:
        sigma_px: Standard deviation in pixels.
        size_px: Number of samples.

    Returns:
        (sample,) weights that sum to 1; samples that are negligible are trimmed from both ends.

    Examples:
        >>> gaussian_weights(1.0, 2)
        array([0.5, 0.5])
    """
    offsets = np.arange(size_px) - (size_px - 1) / 2
    weights = np.exp(-0.5 * (offsets / sigma_px) ** 2)
    weights = weights[weights > NEGLIGIBLE * weights.max()]
    normalised: NDArray[np.float64] = weights / weights.sum()
    return normalised


def smooth(stack: Stack, *, sigma_px: float, size_px: int) -> Stack:
    """Blur each plane with a Gaussian that is cut to `size_px` x `size_px` samples.

    An even `size_px` moves the image by half a pixel towards row 0, column 0, as the original's kernels do.
    Beyond the border the image is mirrored, edge pixels repeated.

    Args:
        stack: (plane, row, column) intensities. Not modified.
        sigma_px: Standard deviation in pixels.
        size_px: Side of the kernel in pixels.

    Returns:
        (plane, row, column) float32.

    Examples:
        >>> smooth(np.array([[[0, 0, 4, 0]]], np.float32), sigma_px=1, size_px=2)
        array([[[0., 2., 2., 0.]]], dtype=float32)
    """
    return _correlate(stack, gaussian_weights(sigma_px, size_px), gaussian_weights(sigma_px, size_px))


def difference_of_gaussians(stack: Stack, *, narrow_px: float, wide_px: float, size_px: int) -> Stack:
    """Subtract a wide blur from a narrow one: bright spots of about the narrow width stand out.

    Args:
        stack: (plane, row, column) intensities. Not modified.
        narrow_px: Standard deviation of the narrow Gaussian in pixels.
        wide_px: Standard deviation of the wide one in pixels.
        size_px: Side of the kernel that both are cut to, in pixels.

    Returns:
        (plane, row, column) float32, signed; the original's unsigned arithmetic clips it at 0, which changes no
        comparison with a positive threshold.

    Examples:
        >>> flat = np.full((1, 5, 5), 7, np.float32)
        >>> bool(np.allclose(difference_of_gaussians(flat, narrow_px=1, wide_px=3, size_px=9), 0, atol=1e-5))
        True
    """
    narrow = smooth(stack, sigma_px=narrow_px, size_px=size_px)
    return narrow - smooth(stack, sigma_px=wide_px, size_px=size_px)


def laplacian_of_gaussian(stack: Stack, *, sigma_px: float, size_px: int) -> Stack:
    """Compute the Laplacian of the blurred planes: below zero in the middle of bright spots.

    Args:
        stack: (plane, row, column) intensities. Not modified.
        sigma_px: Standard deviation in pixels.
        size_px: Side of the kernel in pixels.

    Returns:
        (plane, row, column) float32 in intensity per square pixel.

    Examples:
        >>> spot = np.zeros((1, 9, 9), np.float32)
        >>> spot[0, 4, 4] = 100
        >>> bool(laplacian_of_gaussian(spot, sigma_px=1, size_px=9)[0, 4, 4] < 0)
        True
    """
    weights = gaussian_weights(sigma_px, size_px)
    offsets = np.arange(len(weights)) - (len(weights) - 1) / 2
    curvature = weights * (offsets**2 / sigma_px**4 - 1 / sigma_px**2)
    curvature -= curvature.mean()
    return _correlate(stack, curvature, weights) + _correlate(stack, weights, curvature)


def butterworth_highpass(stack: Stack, *, cutoff_cycles: float, order: int) -> Stack:
    """Keep the frequencies above `cutoff_cycles` per frame with a Butterworth filter.

    The original's function is named low-pass; its formula 1 / (1 + (cutoff / frequency)^(2 order)) passes high.

    Args:
        stack: (plane, row, column) intensities. Not modified.
        cutoff_cycles: Frequency of half transmission, in cycles over the frame (rows and columns alike).
        order: Steepness.

    Returns:
        (plane, row, column) float32 with mean 0 in each plane.

    Examples:
        >>> bool(np.allclose(butterworth_highpass(np.ones((1, 8, 8), np.float32), cutoff_cycles=1, order=5), 0))
        True
    """
    n_rows, n_columns = stack.shape[-2:]
    rows = fft.fftfreq(n_rows, 1 / n_rows)[:, None]
    columns = fft.rfftfreq(n_columns, 1 / n_columns)[None, :]
    power = np.hypot(rows, columns) ** (2 * order)
    transmission = (power / (power + cutoff_cycles ** (2 * order))).astype(np.float32)
    filtered: Stack = fft.irfft2(fft.rfft2(stack) * transmission, s=(n_rows, n_columns))
    return filtered


def _correlate(stack: Stack, along_rows: NDArray[np.float64], along_columns: NDArray[np.float64]) -> Stack:
    origin = len(along_rows) % 2 - 1
    once = ndi.correlate1d(stack, along_rows, axis=-2, output=np.float32, mode="reflect", origin=origin)
    twice: Stack = ndi.correlate1d(once, along_columns, axis=-1, output=np.float32, mode="reflect", origin=origin)
    return twice
