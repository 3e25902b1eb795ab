"""Picture of a profile: what a pipeline gets wrong, and whether the errors made again look the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from noisylabels.data.atomic import replacing
from noisylabels.noise.calibration.comparison import Comparison
from noisylabels.noise.calibration.profile import Profile
from noisylabels.noise.dose import feature_values

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
N_BINS = 8


def draw_profile(path: str | Path, profile: Profile, compared: Sequence[Comparison], checks: "pd.DataFrame") -> None:
    """Draw the event confusion, misses by feature and place, boundary shifts, and observed against synthetic numbers.

    Args:
        path: The picture to write (PNG, SVG or PDF).
        profile: The profile.
        compared: The fields it was made from.
        checks: The first table of `check_profile`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    features = list(profile.reference)
    figure = Figure(figsize=(4.2 * (len(features) + 1), 8.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(features) + 1)
    _confusion(axes[0, 0], profile)
    for axis, feature in zip(axes[0, 1:], features, strict=True):
        _misses(axis, profile, compared, feature)
    _shifts(axes[1, 0], profile, compared)
    _agreement(axes[1, 1], checks)
    if len(features) > 1:
        _places(axes[1, 2], profile)
    for axis in axes[1, 3:]:
        axis.set_axis_off()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110)


Binned = tuple[list[float], list[float]]
"""Centres of bins, and the share missed in each."""


def misses_by_feature(profile: Profile, compared: Sequence[Comparison], feature: str) -> dict[str, Binned]:
    """Bin each class's events by a feature and give (bin centre, share missed) per class name."""
    binned = {}
    for index, name in enumerate(profile.classes.foreground, start=1):
        chosen = [field.events.select(field.events["class_index"] == index) for field in compared]
        values = np.concatenate([feature_values(table, feature) for table in chosen])
        missed = np.concatenate([table["missed"] for table in chosen])
        parts = [part for part in np.array_split(np.argsort(values, kind="stable"), N_BINS) if len(part)]
        binned[name] = (
            [float(np.median(values[part])) for part in parts],
            [float(missed[part].mean()) for part in parts],
        )
    return binned


def _confusion(axis: "Axes", profile: Profile) -> None:
    names = profile.classes.foreground
    counts = np.array(profile.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.6 else "black"
        axis.text(column, row, str(count), ha="center", va="center", color=colour)
    axis.set_xticks(range(len(names) + 1), [*names, "missed"], rotation=20)
    axis.set_yticks(range(len(names) + 1), [*names, "spurious"])
    axis.set(title=f"events of {profile.n_fields} fields", xlabel="weak label", ylabel="truth")


def _misses(axis: "Axes", profile: Profile, compared: Sequence[Comparison], feature: str) -> None:
    for colour, (name, (centres, shares)) in zip(
        COLOURS, misses_by_feature(profile, compared, feature).items(), strict=False
    ):
        weight = profile.value(f"{name}.missed.weight.{feature}")
        axis.plot(centres, shares, "o-", color=colour, label=f"{name} (weight {weight:+.2f})")
    axis.set(title="missed", xlabel="log area" if feature == "area" else feature, ylabel="share of events", ylim=(0, 1))
    axis.legend(frameon=False, fontsize="small")


def _shifts(axis: "Axes", profile: Profile, compared: Sequence[Comparison]) -> None:
    for index, (name, colour) in enumerate(zip(profile.classes.foreground, COLOURS, strict=False), start=1):
        shifts = np.concatenate([field.events["shift_px"][field.events["class_index"] == index] for field in compared])
        shifts = shifts[~np.isnan(shifts)]
        axis.hist(
            np.clip(shifts, -4, 6), bins=np.arange(-4, 6.5, 0.5).tolist(), histtype="step", color=colour, label=name
        )
    axis.axvline(0, color="grey", linewidth=0.8)
    axis.set(title="outline shift of found events", xlabel="pixels, + = too large", ylabel="events")
    axis.legend(frameon=False, fontsize="small")


def _agreement(axis: "Axes", checks: "pd.DataFrame") -> None:
    axis.errorbar(
        checks["observed"], checks["synthetic"],
        xerr=[(checks["observed"] - checks["low"]).clip(0), (checks["high"] - checks["observed"]).clip(0)],
        fmt="o", markersize=3, color=COLOURS[0], ecolor="lightgrey",
    )  # fmt: skip
    ends = [float(checks[["observed", "synthetic"]].min().min()), float(checks[["observed", "synthetic"]].max().max())]
    axis.plot(ends, ends, color="grey", linewidth=0.8)
    axis.set(
        title=f"made again: {checks['inside'].mean():.0%} of numbers inside", xlabel="observed", ylabel="synthetic"
    )


def _places(axis: "Axes", profile: Profile) -> None:
    shown = axis.imshow(np.array(profile.missed_map), cmap="viridis", vmin=0, vmax=1)
    axis.figure.colorbar(shown, ax=axis, shrink=0.7)
    axis.set(title="share missed by place in the field", xticks=[], yticks=[])
