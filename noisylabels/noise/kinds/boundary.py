"""Boundary: an event is drawn too large or too small, evenly or with a wavering hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.keys import Keys, combine_keys, generator, normals, uniforms
from noisylabels.noise.canvas import Canvas, Pixels
from noisylabels.noise.dose import Dose, check_rate
from noisylabels.noise.log import make_rows
from noisylabels.noise.scene import Scene

N_WAVES = 24
JITTER_REACH = 3.5


@dataclass(frozen=True)
class Boundary:
    """Move the outlines of events along their normal.

    The outline is where the signed distance to the event is 0; it moves to where that distance equals the shift, plus
    a jitter that is a stationary, isotropic Gaussian random field, so no direction is favoured and the mean shift of
    a model with `shift_px: 0` is 0. An event never vanishes (its deepest pixels stay), never falls apart, and stays
    one pixel away from others of its class. The field is a sum of random waves (Rahimi and Recht 2007, random Fourier
    features); a biased boundary with spatial correlation follows Yao et al. 2023 (ICLR), without its Markov walk.

    Args:
        dose: How many events, and which.
        shift_px: Mean shift in pixels, positive = too large; or two numbers or more that rise: quantiles of the shift
            at equal steps from 0 to 1 (`sd_px` is then not used).
        sd_px: Standard deviation of the shift between events.
        jitter_px: Standard deviation of the shift along one outline.
        length_px: Correlation length of the jitter.
        min_cover: Share of the event that stays labelled however far its outline moves in.
        step_px: Standard deviation of a step of the whole outline along each axis, in fractions of a pixel too.

    Raises:
        InputError: If a spread is negative, the length is not positive, or quantiles fall.
    """

    dose: Dose
    shift_px: float | Sequence[float] = 0.0
    sd_px: float = 1.0
    jitter_px: float = 0.0
    length_px: float = 4.0
    step_px: float = 0.0
    min_cover: float = 0.0
    name: ClassVar[str] = "boundary"

    def __post_init__(self) -> None:
        for name in ("sd_px", "jitter_px", "step_px"):
            if getattr(self, name) < 0:
                msg = f"{name} of boundary must be 0 or more, got {getattr(self, name)}. Give a standard deviation."
                raise InputError(msg)
        check_rate(self.min_cover, "min_cover of boundary")
        if self.length_px <= 0:
            msg = f"length_px of boundary must be above 0, got {self.length_px}. Give the jitter's correlation length."
            raise InputError(msg)
        if isinstance(self.shift_px, Sequence) and (
            len(self.shift_px) < 2 or sorted(self.shift_px) != list(self.shift_px)
        ):
            msg = f"shift_px of boundary must be one number or two and more that rise, got {self.shift_px}. Sort them."
            raise InputError(msg)

    def eligible(self, scene: Scene) -> NDArray[np.bool_]:
        """Every event has an outline."""
        return np.ones(len(scene.table), bool)

    def draw(self, scene: Scene, events: NDArray[np.int32], keys: Keys) -> EventTable:
        """Draw the shift of each event; what rounds to no pixel is not logged."""
        if isinstance(self.shift_px, Sequence):
            steps = np.linspace(0, 1, len(self.shift_px))
            shifts = np.interp(uniforms(combine_keys(keys, "shift")), steps, self.shift_px)
        else:
            shifts = self.shift_px + self.sd_px * normals(combine_keys(keys, "shift"))
        return make_rows(
            scene.image_id, self.name, events,
            magnitude=shifts, jitter_px=self.jitter_px, length_px=self.length_px, step_px=self.step_px,
            cover=self.min_cover, key=keys,
        )  # fmt: skip

    @staticmethod
    def render(canvas: Canvas, _scene: Scene, rows: EventTable) -> NDArray[np.bool_]:
        """Redraw each event with its outline moved."""
        applied = np.zeros(len(rows), bool)
        steps = rows["step_px"] * [normals(combine_keys(rows["key"], axis)) for axis in ("row", "column")]
        for row, event in enumerate(rows["event"].tolist()):
            shift, jitter = float(rows["magnitude"][row]), float(rows["jitter_px"][row])
            reach = max(shift, 0) + JITTER_REACH * jitter + float(np.abs(steps[:, row]).max())
            window = canvas.box(event, margin=int(np.ceil(reach)) + 2)
            own = canvas.owner[window] == event
            if own.all():
                continue
            wobble = (
                jitter_field(own.shape, length_px=float(rows["length_px"][row]), key=rows["key"][row]) if jitter else 0
            )
            limit = shift + np.clip(jitter * wobble, -JITTER_REACH * jitter, JITTER_REACH * jitter)
            drawn = move_outline(own, limit, step_px=tuple(steps[:, row]), min_cover=float(rows["cover"][row]))
            applied[row] = canvas.paint(event, window, drawn)
        return applied


def move_outline(
    event: Pixels,
    shift_px: float | NDArray[np.float64],
    *,
    step_px: tuple[float, float] = (0.0, 0.0),
    min_cover: float = 0.0,
) -> Pixels:
    """Grow or shrink one event by a signed distance.

    Args:
        event: (row, column) pixels of the event, with room around it. Not modified.
        shift_px: How far its outline moves outwards, one number or one per pixel.
        step_px: How far it moves as a whole, down and right.
        min_cover: Share of the event's pixels that stay: those the outline would leave last.

    Returns:
        Its new pixels. However far it shrinks, its deepest pixels stay.

    Examples:
        >>> square = np.pad(np.ones((3, 3), bool), 2)
        >>> [int(move_outline(square, shift).sum()) for shift in (-9, -1, -0.4, 0, 0.4, 1)]
        [1, 1, 9, 9, 9, 25]
    """
    distance = signed_distance(event)
    if any(step_px):
        distance = ndi.shift(distance, step_px, order=1, mode="nearest")
    beyond = distance - shift_px
    kept: Pixels = (beyond < 0) | (distance == distance.min())
    n_kept = int(np.ceil(min_cover * event.sum()))
    if int((kept & event).sum()) < n_kept:
        kept |= event & (beyond <= np.partition(beyond[event], n_kept - 1)[n_kept - 1])
    return kept


def signed_distance(event: Pixels) -> NDArray[np.float64]:
    """Measure each pixel's distance to an event's outline: negative inside, positive outside, never 0.

    Examples:
        >>> signed_distance(np.array([[False, True, True, True, False, False]]))
        array([[ 0.5, -0.5, -1.5, -0.5,  0.5,  1.5]])
    """
    outside: NDArray[np.float64] = ndi.distance_transform_edt(~event)
    inside: NDArray[np.float64] = ndi.distance_transform_edt(event)
    signed: NDArray[np.float64] = np.where(event, 0.5 - inside, outside - 0.5)
    return signed


def jitter_field(shape: tuple[int, ...], *, length_px: float, key: Keys) -> NDArray[np.float64]:
    """Draw a smooth random field of mean 0 and variance 1 with a Gaussian correlation of length `length_px`."""
    random = generator(key)
    waves = random.normal(0, 1 / length_px, (N_WAVES, 2))
    phases = random.uniform(0, 2 * np.pi, N_WAVES)
    rows = np.multiply.outer(waves[:, 0], np.arange(shape[0])) + phases[:, None]
    columns = np.multiply.outer(waves[:, 1], np.arange(shape[1]))
    # cos(a + b) as products: the field is a matrix product of what varies by row and what varies by column
    field = np.cos(rows).T @ np.cos(columns) - np.sin(rows).T @ np.sin(columns)
    scaled: NDArray[np.float64] = field * np.sqrt(2 / N_WAVES)
    return scaled
