"""Stock pipelines: the conventional segmentations that people write in an afternoon, each a rule and a few numbers.

They are weak teachers with errors of known causes. A rule that looks at the whole image (`otsu`, `li`, `brightest`)
gives equal objects unequal labels, as one bright object moves the threshold of all; a rule that looks around a pixel
(`local`, `dog`, `deviation`) gives equal objects equal labels, right or wrong. The first kind of error averages out in
a network, the second is learnt. Thresholds and filters are scikit-image's.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.cip.nuclei import EIGHT, without_small
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable, LabelMap

Plane = NDArray[np.float64]
Rule = Literal[
    "otsu", "li", "otsu-log", "triangle", "local", "fixed", "brightest", "dog", "deviation", "gradient", "background"
]


@dataclass(frozen=True)
class StockSettings:
    """One stock pipeline.

    Args:
        name: What to call it.
        rule: How a pixel becomes foreground. `otsu` (Otsu 1979, DOI 10.1109/TSMC.1979.4310076), `li` (Li and Lee 1993,
            DOI 10.1016/0031-3203(93)90115-D), `triangle` (Zack 1977, DOI 10.1177/25.7.70454): above that threshold
            of the image; `otsu-log`: Otsu's of the logarithm; `local`: above the mean of its neighbourhood by `level`
            robust standard deviations of the image; `fixed`: above `level` counts; `brightest`: above the share
            `level` of the brightest pixel; `dog`: difference of Gaussians above `level` robust standard deviations;
            `deviation`: local standard deviation above Otsu's threshold; `gradient`: Sobel gradient above the triangle
            threshold, filled; `background`: what stands above a white top-hat by Otsu's threshold.
        level: The rule's number; see there.
        sigma_px: Blur before the rule; for `dog` the inner one, the outer is 1.6 times as wide.
        window_px: Side of the neighbourhood of `local` and `deviation`, and diameter of the disc of `background`.
        at_least_px: Smaller objects, and smaller holes, are removed.
        class_names: What the objects of each channel are, channel by channel; a dataset folder has its own names.

    Raises:
        InputError: If a number is out of range, or there are no class names.
    """

    name: str = "otsu"
    rule: Rule = "otsu"
    level: float = 1.0
    sigma_px: float = 1.0
    window_px: int = 51
    at_least_px: int = 30
    class_names: tuple[str, ...] = ("object",)

    def __post_init__(self) -> None:
        ClassTable(("background", *self.class_names))
        if not (self.level > 0 and self.sigma_px >= 0 and self.window_px >= 3 and self.at_least_px >= 1):
            msg = (
                "A stock pipeline must have level above 0, sigma_px from 0, window_px from 3 and at_least_px from 1, "
                f"got {self.level}, {self.sigma_px}, {self.window_px} and {self.at_least_px}. Correct the setting."
            )
            raise InputError(msg)
        if self.rule == "brightest" and self.level >= 1:
            msg = f"level of brightest must be a share below 1, got {self.level}. A quarter is 0.25."
            raise InputError(msg)


STOCK: dict[str, StockSettings] = {
    settings.name: settings
    for settings in (
        StockSettings("otsu", "otsu"),
        StockSettings("li", "li"),
        StockSettings("otsu-log", "otsu-log"),
        StockSettings("triangle", "triangle"),
        StockSettings("local", "local", level=0.5),
        StockSettings("fixed", "fixed", level=1000.0),
        StockSettings("brightest", "brightest", level=0.25),
        StockSettings("dog", "dog", level=4.0, sigma_px=2.0),
        StockSettings("deviation", "deviation", window_px=7),
        StockSettings("gradient", "gradient"),
        StockSettings("background", "background"),
    )
}
"""Presets by name, with the numbers people start from: a quarter of the brightest pixel, 1000 counts, 4 deviations of a
difference of Gaussians; `noisylabels cip --settings` changes them, as `level: 0.5`."""


def segment_stock(image: NDArray[np.generic], settings: StockSettings) -> LabelMap:
    """Label an image by a stock pipeline: class 1 for the first channel, 2 for the second, ...

    Where several channels are foreground, the one that stands highest above its own median, in robust standard
    deviations, has the pixel.

    Args:
        image: (channel, row, column) or (row, column) intensities. Not modified.
        settings: The pipeline.

    Returns:
        (row, column) uint8. A constant channel has no foreground.

    Raises:
        InputError: If the image has another shape, or more channels than there can be classes.

    Examples:
        >>> plane = np.zeros((9, 9)); plane[2:7, 2:7] = 100
        >>> int(segment_stock(plane, StockSettings(sigma_px=0, at_least_px=9)).sum())
        25
    """
    planes = np.asarray(image, float)
    planes = planes[None] if planes.ndim == 2 else planes
    if planes.ndim != 3 or len(planes) > 255:
        msg = f"An image must be (channel, row, column), got shape {np.shape(image)}. Project its planes first."
        raise InputError(msg)
    masks = np.array([find_foreground(plane, settings) for plane in planes], bool).reshape(planes.shape)
    heights = np.where(masks, [_standing(plane) for plane in planes], -np.inf)
    classes: LabelMap = np.where(masks.any(axis=0), heights.argmax(axis=0) + 1, 0).astype(np.uint8)
    return classes


def find_foreground(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    """Mark the foreground of one channel, specks and pin-holes removed.

    Args:
        plane: (row, column) intensities. Not modified.
        settings: The pipeline.
    """
    if plane.size == 0 or np.ptp(plane) == 0:
        return np.zeros(plane.shape, bool)
    blurred = ndi.gaussian_filter(plane, settings.sigma_px) if settings.rule != "dog" else plane
    mask = _RULES[settings.rule](blurred, settings)
    solid = ~without_small(~mask, settings.at_least_px, None)
    return without_small(solid, settings.at_least_px, EIGHT)


def _above_otsu(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    from skimage.filters import threshold_otsu

    return np.asarray(plane > settings.level * threshold_otsu(plane))


def _above_li(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    from skimage.filters import threshold_li

    return np.asarray(plane > settings.level * threshold_li(plane))


def _above_otsu_of_log(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    from skimage.filters import threshold_otsu

    logarithm = np.log1p(plane - plane.min())
    return np.asarray(logarithm > settings.level * threshold_otsu(logarithm))


def _above_triangle(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    from skimage.filters import threshold_triangle

    return np.asarray(plane > settings.level * threshold_triangle(plane))


def _above_neighbourhood(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    from skimage.filters import threshold_local

    window = settings.window_px + 1 - settings.window_px % 2
    mean = threshold_local(plane, window, method="mean")
    return np.asarray(plane > mean + settings.level * _spread(plane))


def _above_fixed(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    return plane > settings.level


def _above_share_of_brightest(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    return np.asarray(plane > settings.level * plane.max())


def _above_difference_of_gaussians(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    from skimage.filters import difference_of_gaussians

    low = max(settings.sigma_px, 0.5)
    difference = difference_of_gaussians(plane, low)
    return np.asarray(difference > settings.level * _spread(difference))


def _above_deviation(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    from skimage.filters import threshold_otsu

    mean = ndi.uniform_filter(plane, settings.window_px)
    variance = ndi.uniform_filter(plane**2, settings.window_px) - mean**2
    deviation = np.sqrt(np.maximum(variance, 0))
    return np.asarray(deviation > settings.level * threshold_otsu(deviation))


def _inside_gradient(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    from skimage.filters import sobel, threshold_triangle

    gradient = sobel(plane)
    return np.asarray(ndi.binary_fill_holes(gradient > settings.level * threshold_triangle(gradient)))


def _above_background(plane: Plane, settings: StockSettings) -> NDArray[np.bool_]:
    from skimage.filters import threshold_otsu
    from skimage.morphology import disk, white_tophat

    risen = white_tophat(plane, disk(settings.window_px // 2, decomposition="sequence"))
    return np.asarray(risen > settings.level * threshold_otsu(risen))


_RULES = {
    "otsu": _above_otsu,
    "li": _above_li,
    "otsu-log": _above_otsu_of_log,
    "triangle": _above_triangle,
    "local": _above_neighbourhood,
    "fixed": _above_fixed,
    "brightest": _above_share_of_brightest,
    "dog": _above_difference_of_gaussians,
    "deviation": _above_deviation,
    "gradient": _inside_gradient,
    "background": _above_background,
}


def _standing(plane: Plane) -> Plane:
    return np.asarray((plane - np.median(plane)) / _spread(plane)) if plane.size else plane


def _spread(values: Plane) -> float:
    """Return the robust standard deviation: 1.4826 times the median absolute deviation, never 0."""
    spread = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    return spread or float(np.std(values)) or 1.0
