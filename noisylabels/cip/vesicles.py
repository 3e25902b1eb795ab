"""Step 13: the vesicles that are decided upon, and what is measured of each."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.cip.components import (
    FULLY_CONNECTED,
    Labels,
    Mask,
    drop_border,
    grouped_quantile,
    label_components,
    select_components,
    shares,
)
from noisylabels.cip.filters import Stack
from noisylabels.cip.settings import Decisions, Vesicles
from noisylabels.data.events import EventTable


def find_vesicles(
    autophagosomes: Mask, red_spots: Mask, low_ph: Mask, red_counts: Stack, settings: Vesicles
) -> tuple[Labels, int]:
    """Unite the three masks into vesicles, without those at the border or too dim in red.

    An object of a later mask keeps one voxel of distance from an object of an earlier one (autophagosome, red, low
    pH), unless they overlap.

    Args:
        autophagosomes: (plane, row, column) mask of step 12. Not modified.
        red_spots: (plane, row, column) mask of step 6. Not modified.
        low_ph: (plane, row, column) mask of step 9. Not modified.
        red_counts: (plane, row, column) raw DsRed in counts. Not modified.
        settings: `red_at_least_counts`.

    Returns:
        (plane, row, column) vesicle ids 1, 2, ... and how many there are.
    """
    united = join_with_gap(join_with_gap(autophagosomes, red_spots), low_ph)
    labels, count = label_components(drop_border(united))
    inside = labels > 0
    total = np.bincount(labels[inside], weights=red_counts[inside], minlength=count + 1)
    voxels = np.maximum(np.bincount(labels[inside], minlength=count + 1), 1)
    return label_components(select_components(labels, total / voxels >= settings.red_at_least_counts))


def join_with_gap(first: Mask, second: Mask) -> Mask:
    """Add `second` to `first`, but not in the voxels that lie directly around `first`.

    Examples:
        >>> first = np.array([[[0, 1, 0, 0, 0]]], bool)
        >>> join_with_gap(first, np.array([[[0, 0, 1, 1, 1]]], bool)).astype(int)
        array([[[0, 1, 0, 1, 1]]])
    """
    shell = ndi.binary_dilation(first, FULLY_CONNECTED) & ~first
    return np.asarray(first | (second & ~shell))


def measure_vesicles(
    labels: Labels,
    count: int,
    *,
    red: Stack,
    green: Stack,
    ratio: Stack,
    red_spots: Mask,
    green_spots: Mask,
    low_ph: Mask,
    autophagosomes: Mask,
    decisions: Decisions,
) -> EventTable:
    """Measure what the decisions of step 14 need, one row per vesicle.

    Args:
        labels: (plane, row, column) vesicle ids. Not modified.
        count: The highest id.
        red: (plane, row, column) deconvolved DsRed, 0..65535.
        green: (plane, row, column) deconvolved pHluorin, 0..65535.
        ratio: (plane, row, column) image of step 8.
        red_spots: Mask of step 6.
        green_spots: Mask of step 7.
        low_ph: Mask of step 9.
        autophagosomes: Mask of step 12.
        decisions: The quantile that "bright" is measured at.

    Returns:
        A table with the columns vesicle, voxels, area_px (of the projection), centroid_*, red_share, green_share,
        median_ratio, median and bright quantile of red and green, green_centre, green_perimeter, green_outside (nan
        for a vesicle without such voxels), touches_low_ph, touches_autophagosome, eccentricity, major_axis_px.
    """
    inside = labels > 0
    groups = labels[inside]

    def quantile(stack: Stack, level: float) -> NDArray[np.float64]:
        return grouped_quantile(stack[inside], groups, count=count, quantile=level)[1:]

    perimeter = inside & ~_centre(labels)
    outside_groups, outside_green = _outside(labels, green)
    columns = {
        "vesicle": np.arange(1, count + 1),
        "voxels": np.bincount(groups, minlength=count + 1)[1:],
        **_outlines(labels, count),
        "red_share": shares(red_spots, labels, count)[1:],
        "green_share": shares(green_spots, labels, count)[1:],
        "median_ratio": quantile(ratio, 0.5),
        "median_red": quantile(red, 0.5),
        "median_green": quantile(green, 0.5),
        "bright_red": quantile(red, decisions.bright_quantile),
        "bright_green": quantile(green, decisions.bright_quantile),
        "green_centre": _median(green, inside & ~perimeter, labels, count),
        "green_perimeter": _median(green, perimeter, labels, count),
        "green_outside": grouped_quantile(outside_green, outside_groups, count=count, quantile=0.5)[1:],
        "touches_low_ph": shares(low_ph, labels, count)[1:] > 0,
        "touches_autophagosome": shares(autophagosomes, labels, count)[1:] > 0,
    }
    return EventTable(columns)


def _median(stack: Stack, mask: Mask, labels: Labels, count: int) -> NDArray[np.float64]:
    return grouped_quantile(stack[mask], labels[mask], count=count, quantile=0.5)[1:]


def _centre(labels: Labels) -> Mask:
    """Mark the voxels all of whose six face neighbours lie in the same vesicle or beyond the image."""
    padded = np.pad(labels, 1, mode="edge")
    core = padded[1:-1, 1:-1, 1:-1]
    centre = core > 0
    for axis in range(3):
        for shift in (-1, 1):
            centre = centre & (np.roll(padded, shift, axis)[1:-1, 1:-1, 1:-1] == core)
    return centre


def _outside(labels: Labels, values: Stack) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Pair each vesicle with the background voxels that share a face with it, each once."""
    padded = np.pad(labels, 1)
    keys = []
    for axis in range(3):
        for shift in (-1, 1):
            neighbour = np.roll(padded, shift, axis)[1:-1, 1:-1, 1:-1]
            voxels = np.flatnonzero((labels == 0) & (neighbour > 0))
            keys.append(neighbour.ravel()[voxels].astype(np.intp) * labels.size + voxels)
    pairs = np.unique(np.concatenate(keys))
    return pairs // labels.size, values.ravel()[pairs % labels.size]


def _outlines(labels: Labels, count: int) -> dict[str, NDArray[np.float64]]:
    """Measure the projections along z: area, centroid, and the ellipse with the same second moments."""
    boxes = ndi.find_objects(labels, max_label=count)
    rows = [_outline(labels[box].__eq__(index + 1).any(axis=0), box) for index, box in enumerate(boxes)]
    names = ("area_px", "centroid_row", "centroid_column", "major_axis_px", "eccentricity")
    table = np.array(rows, dtype=float).reshape(-1, len(names))
    return {name: table[:, column] for column, name in enumerate(names)}


def _outline(mask: Mask, box: tuple[slice, ...]) -> tuple[float, float, float, float, float]:
    rows, columns = np.nonzero(mask)
    row, column = rows.mean(), columns.mean()
    # 1/12 is the second moment of a pixel, a unit square; MATLAB counts it, scikit-image does not.
    vertical, horizontal = ((rows - row) ** 2).mean() + 1 / 12, ((columns - column) ** 2).mean() + 1 / 12
    mixed = ((rows - row) * (columns - column)).mean()
    root = np.hypot((vertical - horizontal) / 2, mixed)
    largest, smallest = (vertical + horizontal) / 2 + root, (vertical + horizontal) / 2 - root
    eccentricity = np.sqrt(max(1 - smallest / largest, 0))
    return len(rows), row + box[1].start, column + box[2].start, 4 * np.sqrt(largest), eccentricity
