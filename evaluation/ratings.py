"""Blinded ratings: sheets of scores from 1 to 10, and whether experts prefer a method."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.adjustment import adjust_holm
from evaluation.effects import bootstrap_effect, cliffs_delta, hodges_lehmann, rank_biserial
from evaluation.rank_tests import Distance, compare_distributions, mann_whitney_p, sign_flip_p, signed_rank_p
from evaluation.resampling import Interval
from evaluation.sheets import read_rows, refuse_faults
from noisylabels.errors import InputError

COLUMNS = ("rater", "image", "method", "score")
LOWEST, HIGHEST = 1, 10
EVERYBODY = "all raters"


@dataclass(frozen=True)
class Ratings:
    """Scores, one row per (rater, image, method).

    Args:
        rater: (n,) names.
        image: (n,) names.
        method: (n,) names.
        score: (n,) whole numbers from 1 to 10.
        subset: (n,) data set of each image; empty where there is but one.
    """

    rater: NDArray[np.str_]
    image: NDArray[np.str_]
    method: NDArray[np.str_]
    score: NDArray[np.int64]
    subset: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.score)

    @property
    def raters(self) -> list[str]:
        """Who rated, in order of appearance."""
        return list(dict.fromkeys(self.rater.tolist()))

    @property
    def methods(self) -> list[str]:
        """What was rated, in order of appearance."""
        return list(dict.fromkeys(self.method.tolist()))

    def scores(self, *, rater: str | None = None, method: str) -> dict[str, float]:
        """Give the score of each image; the mean over raters when no rater is named."""
        rows = self.method == method
        if rater is not None:
            rows &= self.rater == rater
        sums: dict[str, list[int]] = {}
        for image, score in zip(self.image[rows].tolist(), self.score[rows].tolist(), strict=True):
            sums.setdefault(image, []).append(score)
        return {image: float(np.mean(scores)) for image, scores in sums.items()}


def read_ratings(path: str | Path) -> Ratings:
    """Read a rating sheet.

    Args:
        path: CSV with a head row and the columns rater, image, method, score (whole numbers from 1 to 10), and
            perhaps subset (the data set of the image); other columns are left alone.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If columns are missing, or rows are faulty; all faults at once, one line each.
    """
    return parse_ratings(read_rows(path, COLUMNS), source=str(path))


def parse_ratings(rows: Sequence[Mapping[str, str]], *, source: str = "rating sheet") -> Ratings:
    """Check the rows of a rating sheet and turn them into ratings.

    Every rater must score every method on each image that she rated, once.

    Args:
        rows: One mapping per score, values as text.
        source: What to call the sheet in an error.

    Raises:
        InputError: If there is no row, or any is faulty; all faults at once, one line each.

    Examples:
        >>> row = {"rater": "A", "image": "f1"}
        >>> sheet = [{**row, "method": "CIP", "score": "3"}, {**row, "method": "CDL", "score": "8"}]
        >>> parse_ratings(sheet).scores(method="CDL")
        {'f1': 8.0}
        >>> parse_ratings([{**sheet[0], "score": "11"}, sheet[1]])
        Traceback (most recent call last):
        ...
        noisylabels.errors.InputError: rating sheet has 1 faults:
        row 2: score must be a whole number from 1 to 10, got '11'
        Correct them and read the sheet again.
    """
    if not rows:
        msg = f"{source} must have at least one rating, got none. Export the ratings first."
        raise InputError(msg)
    faults = [*_faulty_cells(rows), *_repeats(rows), *_gaps(rows)]
    refuse_faults(faults, source=source)
    texts = {name: np.array([row.get(name, "") for row in rows], np.str_) for name in (*COLUMNS[:3], "subset")}
    return Ratings(**texts, score=np.array([int(row["score"]) for row in rows]))


def _faulty_cells(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Name rows by their line in the sheet: the head is line 1."""
    faults = []
    for line, row in enumerate(rows, 2):
        faults += [f"row {line}: {name} must not be empty" for name in COLUMNS[:3] if not row[name]]
        if not _is_score(row["score"]):
            faults.append(f"row {line}: score must be a whole number from {LOWEST} to {HIGHEST}, got {row['score']!r}")
    return faults


def _is_score(text: str) -> bool:
    return text.isascii() and text.isdigit() and LOWEST <= int(text) <= HIGHEST


def _repeats(rows: Sequence[Mapping[str, str]]) -> list[str]:
    counts = Counter((row["rater"], row["image"], row["method"]) for row in rows)
    return [
        f"rater {rater!r}, image {image!r}: {method!r} must be rated once, got {n} times"
        for (rater, image, method), n in counts.items()
        if n > 1
    ]


def _gaps(rows: Sequence[Mapping[str, str]]) -> list[str]:
    methods = list(dict.fromkeys(row["method"] for row in rows))
    rated: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        rated.setdefault((row["rater"], row["image"]), set()).add(row["method"])
    return [
        f"rater {rater!r}, image {image!r}: {method!r} must be rated, got no score"
        for (rater, image), found in rated.items()
        for method in methods
        if method not in found
    ]


@dataclass(frozen=True)
class Preference:
    """How one rater, or all together, scored a method against a baseline.

    Args:
        rater: Who; "all raters" for the means over raters.
        method: The method asked about.
        baseline: What it is held against.
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
    n_resamples: int = 2000,
    rng: np.random.Generator,
) -> list[Preference]:
    """Ask of every rater, and of all together, whether later methods are scored higher than earlier ones.

    Args:
        ratings: The scores.
        methods: Methods, baseline first; None: all, in order of appearance.
        ks_method: p-value of the Kolmogorov-Smirnov test: "exact", or "matlab" for kstest2's formula.
        n_resamples: Bootstrap resamples of the effect sizes.
        rng: Source of randomness.

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
    found = [
        _prefer(ratings, rater, baseline, method, ks_method, n_resamples, rng)
        for baseline, method in pairs
        for rater in whom
    ]
    adjusted = adjust_holm([entry.signed_rank_p for entry in found])
    return [Preference(**{**entry.__dict__, "p_holm": float(p)}) for entry, p in zip(found, adjusted, strict=True)]


def _prefer(
    ratings: Ratings,
    rater: str,
    baseline: str,
    method: str,
    ks_method: Literal["exact", "matlab"],
    n_resamples: int,
    rng: np.random.Generator,
) -> Preference:
    who = None if rater == EVERYBODY else rater
    before, after = (ratings.scores(rater=who, method=name) for name in (baseline, method))
    images = sorted(set(before) & set(after))
    pairs = np.array([(before[image], after[image]) for image in images]).reshape(-1, 2)
    differences = pairs[:, 1] - pairs[:, 0]
    return Preference(
        rater=rater,
        method=method,
        baseline=baseline,
        n=len(images),
        mean_method=float(pairs[:, 1].mean()),
        mean_baseline=float(pairs[:, 0].mean()),
        shift=bootstrap_effect(hodges_lehmann, differences, n_resamples=n_resamples, rng=rng),
        delta=bootstrap_effect(
            lambda drawn: cliffs_delta(drawn[:, 0], drawn[:, 1]), pairs, n_resamples=n_resamples, rng=rng
        ),
        biserial=rank_biserial(differences),
        signed_rank_p=signed_rank_p(differences),
        sign_flip_p=sign_flip_p(_image_sums(ratings, who, baseline, method), rng=rng),
        mann_whitney_p=mann_whitney_p(pairs[:, 0], pairs[:, 1]),
        ks=compare_distributions(pairs[:, 0], pairs[:, 1], method=ks_method),
        p_holm=float("nan"),
    )


def _image_sums(ratings: Ratings, rater: str | None, baseline: str, method: str) -> NDArray[np.float64]:
    """(image,) differences summed over the raters of an image: what one image said must flip together."""
    kept = np.ones(len(ratings), bool) if rater is None else ratings.rater == rater
    signs = np.where(ratings.method == method, 1, np.where(ratings.method == baseline, -1, 0))
    images, places = np.unique(ratings.image[kept], return_inverse=True)
    sums = np.zeros(len(images))
    np.add.at(sums, places, (signs * ratings.score)[kept])
    return sums


def compare_subsets(ratings: Ratings) -> dict[str, float]:
    """Ask whether scores hang on the data set of an image, for each method and for the preference.

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


def score_table(ratings: Ratings, *, method: str) -> NDArray[np.float64]:
    """Lay one method's scores out as (image, rater); nan where a rater did not see an image.

    Args:
        ratings: The scores.
        method: The method.
    """
    raters = {rater: place for place, rater in enumerate(ratings.raters)}
    images = {image: place for place, image in enumerate(dict.fromkeys(ratings.image.tolist()))}
    table = np.full((len(images), len(raters)), np.nan)
    rows = ratings.method == method
    for image, rater, score in zip(ratings.image[rows], ratings.rater[rows], ratings.score[rows], strict=True):
        table[images[str(image)], raters[str(rater)]] = score
    return table
