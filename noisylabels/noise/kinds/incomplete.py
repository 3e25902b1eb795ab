"""Incomplete: only part of an event is labelled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.keys import Keys, combine_keys, generator, uniforms
from noisylabels.noise.canvas import Canvas
from noisylabels.noise.dose import Dose, check_rate
from noisylabels.noise.log import make_rows
from noisylabels.noise.scene import Scene

MODES = ("cut", "hole", "rim")
CHANNEL = "channel:"
COVER = (0.3, 0.7)
TIE_BREAK = 1e-6


@dataclass(frozen=True)
class Incomplete:
    """Leave part of an event out, by one of four modes.

    `cut` loses one side of it, `hole` its middle, `rim` its outside, and `channel:<name>` keeps only the pixels that
    are bright in that channel (above half-way between the event's surroundings and its peak), as if the detector had
    not seen the other. Every mode puts the event's pixels in an order and keeps the first of them; the largest
    connected piece of those stays, and at least one pixel is lost.

    Args:
        dose: How many events, and which.
        modes: The modes to choose from, each equally likely.
        cover: Smallest and largest share of the area that stays, or more numbers: quantiles at equal steps from 0 to 1
            of the share that stays. Not used by `channel:`.

    Raises:
        InputError: If a mode is unknown or a cover is outside [0, 1] or falls.
    """

    dose: Dose
    modes: Sequence[str] = MODES
    cover: Sequence[float] = COVER
    name: ClassVar[str] = "incomplete"

    def __post_init__(self) -> None:
        for mode in self.modes or [""]:
            if mode not in MODES and not mode.startswith(CHANNEL):
                msg = (
                    f"A mode of incomplete must be one of {[*MODES, CHANNEL + '<name>']}, "
                    f"got {mode!r}. Use one of them."
                )
                raise InputError(msg)
        for share in self.cover:
            check_rate(share, "cover of incomplete")
        if len(self.cover) < 2 or list(self.cover) != sorted(self.cover):
            msg = (
                "cover of incomplete must be two numbers or more that rise, "
                f"got {list(self.cover)}. Write for instance [0.3, 0.7]."
            )
            raise InputError(msg)

    def eligible(self, scene: Scene) -> NDArray[np.bool_]:
        """Events of two pixels or more.

        Raises:
            InputError: If a mode names a channel that the image does not have.
        """
        for mode in self.modes:
            if mode.startswith(CHANNEL) and mode.removeprefix(CHANNEL) not in scene.channel_names:
                known = list(scene.channel_names) or "no image"
                msg = f"{mode!r} must name a channel of the image, got {known}. Pass the image and its channel names."
                raise InputError(msg)
        return np.asarray(scene.table["area_px"] >= 2)

    def draw(self, scene: Scene, events: NDArray[np.int32], keys: Keys) -> EventTable:
        """Draw the mode and the cover of each event."""
        chosen = (uniforms(combine_keys(keys, "manner")) * len(self.modes)).astype(int)
        steps = np.linspace(0, 1, len(self.cover))
        cover = np.interp(uniforms(combine_keys(keys, "cover")), steps, self.cover)
        modes = np.array(self.modes, object)[chosen]
        return make_rows(scene.image_id, self.name, events, mode=modes, cover=cover, key=keys)

    @staticmethod
    def render(canvas: Canvas, scene: Scene, rows: EventTable) -> NDArray[np.bool_]:
        """Keep the first pixels of each event, in the order of its mode."""
        applied = np.zeros(len(rows), bool)
        for row, event in enumerate(rows["event"].tolist()):
            window = canvas.box(event, margin=1)
            own = canvas.owner[window] == event
            mode, cover, key = rows["mode"][row], rows["cover"][row], rows["key"][row]
            applied[row] = canvas.paint(event, window, _part(own, mode, cover, key, scene, window))
        return applied


def _part(
    own: NDArray[np.bool_], mode: str, cover: float, key: Keys, scene: Scene, window: object
) -> NDArray[np.bool_]:
    area = int(own.sum())
    if mode.startswith(CHANNEL):
        values = scene.image[scene.channel_names.index(mode.removeprefix(CHANNEL))][window].astype(float)  # type: ignore[index]
        ring = values[~own]
        half = (values[own].max(initial=0) + (np.median(ring) if len(ring) else 0)) / 2
        order, n_kept = -values, int((values[own] >= half).sum())
    else:
        order, n_kept = _order(own, mode, key), round(cover * area)
    ranks = np.argsort(order[own], kind="stable")[: min(max(n_kept, 1), max(area - 1, 1))]
    kept = np.zeros(own.shape, bool)
    rows, columns = np.nonzero(own)
    kept[rows[ranks], columns[ranks]] = True
    return kept


def _order(own: NDArray[np.bool_], mode: str, key: Keys) -> NDArray[np.float64]:
    angle = 2 * np.pi * generator(key).random()
    rows, columns = np.indices(own.shape)
    along: NDArray[np.float64] = rows * np.sin(angle) + columns * np.cos(angle)
    if mode == "cut":
        return along
    depth: NDArray[np.float64] = ndi.distance_transform_edt(np.pad(own, 1))[1:-1, 1:-1]
    return (depth if mode == "hole" else -depth) + TIE_BREAK * along  # equal depths: no side is favoured
