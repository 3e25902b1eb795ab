"""Features of events: what a detector's errors may depend on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.spatial import ConvexHull, cKDTree

from noisylabels.data.arrays import RealArray
from noisylabels.data.footprints import Footprints

Floats = NDArray[np.float64]

RING_PX = 5.0
"""Width of the ring around an event that its contrast is measured against."""

CROWDING_PX = 32.0
"""Two events crowd each other when their centroids are at most this far apart."""

MAD_TO_SD = 1.4826
"""Median absolute deviation to standard deviation, for a normal distribution."""


def centroids(footprints: Footprints) -> Floats:
    """Average the pixel positions per event: (event, 2) row and column."""
    areas = np.maximum(footprints.areas, 1)
    return np.stack([footprints.sums(axis) / areas for axis in (footprints.rows, footprints.columns)], axis=1)


def border_distances(footprints: Footprints) -> Floats:
    """Count the pixels between each event and the nearest side of the frame; 0 = it touches it."""
    boxes, (rows, columns) = footprints.boxes, footprints.shape
    gaps = np.stack([boxes[:, 0], boxes[:, 1], rows - boxes[:, 2], columns - boxes[:, 3]], axis=1)
    nearest: Floats = gaps.min(axis=1, initial=max(rows, columns)).astype(np.float64)
    return nearest


def crowding(footprints: Footprints, *, radius_px: float = CROWDING_PX) -> Floats:
    """Count the other events whose centroid lies within `radius_px` of each event's."""
    if len(footprints) == 0:
        return np.zeros(0)
    tree = cKDTree(centroids(footprints))
    counts: Floats = tree.query_ball_point(tree.data, radius_px, return_length=True) - 1.0
    return counts


def solidity(footprints: Footprints) -> Floats:
    """Divide each event's area by the area of the convex hull of its pixels' squares; in (0, 1], 1 = convex.

    Examples:
        >>> corner = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 1]])
        >>> solidity(Footprints.of(corner, 1))  # 5 pixels in a hull of 9 - (2 x 2) / 2 = 7
        array([0.71428571])
    """
    hulls = [_hull_area(*footprints.pixels(event)) for event in range(1, len(footprints) + 1)]
    return footprints.areas / np.array(hulls, np.float64)


def _hull_area(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> float:
    ends = np.unique(rows, return_index=True)[1]  # pixels are in reading order: each row's first and last suffice
    extremes = np.concatenate([ends, np.append(ends[1:], len(rows)) - 1])
    corners = np.stack([rows[extremes], columns[extremes]], axis=1)
    squares = np.concatenate([corners + step for step in ([0, 0], [0, 1], [1, 0], [1, 1])])
    return float(ConvexHull(squares).volume)  # of a plane hull, SciPy calls the area `volume`


def intensities(footprints: Footprints, image: RealArray) -> tuple[Floats, Floats]:
    """Return the mean and the largest value of each event in each channel, both (channel, event)."""
    values = image[:, footprints.rows, footprints.columns].astype(np.float64)
    areas = np.maximum(footprints.areas, 1)
    means = np.array([footprints.sums(channel) / areas for channel in values]).reshape(len(image), -1)
    if len(footprints) == 0:
        return means, means
    return means, np.maximum.reduceat(values, footprints.starts[:-1], axis=1)


def brightness(footprints: Footprints, image: RealArray) -> Floats:
    """Return how bright each event is: its mean in the channel where it is brightest, in deviations of the field.

    Each channel is taken less its mean over the field and divided by its standard deviation over the field, as the
    networks see it; so one unit means the same in every channel, plate and exposure.

    Args:
        footprints: The events' pixels.
        image: (channel, row, column) intensities. Not modified.

    Returns:
        (event,) brightness.

    Examples:
        >>> image = np.array([[[1.0, 1.0, 5.0, 1.0]]])  # mean 2, standard deviation sqrt(3)
        >>> brightness(Footprints.of(np.array([[0, 0, 1, 0]], np.int32), 1), image).round(3)
        array([1.732])
    """
    levels = image.mean((-2, -1), dtype=np.float64)[:, None]
    spreads = np.maximum(image.std((-2, -1), dtype=np.float64), 1e-9)[:, None]
    brightest: Floats = ((intensities(footprints, image)[0] - levels) / spreads).max(axis=0)
    return brightest


def contrasts(
    footprints: Footprints, instances: NDArray[np.int32], image: RealArray, *, ring_px: float = RING_PX
) -> Floats:
    """Compare each event with the ring of background around it, in robust standard deviations of that ring.

    The ring holds the background pixels within `ring_px` of the event and nearer to it than to any other. Contrast is
    (mean of the event - median of the ring) / (1.4826 x median absolute deviation of the ring). A ring whose deviation
    is 0 takes the image's median ring deviation, or 1 if that is 0 too; an event with no ring has contrast 0.

    Args:
        footprints: The events' pixels.
        instances: (row, column) instance map the footprints were taken from.
        image: (channel, row, column) intensities. Not modified.
        ring_px: Width of the ring in pixels.

    Returns:
        (channel, event) contrasts.
    """
    n_events = len(footprints)
    if n_events == 0:
        return np.zeros((len(image), 0))
    distances, nearest = ndi.distance_transform_edt(instances == 0, return_indices=True)
    rows, columns = np.nonzero((distances > 0) & (distances <= ring_px))
    owners = instances[nearest[0][rows, columns], nearest[1][rows, columns]] - 1
    means, _ = intensities(footprints, image)
    found = [
        _contrast_to_ring(mean, image[channel, rows, columns].astype(np.float64), owners, n_events)
        for channel, mean in enumerate(means)
    ]
    return np.array(found)


def _contrast_to_ring(means: Floats, ring: Floats, owners: NDArray[np.int32], n_events: int) -> Floats:
    level = _medians(ring, owners, n_events)
    spread = MAD_TO_SD * _medians(np.abs(ring - level[owners]), owners, n_events)
    usable = spread > 0
    spread[~usable] = np.median(spread[usable]) if usable.any() else 1.0
    return np.nan_to_num((means - level) / spread)


def _medians(values: Floats, groups: NDArray[np.integer], n_groups: int) -> Floats:
    order = np.lexsort((values, groups))
    counts = np.bincount(groups, minlength=n_groups)
    starts = np.cumsum(counts) - counts
    ordered = np.append(values[order], np.nan)
    low, high = starts + np.maximum(counts - 1, 0) // 2, starts + counts // 2
    medians: Floats = np.where(counts > 0, (ordered[low] + ordered[np.minimum(high, len(values))]) / 2, np.nan)
    return medians


def channel_columns(prefix: str, names: Sequence[str], values: Floats) -> dict[str, Floats]:
    """Return one named (event,) column per channel: `mean_pHluorin`, `mean_DsRed`, ..."""
    return {f"{prefix}_{name}": channel for name, channel in zip(names, values, strict=True)}
