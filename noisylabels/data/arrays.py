"""Types of arrays that more than one room takes; functions that take one say its shape."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", bound=np.generic)
"""The type of an array's values, where a function keeps it."""

RealArray = NDArray[np.bool_ | np.integer | np.floating]
"""An array of real numbers: masks, class indices, intensities, scores."""

Image = RealArray
"""An array of intensities as it is stored, (channel, row, column) unless its function says otherwise."""
