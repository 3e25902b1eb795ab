"""Undo the blur of the microscope: a theoretical PSF and Richardson-Lucy deconvolution, blind or not."""

import functools

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.errors import InputError

Volume = NDArray[np.float32]

OVERSAMPLING = 5
"""Samples per pixel side over which the PSF is averaged, because a camera pixel is a box, not a point."""

SMALLEST = np.float32(1e-6)
"""Floor of a divisor, in the units of the image."""


@functools.lru_cache(maxsize=16)
def theoretical_psf(
    *,
    n_planes: int,
    radius_px: int,
    pixel_um: float,
    plane_step_um: float,
    emission_nm: float,
    numerical_aperture: float,
    refractive_index: float,
) -> Volume:
    """Compute the widefield PSF of an ideal high-aperture objective, as Richards and Wolf derived it.

    The intensity of an isotropic emitter is |I0|^2 + 2 |I1|^2 + |I2|^2 with three diffraction integrals over the
    aperture angle (Richards and Wolf, Proc. R. Soc. A 253:358, 1959). No pinhole, no aberration.

    Args:
        n_planes: Number of planes, the focus in the middle one.
        radius_px: The PSF covers 2 radius_px + 1 pixels a side.
        pixel_um: Pixel side in um.
        plane_step_um: Distance of planes in um.
        emission_nm: Wavelength in nm.
        numerical_aperture: Of the objective; below `refractive_index`.
        refractive_index: Of the immersion medium.

    Returns:
        (plane, row, column) float32 that sums to 1.

    Raises:
        InputError: If the aperture is not below the refractive index.

    Examples:
        >>> psf = theoretical_psf(n_planes=1, radius_px=3, pixel_um=0.2152, plane_step_um=0.4, emission_nm=511,
        ...                       numerical_aperture=1.2, refractive_index=1.333)
        >>> psf.shape, bool(psf[0, 3, 3] == psf.max())
        ((1, 7, 7), True)
    """
    if not 0 < numerical_aperture < refractive_index:
        msg = (
            f"numerical_aperture must be above 0 and below the refractive index {refractive_index}, "
            f"got {numerical_aperture}. Give the index of the immersion medium."
        )
        raise InputError(msg)
    wave_number = 2 * np.pi * refractive_index / (emission_nm / 1000)
    radii_um = np.linspace(0, 1.5 * (radius_px + 1) * pixel_um, 40 * (radius_px + 1))
    defocus_um = (np.arange(n_planes, dtype=np.float64) - (n_planes - 1) / 2) * plane_step_um
    aperture = float(np.arcsin(numerical_aperture / refractive_index))
    profiles = _focal_intensity(wave_number * radii_um, wave_number * defocus_um, aperture)
    distances_um = _pixel_distances(radius_px) * pixel_um
    psf = np.stack([np.interp(distances_um, radii_um, profile).mean(axis=(1, 3)) for profile in profiles])
    return np.asarray(psf / psf.sum(), np.float32)


def _focal_intensity(radial: NDArray[np.float64], axial: NDArray[np.float64], aperture: float) -> NDArray[np.float64]:
    """Intensity at (axial, radial) distances from the focus, both times the wave number."""
    from scipy.special import jv

    theta = np.linspace(0, aperture, 200)
    ends = np.where((theta == 0) | (theta == aperture), 0.5, 1.0)  # the trapezoidal rule
    phase = np.exp(1j * axial[:, None] * np.cos(theta)) * np.sqrt(np.cos(theta)) * np.sin(theta) * ends
    argument = np.sin(theta)[:, None] * radial
    factors = (1 + np.cos(theta), np.sin(theta), 1 - np.cos(theta))
    i0, i1, i2 = (np.abs((phase * factor) @ jv(order, argument)) ** 2 for order, factor in enumerate(factors))
    return np.asarray(i0 + 2 * i1 + i2)


def _pixel_distances(radius_px: int) -> NDArray[np.float64]:
    """Distances from the optical axis, in pixels, indexed (row, sample in it, column, sample in it)."""
    pixels = np.arange(-radius_px, radius_px + 1)
    samples = (np.arange(OVERSAMPLING) + 0.5) / OVERSAMPLING - 0.5
    offsets = (pixels[:, None] + samples).astype(np.float64)
    return np.hypot(offsets[:, :, None, None], offsets[None, None, :, :])


def richardson_lucy(image: Volume, psf: Volume, *, iterations: int) -> Volume:
    """Sharpen an image with a known PSF by Richardson-Lucy iterations, starting from the image itself.

    Convolution is circular, as in MATLAB's functions; the sum of the image is kept.

    Args:
        image: (plane, row, column) intensities, at least 0. Not modified.
        psf: (plane, row, column), odd sides, sum 1, the focus in the middle.
        iterations: How many; 0 returns a copy.

    Returns:
        (plane, row, column) float32, at least 0.

    Examples:
        >>> point = np.zeros((1, 9, 9), np.float32)
        >>> point[0, 4, 4] = 1
        >>> sharp = richardson_lucy(point, np.ones((1, 1, 1), np.float32), iterations=3)
        >>> bool(np.allclose(sharp, point, atol=1e-5))
        True
    """
    estimate, _ = _iterate(image, psf, iterations=iterations, blind=False)
    return estimate


def blind_richardson_lucy(image: Volume, psf: Volume, *, iterations: int) -> tuple[Volume, Volume]:
    """Sharpen an image and correct the PSF in turns, starting from a first guess of the PSF.

    In each iteration one Richardson-Lucy step improves the PSF with the image held, a second one improves the
    image (Fish et al., J. Opt. Soc. Am. A 12:58, 1995). The PSF keeps its support and sums to 1.

    Args:
        image: (plane, row, column) intensities, at least 0. Not modified.
        psf: (plane, row, column), odd sides, sum 1, the first guess. Not modified.
        iterations: How many; 0 returns copies.

    Returns:
        The image and the PSF, both (plane, row, column) float32, at least 0.
    """
    return _iterate(image, psf, iterations=iterations, blind=True)


def _iterate(image: Volume, psf: Volume, *, iterations: int, blind: bool) -> tuple[Volume, Volume]:
    from scipy import fft

    if image.min(initial=0) < 0:
        msg = f"The image to deconvolve must not be negative, got {image.min()}. Clip it at 0 first."
        raise InputError(msg)
    if any(p > i for p, i in zip(psf.shape, image.shape, strict=True)):
        msg = f"The PSF must fit into the image {image.shape}, got a PSF of {psf.shape}. Give a smaller PSF."
        raise InputError(msg)
    observed = np.asarray(image, np.float32)
    estimate, kernel = observed.copy(), np.asarray(psf, np.float32).copy()
    total = max(float(observed.sum()), float(SMALLEST))
    spectrum = fft.rfftn(estimate)
    transfer = fft.rfftn(_embed(kernel, image.shape))
    for _ in range(iterations):
        if blind:
            ratio = _ratio(observed, spectrum * transfer)
            correction = fft.irfftn(ratio * np.conj(spectrum), s=image.shape) / total
            kernel = kernel * np.maximum(_extract(correction, kernel.shape), 0)
            kernel = kernel / kernel.sum() if kernel.sum() > 0 else np.asarray(psf, np.float32)
            transfer = fft.rfftn(_embed(kernel, image.shape))
        ratio = _ratio(observed, spectrum * transfer)
        estimate = estimate * np.maximum(fft.irfftn(ratio * np.conj(transfer), s=image.shape), 0)
        spectrum = fft.rfftn(estimate)
    return estimate, kernel


def _ratio(observed: Volume, blurred_spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
    from scipy import fft

    blurred = np.maximum(fft.irfftn(blurred_spectrum, s=observed.shape), SMALLEST)
    spectrum: NDArray[np.complex64] = fft.rfftn(observed / blurred)
    return spectrum


def _embed(psf: Volume, shape: tuple[int, ...]) -> Volume:
    """Put the PSF into an empty volume, its middle at index (0, 0, 0), the rest wrapped around."""
    volume = np.zeros(shape, np.float32)
    volume[tuple(slice(side) for side in psf.shape)] = psf
    return np.roll(volume, [-(side // 2) for side in psf.shape], axis=(0, 1, 2))


def _extract(volume: Volume, psf_shape: tuple[int, ...]) -> Volume:
    """Cut the PSF's support out of a wrapped volume: the inverse of `_embed`."""
    rolled = np.roll(volume, [side // 2 for side in psf_shape], axis=(0, 1, 2))
    return rolled[tuple(slice(side) for side in psf_shape)]
