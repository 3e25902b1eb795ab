"""Objects of a stack: 26-connected components and their statistics."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data.arrays import RealArray

Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]

FULLY_CONNECTED = np.ones((3, 3, 3), bool)
SPHERE = ndi.generate_binary_structure(3, 1)
"""The sphere of radius 1: a voxel and its six face neighbours; in one plane, a pixel and its four."""


def label_components(mask: Mask) -> tuple[Labels, int]:
    """Number the 26-connected components (8-connected in one plane) 1, 2, ... and count them.

    Args:
        mask: (plane, row, column) booleans. Not modified.

    Returns:
        (plane, row, column) int32 component ids with 0 for background, and how many there are.

    Examples:
        >>> label_components(np.array([[[1, 0, 1]]], bool))
        (array([[[1, 0, 2]]], dtype=int32), 2)
    """
    labels, count = ndi.label(mask, FULLY_CONNECTED)
    return labels, int(count)


def keep_sizes(mask: Mask, *, at_least: float = 0, at_most: float = np.inf) -> Mask:
    """Keep the components of `at_least` to `at_most` voxels, both included.

    Examples:
        >>> keep_sizes(np.array([[[1, 1, 0, 1]]], bool), at_least=2)
        array([[[ True,  True, False, False]]])
    """
    labels, count = label_components(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    return select_components(labels, (sizes >= at_least) & (sizes <= at_most))


def drop_border(mask: Mask) -> Mask:
    """Remove the components that touch the first or last row or column (not the first or last plane).

    Examples:
        >>> drop_border(np.array([[[0, 0, 0, 1], [0, 1, 0, 1], [0, 0, 0, 0]]], bool)).astype(int)
        array([[[0, 0, 0, 0],
                [0, 1, 0, 0],
                [0, 0, 0, 0]]])
    """
    labels, count = label_components(mask)
    keep = np.ones(count + 1, bool)
    for edge in (labels[:, 0], labels[:, -1], labels[..., 0], labels[..., -1]):
        keep[edge.ravel()] = False
    return select_components(labels, keep)


def select_components(labels: Labels, keep: Mask) -> Mask:
    """Draw the mask of the components whose entry in `keep` is true; entry 0, the background, is ignored."""
    chosen = keep.copy()
    chosen[0] = False
    return np.asarray(chosen[labels])


def shares(mask: Mask, labels: Labels, count: int) -> NDArray[np.float64]:
    """Measure the share of each component's voxels that lie in `mask`.

    Returns:
        (count + 1,) shares in [0, 1] by component id; entry 0 belongs to the background.

    Examples:
        >>> shares(np.array([[[1, 0, 0]]], bool), np.array([[[1, 1, 0]]]), 1)
        array([0. , 0.5])
    """
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    inside = np.bincount(labels[mask], minlength=count + 1)
    return np.asarray(inside / np.maximum(sizes, 1))


def grouped_quantile(values: RealArray, groups: RealArray, *, count: int, quantile: float) -> NDArray[np.float64]:
    """Compute a quantile of the values of each group, interpolated linearly between neighbours.

    Args:
        values: (item,) numbers without NaN.
        groups: (item,) group ids, 0..count.
        count: The highest group id.
        quantile: In [0, 1]; 0.5 is the median.

    Returns:
        (count + 1,) quantiles; nan for a group without items.

    Examples:
        >>> grouped_quantile(np.array([1, 5, 2, 9]), np.array([1, 1, 1, 3]), count=3, quantile=0.5)
        array([nan,  2., nan,  9.])
    """
    order = np.lexsort((values, groups))
    ordered = np.append(values[order], 0).astype(np.float64)
    sizes = np.bincount(groups, minlength=count + 1)
    position = np.cumsum(sizes) - sizes + np.maximum(sizes - 1, 0) * quantile
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, len(ordered) - 1)
    fraction = position - below
    result = ordered[below] * (1 - fraction) + ordered[above] * fraction
    return np.where(sizes > 0, result, np.nan)
