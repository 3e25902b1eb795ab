"""Plates and days that differ: stain, expression, focus, haze, density, bleaching, offset and illumination."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from noisylabels.data.keys import combine_keys, generator
from noisylabels.simulation.settings import Pair, SimulationSettings

STAIN_SIGMA = 0.25
"""Spread of the logarithm of brightness between plates, per channel: 0.2-0.3 [assumed]."""

EVENTS_SIGMA = 0.25
"""Spread of the logarithm of the number of events between days, per phase [assumed]."""

RANGES: Mapping[str, Pair] = MappingProxyType(
    {
        "expression_sigma": (0.25, 0.6),  # clonal 0.3, transient 0.5-0.8 [assumed]
        "cover": (0.6, 0.95),  # share of the field that the colony covers [assumed]
        "haze": (0.08, 0.4),  # 0.08-0.18 usual, up to 0.4 in dense colonies [assumed, looks right]
        "sigma_um": (0.118, 0.172),  # 0.55-0.8 pixels in focus [assumed]
        "focus_sigma_um": (0.2, 0.5),  # 0.3 usual, worse on bent plates [assumed]
        "bleaching": (0.0, 0.10),  # over a plate [assumed]
        "offset_counts": (50.0, 150.0),  # of the camera's dark pixels [assumed]
        "vignetting": (0.2, 0.9),  # share of real profiles' departure from 1 [profile]
    }
)
"""Within what each plate draws its own, uniformly; the sources stand in `noisylabels.simulation.settings`."""


def vary_plate(settings: SimulationSettings, *, seed: int, plate: str) -> SimulationSettings:
    """Draw the settings of one plate, on its own day, from those of a screen.

    Args:
        settings: Of the screen. Not modified; what is not varied stays as it is.
        seed: Seed of the screen.
        plate: Name of the plate; its name and the seed decide the draw, and nothing else.

    Returns:
        The plate's own settings. Ranges (haze, blur, cover) keep a part of the width of `RANGES` around a centre of
        the plate's own, as fields of one plate are more alike than those of two.

    Examples:
        >>> first, second = (vary_plate(SimulationSettings(), seed=0, plate=name) for name in ("P1", "P2"))
        >>> first.camera.offset_counts == second.camera.offset_counts
        False
    """
    rng = generator(combine_keys(seed, plate, "variation"))
    drawn = {name: float(rng.uniform(*limits)) for name, limits in RANGES.items()}
    stain = np.exp(rng.normal(0, STAIN_SIGMA, 2))
    counts = np.exp(rng.normal(0, EVENTS_SIGMA, 2))
    cells, events = settings.cells, settings.events
    phases = ("phagophore", "late_autolysosome")
    return settings.replaced(
        {
            "cells": {
                "cytosol_counts": [float(x * f) for x, f in zip(cells.cytosol_counts, stain, strict=True)],
                "expression_sigma": drawn["expression_sigma"],
                "cover_range": _around("cover", drawn["cover"]),
            },
            "events": {
                phase: {"count_per_frame": float(getattr(events, phase).count_per_frame * factor)}
                for phase, factor in zip(phases, counts, strict=True)
            },
            "optics": {
                "haze_range": _around("haze", drawn["haze"]),
                "sigma_range_um": _around("sigma_um", drawn["sigma_um"]),
                "focus_sigma_um": drawn["focus_sigma_um"],
                "vignetting_strength": drawn["vignetting"],
            },
            "camera": {"offset_counts": drawn["offset_counts"]},
            "plate": {"bleaching": drawn["bleaching"]},
        }
    )


def _around(name: str, centre: float) -> list[float]:
    """Return a range of a quarter of the whole width on each side, kept within the whole."""
    low, high = RANGES[name]
    reach = (high - low) / 4
    return [max(low, centre - reach), min(high, centre + reach)]
