"""Every number of the CIP, with its unit, and the two presets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from noisylabels.data.errors import InputError
from noisylabels.data.settings import change


@dataclass(frozen=True)
class Deconvolution:
    """Step 2. Intensities after it are on the scale 0..65535 that the thresholds of later steps are written for."""

    iterations: int = 10
    blind: bool = True
    full_scale_counts: float | None = None
    """Deconvolved counts that become 65535; None: the brightest voxel of the channel's stack."""
    pixel_um: float = 0.2152
    plane_step_um: float = 0.4
    numerical_aperture: float = 1.2
    refractive_index: float = 1.333
    red_emission_nm: float = 584.0
    green_emission_nm: float = 511.0
    psf_radius_px: int = 8


@dataclass(frozen=True)
class RedSpots:
    """Steps 3 to 6, on deconvolved DsRed, 0..65535."""

    small_narrow_px: float = 1.0
    small_wide_px: float = 7.0
    small_kernel_px: int = 20
    small_threshold: float = 400.0
    fill_disc_px: int = 25
    fill_threshold: float = 1200.0
    fill_at_least_voxels: float = 500.0
    fill_small_share: float = 0.10
    big_narrow_px: float = 1.0
    big_narrow_kernel_px: int = 11
    big_wide_px: float = 6.0
    big_wide_kernel_px: int = 25
    big_threshold: float = 1000.0
    big_at_least_voxels: float = 200.0
    big_at_most_voxels: float = 2000.0
    at_least_voxels: float = 7.0


@dataclass(frozen=True)
class GreenSpots:
    """Step 7, on deconvolved pHluorin, 0..65535."""

    narrow_px: float = 1.0
    wide_px: float = 5.0
    kernel_px: int = 100
    threshold: float = 1000.0
    log_sigma_px: float = 1.0
    log_kernel_px: int = 20
    log_threshold: float = -2000.0
    at_least_voxels: float = 10.0


@dataclass(frozen=True)
class Acidity:
    """Steps 8 and 9: the pH ratio of raw counts and the low-pH ("AutoLyso") mask."""

    sigma_px: float = 2.0
    kernel_px: int = 5
    infinite_quantile: float = 0.99
    undefined_quantile: float = 0.01
    disc_px: int = 15
    threshold: float = 1.5
    ring_px: int = 7
    ring_over_inside: float = 1.5
    at_least_voxels: float = 100.0


@dataclass(frozen=True)
class HoleRings:
    """Step 10: autophagosome candidates with exactly one hole (Euler number 0)."""

    cutoff_cycles: float = 10.0
    """Cycles over the frame, whatever its size."""
    order: int = 5
    threshold: float = 150.0
    at_least_px: float = 20.0
    median_px: int = 3
    opening_px: int = 1
    filled_over_area: float = 1.01
    hole_more_than_px: float = 20.0
    hole_less_than_px: float = 1e4
    filled_opening_px: int = 5
    plane_share: float = 0.25


@dataclass(frozen=True)
class CircleRings:
    """Step 11: autophagosome candidates by circular Hough voting."""

    narrow_px: float = 1.0
    wide_px: float = 25.0
    kernel_px: int = 100
    replacing_sigma_px: float = 20.0
    erosion_px: int = 2
    radius_min_px: float = 3.0
    radius_max_px: float = 30.0
    radius_step_px: float = 0.5
    edge_threshold: float = 0.1
    """Share of the strongest gradient of the plane."""
    score_threshold: float = 0.2
    red_quantile: float = 0.90
    red_below_counts: float = 300.0
    green_spread_counts: float = 20.0


@dataclass(frozen=True)
class AutophagosomeShape:
    """Step 12: what a candidate must be to count as an autophagosome."""

    at_least_voxels: float = 50.0
    at_most_voxels: float = 10_000.0
    sphericity_above: float = 1.0
    volume_over_surface_above: float = 1.5
    thickening_px: int = 9
    rim_px: int = 5
    ratio_quantile: float = 0.75
    rim_over_centre_above: float = 0.95
    red_share_above: float = 0.50


@dataclass(frozen=True)
class Vesicles:
    """Step 13: the objects that are decided upon."""

    red_at_least_counts: float = 300.0
    eccentricity_above: float = 0.9


@dataclass(frozen=True)
class Decisions:
    """Step 14: the tests of each phase, and what happens when several hold."""

    overlap: Literal["first", "last"] = "last"
    """Whether a vesicle that passes several tests takes the first phase of the order or the last."""
    green_share: float = 0.25
    red_share: float = 0.25
    late_green_share_below: float = 0.10
    neutral_ratio: float = 2.0
    bright_quantile: float = 0.75
    bright_green: float = 7500.0
    bright_red: float = 4000.0
    centre_over_outside: float = 1.25


@dataclass(frozen=True)
class CipSettings:
    """All settings of the CIP; `settings_from_dict` changes some of them and refuses keys that are not here."""

    name: str
    deconvolution: Deconvolution = field(default_factory=Deconvolution)
    red: RedSpots = field(default_factory=RedSpots)
    green: GreenSpots = field(default_factory=GreenSpots)
    acidity: Acidity = field(default_factory=Acidity)
    hole_rings: HoleRings = field(default_factory=HoleRings)
    circle_rings: CircleRings = field(default_factory=CircleRings)
    autophagosome: AutophagosomeShape = field(default_factory=AutophagosomeShape)
    vesicles: Vesicles = field(default_factory=Vesicles)
    decisions: Decisions = field(default_factory=Decisions)


LCSB = CipSettings("lcsb-rosella-lc3-2017")
"""The original pipeline, its numbers and its two weak points."""

MENDED = CipSettings(
    "rosella-lc3-mended",
    deconvolution=Deconvolution(full_scale_counts=8192.0),
    decisions=Decisions(overlap="first"),
)
"""The original with its two weak points corrected: a fixed scale, so that one bright voxel no longer changes the
thresholds of the whole image, and an explicit priority of the phases."""

PRESETS: dict[str, CipSettings] = {settings.name: settings for settings in (LCSB, MENDED)}


def settings_from_dict(values: Mapping[str, object], base: CipSettings = LCSB) -> CipSettings:
    """Change some settings of a preset.

    Args:
        values: Nested mapping of the settings to change; `preset` names another preset to start from.
        base: What to start from when `preset` is not given.

    Returns:
        The changed settings.

    Raises:
        InputError: If a key is unknown or a value has the wrong type.

    Examples:
        >>> settings_from_dict({"preset": "rosella-lc3-mended", "red": {"small_threshold": 500}}).red.small_threshold
        500.0
    """
    rest = {key: value for key, value in values.items() if key != "preset"}
    return change(preset(str(values["preset"])) if "preset" in values else base, rest)


def preset(name: str) -> CipSettings:
    """Return a preset by name.

    Raises:
        InputError: If there is none; the message lists those there are.
    """
    if name not in PRESETS:
        msg = f"A CIP preset must be one of {', '.join(PRESETS)}, got {name!r}. Use one of those names."
        raise InputError(msg)
    return PRESETS[name]
