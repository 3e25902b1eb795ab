"""Spurious: something is labelled where there is no event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.events import EIGHT_CONNECTED, EventTable
from noisylabels.data.keys import Keys, combine_keys, uniforms
from noisylabels.noise.canvas import Canvas, Pixels
from noisylabels.noise.dose import Dose
from noisylabels.noise.log import make_rows
from noisylabels.noise.scene import Scene

PLACES = ("brightness", "edge")
N_PLACES = 64
BLUR_PX = 2.0


@dataclass(frozen=True)
class Spurious:
    """Copy events to places in the background.

    Each struck event lends its shape and class to one spurious event, turned and mirrored at random, so that sizes
    stay plausible; the event itself is left alone. The rate is thus spurious events per clean event, and `given` says
    which shapes are copied. A field without events gets none. The copy goes to one of 64 random places where it
    neither covers nor touches any clean event.

    Args:
        dose: How many events are copied, and which.
        near: What makes a place likely: logits per standard deviation of `brightness` (the blurred image) and `edge`
            (its gradient), both z-scored, averaged over the channels and z-scored again. Spurious events along cell
            edges: `{edge: 2}`.

    Raises:
        InputError: If a name in `near` is unknown.
    """

    dose: Dose
    near: Mapping[str, float] = field(default_factory=dict)
    name: ClassVar[str] = "spurious"

    def __post_init__(self) -> None:
        for name in self.near:
            if name not in PLACES:
                msg = f"A place in `near` must be one of {list(PLACES)}, got {name!r}. Use one of them."
                raise InputError(msg)

    def eligible(self, scene: Scene) -> NDArray[np.bool_]:
        """Every event can lend its shape.

        Raises:
            InputError: If `near` needs an image and there is none.
        """
        if self.near and scene.image is None:
            msg = f"near of spurious must have an image to look at for {sorted(self.near)}, got none. Pass the image."
            raise InputError(msg)
        return np.ones(len(scene.table), bool)

    def draw(self, scene: Scene, events: NDArray[np.int32], keys: Keys) -> EventTable:
        """Find a place for each copy; one that fits nowhere is not logged."""
        occupied = ndi.binary_dilation(scene.instances > 0, EIGHT_CONNECTED) if len(events) else scene.instances > 0
        liking = _liking(scene.image, self.near) if self.near and scene.image is not None else None
        places = [_place(scene, occupied, liking, event, key) for event, key in zip(events.tolist(), keys, strict=True)]
        found = np.array([place is not None for place in places], bool)
        boxes = np.array([place for place in places if place is not None], np.int64).reshape(-1, 4)
        parents = events[found]
        return make_rows(
            scene.image_id, self.name, parents + len(scene.table), partner=parents, key=keys[found],
            noisy_class_index=scene.class_of[parents],
            row_min=boxes[:, 0], column_min=boxes[:, 1], row_max=boxes[:, 2], column_max=boxes[:, 3],
        )  # fmt: skip

    @staticmethod
    def render(canvas: Canvas, scene: Scene, rows: EventTable) -> NDArray[np.bool_]:
        """Paint the copies; where two meet, the later one gives way."""
        n_ids = max(int(rows["event"].max(initial=0)) + 1, len(canvas.class_of))
        canvas.class_of = np.append(canvas.class_of, np.zeros(n_ids - len(canvas.class_of), np.uint8))
        canvas.class_of[rows["event"]] = rows["noisy_class_index"]
        applied = np.zeros(len(rows), bool)
        for row, (event, parent) in enumerate(zip(rows["event"].tolist(), rows["partner"].tolist(), strict=True)):
            box = tuple(int(rows[side][row]) for side in ("row_min", "column_min", "row_max", "column_max"))
            canvas.moved[event] = (box[0], box[1], box[2], box[3])
            window = canvas.box(event, margin=1)
            mask = np.zeros(canvas.owner[window].shape, bool)
            shape = _turned(scene, parent, rows["key"][row])
            top, left = box[0] - window[0].start, box[1] - window[1].start
            mask[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
            applied[row] = canvas.paint(event, window, mask)
        return applied


def _turned(scene: Scene, parent: int, key: Any) -> Pixels:
    rows, columns = scene.footprints.pixels(parent)
    shape = np.zeros((int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1), bool)
    shape[rows - rows.min(), columns - columns.min()] = True
    turn = int(8 * uniforms(combine_keys(key, "turn")))
    turned: Pixels = np.rot90(shape if turn < 4 else shape.T, turn % 4)
    return turned


def _place(
    scene: Scene, occupied: Pixels, liking: NDArray[np.float64] | None, parent: int, key: Any
) -> tuple[int, int, int, int] | None:
    shape = _turned(scene, parent, key)
    room = np.array(occupied.shape) - shape.shape + 1
    if (room < 1).any():
        return None
    drawn = uniforms(combine_keys(key, "place", np.arange(3 * N_PLACES))).reshape(3, N_PLACES)
    corners = (drawn[:2] * room[:, None]).astype(int)
    rows, columns = np.nonzero(shape)
    covered = occupied[corners[0][:, None] + rows, corners[1][:, None] + columns].any(axis=1)
    score = -np.log(-np.log(drawn[2]))  # Gumbel noise: the best score is a softmax draw
    if liking is not None:
        score = score + liking[corners[0] + shape.shape[0] // 2, corners[1] + shape.shape[1] // 2]
    score[covered] = -np.inf
    best = int(np.argmax(score))
    if covered[best]:
        return None
    top, left = int(corners[0][best]), int(corners[1][best])
    return top, left, top + shape.shape[0], left + shape.shape[1]


def place_maps(image: RealArray) -> dict[str, NDArray[np.float64]]:
    """Map what may attract spurious events: `brightness` and `edge`, z-scored over the field.

    Args:
        image: (channel, row, column) intensities; each channel counts the same.

    Returns:
        By name, (row, column) z-scores.
    """
    channels = image.astype(np.float64)
    return {
        "brightness": _z_scored([ndi.gaussian_filter(channel, BLUR_PX) for channel in channels]),
        "edge": _z_scored([ndi.gaussian_gradient_magnitude(channel, BLUR_PX) for channel in channels]),
    }


def _z_scored(maps: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    mean = np.mean([(each - each.mean()) / (each.std() or 1.0) for each in maps], axis=0)
    scored: NDArray[np.float64] = mean / (mean.std() or 1.0)
    return scored


def _liking(image: RealArray, near: Mapping[str, float]) -> NDArray[np.float64]:
    maps = place_maps(image)
    return np.sum([weight * maps[name] for name, weight in near.items()], axis=0)  # type: ignore[no-any-return]
