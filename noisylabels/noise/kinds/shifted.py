"""Shifted: an event is labelled beside its place."""

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


@dataclass(frozen=True)
class Shifted:
    """Move events by a normally distributed step, the same in every direction, rounded to whole pixels.

    An event that meets another loses the pixels it would share; what leaves the frame is lost.

    Args:
        dose: How many events, and which.
        sd_px: Standard deviation of the step along each axis.

    Raises:
        InputError: If `sd_px` is not positive.
    """

    dose: Dose
    sd_px: float = 2.0
    name: ClassVar[str] = "shifted"

    def __post_init__(self) -> None:
        if self.sd_px <= 0:
            msg = f"sd_px of shifted must be above 0, got {self.sd_px}. Give the step's standard deviation."
            raise InputError(msg)

    def eligible(self, scene: Scene) -> NDArray[np.bool_]:
        """Every event can be shifted."""
        return np.ones(len(scene.table), bool)

    def draw(self, scene: Scene, events: NDArray[np.int32], keys: Keys) -> EventTable:
        """Draw how far each event moves; a step that rounds to no pixel is not logged."""
        distances = self.sd_px * np.sqrt(-2 * np.log(uniforms(combine_keys(keys, "distance"))))
        return make_rows(scene.image_id, self.name, events, magnitude=distances, key=keys)

    @staticmethod
    def render(canvas: Canvas, _scene: Scene, rows: EventTable) -> NDArray[np.bool_]:
        """Move each event; its direction comes from its key."""
        angles = 2 * np.pi * uniforms(combine_keys(rows["key"], "direction"))
        steps = np.rint(rows["magnitude"] * [np.sin(angles), np.cos(angles)]).astype(int).T
        applied = np.zeros(len(rows), bool)
        for row, event in enumerate(rows["event"].tolist()):
            window = canvas.box(event, margin=int(np.abs(steps[row]).max()) + 1)
            own = canvas.owner[window] == event
            applied[row] = canvas.paint(event, window, moved(own, *steps[row].tolist()))
        return applied


def moved(mask: Pixels, down: int, right: int) -> Pixels:
    """Move a mask by whole pixels; what leaves the array is lost.

    Examples:
        >>> moved(np.array([[True, True, False]]), 0, -1)
        array([[ True, False, False]])
    """
    rows, columns = np.nonzero(mask)
    rows, columns = rows + down, columns + right
    stays = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
    result = np.zeros_like(mask)
    result[rows[stays], columns[stays]] = True
    return result
