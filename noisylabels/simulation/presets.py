"""Named sets of settings: the assay as the paper has it, and the same assay in a new screen."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from noisylabels.data.errors import InputError
from noisylabels.simulation.settings import SimulationSettings

_NEW_SCREEN: dict[str, Any] = {
    # Another laboratory: duller and more unequal cells, a hazier and less well aligned microscope, other cameras.
    "cells": {"cytosol_counts": (95.0, 330.0), "expression_sigma": 0.5, "diameter_um": 13.5, "unevenness": 0.12},
    "events": {
        "phagophore": {"diameter_um": 0.95, "lumen_fold": (2.6, 4.6)},
        "late_autolysosome": {"diameter_um": 1.45, "lumen_fold": (3.8, 3.8)},
    },
    "optics": {
        "sigma_range_um": (0.15, 0.21),
        "haze_range": (0.18, 0.35),
        "focus_sigma_um": 0.4,
        "vignetting_strength": 0.9,
    },
    "camera": {"bleed_through": (0.035, 0.006), "counts_per_electron": 0.5, "offset_counts": 140.0},
}

_MITO: dict[str, Any] = {
    # ATP5C1-Rosella: the sensor sits in mitochondria, ratio 2-4; mitophagy events are round and have a ratio below 1.
    "cells": {
        "cytosol_counts": (12.0, 30.0),
        "tubes_per_cell": 32.0,
        "tube_counts": (190.0, 900.0),
        "nucleus_level": (0.5, 0.5),
    },
    "events": {
        "phagophore": {"count_per_frame": 0.0},
        "autophagosome": {"count_per_frame": 0.0},
        "early_autolysosome": {"count_per_frame": 0.0},
        "late_autolysosome": {
            "count_per_frame": 120.0,
            "diameter_um": 0.75,
            "diameter_sigma": 0.25,
            "diameter_range_um": (0.4, 1.2),
            "elongation_range": (1.0, 1.2),
            "lumen_fold": (90.0, 90.0),
            "ph_range": (4.5, 5.3),
            "displaced": (0.0, 0.0),
        },
    },
}

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "rosella-lc3": MappingProxyType({}),
        "rosella-lc3-new-screen": MappingProxyType(_NEW_SCREEN),
        "rosella-mito": MappingProxyType(_MITO),
    }
)
"""What each preset changes in `SimulationSettings()`."""


def preset(name: str) -> SimulationSettings:
    """Return a preset.

    Args:
        name: `rosella-lc3`; `rosella-lc3-new-screen` for a shift of cells, optics and cameras at once; `rosella-mito`
            for the mitophagy assay, whose events are of the class autolysosome.

    Raises:
        InputError: If there is none of this name; the message lists those there are.

    Examples:
        >>> preset("rosella-lc3") == SimulationSettings()
        True
        >>> preset("rosella-lc3-new-screen").camera.offset_counts
        140.0
    """
    if name not in PRESETS:
        msg = f"A preset must be one of {', '.join(PRESETS)}, got {name!r}. Use a name of the list."
        raise InputError(msg)
    return SimulationSettings.from_dict(PRESETS[name])
