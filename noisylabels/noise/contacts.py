"""Contacts: where different events touch. Events of one class that touch would be one event."""

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.events import InstanceMap
from noisylabels.noise.canvas import Canvas, largest_piece

Pixels = NDArray[np.bool_]

Places = NDArray[np.int64]

STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Rows down and columns right to half of the eight neighbours; so each pair of pixels appears once."""


def pixels_in_contact(instances: InstanceMap) -> Pixels:
    """Find the pixels of events that have a pixel of another event among their eight neighbours.

    Examples:
        >>> pixels_in_contact(np.array([[1, 1, 2, 2]], np.int32))
        array([[False,  True,  True, False]])
    """
    found = np.zeros(instances.size, bool)
    for pixels in _find_contacts(instances):
        found[pixels] = True
    return found.reshape(instances.shape)


def keep_apart(canvas: Canvas, changed: NDArray[np.int32]) -> None:
    """Remove pixels from changed events until none touches another event of its class.

    Where two changed events touch, the later one gives way. An event that this cuts in pieces keeps its largest.

    Args:
        canvas: The map being rendered; its owners change.
        changed: Ids of the events whose class has changed. Only these lose pixels.
    """
    gives_way = np.zeros(len(canvas.class_of), np.int64)
    gives_way[changed] = changed
    here, there = _find_contacts(canvas.owner)
    first, second = canvas.owner.ravel()[here], canvas.owner.ravel()[there]
    alike = canvas.class_of[first] == canvas.class_of[second]
    losing = np.where(gives_way[second] > gives_way[first], there, here)[alike]
    lost = np.zeros(canvas.owner.shape, bool)
    lost.flat[losing] = True
    losers = np.unique(canvas.owner[lost])
    canvas.owner[lost] = 0
    for event in losers.tolist():
        box = canvas.box(event)
        own = canvas.owner[box] == event
        canvas.owner[box][own & ~largest_piece(own)] = 0


def _find_contacts(instances: InstanceMap) -> tuple[Places, Places]:
    """Return the flat places of all pairs of neighbouring pixels of different events."""
    n_columns, events = instances.shape[1], instances.ravel()
    pixels = np.flatnonzero(events)
    columns = pixels % max(n_columns, 1)
    found: tuple[list[Places], list[Places]] = ([], [])
    for down, right in STEPS:
        there = pixels + down * n_columns + right
        inside = (columns + right >= 0) & (columns + right < n_columns) & (there < events.size)
        here, there = pixels[inside], there[inside]
        touching = (events[there] > 0) & (events[there] != events[here])
        found[0].append(here[touching])
        found[1].append(there[touching])
    return np.concatenate(found[0]), np.concatenate(found[1])
