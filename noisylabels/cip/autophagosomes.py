"""Steps 10 to 12: autophagosomes, green rings around a darker middle."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.cip.circles import disc_in, draw_circles, find_circles
from noisylabels.cip.components import SPHERE, Mask, label_components, select_components
from noisylabels.cip.discs import erode_disc, exact_disc, open_disc
from noisylabels.cip.filters import Stack, butterworth_highpass, difference_of_gaussians
from noisylabels.cip.settings import AutophagosomeShape, CircleRings, HoleRings

EIGHT = np.ones((3, 3), bool)


def find_hole_rings(contrast: Stack, settings: HoleRings) -> Mask:
    """Step 10: find candidates whose outline encloses exactly one hole (Euler number 0).

    Args:
        contrast: (plane, row, column) green difference of Gaussians of step 7. Not modified.
        settings: Step 10.

    Returns:
        (plane, row, column) booleans: the filled candidates, in the planes where the ring shows.
    """
    sharp = butterworth_highpass(contrast, cutoff_cycles=settings.cutoff_cycles, order=settings.order)
    bright = sharp > settings.threshold
    flat = fill_single_holes(bright.max(axis=0), settings)
    labels, count = ndi.label(flat, EIGHT)
    rings = np.zeros(bright.shape, bool)
    for plane, drawn in zip(bright, rings, strict=True):
        share = np.bincount(labels[plane], minlength=count + 1) / np.maximum(np.bincount(labels.ravel()), 1)
        drawn[...] = select_components(labels, share > settings.plane_share)
    eroded = ndi.binary_erosion(rings, SPHERE, border_value=1)
    return np.asarray(ndi.binary_dilation(eroded, SPHERE))


def fill_single_holes(mask: Mask, settings: HoleRings) -> Mask:
    """Fill the components that have exactly one hole of a plausible size, and drop all others.

    Args:
        mask: (row, column) booleans. Not modified.
        settings: The clean-up and the limits on the hole.

    Examples:
        >>> ring = np.zeros((15, 15), bool)
        >>> ring[2:13, 2:13] = True
        >>> ring[5:10, 5:10] = False
        >>> int(fill_single_holes(ring, HoleRings(filled_opening_px=1)).sum()), int(ring.sum())
        (117, 96)
    """
    labels, count = ndi.label(mask, EIGHT)
    big_enough = np.bincount(labels.ravel(), minlength=count + 1) >= settings.at_least_px
    clean = ndi.median_filter(select_components(labels, big_enough).astype(np.uint8), settings.median_px) > 0
    clean = open_disc(clean, settings.opening_px)
    labels, _ = ndi.label(clean, EIGHT)
    filled = np.zeros(mask.shape, bool)
    holes = ndi.binary_fill_holes(clean) & ~clean
    suspects = np.unique(labels[ndi.binary_dilation(holes, EIGHT)])
    boxes = ndi.find_objects(labels)
    for component in suspects[suspects > 0]:
        box = boxes[component - 1]
        filled[box] |= _filled_if_ring(labels[box] == component, settings)
    return np.asarray(open_disc(filled, settings.filled_opening_px))


def _filled_if_ring(component: Mask, settings: HoleRings) -> Mask:
    whole = ndi.binary_fill_holes(component)
    _, n_holes = ndi.label(whole & ~component)
    hole_px = int(whole.sum() - component.sum())
    is_ring = (
        n_holes == 1
        and whole.sum() > settings.filled_over_area * component.sum()
        and settings.hole_more_than_px < hole_px < settings.hole_less_than_px
    )
    return np.asarray(whole) if is_ring else np.zeros(component.shape, bool)


def find_circle_rings(green_counts: Stack, red_counts: Stack, green_spots: Mask, settings: CircleRings) -> Mask:
    """Step 11: find candidates as circles in raw green, away from green spots and without bright red.

    Args:
        green_counts: (plane, row, column) raw pHluorin in counts. Not modified.
        red_counts: (plane, row, column) raw DsRed in counts. Not modified.
        green_spots: (plane, row, column) mask of step 7. Not modified.
        settings: Step 11.

    Returns:
        (plane, row, column) booleans: the circles as filled discs.
    """
    contrast = difference_of_gaussians(
        green_counts, narrow_px=settings.narrow_px, wide_px=settings.wide_px, size_px=settings.kernel_px
    )
    span = float(np.ptp(contrast))
    scaled = (contrast - contrast.min()) / span if span > 0 else np.zeros_like(contrast)
    planes = zip(scaled, green_counts, red_counts, green_spots, strict=True)
    return np.stack([_circle_rings_of_plane(*plane, settings) for plane in planes])


def _circle_rings_of_plane(
    scaled: NDArray[np.float32],
    green: NDArray[np.float32],
    red: NDArray[np.float32],
    spots: Mask,
    settings: CircleRings,
) -> Mask:
    local_mean = ndi.gaussian_filter(scaled, settings.replacing_sigma_px, truncate=2.5)
    quiet = erode_disc(np.where(spots, local_mean, scaled), settings.erosion_px)
    circles = find_circles(quiet, settings)
    keep = np.zeros(len(circles), bool)
    for index in range(len(circles)):
        box, disc = disc_in(circles, index, green.shape)
        inside = green[box][disc]
        spread = np.median(np.abs(inside - np.median(inside)))
        dim = np.quantile(red[box][disc], settings.red_quantile) < settings.red_below_counts
        keep[index] = dim and spread > settings.green_spread_counts
    return draw_circles(circles, keep, green.shape)


def validate_autophagosomes(
    candidates: Mask, ratio: Stack, red: Stack, red_spots: Mask, settings: AutophagosomeShape
) -> Mask:
    """Step 12: keep the candidates of plausible size and shape, with a high ratio in the rim and red within.

    Args:
        candidates: (plane, row, column) union of steps 10 and 11. Not modified.
        ratio: (plane, row, column) image of step 8. Not modified.
        red: (plane, row, column) deconvolved DsRed, 0..65535. Not modified.
        red_spots: (plane, row, column) mask of step 6; without any, no candidate is kept. Not modified.
        settings: Step 12.

    Returns:
        (plane, row, column) booleans.
    """
    labels, count = label_components(candidates)
    keep = _has_shape(labels, count, settings)
    if not keep.any() or not red_spots.any():
        return np.zeros(candidates.shape, bool)
    red_level = np.median(red[red_spots])
    thick = _thicken(select_components(labels, keep), labels, settings.thickening_px)
    for component in np.flatnonzero(keep):
        own = thick == component
        reddish = (red[labels == component] > red_level).mean() > settings.red_share_above
        keep[component] = reddish and _rim_is_neutral(own, ratio, settings)
    return select_components(labels, keep)


def _has_shape(labels: NDArray[np.int32], count: int, settings: AutophagosomeShape) -> Mask:
    """Test volume, sphericity and volume over surface; the surface counts voxels with a face outside."""
    solid = labels > 0
    surface_voxels = solid & ~ndi.binary_erosion(solid, SPHERE, border_value=1)
    volume = np.bincount(labels.ravel(), minlength=count + 1).astype(float)
    surface = np.maximum(np.bincount(labels[surface_voxels], minlength=count + 1), 1)
    sphericity = np.pi ** (1 / 3) * (6 * volume) ** (2 / 3) / surface
    fits = (volume >= settings.at_least_voxels) & (volume <= settings.at_most_voxels)
    fits &= (sphericity > settings.sphericity_above) & (volume / surface > settings.volume_over_surface_above)
    fits[0] = False
    return np.asarray(fits)


def _thicken(mask: Mask, labels: NDArray[np.int32], reach_px: int) -> NDArray[np.int32]:
    """Grow each object in its planes by `reach_px`, stopping where another one is nearer."""
    thick = np.zeros_like(labels)
    for plane, own, grown in zip(mask, labels, thick, strict=True):
        if plane.any():
            distance, nearest = ndi.distance_transform_edt(~plane, return_indices=True)
            grown[...] = np.where(distance <= reach_px, own[tuple(nearest)], 0)
    return thick


def _rim_is_neutral(own: Mask, ratio: Stack, settings: AutophagosomeShape) -> bool:
    box = ndi.find_objects(own.astype(np.uint8))[0]
    inner = np.stack([ndi.binary_erosion(plane, exact_disc(settings.rim_px), border_value=0) for plane in own[box]])
    rim = own[box] & ~inner
    if not inner.any():
        return False
    outside, centre = (np.quantile(ratio[box][part], settings.ratio_quantile) for part in (rim, inner))
    return bool(outside > settings.rim_over_centre_above * centre)
