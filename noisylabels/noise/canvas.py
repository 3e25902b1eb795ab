"""Canvas: the map that errors are rendered on, one kind after the other."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data.events import EIGHT_CONNECTED, InstanceMap
from noisylabels.data.labels import LabelMap
from noisylabels.noise.scene import Scene

Pixels = NDArray[np.bool_]
Window = tuple[slice, slice]


@dataclass
class Canvas:
    """Who owns each pixel while errors are rendered. It is made from a scene and thrown away after; it does change.

    Args:
        clean: (row, column) event ids of the clean field; never changes.
        owner: (row, column) event ids now; spurious events continue the clean numbering.
        class_of: (event + 1,) class index by event id; entry 0 is the background.
        boxes: (event, 4) clean half-open boxes.
        moved: Boxes of the events whose box is no longer the clean one.
    """

    clean: InstanceMap
    owner: InstanceMap
    class_of: LabelMap
    boxes: NDArray[np.int64]
    moved: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, scene: Scene) -> "Canvas":
        """Start from the clean field."""
        return cls(scene.instances, scene.instances.copy(), scene.class_of, scene.footprints.boxes)

    def label_map(self) -> LabelMap:
        """Show each event in its class."""
        shown: LabelMap = self.class_of[self.owner]
        return shown

    def box(self, event: int, *, margin: int = 0) -> Window:
        """Slice the map around an event, `margin` pixels wider on each side where the frame allows."""
        row_min, column_min, row_max, column_max = self.moved.get(event) or map(int, self.boxes[event - 1])
        n_rows, n_columns = self.owner.shape
        return (
            slice(max(row_min - margin, 0), min(row_max + margin, n_rows)),
            slice(max(column_min - margin, 0), min(column_max + margin, n_columns)),
        )

    def add_event(self, class_index: int) -> int:
        """Number a new event and return its id; it has no pixels yet."""
        self.class_of = np.append(self.class_of, np.uint8(class_index))
        return len(self.class_of) - 1

    def paint(self, event: int, window: Window, mask: Pixels, *, in_pieces: bool = False) -> bool:
        """Replace the shape of an event, leaving all other events as they are.

        It takes background only, and keeps one pixel away from other events of its class, so that none merge. The
        clean places of other events count as theirs even when they have left them: what one error does never depends
        on another event being missed or moved. Of what is left it keeps the largest piece.

        Args:
            event: The event's id.
            window: Slices that hold all of its present and new pixels, with one pixel to spare.
            mask: Its new pixels in the window. Not modified.
            in_pieces: Keep all pieces: the event is meant to be split.

        Returns:
            Whether anything has changed; if the new shape is empty or the old one, nothing has.
        """
        owners = self.owner[window]
        own = owners == event
        blocked = self._taken(event, owners) | self._taken(event, self.clean[window])
        blocked[own] = False
        shape = mask & ~blocked
        shape = shape if in_pieces else largest_piece(shape)
        if not shape.any() or np.array_equal(shape, own):
            return False
        owners[own] = 0
        owners[shape] = event
        self.note_box(event, window, shape)
        return True

    def note_box(self, event: int, window: Window, shape: Pixels) -> None:
        """Remember where an event lies now."""
        rows, columns = np.nonzero(shape)
        top, left = window[0].start, window[1].start
        lowest, highest = (
            (top + int(rows.min()), left + int(columns.min())),
            (top + int(rows.max()), left + int(columns.max())),
        )
        self.moved[event] = (*lowest, highest[0] + 1, highest[1] + 1)

    def _taken(self, event: int, owners: InstanceMap) -> Pixels:
        others = (owners > 0) & (owners != event)
        rivals = others & (self.class_of[owners] == self.class_of[event])
        taken: Pixels = others | ndi.binary_dilation(rivals, EIGHT_CONNECTED) if rivals.any() else others
        return taken


def largest_piece(mask: Pixels) -> Pixels:
    """Keep the largest 8-connected piece; of equal ones the first in reading order.

    Examples:
        >>> largest_piece(np.array([[True, False, True, True]]))
        array([[False, False,  True,  True]])
    """
    pieces, n_pieces = ndi.label(mask, EIGHT_CONNECTED)
    if n_pieces < 2:
        return mask
    largest: Pixels = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    return largest
