"""The conventional image processing pipeline (CIP) whose label maps train the network."""

from imaging.cip.pipeline import CipMasks, CipResult, segment_field
from imaging.cip.settings import LCSB, PRESETS, CipSettings, load_settings, preset, settings_from_dict

__all__ = [
    "LCSB",
    "PRESETS",
    "CipMasks",
    "CipResult",
    "CipSettings",
    "load_settings",
    "preset",
    "segment_field",
    "settings_from_dict",
]
