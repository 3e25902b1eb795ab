"""Has the screen drifted? Wells of this screen against wells of a reference screen, feature by feature.

Fields of one well resemble each other, so wells are compared, not fields; best only those with the same control.
"""

from typing import TYPE_CHECKING

import numpy as np

from noisylabels.data.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FEATURES = ("per_field_", "fraction_", "mean_area_px_", "area_fraction_", "mean_", "image_")
FEWEST_WELLS = 3
LEVEL = 0.05


def measure_drift(reference: "pd.DataFrame", wells: "pd.DataFrame", *, control: str | None = None) -> "pd.DataFrame":
    """Compare the wells of two screens.

    Args:
        reference: Well table of the reference screen.
        wells: Well table of this screen.
        control: `column=value`: only wells with this treatment, in both.

    Returns:
        One row per feature, the largest shift first: medians of both, `shift` (difference of medians in robust standard
        deviations of the reference; empty where the reference does not vary), `ks` (Kolmogorov-Smirnov distance), its
        `p`, `p_holm` (Holm over the features) and `drifted` (p_holm below 0.05).

    Raises:
        InputError: If a screen has fewer than three such wells, or they share no feature.
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
        spread = 1.4826 * np.median(np.abs(before - np.median(before)))
        difference = float(np.median(after) - np.median(before))
        test = stats.ks_2samp(before, after)
        rows.append(
            {
                "feature": name,
                "reference": float(np.median(before)),
                "screen": float(np.median(after)),
                "shift": difference / spread if spread > 0 else float("nan"),
                "ks": float(test.statistic),
                "p": float(test.pvalue),
            }
        )
    if not rows:
        msg = f"Both screens must share measurements of at least {FEWEST_WELLS} wells, got none. Measure them alike."
        raise InputError(msg)
    table = pd.DataFrame(rows)
    table["p_holm"] = _holm(table["p"].to_numpy())
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


def _holm(p_values: np.ndarray) -> np.ndarray:
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted
