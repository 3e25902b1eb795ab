"""Scene: a clean field taken apart into events, with what errors may depend on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.events import EventTable, InstanceMap, label_events, measure_events
from noisylabels.data.footprints import Footprints
from noisylabels.data.images import check_pixels
from noisylabels.data.keys import Keys, combine_keys
from noisylabels.data.labels import ClassTable, LabelMap


@dataclass(frozen=True)
class Scene:
    """A clean field taken apart into events; nothing in it changes.

    Args:
        label_map: (row, column) clean class indices.
        instances: (row, column) event ids.
        footprints: The pixels of each event.
        table: One row of features per event.
        classes: The class table.
        image: (channel, row, column) intensities, or None.
        channel_names: Names of the image's channels.
        image_id: What the image is called in the log.
        image_key: Randomness of the image.
        event_keys: (event,) randomness of each event. An event's key comes from its class and its first pixel in
            reading order, so an edit elsewhere in the field changes no other event's errors.
    """

    label_map: LabelMap
    instances: InstanceMap
    footprints: Footprints
    table: EventTable
    classes: ClassTable
    image: NDArray[Any] | None
    channel_names: tuple[str, ...]
    image_id: str
    image_key: Keys
    event_keys: Keys

    @property
    def class_of(self) -> LabelMap:
        """(event + 1,) class index by event id; entry 0 is the background."""
        return np.concatenate([[0], self.table["class_index"]]).astype(np.uint8)


def decompose(
    label_map: LabelMap,
    image: RealArray | None,
    *,
    classes: ClassTable,
    image_id: str,
    seed: int,
    channel_names: Sequence[str] | None = None,
    wanted: Collection[str] = (),
) -> Scene:
    """Find and measure the events of a label map and give each its key.

    Args:
        label_map: (row, column) class indices of `classes`. Not modified.
        image: (channel, row, column) intensities, or None.
        classes: The class table.
        image_id: What makes this image's randomness its own.
        seed: The noise seed.
        channel_names: Names of the channels.
        wanted: The costly features to measure.
    """
    if image is not None:
        image = check_pixels(image, source=f"image {image_id!r}" if image_id else "the image")
    instances, event_classes = label_events(label_map)
    footprints = Footprints.of(instances, len(event_classes))
    table = measure_events(
        instances, event_classes, image, channel_names=channel_names, wanted=wanted, footprints=footprints
    )
    n_channels = 0 if image is None else len(image)
    image_key = combine_keys(seed, image_id)
    first = footprints.starts[:-1]
    places = (footprints.rows[first], footprints.columns[first]) if len(table) else (first, first)
    return Scene(
        label_map=label_map,
        instances=instances,
        footprints=footprints,
        table=table,
        classes=classes,
        image=image,
        channel_names=tuple(channel_names or map(str, range(n_channels))),
        image_id=image_id,
        image_key=image_key,
        event_keys=combine_keys(image_key, event_classes, *places),
    )
