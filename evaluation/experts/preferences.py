"""Preferences: do blinded raters score a method higher than another, how much and how surely?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.experts.ratings import Ratings
from evaluation.statistics.adjustment import adjust_holm
from evaluation.statistics.effects import cliffs_delta_interval, hodges_lehmann_interval, rank_biserial
from evaluation.statistics.intervals import Interval
from evaluation.statistics.rank_tests import Distance, compare_distributions, mann_whitney_p, sign_flip_p, signed_rank_p
from noisylabels.data.errors import InputError

EVERYBODY = "all raters"


@dataclass(frozen=True)
class Preference:
    """How one rater, or all together, scored a method against a baseline.

    Args:
        rater: Who; "all raters" for the means over raters.
        method: The method asked about.
        baseline: What it is compared with.
        n: Images rated.
        mean_method: Mean score of the method.
        mean_baseline: Mean score of the baseline.
        shift: Hodges-Lehmann shift, with its interval over images.
        delta: Cliff's delta, with its interval over images.
        biserial: Matched-pairs rank-biserial correlation.
        signed_rank_p: Wilcoxon's signed ranks, Pratt's zeros: the test to read.
        sign_flip_p: Signs flipped by image, all raters of an image together.
        mann_whitney_p: Ignores the pairing.
        ks: Kolmogorov-Smirnov as the paper: ignores the pairing, and loses power with ties.
        p_holm: `signed_rank_p` adjusted over raters and pairs of methods.
    """

    rater: str
    method: str
    baseline: str
    n: int
    mean_method: float
    mean_baseline: float
    shift: Interval
    delta: Interval
    biserial: float
    signed_rank_p: float
    sign_flip_p: float
    mann_whitney_p: float
    ks: Distance
    p_holm: float


def compare_ratings(
    ratings: Ratings,
    *,
    methods: Sequence[str] | None = None,
    ks_method: Literal["exact", "matlab"] = "exact",
) -> list[Preference]:
    """Test for every rater, and of all together, whether later methods are scored higher than earlier ones.

    Args:
        ratings: The scores.
        methods: Methods, baseline first; None: all, in order of appearance.
        ks_method: p-value of the Kolmogorov-Smirnov test: "exact", or "matlab" for kstest2's formula.

    Returns:
        One entry per pair of methods and rater, each pair followed by that of all raters together.

    Raises:
        InputError: If there are not two methods, or one is not in the sheet.
    """
    names = list(methods or ratings.methods)
    unknown = [name for name in names if name not in ratings.methods]
    if unknown or len(names) < 2:
        there = ", ".join(ratings.methods)
        msg = f"methods must be at least two of {there}, got {', '.join(names) or 'none'}. Baseline first."
        raise InputError(msg)
    pairs = [(names[one], names[other]) for one in range(len(names)) for other in range(one + 1, len(names))]
    whom = [*ratings.raters, *([EVERYBODY] if len(ratings.raters) > 1 else [])]
    found = [_prefer(ratings, rater, baseline, method, ks_method) for baseline, method in pairs for rater in whom]
    adjusted = adjust_holm([entry.signed_rank_p for entry in found])
    return [replace(entry, p_holm=float(p)) for entry, p in zip(found, adjusted, strict=True)]


def _prefer(
    ratings: Ratings,
    rater: str,
    baseline: str,
    method: str,
    ks_method: Literal["exact", "matlab"],
) -> Preference:
    who = None if rater == EVERYBODY else rater
    (before, unit), (after, _) = (ratings.totals(rater=who, method=name) for name in (baseline, method))
    images = sorted(set(before) & set(after))  # every rater scores both methods on each image that she sees
    whole = np.array([(before[image], after[image]) for image in images], np.int64).reshape(-1, 2)
    differences, pairs = whole[:, 1] - whole[:, 0], whole / unit
    return Preference(
        rater=rater,
        method=method,
        baseline=baseline,
        n=len(images),
        mean_method=float(pairs[:, 1].mean()),
        mean_baseline=float(pairs[:, 0].mean()),
        shift=hodges_lehmann_interval(differences / unit),
        delta=cliffs_delta_interval(whole[:, 0], whole[:, 1]),
        biserial=rank_biserial(differences),
        signed_rank_p=signed_rank_p(differences),
        sign_flip_p=sign_flip_p(_image_sums(ratings, who, baseline, method)),
        mann_whitney_p=mann_whitney_p(whole[:, 0], whole[:, 1]),
        ks=compare_distributions(whole[:, 0], whole[:, 1], method=ks_method),
        p_holm=float("nan"),
    )


def _image_sums(ratings: Ratings, rater: str | None, baseline: str, method: str) -> NDArray[np.int64]:
    """(image,) differences summed over the raters of an image: what one image said must flip together."""
    kept = np.ones(len(ratings), bool) if rater is None else ratings.rater == rater
    signs = np.where(ratings.method == method, 1, np.where(ratings.method == baseline, -1, 0))
    images, places = np.unique(ratings.image[kept], return_inverse=True)
    sums = np.zeros(len(images), np.int64)
    np.add.at(sums, places, (signs * ratings.score)[kept])
    return sums


def compare_subsets(ratings: Ratings) -> dict[str, float]:
    """Test whether scores hang on the data set of an image, for each method and for the preference.

    Args:
        ratings: Scores of images of two or more data sets (`subset`).

    Returns:
        Kruskal-Wallis p-value between data sets by method name, and by "<method> − <baseline>" of the image means;
        empty when there is but one data set.
    """
    from scipy import stats

    subset_of = dict(zip(ratings.image.tolist(), ratings.subset.tolist(), strict=True))
    subsets = sorted(set(subset_of.values()))
    if len(subsets) < 2:
        return {}
    values = {method: ratings.scores(method=method) for method in ratings.methods}
    baseline = ratings.methods[0]
    for method in ratings.methods[1:]:
        values[f"{method} − {baseline}"] = {
            image: score - values[baseline][image] for image, score in values[method].items()
        }
    p_values = {}
    for name, scores in values.items():
        groups = [[score for image, score in scores.items() if subset_of[image] == subset] for subset in subsets]
        differ = len(set(scores.values())) > 1
        p_values[name] = float(stats.kruskal(*groups).pvalue) if differ else 1.0
    return p_values
