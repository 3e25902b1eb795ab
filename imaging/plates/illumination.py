"""Uneven illumination as a smooth surface: the form in which Harmony stores it and screening estimates it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisylabels.errors import InputError


@dataclass(frozen=True)
class IlluminationProfile:
    """A polynomial of the pixel position: how much brighter than the field's mean each place is lit.

    The value at column c and row r is the sum over n, k of `coefficients[n][k] * x**(n - k) * y**k` with
    `x = (c - origin[0]) * scale[0]` and `y = (r - origin[1]) * scale[1]` (Harmony's FlatfieldProfile).

    Args:
        coefficients: One tuple per order n = 0, 1, 2, ..., of n + 1 numbers each.
        origin: (column, row) where x = y = 0, in pixels.
        scale: (per column, per row) factors, 1 / pixels.

    Raises:
        InputError: If an order has another number of coefficients.

    Examples:
        >>> IlluminationProfile(((1.0,), (0.5, 0.0)), (1.0, 0.0), (1.0, 1.0)).at((1, 3))
        array([[0.5, 1. , 1.5]], dtype=float32)
    """

    coefficients: tuple[tuple[float, ...], ...]
    origin: tuple[float, float]
    scale: tuple[float, float]

    def __post_init__(self) -> None:
        lengths = [len(order) for order in self.coefficients]
        if not lengths or lengths != list(range(1, len(lengths) + 1)):
            msg = (
                f"Coefficients of an illumination profile must be 1, 2, 3, ... per order, got {lengths}. Complete them."
            )
            raise InputError(msg)

    def at(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Evaluate the surface on a picture.

        Args:
            shape: (rows, columns).

        Returns:
            (row, column) float32.
        """
        x = ((np.arange(shape[1]) - self.origin[0]) * self.scale[0])[None, :]
        y = ((np.arange(shape[0]) - self.origin[1]) * self.scale[1])[:, None]
        surface = np.zeros(shape)
        for n, order in enumerate(self.coefficients):
            for k, coefficient in enumerate(order):
                surface += coefficient * x ** (n - k) * y**k
        return surface.astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Write the profile as plain lists."""
        return {
            "coefficients": [list(order) for order in self.coefficients],
            "origin": list(self.origin),
            "scale": list(self.scale),
        }

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> "IlluminationProfile":
        """Read what `to_dict` wrote."""
        return cls(
            tuple(tuple(float(value) for value in order) for order in entry["coefficients"]),
            (float(entry["origin"][0]), float(entry["origin"][1])),
            (float(entry["scale"][0]), float(entry["scale"][1])),
        )
