"""Missed: an event is absent from the label map, as from a detector that never fires on it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.events import EventTable
from noisylabels.data.keys import Keys
from noisylabels.noise.canvas import Canvas
from noisylabels.noise.dose import Dose
from noisylabels.noise.log import make_rows
from noisylabels.noise.scene import Scene


@dataclass(frozen=True)
class Missed:
    """Erase whole events.

    Args:
        dose: How many events, and which.
    """

    dose: Dose
    name: ClassVar[str] = "missed"

    def eligible(self, scene: Scene) -> NDArray[np.bool_]:
        """Every event can be missed."""
        return np.ones(len(scene.table), bool)

    def draw(self, scene: Scene, events: NDArray[np.int32], keys: Keys) -> EventTable:
        """Log that `events` are missed; nothing is left to chance."""
        return make_rows(scene.image_id, self.name, events, key=keys)

    @staticmethod
    def render(canvas: Canvas, _scene: Scene, rows: EventTable) -> NDArray[np.bool_]:
        """Turn the events' pixels into background."""
        keep = np.arange(len(canvas.class_of), dtype=np.int32)
        keep[rows["event"]] = 0
        canvas.owner = keep[canvas.owner]
        return np.ones(len(rows), bool)
