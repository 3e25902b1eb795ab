"""All settings of a simulated field."""

from dataclasses import dataclass, field

from noisylabels.simulation.settings.base import Settings
from noisylabels.simulation.settings.instrument import (
    CameraSettings,
    DetectabilitySettings,
    FrameSettings,
    OpticsSettings,
)
from noisylabels.simulation.settings.plate import PlateSettings
from noisylabels.simulation.settings.sample import CellSettings, EventSettings


@dataclass(frozen=True, kw_only=True)
class SimulationSettings(Settings):
    """Everything that a simulated field depends on, apart from its key.

    Examples:
        >>> settings = SimulationSettings.from_dict({"frame": {"rows": 256, "columns": 340}})
        >>> settings.frame.shape, settings.camera.full_scale_counts
        ((256, 340), 4095)
        >>> SimulationSettings.from_dict({"frame": {"row": 256}})
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: Setting frame.row must be one of those there are, got an unknown name. \
Did you mean rows?
    """

    frame: FrameSettings = field(default_factory=FrameSettings)
    cells: CellSettings = field(default_factory=CellSettings)
    events: EventSettings = field(default_factory=EventSettings)
    optics: OpticsSettings = field(default_factory=OpticsSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    detectability: DetectabilitySettings = field(default_factory=DetectabilitySettings)
    plate: PlateSettings = field(default_factory=PlateSettings)
