"""Drift: does a new screen look like the one a method was made for?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 10
NOTICEABLE, LARGE = 0.1, 0.25  # usual bounds of the population stability index


@dataclass(frozen=True)
class Drift:
    """How one quantity differs between a reference screen and a new one.

    Args:
        median_reference: Median of the reference screen.
        median_new: Median of the new one.
        ks: Largest distance of the two distribution functions, in [0, 1].
        psi: Population stability index: below 0.1 little, above 0.25 much has changed.
        n_reference: Values of the reference screen.
        n_new: Values of the new one.
    """

    median_reference: float
    median_new: float
    ks: float
    psi: float
    n_reference: int
    n_new: int


def measure_drift(reference: ArrayLike, new: ArrayLike) -> Drift:
    """Compare the values of two screens. No p-value: with thousands of events any two screens differ "significantly".

    The index sums (share_new - share_reference) ln(share_new / share_reference) over ten bins that hold a tenth of the
    reference each (fewer where values are tied), and one on each side for new values beyond its range. Half a value is
    added to every bin, so that an empty one does not make the index infinite.

    Args:
        reference: Values of the reference screen. Not modified.
        new: Values of the new screen. Not modified.

    Returns:
        The differences; nan where either has no values.

    Examples:
        >>> drift = measure_drift([1, 2, 3, 4], [11, 12, 13, 14])
        >>> drift.ks, drift.psi > 0.25
        (1.0, True)
    """
    one, other = np.sort(np.asarray(reference, float)), np.sort(np.asarray(new, float))
    if not one.size or not other.size:
        before, after = (float(np.median(values)) if values.size else float("nan") for values in (one, other))
        return Drift(before, after, float("nan"), float("nan"), one.size, other.size)
    places = np.concatenate([one, other])
    below = [np.searchsorted(values, places, side="right") / values.size for values in (one, other)]
    edges = _edges(one, other)
    shares = []
    for values in (one, other):
        counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=edges.size + 1) + 0.5
        shares.append(counts / counts.sum())
    psi = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    ks = float(np.abs(below[0] - below[1]).max())
    return Drift(float(np.median(one)), float(np.median(other)), ks, psi, one.size, other.size)


def _edges(reference: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower ends of all bins but the first; both arrays sorted."""
    tenths = np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1], method="inverted_cdf")
    inner = tenths[tenths > reference[0]]
    below = reference[:1] if new[0] < reference[0] else reference[:0]
    above = np.nextafter(reference[-1:], np.inf) if new[-1] > reference[-1] else reference[:0]
    return np.unique(np.concatenate([below, inner, above]))
