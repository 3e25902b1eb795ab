"""Marginal thresholding: the Dice-optimal cut of a cross-entropy network, found without clean labels."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

N_LEVELS = 1000


def marginal_threshold(foreground: Iterable[NDArray[np.floating]], *, n_levels: int = N_LEVELS) -> float:
    """Find the threshold on P(foreground) that maximises the expected Dice of the predictions themselves.

    t* = D*/2 with D* = max over t of 2 * sum of m where m > t / (sum of m + number of m > t), m = 1 - p(background)
    (Nordström et al., arXiv 2304.04116). Below 1/2 whenever the network is unsure: events that were missed in part
    of the labels come back.

    Args:
        foreground: Maps of 1 - p(background), any shape, values in [0, 1]; read once, one at a time.
        n_levels: Levels that values are binned to.

    Returns:
        The threshold in [0, 0.5]; 0.5 if there is no foreground at all.

    Examples:
        >>> marginal_threshold([np.array([1.0, 1.0, 0.0, 0.0])])  # a sure network: one half
        0.5
        >>> round(marginal_threshold([np.array([0.4] * 10 + [0.0] * 90)]), 2)  # D* = 2 * 4 / (4 + 10)
        0.29
    """
    counts, sums = np.zeros(n_levels), np.zeros(n_levels)
    for values in foreground:
        flat = np.asarray(values, np.float64).ravel()
        level = np.minimum((flat * n_levels).astype(np.int64), n_levels - 1)
        counts += np.bincount(level, minlength=n_levels)
        sums += np.bincount(level, weights=flat, minlength=n_levels)
    total = sums.sum()
    if total == 0:
        return 0.5
    kept_sum, kept_count = np.cumsum(sums[::-1]), np.cumsum(counts[::-1])
    return float(np.max(2 * kept_sum / (total + kept_count)) / 2)


def apply_threshold(probabilities: NDArray[np.floating], threshold: float) -> NDArray[np.uint8]:
    """Label a pixel as an event where P(foreground) exceeds the threshold, with its most probable foreground class.

    Args:
        probabilities: (class, row, column), summing to 1 over classes. Not modified.
        threshold: In [0, 1].

    Returns:
        (row, column) class indices.

    Examples:
        >>> apply_threshold(np.array([[[0.6, 0.9]], [[0.1, 0.1]], [[0.3, 0.0]]]), 0.3)
        array([[2, 0]], dtype=uint8)
    """
    winner = (probabilities[1:].argmax(0) + 1).astype(np.uint8)
    return np.where(1 - probabilities[0] > threshold, winner, 0).astype(np.uint8)
