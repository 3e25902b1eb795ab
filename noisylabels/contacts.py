"""Contacts: where different events touch. Events of one class that touch would be one event."""

import numpy as np
from numpy.typing import NDArray

from noisylabels.canvas import Canvas, largest_piece
from noisylabels.events import InstanceMap

Pixels = NDArray[np.bool_]

NEIGHBOURS = (
    (np.s_[:, :-1], np.s_[:, 1:]),
    (np.s_[:-1, :], np.s_[1:, :]),
    (np.s_[:-1, :-1], np.s_[1:, 1:]),
    (np.s_[:-1, 1:], np.s_[1:, :-1]),
)
"""Pairs of views of a map whose pixels are 8-neighbours; each pair of pixels appears once."""


def pixels_in_contact(instances: InstanceMap) -> Pixels:
    """Find the pixels of events that have a pixel of another event among their eight neighbours.

    Examples:
        >>> pixels_in_contact(np.array([[1, 1, 2, 2]], np.int32))
        array([[False,  True,  True, False]])
    """
    found = np.zeros(instances.shape, bool)
    for here, there in NEIGHBOURS:
        contact = _touching(instances[here], instances[there])
        found[here] |= contact
        found[there] |= contact
    return found


def keep_apart(canvas: Canvas, changed: NDArray[np.int32]) -> None:
    """Take pixels from changed events until none touches another event of its class.

    Where two changed events touch, the later one gives way. An event that this cuts in pieces keeps its largest.

    Args:
        canvas: The map being rendered; its owners change.
        changed: Ids of the events whose class has changed. Only these lose pixels.
    """
    gives_way = np.zeros(len(canvas.class_of), np.int64)
    gives_way[changed] = changed
    lost = np.zeros(canvas.owner.shape, bool)
    for here, there in NEIGHBOURS:
        first, second = canvas.owner[here], canvas.owner[there]
        contact = _touching(first, second)
        contact[contact] = canvas.class_of[first[contact]] == canvas.class_of[second[contact]]
        later = gives_way[second] > gives_way[first]
        lost[there] |= contact & later
        lost[here] |= contact & ~later
    losers = np.unique(canvas.owner[lost])
    canvas.owner[lost] = 0
    for event in losers.tolist():
        box = canvas.box(event)
        own = canvas.owner[box] == event
        canvas.owner[box][own & ~largest_piece(own)] = 0


def _touching(first: InstanceMap, second: InstanceMap) -> Pixels:
    touching: Pixels = (first != second) & (first > 0) & (second > 0)
    return touching
