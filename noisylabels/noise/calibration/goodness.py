"""Goodness: make the errors again from the profile and see whether they look the same."""

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.noise.calibration.comparison import Comparison, compare_field
from noisylabels.noise.calibration.profile import Profile, group_fields, make_profile
from noisylabels.noise.calibration.synthesis import synthesise

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

KS_FEATURES = ("area_px", "contrast")
N_SWAPS = 999
ALL_SWAPS = 10
"""Up to so many groups every way of swapping is tried."""


def check_profile(
    profile: Profile,
    compared: Sequence[Comparison],
    truth: Sequence[RealArray],
    images: Sequence[RealArray] | None = None,
    *,
    channel_names: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
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
        groups: Per field, what it belongs to; groups are resampled and swapped as wholes. None: each field by itself.
        seed: Noise seed of the re-synthesis, and of the swaps.
        n_resamples: Bootstrap resamples for the re-synthesis' own intervals.

    Returns:
        Two tables. Summaries: one row per number with `observed`, its interval `low`, `high`, `synthetic` and its
        interval, `inside`: the synthetic number lies in the observed interval, and `overlaps`: the two intervals do,
        which is easier. Features: per class and feature of the weak events (area, contrast), the two-sample
        Kolmogorov-Smirnov statistic between observed and synthetic events, its p-value, and the statistic between
        observed and *true* events to compare it with. As events of one field are alike, p comes from swapping observed
        and synthetic in whole groups of fields, not from single events.
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
    again = make_profile(made, profile.classes, features, groups=groups, n_resamples=n_resamples, seed=seed)
    rows = [
        {
            "name": name, "observed": seen.value, "low": seen.low, "high": seen.high,
            "synthetic": again.summary[name].value, "synthetic_low": again.summary[name].low,
            "synthetic_high": again.summary[name].high,
            "inside": seen.low <= again.summary[name].value <= seen.high,
            "overlaps": again.summary[name].low <= seen.high and seen.low <= again.summary[name].high,
        }
        for name, seen in profile.summary.items()
        if name in again.summary and not np.isnan([seen.value, again.summary[name].value]).any()
    ]  # fmt: skip
    return pd.DataFrame(rows), pd.DataFrame(_distances(profile, compared, made, groups, seed))


def _distances(
    profile: Profile, seen: Sequence[Comparison], made: Sequence[Comparison], groups: Sequence[str] | None, seed: int
) -> list[dict[str, object]]:
    rows = []
    members = group_fields(groups, len(seen))
    for index, name in enumerate(profile.classes.foreground, start=1):
        for feature in KS_FEATURES:
            observed, synthetic = (_column(fields, "extras", feature, index) for fields in (seen, made))
            true = _column(seen, "events", feature, index)
            if min(len(observed), len(synthetic), len(true)) == 0:
                continue
            here, there = (
                [_column([fields[place] for place in group], "extras", feature, index) for group in members]
                for fields in (seen, made)
            )
            rows.append(
                {
                    "class": name, "feature": feature, "n_observed": len(observed), "n_synthetic": len(synthetic),
                    "ks": distance_between(observed, synthetic), "p": swap_groups(here, there, seed=seed),
                    "ks_to_truth": distance_between(observed, true),
                }
            )  # fmt: skip
    return rows


def distance_between(one: Floats, other: Floats) -> float:
    """Compute the two-sample Kolmogorov-Smirnov statistic: the largest gap between the two cumulated shares.

    Examples:
        >>> distance_between(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
        0.5
    """
    places = np.concatenate([one, other])
    shares = [np.searchsorted(np.sort(values), places, side="right") / len(values) for values in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def swap_groups(observed: Sequence[Floats], synthetic: Sequence[Floats], *, seed: int = 0) -> float:
    """Test whether two samples of events differ, where the events of a group are no independent ones.

    Both samples come from the same fields, so if they do not differ, observed and synthetic may be swapped in any
    group. The p-value is the share of swaps whose Kolmogorov-Smirnov statistic is as large: all swaps of up to ten
    groups, 999 random ones of more.

    Args:
        observed: Per group, (event,) values.
        synthetic: The same of the other sample.
        seed: Of the random swaps.

    Examples:
        >>> same = [np.arange(5.0), np.arange(3.0)]
        >>> swap_groups(same, same)
        1.0
    """
    values = np.concatenate([*observed, *synthetic])
    sizes = [len(part) for part in (*observed, *synthetic)]
    group = np.repeat(np.tile(np.arange(len(observed)), 2), sizes)
    first = np.repeat([1, -1], [sum(sizes[: len(observed)]), sum(sizes[len(observed) :])])
    order = np.argsort(values, kind="stable")
    values, group, first = values[order], group[order], first[order]
    last_of_value = np.append(np.diff(values) > 0, True)
    if len(observed) <= ALL_SWAPS:
        swaps = np.array(list(product((1, -1), repeat=len(observed))))
    else:
        drawn = np.random.default_rng(seed).integers(0, 2, (N_SWAPS, len(observed)))
        swaps = np.concatenate([np.ones((1, len(observed)), int), 1 - 2 * drawn])
    gaps = np.array([_gap(first * swap[group], last_of_value) for swap in swaps])
    return float(np.mean(gaps >= gaps[0] - 1e-12))


def _gap(side: NDArray[np.int64], last_of_value: NDArray[np.bool_]) -> float:
    one, other = side > 0, side < 0
    if not one.any() or not other.any():
        return 1.0
    return float(np.abs((one.cumsum() / one.sum() - other.cumsum() / other.sum())[last_of_value]).max())


def _column(fields: Sequence[Comparison], table: str, feature: str, class_index: int) -> NDArray[np.float64]:
    tables = [getattr(field, table) for field in fields]
    if not all(feature in each for each in tables):
        return np.zeros(0)
    return np.concatenate([each[feature][each["class_index"] == class_index] for each in tables]).astype(np.float64)
