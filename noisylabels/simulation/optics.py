"""Light on its way from the sample to the camera: blur by defocus, optical section, haze, vignetting."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.special import ndtr

from noisylabels.simulation.settings import OpticsSettings, Pair
from noisylabels.simulation.texture import Map

FWHM_PER_SIGMA = 2.3548200450309493


@dataclass(frozen=True)
class Optics:
    """The optics of one field: settings with everything that varies drawn.

    Args:
        settings: What does not vary.
        pixel_size_um: Side of a pixel.
        sigma_um: Lateral standard deviation in focus.
        haze: Share of the light that comes from elsewhere.
        focus_um: Height in the sample of the plane that is in focus, midway between the channels.
        shifts_px: Per channel, how far (down, right) its image lies from the label map.
        chromatic_um: Per channel, height of its focus over `focus_um`.
    """

    settings: OpticsSettings
    pixel_size_um: float
    sigma_um: float
    haze: float
    focus_um: float
    shifts_px: tuple[Pair, Pair]
    chromatic_um: Pair

    def sigma_px(self, defocus_um: NDArray[np.float64], channel: int) -> NDArray[np.float64]:
        """Lateral standard deviation of the light from a distance out of focus, in pixels.

        The ideal curve of the settings, with its value in focus exchanged for this field's (variances add).

        Args:
            defocus_um: (layer,) distances from the channel's plane of focus, of either sign.
            channel: 0 = DsRed, 1 = pHluorin.
        """
        knots = np.array(self.settings.defocus_um)
        ideal = np.array(self.settings.defocus_sigma_um[channel])
        distance = np.abs(defocus_um)
        beyond = np.maximum(distance - knots[-1], 0) * (ideal[-1] - ideal[-2]) / (knots[-1] - knots[-2])
        sigma_um = np.interp(distance, knots, ideal) + beyond
        widened = np.sqrt(np.maximum(sigma_um**2 - ideal[0] ** 2, 0) + self.sigma_um**2)
        in_pixels: NDArray[np.float64] = widened / self.pixel_size_um
        return in_pixels

    def section_weights(self, edges_um: NDArray[np.float64], channel: int) -> NDArray[np.float64]:
        """Share of the light of layers that passes the pinholes; all layers together pass 1.

        Args:
            edges_um: (layer + 1,) heights of the layers' edges over the channel's plane of focus, rising.
            channel: 0 = DsRed, 1 = pHluorin.
        """
        sigma_um = self.settings.section_fwhm_um[channel] / FWHM_PER_SIGMA
        weights: NDArray[np.float64] = np.diff(ndtr(edges_um / sigma_um))
        return weights

    def blur_of_thick_layer_px(self, channel: int) -> float:
        """Standard deviation of the blur of what does not change with height, as cell borders."""
        edges = np.linspace(-1.5, 1.5, 61)
        middle = (edges[1:] + edges[:-1]) / 2
        variance = (self.section_weights(edges, channel) * self.sigma_px(middle, channel) ** 2).sum()
        return float(np.sqrt(variance))


def draw_optics(
    settings: OpticsSettings,
    *,
    pixel_size_um: float,
    focus_um: float,
    blur_um: float,
    plate_rng: np.random.Generator,
    field_rng: np.random.Generator,
) -> Optics:
    """Draw what varies between plates (camera alignment) and between fields (blur, haze).

    Args:
        settings: Ranges.
        pixel_size_um: Side of a pixel.
        focus_um: Height of the plane in focus.
        blur_um: Lateral standard deviation that is added to the drawn one (variances add); 0 = good focus.
        plate_rng: Source of what the fields of a plate share.
        field_rng: Source of what they do not.
    """
    distance = plate_rng.uniform(*settings.channel_shift_range_px) / 2
    angle = plate_rng.uniform(0, 2 * np.pi)
    chromatic = plate_rng.uniform(*settings.chromatic_shift_range_um) / 2
    down, right = float(distance * np.sin(angle)), float(distance * np.cos(angle))
    return Optics(
        settings=settings,
        pixel_size_um=pixel_size_um,
        sigma_um=float(np.hypot(field_rng.uniform(*settings.sigma_range_um), blur_um)),
        haze=float(field_rng.uniform(*settings.haze_range)),
        focus_um=focus_um,
        shifts_px=((down, right), (-down, -right)),
        chromatic_um=(float(chromatic), -float(chromatic)),
    )


def blur_matrices(
    length: int, *, margin_px: int, oversampling: int, sigmas_px: NDArray[np.float64], shift_px: float
) -> NDArray[np.float64]:
    """Make the matrices that blur, shift and integrate oversampled lines into pixels, exactly.

    Each sample is a thin strip of light; its Gaussian image is integrated over the width of every pixel. Two such
    matrices, one for rows and one for columns, image a patch: `rows @ patch @ columns.T`.

    Args:
        length: Pixels that the samples of a line span.
        margin_px: Pixels before and behind them into which their light spreads.
        oversampling: Samples per pixel.
        sigmas_px: (layer,) standard deviations, > 0.
        shift_px: How far the image moves towards higher indices.

    Returns:
        (layer, pixel, sample) weights; the light of a sample is kept, but for what leaves the margin.

    Examples:
        >>> blur_matrices(2, margin_px=1, oversampling=1, sigmas_px=np.array([0.01]), shift_px=0)[0].round(3)
        array([[0., 0.],
               [1., 0.],
               [0., 1.],
               [0., 0.]])
    """
    edges = np.arange(-margin_px, length + margin_px + 1)[:, None]
    samples = (np.arange(length * oversampling) + 0.5) / oversampling + shift_px
    weights: NDArray[np.float64] = np.diff(ndtr((edges - samples) / sigmas_px[:, None, None]), axis=1) / oversampling
    return weights


def shifted_blur(plane: Map, *, sigma_px: float, shift_px: Pair) -> Map:
    """Blur a plane and shift it by a part of a pixel, in one pass along each axis.

    Args:
        plane: (row, column) counts. Not modified.
        sigma_px: Standard deviation of the blur, > 0.
        shift_px: How far the image moves (down, right).

    Examples:
        >>> spot = np.zeros((5, 5), np.float32)
        >>> spot[2, 2] = 1
        >>> moved = shifted_blur(spot, sigma_px=0.5, shift_px=(0, 1))
        >>> np.unravel_index(moved.argmax(), moved.shape) == (2, 3)
        True
    """
    moved = plane
    for axis, shift in enumerate(shift_px):
        reach = int(np.ceil(3 * sigma_px + abs(shift)))
        kernel = np.exp(-(((np.arange(-reach, reach + 1) - shift) / sigma_px) ** 2) / 2)
        moved = ndi.convolve1d(moved, kernel / kernel.sum(), axis=axis, mode="nearest")
    return moved


def add_haze(plane: Map, *, share: float, sigma_px: float) -> Map:
    """Replace a share of the light by its wide blur, as pinholes that pass light from other planes do.

    Args:
        plane: (row, column) counts. Not modified.
        share: Share of the light, in [0, 1].
        sigma_px: Standard deviation of the blur.
    """
    wide = ndi.gaussian_filter(plane, sigma_px, mode="nearest", truncate=3)
    hazy: Map = (1 - share) * plane + share * wide
    return hazy


@lru_cache(maxsize=32)
def vignetting(shape: tuple[int, int], coefficients: tuple[tuple[float, ...], ...], strength: float) -> Map:
    """Evaluate an instrument's illumination profile over the frame.

    Args:
        shape: (rows, columns).
        coefficients: c[n][k] of x^(n-k) y^k; x and y run from -0.5 to 0.5 along columns and rows.
        strength: Share of the profile's departure from 1, in [0, 1].

    Returns:
        (row, column) factors, read-only.

    Examples:
        >>> vignetting((1, 3), ((1.0,), (0.6, 0.0)), 1.0).round(2)
        array([[0.8, 1. , 1.2]], dtype=float32)
    """
    rows, columns = ((np.arange(length) + 0.5) / length - 0.5 for length in shape)
    terms = [
        value * np.outer(rows**k, columns ** (n - k))
        for n, row in enumerate(coefficients)
        for k, value in enumerate(row)
    ]
    profile: Map = (1 + strength * (np.sum(terms, axis=0) - 1)).astype(np.float32)
    profile.setflags(write=False)
    return profile
