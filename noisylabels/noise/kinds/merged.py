"""Merged: two events that lie close together are labelled as one."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.spatial import cKDTree

from noisylabels.data.errors import InputError
from noisylabels.data.events import EIGHT_CONNECTED, EventTable, InstanceMap
from noisylabels.data.keys import Keys
from noisylabels.data.labels import LabelMap
from noisylabels.noise.canvas import Canvas, Pixels
from noisylabels.noise.dose import Dose
from noisylabels.noise.log import make_rows
from noisylabels.noise.scene import Scene

MAX_GAP_PX = 5.0


@dataclass(frozen=True)
class Merged:
    """Join events to their nearest neighbour of the same class by a straight bridge.

    The rate is a share of the events that have such a neighbour. A bridge that would touch a third event of the class,
    or whose partner is not there any more, is not built and not logged.

    Args:
        dose: How many events, and which.
        max_gap_px: Largest distance between the nearest pixels of two events that can merge.
        width_px: Width of the bridge.

    Raises:
        InputError: If the gap is below 2 pixels (nearer events are in contact) or the width is not positive.
    """

    dose: Dose
    max_gap_px: float = MAX_GAP_PX
    width_px: float = 2.0
    name: ClassVar[str] = "merged"

    def __post_init__(self) -> None:
        if self.max_gap_px < 2 or self.width_px <= 0:
            msg = (
                "max_gap_px of merged must be 2 or more and width_px above 0, "
                f"got {self.max_gap_px} and {self.width_px}. Give both in pixels."
            )
            raise InputError(msg)

    def eligible(self, scene: Scene) -> NDArray[np.bool_]:
        """Events with a neighbour of their class near enough."""
        return nearest_of_class(scene.instances, scene.table["class_index"], self.max_gap_px) > 0

    def draw(self, scene: Scene, events: NDArray[np.int32], keys: Keys) -> EventTable:
        """Log each event with its partner."""
        partners = nearest_of_class(scene.instances, scene.table["class_index"], self.max_gap_px)[events - 1]
        return make_rows(scene.image_id, self.name, events, partner=partners, length_px=self.width_px, key=keys)

    @staticmethod
    def render(canvas: Canvas, _scene: Scene, rows: EventTable) -> NDArray[np.bool_]:
        """Build the bridges that can be built."""
        pairs = zip(rows["event"].tolist(), rows["partner"].tolist(), rows["length_px"].tolist(), strict=True)
        return np.array([_bridge(canvas, *pair) for pair in pairs], bool)


def nearest_of_class(instances: InstanceMap, event_classes: LabelMap, max_gap_px: float) -> NDArray[np.int32]:
    """Find each event's nearest neighbour of its class: (event,) ids, 0 where none lies within `max_gap_px`.

    Examples:
        >>> nearest_of_class(np.array([[1, 0, 0, 2, 3]], np.int32), np.array([1, 1, 2], np.uint8), 3.0)
        array([2, 1, 0], dtype=int32)
    """
    nearest = np.zeros(len(event_classes), np.int32)
    best = np.full(len(event_classes), np.inf)
    outline = (instances > 0) & (ndi.minimum_filter(instances, 3) != ndi.maximum_filter(instances, 3))
    class_of = np.append(np.uint8(0), event_classes)[instances]
    for index in np.unique(event_classes).tolist():
        places = np.argwhere(outline & (class_of == index))
        owners = instances[tuple(places.T)]
        pairs = cKDTree(places).query_pairs(max_gap_px, output_type="ndarray") if len(places) else np.zeros((0, 2), int)
        pairs = pairs[owners[pairs[:, 0]] != owners[pairs[:, 1]]]
        gaps = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
        for gap, one, other in sorted(zip(gaps, owners[pairs[:, 0]], owners[pairs[:, 1]], strict=True)):
            for event, partner in ((one, other), (other, one)):
                if gap < best[event - 1]:
                    best[event - 1], nearest[event - 1] = gap, partner
    return nearest


def _bridge(canvas: Canvas, event: int, partner: int, width_px: float) -> bool:
    one, two = canvas.box(event, margin=2), canvas.box(partner, margin=2)
    rows, columns = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, two, strict=True))
    window = (rows, columns)
    owners = canvas.owner[window]
    own, other = owners == event, owners == partner
    if not own.any() or not other.any() or canvas.class_of[event] != canvas.class_of[partner]:
        return False
    joined = own | other
    if ndi.label(joined, EIGHT_CONNECTED)[1] < 2:
        return False  # already one
    plank = (owners == 0) & (canvas.clean[window] == 0) & _band_between(own, other, width_px)
    near_plank = ndi.binary_dilation(plank, EIGHT_CONNECTED)
    rivals = (canvas.class_of[owners] == canvas.class_of[event]) & ~joined
    whole = joined | plank
    if (near_plank & rivals).any() or ndi.label(whole, EIGHT_CONNECTED)[1] != 1:
        return False
    owners[plank] = event
    canvas.note_box(event, window, own | plank)
    return True


def _band_between(one: Pixels, other: Pixels, width_px: float) -> Pixels:
    starts, ends = np.argwhere(one), np.argwhere(other)
    gaps, nearest = cKDTree(ends).query(starts)
    start, end = starts[int(np.argmin(gaps))].astype(float), ends[nearest[int(np.argmin(gaps))]].astype(float)
    places = np.moveaxis(np.indices(one.shape), 0, -1) - start
    along = np.clip(places @ (end - start) / max(float((end - start) @ (end - start)), 1e-12), 0, 1)
    band: Pixels = np.linalg.norm(places - along[..., None] * (end - start), axis=-1) <= width_px / 2
    return band
