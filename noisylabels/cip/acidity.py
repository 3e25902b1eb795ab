"""Steps 8 and 9: the pH ratio image and the mask of low pH."""

import numpy as np
from scipy import ndimage as ndi

from noisylabels.cip.components import Mask, keep_sizes, label_components, select_components
from noisylabels.cip.discs import white_tophat
from noisylabels.cip.filters import Stack, smooth
from noisylabels.cip.settings import Acidity


def ratio_image(red_counts: Stack, green_counts: Stack, settings: Acidity) -> Stack:
    """Step 8: divide smoothed green by smoothed red; acid quenches green, so the ratio falls with the pH.

    The camera offset stays in both, as in the original. Where red is 0 the ratio is the 99 % quantile of the
    defined ones; where both are 0, the 1 % quantile.

    Args:
        red_counts: (plane, row, column) raw DsRed in counts. Not modified.
        green_counts: (plane, row, column) raw pHluorin in counts. Not modified.
        settings: `sigma_px`, `kernel_px` and the two quantiles.

    Returns:
        (plane, row, column) float32, finite, at least 0; all 0 where nothing is defined.

    Examples:
        >>> red = np.full((1, 6, 6), 100, np.float32)
        >>> float(ratio_image(red, 2 * red, Acidity())[0, 3, 3])
        2.0
    """
    red = smooth(red_counts, sigma_px=settings.sigma_px, size_px=settings.kernel_px)
    green = smooth(green_counts, sigma_px=settings.sigma_px, size_px=settings.kernel_px)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = green / red
    defined = ratio[np.isfinite(ratio)]
    if defined.size < ratio.size:
        levels = (
            np.quantile(defined, [settings.infinite_quantile, settings.undefined_quantile]) if defined.size else (0, 0)
        )
        ratio = np.where(np.isinf(ratio), levels[0], np.where(np.isnan(ratio), levels[1], ratio))
    finite: Stack = ratio.astype(np.float32, copy=False)
    return finite


def find_low_ph(ratio: Stack, green: Stack, settings: Acidity) -> Mask:
    """Step 9: find places whose ratio dips below the surroundings and that a brighter green ring encloses.

    Args:
        ratio: (plane, row, column) image of step 8. Not modified.
        green: (plane, row, column) deconvolved pHluorin, 0..65535. Not modified.
        settings: Step 9.

    Returns:
        (plane, row, column) booleans.
    """
    dips = white_tophat(1 - ratio, settings.disc_px) > settings.threshold
    labels, count = label_components(keep_sizes(dips, at_least=settings.at_least_voxels))
    keep = np.zeros(count + 1, bool)
    for component, box in enumerate(ndi.find_objects(labels), start=1):
        keep[component] = _is_ringed(labels, green, component, box, settings)
    return select_components(labels, keep)


def _is_ringed(labels: np.ndarray, green: Stack, component: int, box: tuple[slice, ...], settings: Acidity) -> bool:
    margin = settings.ring_px
    wide = (box[0], *(slice(max(side.start - margin, 0), side.stop + margin) for side in box[1:]))
    inside = labels[wide] == component
    distance = np.stack([_distance(plane) for plane in inside])
    ring = ~inside & (distance <= margin)
    around = np.median(green[wide][ring]) if ring.any() else np.nan
    return bool(around > settings.ring_over_inside * np.median(green[wide][inside]))


def _distance(plane: Mask) -> np.ndarray:
    if not plane.any():
        return np.full(plane.shape, np.inf)
    return np.asarray(ndi.distance_transform_edt(~plane))
