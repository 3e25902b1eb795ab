"""Steps 3 to 7: masks of red (DsRed) and green (pHluorin) objects."""

import numpy as np
from scipy import ndimage as ndi

from noisylabels.cip.components import (
    Mask,
    drop_border,
    keep_sizes,
    label_components,
    select_components,
    shares,
)
from noisylabels.cip.discs import white_tophat
from noisylabels.cip.filters import Stack, difference_of_gaussians, laplacian_of_gaussian, smooth
from noisylabels.cip.settings import GreenSpots, RedSpots


def find_red_spots(red: Stack, settings: RedSpots) -> Mask:
    """Find the red objects: small ones, big ones filled in, clumps cut between the small ones.

    Args:
        red: (plane, row, column) deconvolved DsRed on the scale 0..65535. Not modified.
        settings: Steps 3 to 6.

    Returns:
        (plane, row, column) booleans.
    """
    small = fill_small_spots(red, find_small_red_spots(red, settings), settings)
    return split_big_spots(small, find_big_red_spots(red, settings), settings)


def find_small_red_spots(red: Stack, settings: RedSpots) -> Mask:
    """Step 3: find small red objects by a difference of Gaussians.

    Args:
        red: (plane, row, column) deconvolved DsRed, 0..65535. Not modified.
        settings: `small_*`.
    """
    contrast = difference_of_gaussians(
        red,
        narrow_px=settings.small_narrow_px,
        wide_px=settings.small_wide_px,
        size_px=settings.small_kernel_px,
    )
    return np.asarray(contrast > settings.small_threshold)


def fill_small_spots(red: Stack, small: Mask, settings: RedSpots) -> Mask:
    """Step 4: add large bright objects that the small mask covers by a tenth or less.

    Where it covers more, its own parts describe the object already and nothing is added.

    Args:
        red: (plane, row, column) deconvolved DsRed, 0..65535. Not modified.
        small: The mask of step 3. Not modified.
        settings: `fill_*` and `at_least_voxels`.
    """
    bright = white_tophat(red, settings.fill_disc_px) > settings.fill_threshold
    labels, count = label_components(keep_sizes(bright, at_least=settings.fill_at_least_voxels))
    whole = select_components(labels, shares(small, labels, count) <= settings.fill_small_share)
    return keep_sizes(small | whole, at_least=settings.at_least_voxels)


def find_big_red_spots(red: Stack, settings: RedSpots) -> Mask:
    """Step 5: find big red objects away from the image border.

    Args:
        red: (plane, row, column) deconvolved DsRed, 0..65535. Not modified.
        settings: `big_*`.
    """
    narrow = smooth(red, sigma_px=settings.big_narrow_px, size_px=settings.big_narrow_kernel_px)
    wide = smooth(red, sigma_px=settings.big_wide_px, size_px=settings.big_wide_kernel_px)
    big = keep_sizes(
        narrow - wide > settings.big_threshold,
        at_least=settings.big_at_least_voxels,
        at_most=settings.big_at_most_voxels,
    )
    return drop_border(big)


def split_big_spots(small: Mask, big: Mask, settings: RedSpots) -> Mask:
    """Step 6: let big objects join the small ones, cut halfway between neighbouring small ones.

    The original floods the distance to the small mask (watershed). Its lines are where the nearest small object
    changes, found here from one distance transform.

    Args:
        small: (plane, row, column) mask of step 4. Not modified.
        big: (plane, row, column) mask of step 5. Not modified.
        settings: `at_least_voxels`.

    Examples:
        >>> small = np.array([[[1, 0, 0, 1]]], bool)
        >>> split_big_spots(small, np.ones((1, 1, 4), bool), RedSpots(at_least_voxels=1)).astype(int)
        array([[[1, 1, 0, 1]]])
    """
    if not big.any():
        return keep_sizes(small, at_least=settings.at_least_voxels)
    joined = small | (big & ~watershed_lines(small))
    return keep_sizes(joined, at_least=settings.at_least_voxels)


def watershed_lines(seeds: Mask) -> Mask:
    """Draw the voxels between the zones of influence of the components of `seeds`.

    Where two zones meet, the voxel of the higher-numbered one is on the line, unless it is a seed: then the other
    is. So every 26-connection between zones is cut, and no seed voxel is.

    Args:
        seeds: (plane, row, column) booleans. Not modified.

    Returns:
        (plane, row, column) booleans.
    """
    labels, count = label_components(seeds)
    if count < 2:
        return np.zeros(seeds.shape, bool)
    nearest = ndi.distance_transform_edt(~seeds, return_distances=False, return_indices=True)
    zones = labels[tuple(nearest)]
    lowest = ndi.minimum_filter(zones, size=3, mode="nearest")
    highest_seed = ndi.maximum_filter(labels, size=3, mode="nearest")
    return np.asarray(((lowest < zones) | (highest_seed > zones)) & ~seeds)


def find_green_spots(green: Stack, settings: GreenSpots) -> Mask:
    """Step 7: find green objects by a difference of Gaussians or, smaller ones, by their curvature.

    Args:
        green: (plane, row, column) deconvolved pHluorin, 0..65535. Not modified.
        settings: Step 7.

    Returns:
        (plane, row, column) booleans.
    """
    curved = laplacian_of_gaussian(green, sigma_px=settings.log_sigma_px, size_px=settings.log_kernel_px)
    peaks = keep_sizes(curved < settings.log_threshold, at_least=settings.at_least_voxels)
    spots = green_contrast(green, settings) > settings.threshold
    return keep_sizes(spots | peaks, at_least=settings.at_least_voxels)


def green_contrast(green: Stack, settings: GreenSpots) -> Stack:
    """Difference of Gaussians of green, which steps 7 and 10 both start from; clipped at 0 as unsigned numbers are."""
    contrast = difference_of_gaussians(
        green, narrow_px=settings.narrow_px, wide_px=settings.wide_px, size_px=settings.kernel_px
    )
    clipped: Stack = np.maximum(contrast, 0)
    return clipped
