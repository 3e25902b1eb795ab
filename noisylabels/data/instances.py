"""Instances: touching objects of one class told apart, which events, as connected pieces, are not."""

from pathlib import Path

import numpy as np

from noisylabels.data.arrays import RealArray
from noisylabels.data.atomic import replacing
from noisylabels.data.errors import InputError
from noisylabels.data.events import EIGHT_CONNECTED, InstanceMap, label_events
from noisylabels.data.images import read_image
from noisylabels.data.labels import LabelMap

SMOOTHING_PX = 1.0
"""Standard deviation of the Gaussian that takes the ripple of pixels off a distance map."""

LEAST_DIP = 0.75
"""Two peaks of a distance map are two objects if the way between them dips so many pixels below the lower peak."""


def split_touching(label_map: LabelMap, *, least_dip: float = LEAST_DIP) -> tuple[InstanceMap, LabelMap]:
    """Number the objects of a label map; an event with a waist is several of them.

    Each event's distance to its edge is smoothed; its peaks that are more than `least_dip` above the saddle to a higher
    one (h-maxima, by `skimage.morphology.reconstruction`) are the seeds of a watershed.

    Args:
        label_map: (row, column) class indices, 0 = background. Not modified.
        least_dip: Least depth of a waist, pixels, above 0: larger ones split less.

    Returns:
        The instance map, (row, column) int32 with ids 1, 2, ... (class by class, then event by event) and 0 for
        background, and the (instance,) uint8 class index of each.

    Raises:
        InputError: If `least_dip` is not above 0.

    Examples:
        >>> rows, columns = np.mgrid[:21, :40]
        >>> near = [(rows - 10) ** 2 + (columns - at) ** 2 < 81 for at in (11, 26)]
        >>> touching = (near[0] | near[1]).astype(np.uint8)
        >>> int(label_events(touching)[0].max()), int(split_touching(touching)[0].max())
        (1, 2)
    """
    from scipy import ndimage as ndi
    from skimage.morphology import local_maxima, reconstruction
    from skimage.segmentation import watershed

    if not least_dip > 0:
        msg = f"The least dip between two objects must be above 0 pixels, got {least_dip:g}. Raise it."
        raise InputError(msg)
    events, classes = label_events(label_map)
    instances = np.zeros(events.shape, np.int32)
    found: list[int] = []
    for event, box in enumerate(ndi.find_objects(events), 1):
        mask = np.pad(events[box] == event, 1)  # the frame of the field is no edge of an object, that of its box is
        distance = ndi.gaussian_filter(ndi.distance_transform_edt(mask), SMOOTHING_PX)
        filled = reconstruction(distance - least_dip, distance)  # peaks cut off, shallow saddles under water
        seeds, n_seeds = ndi.label(local_maxima(filled, connectivity=2) & mask, EIGHT_CONNECTED)
        pieces = watershed(-distance, seeds, mask=mask, connectivity=2) if n_seeds > 1 else mask.astype(np.int32)
        own = mask[1:-1, 1:-1]
        instances[box][own] = pieces[1:-1, 1:-1][own] + len(found)
        found += [int(classes[event - 1])] * max(1, n_seeds)
    return instances, np.array(found, np.uint8)


def open_gaps(label_map: LabelMap, instances: InstanceMap) -> LabelMap:
    """Make background of the pixels at which objects touch, so that a network learns to keep them apart.

    Args:
        label_map: (row, column) class indices. Not modified.
        instances: (row, column) ids of its objects, 0 for background. Not modified.

    Returns:
        The label map without the pixels of an object that has another object among its eight neighbours.

    Source: Ronneberger et al. 2015, U-Net, section 3 (10.1007/978-3-319-24574-4_28), without its weights.

    Raises:
        InputError: If the two have different sizes.

    Examples:
        >>> row = np.array([[1, 1, 1, 1, 1, 0, 1]], np.uint8)
        >>> open_gaps(row, np.array([[1, 1, 1, 2, 2, 0, 3]], np.int32)).tolist()
        [[1, 1, 0, 0, 1, 0, 1]]
    """
    from scipy import ndimage as ndi

    if label_map.shape != instances.shape:
        msg = f"An instance map must have the size of its label map, {label_map.shape}, got {instances.shape}. Fit it."
        raise InputError(msg)
    highest = ndi.maximum_filter(instances, 3)
    lowest = ndi.minimum_filter(np.where(instances > 0, instances, np.iinfo(instances.dtype).max), 3)
    return np.where((instances > 0) & (highest != lowest), 0, label_map).astype(label_map.dtype)


def write_instance_map(path: str | Path, instances: InstanceMap) -> None:
    """Write an instance map as a TIFF of 16 bits, or 32 where there are more objects; whole or not at all.

    Args:
        path: `*.tif`; its folder is made when missing.
        instances: (row, column) ids, 0 for background. Not modified.

    Raises:
        InputError: If it is not (row, column) of whole numbers from 0.
    """
    import tifffile

    if instances.ndim != 2 or instances.dtype.kind not in "ui" or instances.min(initial=0) < 0:
        got = f"{instances.shape} {instances.dtype}"
        msg = f"An instance map must be (row, column) of whole numbers from 0, got {got}. Number its objects."
        raise InputError(msg)
    kind = np.uint16 if instances.max(initial=0) < 2**16 else np.uint32
    with replacing(path) as temporary:
        tifffile.imwrite(temporary, instances.astype(kind), compression="zlib", photometric="minisblack")


def read_instance_map(path: str | Path, *, like: tuple[int, int] | None = None) -> InstanceMap:
    """Read an instance map.

    Args:
        path: TIFF or PNG of object numbers.
        like: (rows, columns) it must have, if it matters.

    Returns:
        (row, column) int32 ids, 0 for background, as they stand in the file.

    Raises:
        FileNotFoundError: If there is none.
        InputError: If it cannot be decoded, is no plane of whole numbers from 0, or has another size.
    """
    array: RealArray = read_image(path)
    whole = array.shape[0] == 1 and array.ndim == 3 and array.dtype.kind in "bui" and array.min(initial=0) >= 0
    if not whole or (like is not None and array.shape[1:] != like):
        size = f" of {like[0]} x {like[1]} pixels" if like else ""
        msg = f"{path} must hold object numbers from 0{size}, got {array.shape} {array.dtype}. Export it again."
        raise InputError(msg)
    if array.max(initial=0) > np.iinfo(np.int32).max:
        msg = f"{path} must hold object numbers below 2147483648, got {int(array.max())}. Number the objects from 1."
        raise InputError(msg)
    instances: InstanceMap = array[0].astype(np.int32)
    return instances
