"""Quality of images: is a field in focus, is it saturated? Judged against the other fields of its screen."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage as ndi

from noisylabels.data.features import MAD_TO_SD

FULL_SCALES = (255, 1023, 4095, 16383, 65535)
"""Largest values of cameras with 8, 10, 12, 14 and 16 bits."""

FINE_PX, COARSE_PX = 1.0, 4.0  # Gaussian sigmas between which an in-focus field has structure that a blurred one lacks
SMALLEST_SPREAD = 0.01
FEW_MADS = 3.5  # robust deviations beyond which a field is told apart (Iglewicz & Hoaglin 1993)


def measure_focus(channel: ArrayLike) -> float:
    """Measure the fine structure of a channel, relative to its coarse structure; blur lowers it.

    Args:
        channel: (row, column) intensities. Not modified.

    Returns:
        The standard deviation of what a 1-pixel Gaussian keeps and a 4-pixel one removes, divided by that of what the
        4-pixel one keeps; nan for an even channel.

    Examples:
        >>> spots = np.zeros((64, 64)); spots[8::16, 8::16] = 1
        >>> measure_focus(spots) > measure_focus(ndi.gaussian_filter(spots, 3))
        True
    """
    image = np.asarray(channel, np.float32)
    fine, coarse = ndi.gaussian_filter(image, FINE_PX), ndi.gaussian_filter(image, COARSE_PX)
    spread = float(coarse.std())
    return float((fine - coarse).std()) / spread if spread > 0 else float("nan")


def share_saturated(channel: ArrayLike) -> float:
    """Return the share of pixels at the end of the camera's scale.

    Args:
        channel: (row, column) whole numbers. Not modified.

    Returns:
        The share of pixels at the highest value, if that is the full scale of 8, 10, 12, 14 or 16 bits; else 0.

    Examples:
        >>> share_saturated([[0, 4095], [7, 9]]), share_saturated([[0, 4000], [7, 9]])
        (0.25, 0.0)
    """
    values = np.asarray(channel)
    highest = values.max(initial=0)
    return float((values == highest).mean()) if highest in FULL_SCALES else 0.0


def flag_low(values: ArrayLike, *, reference: ArrayLike | None = None) -> NDArray[np.bool_]:
    """Flag values that are unusually low: 3.5 robust standard deviations below the median, on a logarithmic scale.

    A deviation counts as at least 1 %, so that among equal values one that is hardly smaller is not told apart.

    Args:
        values: (field,) positive values, nan never flagged. Not modified.
        reference: (field,) values that say what is usual; None: `values` themselves. Not modified.

    Examples:
        >>> flag_low([1.0, 1.1, 0.9, 1.05, 0.1])
        array([False, False, False, False,  True])
    """
    logs = np.log(np.where(np.asarray(values, float) > 0, values, np.nan))
    usual = logs if reference is None else np.log(np.where(np.asarray(reference, float) > 0, reference, np.nan))
    usual = usual[~np.isnan(usual)]
    if not usual.size:
        return np.zeros(logs.shape, bool)
    middle = np.median(usual)
    spread = max(MAD_TO_SD * float(np.median(np.abs(usual - middle))), SMALLEST_SPREAD)
    return np.asarray(logs < middle - FEW_MADS * spread, bool)
