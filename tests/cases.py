"""Drawn cases: label maps that can be counted by eye."""

import numpy as np
from numpy.typing import NDArray


def draw(picture: str) -> NDArray[np.uint8]:
    """Turn a drawing into a label map: rows between slashes, `.` is background, digits are class indices.

    Examples:
        >>> draw("11.. / 1122 / ..22")
        array([[1, 1, 0, 0],
               [1, 1, 2, 2],
               [0, 0, 2, 2]], dtype=uint8)
    """
    rows = [row.strip().replace(".", "0") for row in picture.split("/")]
    return np.array([[int(pixel) for pixel in row] for row in rows], np.uint8)
