"""Events: the connected pieces of a label map, one row each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data import features
from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.footprints import Footprints
from noisylabels.data.labels import LabelMap

if TYPE_CHECKING:
    import pandas as pd

InstanceMap = NDArray[np.int32]

EIGHT_CONNECTED = np.ones((3, 3), bool)


@dataclass(frozen=True, repr=False)
class EventTable(Mapping[str, NDArray[Any]]):
    """Features of events as columns of equal length, one row per event.

    Args:
        columns: (event,) arrays by name.

    Raises:
        InputError: If the columns differ in length.

    Examples:
        >>> table = EventTable({"event": np.array([1, 2]), "area_px": np.array([5, 3])})
        >>> table.select(table["area_px"] > 4)["event"]
        array([1])
    """

    columns: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            msg = f"Columns of an event table must be equally long, got {lengths}. Give one value per event."
            raise InputError(msg)
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def __reduce__(self) -> tuple[type[EventTable], tuple[dict[str, RealArray]]]:
        return EventTable, (dict(self.columns),)  # a mapping proxy cannot be pickled, workers send tables

    def __repr__(self) -> str:
        return f"EventTable({len(self)} events: {', '.join(self.columns)})"

    def _repr_html_(self) -> str:
        """Show the table in a notebook."""
        return str(self.to_pandas().to_html(max_rows=10, notebook=True))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        """Count the events (not the columns)."""
        return len(next(iter(self.columns.values()), ()))

    def select(self, rows: RealArray) -> EventTable:
        """Keep some events.

        Args:
            rows: (event,) booleans or the positions to keep.
        """
        return EventTable({name: column[rows] for name, column in self.columns.items()})

    def joined(self, **columns: RealArray) -> EventTable:
        """Add or replace columns; the table itself stays as it is."""
        return EventTable({**self.columns, **columns})

    def to_pandas(self) -> pd.DataFrame:
        """Copy the table into a pandas DataFrame, one row per event."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns))


def label_events(label_map: LabelMap) -> tuple[InstanceMap, LabelMap]:
    """Number the events of a label map.

    An event is one 8-connected component of one class; events of different classes that touch stay apart.

    Args:
        label_map: (row, column) class indices, 0 = background. Not modified.

    Returns:
        The instance map, (row, column) int32 with event ids 1, 2, ... (class by class, then row by row) and 0 for
        background, and the (event,) uint8 class index of each.

    Raises:
        InputError: If it is not two-dimensional, or holds no integers.

    Examples:
        >>> instances, classes = label_events(np.array([[1, 0, 2], [0, 1, 2]], np.uint8))
        >>> instances
        array([[1, 0, 2],
               [0, 1, 2]], dtype=int32)
        >>> classes
        array([1, 2], dtype=uint8)
    """
    if np.ndim(label_map) != 2 or np.asarray(label_map).dtype.kind not in "uib":
        got = f"{np.asarray(label_map).dtype} of shape {np.shape(label_map)}"
        msg = f"A label map must be (row, column) integers, got {got}. Give one two-dimensional label map."
        raise InputError(msg)
    instances = np.zeros(label_map.shape, np.int32)
    found: list[int] = []
    for index in range(1, int(label_map.max(initial=0)) + 1):
        mask = label_map == index
        pieces, n_pieces = ndi.label(mask, EIGHT_CONNECTED)
        instances[mask] = pieces[mask] + len(found)
        found += [index] * n_pieces
    return instances, np.array(found, np.uint8)


def find_small_events(label_map: LabelMap, min_area_px: int) -> NDArray[np.bool_]:
    """Find the pixels of events that are smaller than a minimum.

    Args:
        label_map: (row, column) class indices, 0 = background. Not modified.
        min_area_px: Events with fewer pixels are small; below 2 there are none.

    Returns:
        (row, column) True where the event is small, never in the background.

    Examples:
        >>> find_small_events(np.array([[1, 0, 2, 2]], np.uint8), 2)
        array([[ True, False, False, False]])
    """
    if min_area_px < 2:
        return np.zeros(label_map.shape, bool)
    instances, classes = label_events(label_map)
    areas = np.bincount(instances.ravel(), minlength=len(classes) + 1)
    areas[0] = min_area_px  # the background stays
    small: NDArray[np.bool_] = areas[instances] < min_area_px
    return small


COSTLY_FEATURES = ("solidity", "crowding")
"""Features of shape and place that `measure_events` leaves out where they are not wanted."""

IMAGE_FEATURES = ("brightness", "contrast", "mean_", "max_", "contrast_")
"""Features, or beginnings of their names, that only an image can give."""


def measure_events(
    instances: InstanceMap,
    event_classes: LabelMap,
    image: RealArray | None = None,
    *,
    channel_names: Sequence[str] | None = None,
    wanted: Collection[str] | None = None,
    footprints: Footprints | None = None,
) -> EventTable:
    """Measure every event: its class, place and shape and, with an image, how it stands out.

    Args:
        instances: (row, column) instance map of `label_events`. Not modified.
        event_classes: (event,) class indices of `label_events`.
        image: (channel, row, column) intensities of the same rows and columns. Not modified.
        channel_names: One name per channel; "0", "1", ... when left out.
        wanted: Names of the features needed. Those that cost time (`solidity`, `crowding`, and all that need the
            image) are left out unless one of them is named; None measures everything.
        footprints: The events' pixels, when the caller has them already.

    Returns:
        One row per event: `event`, `class_index`, `area_px`, the half-open box `row_min`, `column_min`, `row_max`,
        `column_max`, `centroid_row`, `centroid_column`, `border_distance_px`, `crowding` (other events within 32 px),
        `solidity`; with an image also `mean_<channel>`, `max_<channel>`, `contrast_<channel>` (to a ring of 5 px, in
        its robust standard deviations), and the largest over the channels: `contrast`, and `brightness` (the mean in
        standard deviations of the field).

    Raises:
        InputError: If there is not a class for each event, the image's size is not the map's, or the channel names are
            not one per channel.

    Examples:
        >>> instances, classes = label_events(np.array([[1, 1, 0, 2]], np.uint8))
        >>> table = measure_events(instances, classes)
        >>> table["area_px"], table["border_distance_px"]
        (array([2, 1]), array([0., 0.]))
    """
    if np.ndim(event_classes) != 1 or instances.max(initial=0) > len(event_classes):
        got = f"shape {np.shape(event_classes)} for events up to {instances.max(initial=0)}"
        msg = f"event_classes must be (event,), a class index for each event, got {got}. Give those of label_events."
        raise InputError(msg)
    prints = Footprints.of(instances, len(event_classes)) if footprints is None else footprints
    centres = features.centroids(prints)
    columns: dict[str, NDArray[Any]] = {
        "event": np.arange(1, len(prints) + 1, dtype=np.int32),
        "class_index": event_classes,
        "area_px": prints.areas,
        **dict(zip(("row_min", "column_min", "row_max", "column_max"), prints.boxes.T, strict=True)),
        "centroid_row": centres[:, 0],
        "centroid_column": centres[:, 1],
        "border_distance_px": features.border_distances(prints),
    }
    for name in COSTLY_FEATURES:
        if wanted is None or name in wanted:
            columns[name] = getattr(features, name)(prints)
    if image is not None and (wanted is None or any(map(needs_image, wanted))):
        columns |= _appearance(prints, instances, image, channel_names)
    return EventTable(columns)


def needs_image(feature: str) -> bool:
    """Return whether a feature of this name can be measured only with an image."""
    return any(feature == name or (name.endswith("_") and feature.startswith(name)) for name in IMAGE_FEATURES)


def _appearance(
    prints: Footprints, instances: InstanceMap, image: RealArray, channel_names: Sequence[str] | None
) -> dict[str, RealArray]:
    names = [str(channel) for channel in range(len(image))] if channel_names is None else list(channel_names)
    if image.ndim != 3 or image.shape[1:] != instances.shape:
        msg = (
            f"An image must be (channel, {instances.shape[0]}, {instances.shape[1]}) as its label map, "
            f"got {image.shape}. Pair them."
        )
        raise InputError(msg)
    if len(names) != len(image):
        msg = f"channel_names must be one per channel, got {names} for {len(image)} channels. Name each once."
        raise InputError(msg)
    means, peaks = features.intensities(prints, image)
    contrasts = features.contrasts(prints, instances, image)
    return {
        **features.channel_columns("mean", names, means),
        **features.channel_columns("max", names, peaks),
        **features.channel_columns("contrast", names, contrasts),
        "brightness": features.brightness(prints, image),
        "contrast": contrasts.max(axis=0),
    }
