"""Drift: does a new screen look like the one a method was made for?

Values of events or images are compared without p-values, whole wells with them: fields of one well resemble each other,
wells are independent; best only those with the same control.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.statistics.adjustment import adjust_holm
from noisylabels.data.errors import InputError
from noisylabels.data.features import MAD_TO_SD

if TYPE_CHECKING:
    import pandas as pd

FEATURES = ("per_field_", "fraction_", "mean_area_px_", "area_fraction_", "mean_", "image_")
"""Beginnings of the names of well measures that drift is looked for in."""

FEWEST_WELLS = 3
LEVEL = 0.05
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


def compare_wells(reference: "pd.DataFrame", wells: "pd.DataFrame", *, control: str | None = None) -> "pd.DataFrame":
    """Compare the wells of two screens, measure by measure.

    Args:
        reference: Well table of the reference screen.
        wells: Well table of this screen.
        control: `column=value`: only wells with this treatment, in both.

    Returns:
        One row per measure, the largest shift first: medians of both, `shift` (difference of medians in robust standard
        deviations of the reference; empty where the reference does not vary), `psi`, `ks` (Kolmogorov-Smirnov
        distance), its `p`, `p_holm` (Holm over the measures) and `drifted` (p_holm below 0.05).

    Raises:
        InputError: If a screen has fewer than three such wells, or they share no measure.
    """
    import pandas as pd
    from scipy import stats

    chosen = [_controls(table, control, name) for table, name in ((reference, "reference"), (wells, "screen"))]
    shared = [name for name in chosen[0].columns if name in chosen[1].columns and name.startswith(FEATURES)]
    rows = []
    for name in shared:
        before, after = (table[name].dropna().to_numpy(float) for table in chosen)
        if min(len(before), len(after)) < FEWEST_WELLS:
            continue
        drift = measure_drift(before, after)
        spread = MAD_TO_SD * float(np.median(np.abs(before - drift.median_reference)))
        difference = drift.median_new - drift.median_reference
        rows.append(
            {
                "feature": name,
                "reference": drift.median_reference,
                "screen": drift.median_new,
                "shift": difference / spread if spread > 0 else float("nan"),
                "psi": drift.psi,
                "ks": drift.ks,
                "p": float(stats.ks_2samp(before, after).pvalue),
            }
        )
    if not rows:
        msg = f"Both screens must share measurements of at least {FEWEST_WELLS} wells, got none. Measure them alike."
        raise InputError(msg)
    table = pd.DataFrame(rows)
    table["p_holm"] = adjust_holm(table["p"].to_numpy())
    table["drifted"] = table["p_holm"] < LEVEL
    return table.sort_values("shift", key=abs, ascending=False, ignore_index=True)


def _controls(table: "pd.DataFrame", control: str | None, name: str) -> "pd.DataFrame":
    chosen = table
    if control is not None:
        column, _, value = control.partition("=")
        if column not in table.columns:
            msg = f"The {name} must have the column {column!r} of its layout, got none. Measure it with --layout."
            raise InputError(msg)
        chosen = table[table[column].astype(str) == value]
    if len(chosen) < FEWEST_WELLS:
        wanted = f" with {control}" if control else ""
        msg = f"The {name} must have at least {FEWEST_WELLS} wells{wanted}, got {len(chosen)}. Choose another control."
        raise InputError(msg)
    return chosen


def _edges(reference: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower ends of all bins but the first; both arrays sorted."""
    tenths = np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1], method="inverted_cdf")
    inner = tenths[tenths > reference[0]]
    below = reference[:1] if new[0] < reference[0] else reference[:0]
    above = np.nextafter(reference[-1:], np.inf) if new[-1] > reference[-1] else reference[:0]
    return np.unique(np.concatenate([below, inner, above]))
