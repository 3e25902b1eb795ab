"""The conventional image processing pipeline (CIP) whose label maps train the network."""

from noisylabels.cip.pipeline import CipMasks, CipResult, segment_field
from noisylabels.cip.settings import LCSB, MENDED, PRESETS, CipSettings, preset, settings_from_dict

__all__ = [
    "LCSB",
    "MENDED",
    "PRESETS",
    "CipMasks",
    "CipResult",
    "CipSettings",
    "preset",
    "segment_field",
    "settings_from_dict",
]
