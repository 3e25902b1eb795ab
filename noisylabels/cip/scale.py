"""The scale of pixels: thresholds in counts of a 16-bit camera find nothing in an 8-bit or 0-1 copy of a field."""

import numpy as np

from noisylabels.data.arrays import Image
from noisylabels.data.errors import InputError

COUNTS = 65_535


def stretch(image: Image, full_scale: float | None) -> Image:
    """Stretch pixels to the counts of a 16-bit camera.

    Args:
        image: Pixels of any shape. Not modified.
        full_scale: What is white in them, such as 255 or 1; they are returned as they are when None.

    Examples:
        >>> stretch(np.array([0, 51, 255], np.uint8), 255).tolist()
        [0.0, 13107.0, 65535.0]
    """
    if full_scale is None:
        return image
    return image * np.float32(COUNTS / full_scale)


def check_full_scale(full_scale: float | None) -> None:
    """Check that pixels can be stretched by it.

    Raises:
        InputError: If it is not above 0.
    """
    if full_scale is not None and not 0 < full_scale < np.inf:
        msg = f"The full scale must be above 0, got {full_scale:g}. Give --full-scale 255 or 1."
        raise InputError(msg)


def doubt_scale(image: Image, name: str) -> str:
    """Describe why pixels do not look like counts of a camera; nothing where they do.

    Args:
        image: Pixels of any shape, none perhaps.
        name: Of the method that expects counts.

    Examples:
        >>> doubt_scale(np.array([[0.0, 0.5]]), "cip")
        'pixels up to 0.5 where cip expects counts of a 16-bit camera.'
        >>> doubt_scale(np.array([[90, 300]], np.uint16), "cip")
        ''
    """
    brightest = float(image.max()) if image.size else 0.0
    if image.dtype in (np.uint8, np.int8):
        return f"8-bit pixels (brightest {brightest:g}) where {name} expects counts of a 16-bit camera."
    if brightest <= 1:
        return f"pixels up to {brightest:g} where {name} expects counts of a 16-bit camera."
    return ""
