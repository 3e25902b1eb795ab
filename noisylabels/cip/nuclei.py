"""A simple conventional pipeline for nuclei in one channel: threshold, clean up, split.

It is the weak labeller of the one-channel data sets: stated in full, cheap, and wrong in the usual ways (dim nuclei
are lost beside bright ones because the threshold is one for the image; touching nuclei are cut along straight lines).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.labels import LabelMap

EIGHT = np.ones((3, 3), bool)


@dataclass(frozen=True)
class NucleiSettings:
    """Settings of `segment_nuclei`."""

    name: str = "nuclei"
    sigma_px: float = 1.0
    """Blur before the threshold."""
    opening_px: int = 2
    """Radius of the disc whose opening removes specks and threads."""
    at_least_px: int = 30
    """Smaller objects and smaller holes are removed."""
    split_sigma_px: float = 2.0
    """Blur of the distance map in which nuclei are hills."""
    split_distance_px: int = 7
    """Least distance of two hilltops."""


def segment_nuclei(image: RealArray, settings: NucleiSettings | None = None) -> LabelMap:
    """Label bright nuclei on dark ground by Otsu's threshold, and cut touching ones apart.

    Args:
        image: (1, row, column) or (row, column) intensities. Not modified.
        settings: The few numbers there are.

    Returns:
        (row, column) uint8, 1 = nucleus; touching nuclei are one pixel apart. All 0 if the image is constant.

    Raises:
        InputError: If the image has other than one channel.

    Examples:
        >>> row, column = np.mgrid[:40, :60]
        >>> two_discs = np.minimum(np.hypot(row - 20, column - 20), np.hypot(row - 20, column - 38)) < 11
        >>> ndi.label(two_discs)[1], ndi.label(segment_nuclei(100 * two_discs))[1]
        (1, 2)
    """
    chosen = settings or NucleiSettings()
    plane = image[0] if image.ndim == 3 and image.shape[0] == 1 else image
    if plane.ndim != 2:
        msg = f"The image of nuclei must have one channel, got shape {image.shape}. Choose the channel of the nuclei."
        raise InputError(msg)
    bright = threshold_nuclei(plane, chosen)
    return split_nuclei(clean_nuclei(bright, chosen), chosen).astype(np.uint8)


def threshold_nuclei(plane: RealArray, settings: NucleiSettings) -> NDArray[np.bool_]:
    """Mark the pixels of the blurred image above Otsu's threshold.

    Args:
        plane: (row, column) intensities. Not modified.
        settings: `sigma_px`.
    """
    from skimage.filters import threshold_otsu

    blurred = ndi.gaussian_filter(plane.astype(np.float32), settings.sigma_px)
    if blurred.size == 0 or np.ptp(plane) == 0:
        return np.zeros(plane.shape, bool)
    return np.asarray(blurred > threshold_otsu(blurred))


def clean_nuclei(mask: NDArray[np.bool_], settings: NucleiSettings) -> NDArray[np.bool_]:
    """Open with a disc, fill small holes and remove small objects.

    Args:
        mask: (row, column) booleans. Not modified.
        settings: `opening_px` and `at_least_px`.
    """
    from skimage.morphology import disk

    opened = ndi.binary_opening(mask, disk(settings.opening_px))
    solid = ~without_small(~opened, settings.at_least_px, None)
    return without_small(solid, settings.at_least_px, EIGHT)


def split_nuclei(mask: NDArray[np.bool_], settings: NucleiSettings) -> NDArray[np.bool_]:
    """Cut objects along the watershed of their distance map.

    Args:
        mask: (row, column) booleans. Not modified.
        settings: `split_*`.
    """
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    if not mask.any():
        return mask.copy()
    height = ndi.gaussian_filter(ndi.distance_transform_edt(mask), settings.split_sigma_px)
    objects, _ = ndi.label(mask, EIGHT)
    tops = peak_local_max(height, min_distance=settings.split_distance_px, labels=objects, exclude_border=False)
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(tops.T)] = np.arange(1, len(tops) + 1)
    # Lines are drawn here, one pixel wide: with watershed_line=True one real image took over 10 minutes and 8 GB.
    nuclei = watershed(-height, markers, mask=mask, connectivity=2)
    lowest = ndi.minimum_filter(np.where(mask, nuclei, len(tops) + 1), footprint=EIGHT, mode="nearest")
    return np.asarray(mask & (lowest == nuclei))


def without_small(mask: NDArray[np.bool_], at_least_px: int, structure: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Remove the pieces of a mask that have fewer pixels.

    Args:
        mask: (row, column) booleans. Not modified.
        at_least_px: Pixels of the smallest piece that stays.
        structure: What is connected; None for the four neighbours.
    """
    labels, _ = ndi.label(mask, structure)
    keep = np.bincount(labels.ravel()) >= at_least_px
    keep[0] = False
    return np.asarray(keep[labels])
