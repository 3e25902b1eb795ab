"""Adjustment of p-values for the number of questions asked."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def adjust_holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values so that the chance of any false finding stays below the level (Holm 1979).

    The smallest is multiplied by the number of tests, the next by one less, and so on; a p-value never becomes smaller
    than that of a stronger finding.

    Args:
        p_values: p-values of any shape, nan where a test was undefined (it does not count as a test). Not modified.

    Returns:
        Adjusted p-values of the same shape, at most 1.

    Examples:
        >>> adjust_holm([0.01, 0.04, 0.03, np.nan])
        array([0.03, 0.06, 0.06,  nan])
    """
    values = np.asarray(p_values, float)
    flat = values.ravel()
    order = np.argsort(flat, kind="stable")[: int((~np.isnan(flat)).sum())]  # nan sorts last
    factors = np.arange(order.size, 0, -1)
    adjusted = np.full(flat.size, np.nan)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(flat[order] * factors))
    return adjusted.reshape(values.shape)
