"""Where labels put the border of an event, compared with the half-maximum of its own intensity: no truth is needed.

A network foretells a swelling that is the same everywhere perfectly, so no agreement shows it; the image does. The
border of an object that is larger than the blur lies where its intensity is halfway between its plateau and its
surroundings (full width at half maximum); of smaller ones it lies further out, so their offset is a lower bound.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data.arrays import RealArray
from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.data.events import EIGHT_CONNECTED, label_events
from noisylabels.data.images import write_label_map
from noisylabels.data.labels import IGNORE_INDEX, LabelMap, set_aside

REACH_PX = 8
"""An event is isolated if no other, no ignored pixel and no edge of the field is near; there its surroundings end."""

LEAST_CONTRAST = 6.0
"""Height of an event over its surroundings, in their robust standard deviations, below which it says nothing."""

Offsets = Mapping[int, NDArray[np.float64]]


@dataclass(frozen=True)
class BorderOffset:
    """How far the labels of a class lie outside the half-maximum of their events.

    Args:
        n_events: Isolated events that were measured.
        median_px: Median of their signed offsets in pixels: above 0 labels are swollen, below 0 shrunken; nan if none.
        low_px: Lower quartile.
        high_px: Upper quartile.
    """

    n_events: int
    median_px: float
    low_px: float
    high_px: float

    @classmethod
    def of(cls, offsets: NDArray[np.float64]) -> "BorderOffset":
        """Sum up the offsets of single events."""
        if not len(offsets):
            return cls(0, np.nan, np.nan, np.nan)
        low, median, high = np.quantile(offsets, [0.25, 0.5, 0.75])
        return cls(len(offsets), float(median), float(low), float(high))


def measure_offsets(label_map: LabelMap, image: RealArray) -> dict[int, NDArray[np.float64]]:
    """Measure how far the label of each isolated event lies outside the half-maximum of its intensity.

    The mean intensity at each distance from the label's border is followed outwards from its greatest value to half of
    its height over the surroundings, in the channel in which the event stands out most.

    Args:
        label_map: (row, column) class indices, or 255, ignored. Not modified.
        image: (channel, row, column) intensities of the same rows and columns. Not modified.

    Returns:
        (event,) signed offsets in pixels by class index, above 0 where the label is too large.

    Raises:
        InputError: If the sizes differ.

    Examples:
        >>> rows, columns = np.indices((41, 41)) - 20
        >>> image = 100.0 * (np.hypot(rows, columns) <= 6)[None] + np.arange(41) % 2
        >>> label_map = (np.hypot(rows, columns) <= 8).astype(np.uint8)
        >>> measure_offsets(label_map, image)[1].round().tolist()
        [2.0]
    """
    if image.ndim != 3 or image.shape[1:] != label_map.shape:
        msg = f"An image must be (channel, *{label_map.shape}) as its label map, got {image.shape}. Pair them by field."
        raise InputError(msg)
    clean, ignored = set_aside(label_map)
    instances, classes = label_events(clean)
    occupied = (instances > 0) | ignored
    found: dict[int, list[float]] = {}
    for number, window in enumerate(ndi.find_objects(instances), 1):
        place = tuple(slice(side.start - REACH_PX, side.stop + REACH_PX) for side in window)
        if any(side.start < 0 or side.stop > size for side, size in zip(place, label_map.shape, strict=True)):
            continue
        mask = instances[place] == number
        distance = signed_distance(mask)
        if (occupied[place] & ~mask & (distance <= REACH_PX)).any():
            continue
        offset = _offset_of(distance, np.asarray(image[(slice(None), *place)], float))
        if np.isfinite(offset):
            found.setdefault(int(classes[number - 1]), []).append(offset)
    return {index: np.array(values) for index, values in sorted(found.items())}


def signed_distance(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Compute the distance of every pixel's middle from the border of a mask, in pixels: below 0 inside.

    Examples:
        >>> signed_distance(np.array([[False, True, True, True, False, False]])).tolist()
        [[0.5, -0.5, -1.5, -0.5, 0.5, 1.5]]
    """
    outside: NDArray[np.float64] = ndi.distance_transform_edt(~mask)
    inside: NDArray[np.float64] = ndi.distance_transform_edt(mask)
    return np.where(mask, 0.5 - inside, outside - 0.5)


def _offset_of(distance: NDArray[np.float64], channels: NDArray[np.float64]) -> float:
    ring = (distance > REACH_PX - 3) & (distance <= REACH_PX)
    floors = np.median(channels[:, ring], axis=1)
    noise = 1.4826 * np.median(np.abs(channels[:, ring] - floors[:, None]), axis=1)
    heights = channels[:, distance < 0].mean(1) - floors
    channel = int(np.argmax(heights / np.maximum(noise, 1e-9)))
    near = distance <= REACH_PX
    bins = np.floor(distance[near]).astype(int)
    first = bins.min()
    sums = np.bincount(bins - first, channels[channel][near])
    counts = np.bincount(bins - first)
    profile = sums[counts > 0] / counts[counts > 0] - floors[channel]
    middles = np.bincount(bins - first, distance[near])[counts > 0] / counts[counts > 0]
    top = int(np.argmax(profile))
    if profile[top] < LEAST_CONTRAST * max(noise[channel], 1e-9):
        return np.nan
    half = profile[top] / 2
    below = np.flatnonzero(profile[top:] < half)
    if not len(below):
        return np.nan
    after = top + int(below[0])
    share = (profile[after - 1] - half) / (profile[after - 1] - profile[after])
    return -float(middles[after - 1] + share * (middles[after] - middles[after - 1]))


def shift_borders(label_map: LabelMap, shifts_px: Mapping[int, float], *, ring_px: float = 0.0) -> LabelMap:
    """Grow or shrink the events of each class; none disappears and no two of a class become one.

    Args:
        label_map: (row, column) class indices, or 255, which stays. Not modified.
        shifts_px: By class index, how far the border moves outwards; below 0 inwards. Classes not named stay.
        ring_px: Half the width of a ring of 255 around each moved border, from which nothing learns.

    Returns:
        (row, column) uint8.

    Examples:
        >>> shift_borders(np.array([[0, 0, 1, 1, 1, 0, 0]], np.uint8), {1: 1.0}).tolist()
        [[0, 1, 1, 1, 1, 1, 0]]
        >>> shift_borders(np.array([[0, 0, 1, 1, 1, 0, 0]], np.uint8), {1: -5.0}).tolist()
        [[0, 0, 0, 1, 0, 0, 0]]
    """
    clean, ignored = set_aside(label_map)
    instances, classes = label_events(clean)
    if not len(classes):
        return np.where(ignored, IGNORE_INDEX, clean).astype(np.uint8)
    shifts = np.array([0.0, *(shifts_px.get(int(index), 0.0) for index in classes)])
    class_of = np.array([0, *classes])
    kept = np.where(_within(instances, shifts), instances, 0)
    outside, (rows, columns) = ndi.distance_transform_edt(kept == 0, return_indices=True)
    nearest = kept[rows, columns]
    contested = ndi.maximum_filter(nearest, footprint=EIGHT_CONNECTED) != ndi.minimum_filter(
        nearest, footprint=EIGHT_CONNECTED
    )
    grown = (kept == 0) & (outside - 0.5 <= shifts[nearest]) & (instances == 0) & ~contested
    moved: LabelMap = class_of[np.where(grown, nearest, kept)].astype(np.uint8)
    if ring_px > 0:
        ring = np.abs(signed_distance(moved > 0)) <= ring_px
        moved[ring & (shifts[nearest] != 0)] = IGNORE_INDEX
    moved[ignored] = IGNORE_INDEX
    return moved


def _within(instances: NDArray[np.int32], shifts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark what is left of each event when its border moves inwards: its innermost pixels at least."""
    kept = instances > 0
    for number, window in enumerate(ndi.find_objects(instances), 1):
        place = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in window)  # the field's edge is no border
        mask = instances[place] == number
        if shifts[number] < 0 and not mask.all():
            inside = ndi.distance_transform_edt(mask)
            kept[place] &= ~mask | (inside >= min(0.5 - shifts[number], inside.max()))
    return kept


def measure_dataset(
    dataset: Dataset, labels: str, *, split: str = "all", on_field: Callable[[], object] = lambda: None
) -> dict[int, BorderOffset]:
    """Measure the borders of a label set, class by class, events of all fields pooled.

    Args:
        dataset: The dataset folder.
        labels: The label set.
        split: Which fields.
        on_field: Called after each field.

    Raises:
        InputError: If the label set is unknown.
    """
    dataset.require_labels(labels)
    found: dict[int, list[NDArray[np.float64]]] = {index: [] for index in dataset.classes.indices[1:]}
    for case_id in dataset.ids(split):
        image = dataset.image(case_id)
        label_map = dataset.label_map(labels, case_id, like=image, ignore_index=IGNORE_INDEX)
        for index, offsets in measure_offsets(label_map, image).items():
            found[index].append(offsets)
        on_field()
    return {index: BorderOffset.of(np.concatenate([[], *parts])) for index, parts in found.items()}


def shift_dataset(
    dataset: Dataset, labels: str, offsets: Mapping[int, BorderOffset], *, name: str, ring_px: float = 0.0
) -> None:
    """Write a label set whose borders are moved back by the median offset of their class.

    Args:
        dataset: The dataset folder.
        labels: The label set to move.
        offsets: What `measure_dataset` found; a class without measured events stays.
        name: The label set to write; it must not be there yet.
        ring_px: As in `shift_borders`.

    Raises:
        InputError: If `name` is there already.
    """
    if dataset.label_path(name, "x").parent.is_dir():
        msg = f"--name must be a new label set, got {name!r}, which {dataset.folder} has. Choose another name."
        raise InputError(msg)
    shifts = {index: -offset.median_px for index, offset in offsets.items() if offset.n_events}
    for case_id in dataset.ids():
        label_map = dataset.label_map(labels, case_id, ignore_index=IGNORE_INDEX)
        write_label_map(dataset.label_path(name, case_id), shift_borders(label_map, shifts, ring_px=ring_px))


def describe_offsets(offsets: Mapping[int, BorderOffset], class_names: Sequence[str]) -> str:
    """Return how far each class is swollen or shrunken, one line a class."""
    lines = []
    for index, offset in offsets.items():
        if not offset.n_events:
            lines.append(f"{class_names[index]}: no isolated event stands out enough to measure its border")
            continue
        word = "outside" if offset.median_px >= 0 else "inside"
        lines.append(
            f"{class_names[index]}: borders lie {abs(offset.median_px):.2f} px {word} the half-maximum (median of "
            f"{offset.n_events} isolated events, quartiles {offset.low_px:+.2f} and {offset.high_px:+.2f})"
        )
    return "\n".join(lines)
