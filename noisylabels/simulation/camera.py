"""From light to numbers: bleed-through between two cameras, shot and read noise, offset, twelve bits."""

import numpy as np
from numpy.typing import NDArray

from noisylabels.simulation.settings import CameraSettings
from noisylabels.simulation.texture import Map

ROUNDING = 64
"""Expected electrons are rounded to 1/64, so that the last bit of a sum does not change an image."""


def mix_channels(light: Map, settings: CameraSettings) -> Map:
    """Mix a share of each channel's light into the other camera.

    Args:
        light: (channel, row, column) counts, DsRed before pHluorin. Not modified.
        settings: `bleed_through`.

    Examples:
        >>> mix_channels(np.array([[[0.0]], [[100.0]]]), CameraSettings(bleed_through=(0.02, 0.0))).ravel()
        array([  2., 100.])
    """
    red, green = light
    into_red, into_green = settings.bleed_through
    mixed: Map = np.stack([red + into_red * green, green + into_green * red])
    return mixed


def expose(light: Map, settings: CameraSettings, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Simulate a picture: count photons, add read noise and offset, clip to the camera's bits.

    Args:
        light: (channel, row, column) expected counts above offset, >= 0. Not modified.
        settings: The cameras.
        rng: Source of randomness.

    Returns:
        (channel, row, column) uint16 counts.

    Examples:
        >>> camera = CameraSettings(read_noise_counts=0, hot_pixel_rate=0)
        >>> expose(np.array([[[0.0, 1e6]]]), camera, np.random.default_rng(0))
        array([[[ 100, 4095]]], dtype=uint16)
    """
    expected = np.round(np.asarray(light, np.float64) * (ROUNDING / settings.counts_per_electron)) / ROUNDING
    electrons = rng.poisson(np.maximum(expected, 0))
    noise = rng.standard_normal(light.shape, np.float32)
    counts = electrons * settings.counts_per_electron + settings.read_noise_counts * noise + settings.offset_counts
    picture: NDArray[np.uint16] = np.clip(np.round(counts), 0, settings.full_scale_counts).astype(np.uint16)
    n_hot = rng.binomial(picture.size, settings.hot_pixel_rate)
    hot = rng.integers(0, picture.size, n_hot)
    picture.ravel()[hot] = rng.integers(round(settings.offset_counts), settings.full_scale_counts + 1, n_hot)
    return picture


def noise_counts(light: Map, settings: CameraSettings) -> Map:
    """Standard deviation of a pixel's noise: shot noise of the light and read noise, in counts.

    Args:
        light: Expected counts above offset, >= 0.
        settings: The cameras.

    Examples:
        >>> noise_counts(np.array([100.0]), CameraSettings(counts_per_electron=0.25, read_noise_counts=0)).tolist()
        [5.0]
    """
    variance = settings.counts_per_electron * np.maximum(light, 0) + settings.read_noise_counts**2
    deviation: Map = np.sqrt(variance)
    return deviation
