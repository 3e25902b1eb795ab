"""All settings of a simulated field, and their file."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from noisylabels.data.errors import InputError
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
        noisylabels.data.errors.InputError: Settings of FrameSettings must be among ['columns', 'oversampling', \
'pixel_size_um', 'plane_step_um', 'planes', 'rows'], got ['row']. Correct the name.
    """

    frame: FrameSettings = field(default_factory=FrameSettings)
    cells: CellSettings = field(default_factory=CellSettings)
    events: EventSettings = field(default_factory=EventSettings)
    optics: OpticsSettings = field(default_factory=OpticsSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    detectability: DetectabilitySettings = field(default_factory=DetectabilitySettings)
    plate: PlateSettings = field(default_factory=PlateSettings)


def read_settings(path: str | Path) -> dict[str, Any]:
    """Read settings that differ from a preset's, for `SimulationSettings.replaced`.

    Args:
        path: A YAML or JSON file: groups of settings, as `cells: {diameter_um: 14}`.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it cannot be decoded or is not a mapping.
    """
    import yaml

    source = Path(path)
    if not source.is_file():
        msg = f"{source} must be a file of settings, but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    try:
        values = yaml.safe_load(source.read_text())
    except yaml.YAMLError as error:
        msg = f"{source} must be YAML or JSON, got a fault: {' '.join(str(error).split())}. Mend it."
        raise InputError(msg) from error
    if not isinstance(values, dict):
        msg = f"{source} must hold groups of settings, got {type(values).__name__}. Write for instance cells: {{...}}."
        raise InputError(msg)
    return values
