"""One simulated field: its image, its truth, and a table of every event in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.events import EventTable, InstanceMap
from noisylabels.data.labels import LabelMap
from noisylabels.simulation.detectability import keep_detectable, tabulate_events
from noisylabels.simulation.microscope import take_plane
from noisylabels.simulation.plate import FieldEffects, draw_effects
from noisylabels.simulation.scene import draw_scene
from noisylabels.simulation.settings import SimulationSettings


@dataclass(frozen=True)
class SimulatedField:
    """A field with perfect truth.

    Label maps hold indices of `noisylabels.data.labels.ROSELLA_PHASES` and describe the middle plane.

    Args:
        image: (channel, row, column) uint16 counts, DsRed before pHluorin; (channel, plane, row, column) if the
            settings ask for several planes.
        label_map: (row, column) sections of all events in the plane, before any blur.
        detectable_label_map: The same, of the events that the settings' `detectability` calls visible.
        label_stack: (plane, row, column) sections in every plane.
        instance_map: (row, column) int32, the event id of each pixel of `label_map`, 0 = background.
        events: One row per drawn event, whether it meets the plane or not; ids are those of the instance map.
        effects: What plate, well and treatment did to the field.
    """

    image: NDArray[np.uint16]
    label_map: LabelMap
    detectable_label_map: LabelMap
    label_stack: LabelMap
    instance_map: InstanceMap
    events: EventTable
    effects: FieldEffects

    def __repr__(self) -> str:
        return f"SimulatedField(image {self.image.shape} {self.image.dtype}, {len(self.events)} events)"


def simulate_field(
    settings: SimulationSettings | None = None,
    *,
    seed: int,
    plate: str = "P1",
    well: str = "B02",
    field: int = 1,
    condition: str = "untreated",
    dose: float = 1.0,
) -> SimulatedField:
    """Simulate one field of a well.

    The same arguments give the same bytes, whatever was simulated before and in however many processes. A field of
    one plane is the middle plane of the same field with five.

    Args:
        settings: What to simulate; a preset, or the default when None.
        seed: Seed of the screen.
        plate: Name of the plate; fields of one plate share its brightness and camera alignment.
        well: Name of the well, as B07; its place on the plate matters.
        field: Number of the field in its well.
        condition: Name of a treatment of `TREATMENTS`.
        dose: Strength of the treatment, 0 = none, 1 = full.

    Raises:
        InputError: If the condition or the well does not exist or the dose is not in [0, 1].

    Examples:
        >>> small = SimulationSettings.from_dict({"frame": {"rows": 32, "columns": 48}})
        >>> simulated = simulate_field(small, seed=1, well="C03", field=2)
        >>> simulated.image.shape, simulated.image.dtype, simulated.label_map.shape
        ((2, 32, 48), dtype('uint16'), (32, 48))
    """
    chosen = settings or SimulationSettings()
    effects = draw_effects(
        chosen.plate,
        seed=seed,
        plate=plate,
        well=well,
        field=field,
        focus_sigma_um=chosen.optics.focus_sigma_um,
        condition=condition,
        dose=dose,
    )
    scene = draw_scene(chosen, (seed, plate, well, field), effects)
    planes = [take_plane(scene, height) for height in chosen.frame.plane_heights_um]
    middle = planes[len(planes) // 2]
    events = tabulate_events(scene, middle)
    pictures = np.stack([plane.picture for plane in planes], axis=1)
    return SimulatedField(
        image=pictures[:, 0] if len(planes) == 1 else pictures,
        label_map=middle.phases,
        detectable_label_map=keep_detectable(middle, events),
        label_stack=np.stack([plane.phases for plane in planes]),
        instance_map=middle.instances,
        events=events,
        effects=effects,
    )
