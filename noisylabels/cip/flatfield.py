"""Uneven illumination: draw it from a polynomial, take it out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError

Profile = NDArray[np.float32]


def polynomial_profile(coefficients: Sequence[Sequence[float]], shape: tuple[int, int]) -> Profile:
    """Draw an illumination profile from the coefficients that Harmony's index files hold.

    The profile is the sum of c[n][k] x^(n-k) y^k, x along columns and y along rows, both from -0.5 to 0.5 over
    the frame.

    Args:
        coefficients: Row n holds the n + 1 coefficients of the terms of degree n.
        shape: (rows, columns).

    Returns:
        (row, column) float32 divided by its mean.

    Raises:
        InputError: If a row has the wrong number of coefficients.

    Examples:
        >>> polynomial_profile([[1.0], [1.0, 0.0]], (1, 3))
        array([[0.5, 1. , 1.5]], dtype=float32)
    """
    y, x = (np.linspace(-0.5, 0.5, side) if side > 1 else np.zeros(1) for side in shape)
    profile = np.zeros(shape)
    for degree, row in enumerate(coefficients):
        if len(row) != degree + 1:
            msg = f"Coefficients of degree {degree} must be {degree + 1} numbers, got {len(row)}. Check the table."
            raise InputError(msg)
        for k, coefficient in enumerate(row):
            profile += coefficient * y[:, None] ** k * x[None, :] ** (degree - k)
    return np.asarray(profile / profile.mean(), np.float32)


def correct_flatfield(image: RealArray, profiles: RealArray, *, offset_counts: float = 0.0) -> NDArray[np.float32]:
    """Divide the illumination out of an image.

    The original multiplies by a stored correction image, which is 1 / profile.

    Args:
        image: (channel, row, column) or (channel, plane, row, column) intensities. Not modified.
        profiles: (channel, row, column) illumination, mean 1, above 0.
        offset_counts: Camera offset that is not illuminated: taken off before and added again after.

    Returns:
        float32 of the shape of `image`.

    Raises:
        InputError: If sizes differ or a profile is not above 0 everywhere.

    Examples:
        >>> correct_flatfield(np.array([[[50.0, 100.0]]]), np.array([[[0.5, 1.0]]]))
        array([[[100., 100.]]], dtype=float32)
    """
    if image.shape[0] != profiles.shape[0] or image.shape[-2:] != profiles.shape[-2:]:
        msg = f"Flat-field profiles must have the channels and size of the image {image.shape}, got {profiles.shape}."
        raise InputError(msg + " Estimate them on the same camera frame.")
    if not (profiles > 0).all():
        msg = f"Flat-field profiles must be above 0, got {profiles.min()}. Correct the profile where it is dark."
        raise InputError(msg)
    per_plane = profiles if image.ndim == profiles.ndim else profiles[:, None]
    return np.asarray((image - np.float32(offset_counts)) / per_plane + offset_counts, np.float32)
