"""What a simulated field depends on, and where each number comes from.

[CIP] is the published source of the original pipeline (github.com/LCSB-DVB/Jarazo_2021), [PSF] was computed with
vectorial models (NA 1.2, 511 and 584 nm), [profile] is a real instrument's illumination, [tuned] was chosen so that
class frequencies and the CIP's error rates come out as in the paper, [assumed] is microscopists' knowledge without
one source.
"""

from noisylabels.simulation.settings.base import Pair, Settings
from noisylabels.simulation.settings.instrument import (
    CameraSettings,
    DetectabilitySettings,
    FrameSettings,
    OpticsSettings,
)
from noisylabels.simulation.settings.plate import PlateSettings
from noisylabels.simulation.settings.sample import FULL_FRAME_PX, CellSettings, EventSettings, PhaseSettings
from noisylabels.simulation.settings.simulation import SimulationSettings

__all__ = [
    "FULL_FRAME_PX",
    "CameraSettings",
    "CellSettings",
    "DetectabilitySettings",
    "EventSettings",
    "FrameSettings",
    "OpticsSettings",
    "Pair",
    "PhaseSettings",
    "PlateSettings",
    "Settings",
    "SimulationSettings",
]
