"""The objects of one field where touching ones are told apart: from an instance map and its label map to events."""

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.events import Events
from noisylabels.data.errors import InputError
from noisylabels.data.events import InstanceMap
from noisylabels.data.labels import LabelMap


def find_instances(
    instances: InstanceMap,
    label_map: LabelMap,
    *,
    min_area_px: int = 1,
    drop_border: bool = False,
    source: str = "field",
) -> Events:
    """Find the objects of an instance map with their classes, boxes and areas.

    Args:
        instances: (row, column) ids of objects in any order, 0 = background. Not modified.
        label_map: (row, column) class indices of the same pixels. Not modified.
        min_area_px: Smallest object that is kept, pixels.
        drop_border: Whether objects that touch the frame are left out.
        source: What to call the maps in an error.

    Returns:
        The objects as events, ordered class by class, then row by row (by their first pixel).

    Raises:
        InputError: If the maps differ in size or in what is background, or an object has pixels of two classes.

    Examples:
        >>> events = find_instances(np.array([[7, 7, 3]]), np.array([[1, 1, 1]], np.uint8))
        >>> events.class_index, events.area_px
        (array([1, 1], dtype=uint8), array([2, 1]))
    """
    if instances.shape != label_map.shape or not np.array_equal(instances > 0, label_map > 0):
        msg = (
            f"The instance map of {source} must cover the pixels of its label map, got another size or other pixels. "
            "Make both anew: import with object numbers, or predict with --instances."
        )
        raise InputError(msg)
    row, start, stop, number = _list_runs(instances)
    names, event = np.unique(number, return_inverse=True)
    n = len(names)
    kind = np.zeros(n, np.uint8)
    kind[event] = label_map[row, start]
    inside = instances > 0
    if not np.array_equal(kind[np.searchsorted(names, instances[inside])], label_map[inside]):
        msg = f"An object of {source} must have pixels of one class, got two. Number the objects of each class apart."
        raise InputError(msg)
    first = np.full(n, instances.size)
    np.minimum.at(first, event, row * instances.shape[1] + start)
    rank = np.empty(n, np.intp)
    rank[np.lexsort((first, kind))] = np.arange(n)
    event = rank[event]
    boxes = np.tile(np.array([instances.size, instances.size, 0, 0]), (n, 1))
    for column, (extreme, values) in enumerate(
        ((np.minimum, row), (np.minimum, start), (np.maximum, row + 1), (np.maximum, stop))
    ):
        extreme.at(boxes[:, column], event, values)
    area = np.bincount(event, weights=stop - start, minlength=n).astype(np.int64)
    runs = np.stack([row, start, stop, event], axis=1).astype(np.int64)
    found = Events(np.sort(kind), boxes, area, runs, (instances.shape[0], instances.shape[1]))
    keep = found.area_px >= min_area_px
    if drop_border:
        keep &= ~found.touch_frame((instances.shape[0], instances.shape[1]))
    return found if keep.all() else found.select(keep)


def _list_runs(instances: InstanceMap) -> tuple[NDArray[np.intp], ...]:
    """Row, first column, column after the last and id of every horizontal run of one object, in reading order."""
    n_columns = instances.shape[1]
    flat = instances.ravel()
    begins = np.ones(flat.size, bool)
    begins[1:] = flat[1:] != flat[:-1]
    begins[::n_columns] = True
    starts = np.flatnonzero(begins)
    stops = np.append(starts[1:], flat.size)
    kept = flat[starts] > 0
    starts, stops = starts[kept], stops[kept]
    row = starts // n_columns
    return row, starts - row * n_columns, stops - row * n_columns, flat[starts].astype(np.intp)
