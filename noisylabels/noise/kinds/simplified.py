"""Simplified: an event is drawn as a coarse polygon or as its box."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.keys import Keys, combine_keys, uniforms
from noisylabels.noise.canvas import Canvas, Pixels
from noisylabels.noise.dose import Dose
from noisylabels.noise.log import make_rows
from noisylabels.noise.scene import Scene

MODES = ("polygon", "box")


@dataclass(frozen=True)
class Simplified:
    """Replace outlines by fewer corners, as hurried annotators do.

    `polygon` drops corners of the outline as long as it moves by no more than the tolerance (Douglas and Peucker
    1973); `box` fills the event's box.

    Args:
        dose: How many events, and which.
        modes: The modes to choose from, each equally likely.
        tolerance_px: How far a polygon may stray from the outline.

    Raises:
        InputError: If a mode is unknown or the tolerance is not positive.
    """

    dose: Dose
    modes: Sequence[str] = ("polygon",)
    tolerance_px: float = 1.5
    name: ClassVar[str] = "simplified"

    def __post_init__(self) -> None:
        for mode in self.modes or [""]:
            if mode not in MODES:
                msg = f"A mode of simplified must be one of {list(MODES)}, got {mode!r}. Use one of them."
                raise InputError(msg)
        if self.tolerance_px <= 0:
            msg = f"tolerance_px of simplified must be above 0, got {self.tolerance_px}. Give pixels, for instance 1.5."
            raise InputError(msg)

    def eligible(self, scene: Scene) -> NDArray[np.bool_]:
        """Events with an outline to simplify: three pixels or more."""
        return np.asarray(scene.table["area_px"] >= 3)

    def draw(self, scene: Scene, events: NDArray[np.int32], keys: Keys) -> EventTable:
        """Draw the mode of each event; one that is as simple already is not logged."""
        chosen = (uniforms(combine_keys(keys, "manner")) * len(self.modes)).astype(int)
        modes = np.array(self.modes, object)[chosen]
        return make_rows(scene.image_id, self.name, events, mode=modes, magnitude=self.tolerance_px, key=keys)

    @staticmethod
    def render(canvas: Canvas, _scene: Scene, rows: EventTable) -> NDArray[np.bool_]:
        """Redraw each event with fewer corners."""
        applied = np.zeros(len(rows), bool)
        for row, event in enumerate(rows["event"].tolist()):
            window = canvas.box(event, margin=1)
            own = canvas.owner[window] == event
            simple = fill_box(own) if rows["mode"][row] == "box" else drop_corners(own, rows["magnitude"][row])
            applied[row] = canvas.paint(event, window, simple)
        return applied


def fill_box(event: Pixels) -> Pixels:
    """Fill the smallest upright box around an event."""
    filled: Pixels = np.outer(event.any(axis=1), event.any(axis=0))
    rows, columns = np.nonzero(filled)
    filled[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    return filled


def drop_corners(event: Pixels, tolerance_px: float) -> Pixels:
    """Redraw an event as a polygon of fewer corners; its holes are filled."""
    from skimage.draw import polygon2mask
    from skimage.measure import approximate_polygon, find_contours

    room = np.pad(event, 1)
    outline = max(find_contours(room.astype(float), 0.5), key=len)
    drawn: Pixels = polygon2mask(room.shape, approximate_polygon(outline, tolerance_px))
    return drawn[1:-1, 1:-1]
