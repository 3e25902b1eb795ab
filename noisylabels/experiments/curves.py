"""Dose-response: scores by dose with hierarchical intervals, paired differences, ED50 and area under the curve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics.adjustment import adjust_holm
from evaluation.statistics.equivalence import Equivalence, tost_resampled
from evaluation.statistics.resampling import Interval, interval_of
from noisylabels.data.labels import ClassTable
from noisylabels.experiments.collection import confusion_of, dice
from noisylabels.experiments.declaration import CLEAN

if TYPE_CHECKING:
    import pandas as pd

ARM = ("noise", "dose", "method", "n_train")
TEACHER = "labels"
"""The method of the training labels' own score."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arm:
    """All runs that differ in seeds only.

    Args:
        noise: Name of the noise.
        dose: The dose.
        method: Name of the method; "labels" for the training labels' own score, the teacher line.
        n_train: Training fields, None for all.
        score: Mean Dice over the event classes, with its interval over seeds and fields.
        resamples: (resample,) the same for each hierarchical resample; paired between arms of one grid.
    """

    noise: str
    dose: float
    method: str
    n_train: int | None
    score: Interval
    resamples: Floats


@dataclass(frozen=True)
class Contrast:
    """An arm against another on identical fields and resamples.

    Args:
        arm: The arm.
        baseline: What it is compared with.
        difference: arm - baseline in Dice, with its interval.
        p: Two-sided bootstrap p-value.
        p_holm: The same, Holm-adjusted over the contrasts made together.
        no_harm: Whether it is shown not to be worse by the declared margin.
    """

    arm: Arm
    baseline: Arm
    difference: Interval
    p: float
    p_holm: float
    no_harm: Equivalence


def score_arms(fields: "pd.DataFrame", *, n_resamples: int = 2000, seed: int = 0) -> list[Arm]:
    """Score every arm, and the labels it was trained on, with intervals over seeds and groups of fields.

    Hierarchical bootstrap: seeds are drawn with replacement, then groups of fields (wells, tile groups); every arm
    sees the same draw of groups, so that differences between arms are paired. Dice is pooled over the drawn fields.

    Args:
        fields: The `fields` table of `collect`.
        n_resamples: Resamples.
        seed: Of the resamples.
    """
    rng = np.random.default_rng(seed)
    groups = np.unique(fields["group"])
    draws = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=n_resamples)
    arms: list[Arm] = []
    for key, part in fields.groupby(list(ARM), dropna=False, sort=False):
        noise, dose, method, n_train = _identity(key)
        sources = {"prediction": method}
        if find_arm(arms, noise=noise, dose=dose, method=TEACHER, n_train=n_train) is None:
            sources["labels"] = TEACHER
        for source, name in sources.items():
            counts = _counts_by_seed(part[part["source"] == source], groups)
            arms.append(_arm(noise, dose, name, n_train, counts, draws, rng))
    return arms


def _identity(key: Any) -> tuple[str, float, str, int | None]:
    noise, dose, method, n_train = key
    return str(noise), float(dose), str(method), None if np.isnan(float(n_train or "nan")) else int(n_train)


def _counts_by_seed(part: "pd.DataFrame", groups: NDArray[np.str_]) -> NDArray[np.int64]:
    """(seed, group, class, class) counts."""
    runs, run_of = np.unique(part["id"].to_numpy(str), return_inverse=True)
    place = np.searchsorted(groups, part["group"].to_numpy(str))
    confusion = confusion_of(part)
    counts = np.zeros((len(runs), len(groups), *confusion.shape[1:]), np.int64)
    np.add.at(counts, (run_of, place), confusion)
    return counts


def _arm(
    noise: str,
    dose: float,
    method: str,
    n_train: int | None,
    counts: NDArray[np.int64],
    draws: NDArray[np.int64],
    rng: np.random.Generator,
) -> Arm:
    n_seeds, n_groups = counts.shape[:2]
    estimate = float(dice(counts.sum(1)).mean())
    per_seed = dice(np.einsum("rg,sgij->rsij", draws, counts))
    seeds = rng.integers(0, n_seeds, (len(draws), n_seeds))
    resamples = np.take_along_axis(per_seed, seeds, axis=1).mean(1)
    interval = interval_of(resamples, estimate=estimate, n_clusters=n_groups)
    return Arm(noise, dose, method, n_train, interval, resamples)


def find_arm(arms: Sequence[Arm], *, noise: str, dose: float, method: str, n_train: int | None = None) -> Arm | None:
    """Find an arm; dose 0 of any noise is the clean arm."""
    name = CLEAN if dose == 0 else noise
    for arm in arms:
        if (arm.noise, arm.dose, arm.method, arm.n_train) == (name, dose, method, n_train):
            return arm
    return None


def contrast_arms(pairs: Sequence[tuple[Arm, Arm]], *, margin: float) -> list[Contrast]:
    """Compare arms with their baselines, Holm-adjusted over all pairs given.

    Args:
        pairs: (arm, baseline) pairs.
        margin: The difference in Dice that would not matter.
    """
    differences = [arm.resamples - baseline.resamples for arm, baseline in pairs]
    p_values = [_p_value(difference) for difference in differences]
    adjusted = adjust_holm(p_values)
    contrasts = []
    for (arm, baseline), difference, p, p_holm in zip(pairs, differences, p_values, adjusted, strict=True):
        estimate = arm.score.estimate - baseline.score.estimate
        interval = interval_of(difference, estimate=estimate, n_clusters=arm.score.n_clusters)
        no_harm = tost_resampled(difference, estimate=estimate, margin=margin)
        contrasts.append(Contrast(arm, baseline, interval, p, float(p_holm), no_harm))
    return contrasts


def _p_value(difference: Floats) -> float:
    known = difference[~np.isnan(difference)]
    tail = min((known <= 0).mean(), (known >= 0).mean()) if len(known) else 0.5
    return float(min(1.0, 2 * max(tail, 1 / (len(known) + 1))))


def effective_dose(doses: Sequence[float], scores: Sequence[float], *, loss: float) -> float:
    """Find the dose at which the score has lost a share of its value at dose 0, by linear interpolation.

    Args:
        doses: Rising, the first 0.
        scores: One per dose.
        loss: Share lost, in (0, 1): 0.1 for ED10, 0.5 for ED50.

    Returns:
        The dose; nan if the score never falls that far within the doses tried.

    Examples:
        >>> effective_dose([0, 0.5, 1.0], [1.0, 0.8, 0.4], loss=0.5)
        0.875
    """
    target = scores[0] * (1 - loss)
    for (low, before), (high, after) in pairwise(zip(doses, scores, strict=True)):
        if before >= target >= after and before > after:
            return float(low + (high - low) * (before - target) / (before - after))
    return float("nan")


def area_under_curve(doses: Sequence[float], scores: Sequence[float]) -> float:
    """Average score over the doses tried (trapezoids), in the unit of the score.

    Examples:
        >>> area_under_curve([0, 0.5], [1.0, 0.6])
        0.8
    """
    return float(np.trapezoid(scores, doses) / (doses[-1] - doses[0])) if len(doses) > 1 else float(scores[0])


def summarise_curve(curve: Sequence[Arm]) -> dict[str, Interval]:
    """ED10, ED50 and the area under one dose-response curve, with intervals from the arms' paired resamples.

    Args:
        curve: Arms of one noise and method by rising dose, the clean arm first.
    """
    doses = [arm.dose for arm in curve]
    estimates = [arm.score.estimate for arm in curve]
    resamples = np.stack([arm.resamples for arm in curve], axis=1)
    n_clusters = curve[0].score.n_clusters
    summaries: dict[str, Callable[[Sequence[float]], float]] = {
        "ED10": lambda scores: effective_dose(doses, scores, loss=0.1),
        "ED50": lambda scores: effective_dose(doses, scores, loss=0.5),
        "mean over doses": lambda scores: area_under_curve(doses, scores),
    }
    return {
        name: interval_of([of(row) for row in resamples.tolist()], estimate=of(estimates), n_clusters=n_clusters)
        for name, of in summaries.items()
    }


def recall_by_quartile(events: "pd.DataFrame", *, by: str, classes: ClassTable) -> "pd.DataFrame":
    """Share of true events found with their class, by class and by quartile of brightness or size within the class.

    Within the class, because one class may be brighter or larger than another as a whole: a quartile of all events
    would then show the class and not the appearance.

    Args:
        events: The `events` table of `collect`.
        by: "brightness" or "area_px".
        classes: The class table of the data.

    Returns:
        One row per arm, class and quartile (1 = dimmest or smallest of its class): events and recall, over all seeds.
    """
    import pandas as pd

    table = events.assign(
        **{"class": events["class_index"].map(dict(enumerate(classes)))},
        quartile=events.groupby("class_index")[by].transform(_quartiles),
        found=~(events["missed"] | events["misclassified"]),
    )
    table["arm"] = table.groupby(list(ARM), dropna=False, sort=False).ngroup()  # arms as they come; the rest in order
    grouped = table.groupby(["arm", *ARM, "class_index", "class", "quartile"], dropna=False)["found"]
    counted = pd.DataFrame({"n_events": grouped.size(), "recall": grouped.mean()}).reset_index()
    return counted.drop(columns=["arm", "class_index"])


def _quartiles(values: "pd.Series") -> NDArray[np.int64]:
    edges = values.quantile([0.25, 0.5, 0.75]).to_numpy()
    return np.searchsorted(edges, values.to_numpy()) + 1
