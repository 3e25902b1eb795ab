"""Split: one event is labelled as two."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data.errors import InputError
from noisylabels.data.events import EIGHT_CONNECTED, EventTable
from noisylabels.data.keys import Keys, generator
from noisylabels.noise.canvas import Canvas, Pixels
from noisylabels.noise.dose import Dose
from noisylabels.noise.log import make_rows
from noisylabels.noise.scene import Scene

N_TRIES = 8
SMALLEST_PX = 6


@dataclass(frozen=True)
class Split:
    """Cut events in two along a straight line through their middle, in any direction.

    Args:
        dose: How many events, and which.
        gap_px: Width of the cut.

    Raises:
        InputError: If the gap is below 1.5 pixels, which an oblique cut needs to part 8-connected pixels.
    """

    dose: Dose
    gap_px: float = 1.5
    name: ClassVar[str] = "split"

    def __post_init__(self) -> None:
        if self.gap_px < 1.5:
            msg = f"gap_px of split must be 1.5 or more, got {self.gap_px}. A thinner cut leaves pixels in contact."
            raise InputError(msg)

    def eligible(self, scene: Scene) -> NDArray[np.bool_]:
        """Events of at least six pixels."""
        return np.asarray(scene.table["area_px"] >= SMALLEST_PX)

    def draw(self, scene: Scene, events: NDArray[np.int32], keys: Keys) -> EventTable:
        """Log the cut; its direction comes from the key."""
        return make_rows(scene.image_id, self.name, events, length_px=self.gap_px, key=keys)

    @staticmethod
    def render(canvas: Canvas, _scene: Scene, rows: EventTable) -> NDArray[np.bool_]:
        """Cut each event in the first of some random directions that parts it."""
        applied = np.zeros(len(rows), bool)
        for row, event in enumerate(rows["event"].tolist()):
            window = canvas.box(event, margin=1)
            own = canvas.owner[window] == event
            for angle in np.pi * generator(rows["key"][row]).random(N_TRIES):
                parts = cut(own, angle, rows["length_px"][row])
                if ndi.label(parts, EIGHT_CONNECTED)[1] > 1:
                    applied[row] = canvas.paint(event, window, parts, in_pieces=True)
                    break
        return applied


def cut(event: Pixels, angle: float, gap_px: float) -> Pixels:
    """Remove a straight band of `gap_px` that has half of the event's pixels on either side."""
    rows, columns = np.indices(event.shape)
    along = rows * np.sin(angle) + columns * np.cos(angle)
    if not event.any():
        return event
    band: Pixels = np.abs(along - np.median(along[event])) <= gap_px / 2
    return event & ~band
