"""Goodness: make the errors again from the profile and see whether they look the same."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from noisylabels.data.arrays import RealArray
from noisylabels.noise.calibration.comparison import Comparison, compare_field
from noisylabels.noise.calibration.profile import Profile, make_profile
from noisylabels.noise.calibration.synthesis import synthesise

if TYPE_CHECKING:
    import pandas as pd

KS_FEATURES = ("area_px", "contrast")


def check_profile(
    profile: Profile,
    compared: Sequence[Comparison],
    truth: Sequence[RealArray],
    images: Sequence[RealArray] | None = None,
    *,
    channel_names: Sequence[str] | None = None,
    seed: int = 0,
    n_resamples: int = 100,
) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Corrupt the truth with the profile's model and compare the result with the observed weak labels.

    Args:
        profile: The profile.
        compared: The observed fields it was made from.
        truth: The true label map of each.
        images: The image of each, if the profile looks at images.
        channel_names: Names of the channels.
        seed: Noise seed of the re-synthesis.
        n_resamples: Bootstrap resamples for the re-synthesis' own intervals.

    Returns:
        Two tables. Summaries: one row per number with `observed`, its interval `low`, `high`, `synthetic` and its
        interval, and `agrees`: the two intervals overlap. Features: per class and feature of the weak events (area,
        contrast), the two-sample Kolmogorov-Smirnov statistic between observed and synthetic events, its p-value, and
        the statistic between observed and *true* events to hold it against.
    """
    import pandas as pd

    model = synthesise(profile, seed=seed)
    features = list(profile.reference)
    made = []
    for index, true in enumerate(truth):
        image = None if images is None else images[index]
        noisy = model.apply(true, image, image_id=f"check-{index}", channel_names=channel_names).label_map
        made.append(
            compare_field(noisy, true, image, classes=profile.classes, channel_names=channel_names, features=features)
        )
    again = make_profile(made, profile.classes, features, n_resamples=n_resamples, seed=seed)
    rows = [
        {
            "name": name, "observed": seen.value, "low": seen.low, "high": seen.high,
            "synthetic": again.summary[name].value, "synthetic_low": again.summary[name].low,
            "synthetic_high": again.summary[name].high,
            "agrees": again.summary[name].low <= seen.high and seen.low <= again.summary[name].high,
        }
        for name, seen in profile.summary.items()
        if name in again.summary and not np.isnan([seen.value, again.summary[name].value]).any()
    ]  # fmt: skip
    return pd.DataFrame(rows), pd.DataFrame(_distances(profile, compared, made))


def _distances(profile: Profile, seen: Sequence[Comparison], made: Sequence[Comparison]) -> list[dict[str, object]]:
    rows = []
    for index, name in enumerate(profile.classes.foreground, start=1):
        for feature in KS_FEATURES:
            observed, synthetic = (_column(fields, "extras", feature, index) for fields in (seen, made))
            true = _column(seen, "events", feature, index)
            if min(len(observed), len(synthetic), len(true)) == 0:
                continue
            test = ks_2samp(observed, synthetic)
            rows.append(
                {
                    "class": name, "feature": feature, "n_observed": len(observed), "n_synthetic": len(synthetic),
                    "ks": float(test.statistic), "p": float(test.pvalue),
                    "ks_to_truth": float(ks_2samp(observed, true).statistic),
                }
            )  # fmt: skip
    return rows


def _column(fields: Sequence[Comparison], table: str, feature: str, class_index: int) -> NDArray[np.float64]:
    tables = [getattr(field, table) for field in fields]
    if not all(feature in each for each in tables):
        return np.zeros(0)
    return np.concatenate([each[feature][each["class_index"] == class_index] for each in tables]).astype(np.float64)
