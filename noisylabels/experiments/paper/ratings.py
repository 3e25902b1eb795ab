"""Simulated blinded ratings: true quality, the severity of the rater, what is special about the image, and noise.

No person gave these scores. They tell what a rating of 20 images could show if raters saw the true quality.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.experts.ratings import HIGHEST, LOWEST, Ratings
from evaluation.metrics.counts import CountTable
from evaluation.metrics.pixels import FloatArray, score_classes
from noisylabels.data.keys import combine_keys, normals

SEVERITY_SD = 1.0
IMAGE_SD = 1.5
NOISE_SD = 1.0
"""In points of the scale from 1 to 10."""


def measure_quality(table: CountTable) -> Mapping[str, Mapping[str, float]]:
    """Measure how good label maps truly are: the mean over event classes of the Dice against the truth.

    A class that is in neither map is left out; where no map has an event, the quality is 1.

    Args:
        table: Counts against the truth.

    Returns:
        Quality in [0, 1] by method and quarter.
    """
    dice = score_classes(table.confusion)["dice"][:, 1:]
    defined = ~np.isnan(dice)
    means = np.where(defined.any(1), np.nansum(dice, 1) / np.maximum(defined.sum(1), 1), 1.0)
    quality: dict[str, dict[str, float]] = {}
    for method, field, value in zip(table.keys["method"], table.keys["field"], means, strict=True):
        quality.setdefault(str(method), {})[str(field)] = float(value)
    return quality


def simulate_ratings(
    quality: Mapping[str, Mapping[str, float]], *, raters: Sequence[str], images: Sequence[str], seed: int
) -> Ratings:
    """Score every method on every image from 1 to 10, as simulated raters do.

    The draws hang on seed, rater, image and method only: another method more changes no other score.

    Args:
        quality: True quality in [0, 1] by method and image.
        raters: Their names.
        images: The images that are rated.
        seed: Of the raters.

    Examples:
        >>> quality = {"CIP": {"f1": 0.0}, "CDL": {"f1": 1.0}}
        >>> ratings = simulate_ratings(quality, raters=["A"], images=["f1"], seed=0)
        >>> bool(ratings.score[0] < ratings.score[1])
        True
    """
    rows = [(rater, image, method) for rater in raters for image in images for method in quality]
    points = [
        LOWEST
        + (HIGHEST - LOWEST) * quality[method][image]
        + SEVERITY_SD * _draw(seed, "severity", rater)
        + IMAGE_SD * _draw(seed, "image", image)
        + NOISE_SD * _draw(seed, "noise", rater, image, method)
        for rater, image, method in rows
    ]
    whose, what, by = (np.array([row[column] for row in rows], np.str_) for column in range(3))
    score = np.clip(np.round(points), LOWEST, HIGHEST).astype(np.int64)
    return Ratings(whose, what, by, score, subset=np.full(len(rows), "", np.str_))


def _draw(seed: int, *words: str) -> float:
    value: FloatArray = normals(combine_keys(seed, *words))
    return float(value)
