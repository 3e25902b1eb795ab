"""Dose-response: scores by dose with intervals over fields and seeds, paired differences, ED50 and area."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics.adjustment import adjust_holm
from evaluation.statistics.equivalence import Equivalence, assess_equivalence
from evaluation.statistics.intervals import FEWEST_CLUSTERS, Interval, student_interval
from noisylabels.data.labels import ClassTable
from noisylabels.experiments.collection import confusion_of, dice
from noisylabels.experiments.declaration import CLEAN

if TYPE_CHECKING:
    import pandas as pd

ARM = ("noise", "dose", "method", "n_train")
TEACHER = "labels"
"""The method of the training labels' own score."""
Floats = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True)
class Arm:
    """All runs that differ in seeds only.

    Args:
        noise: Name of the noise.
        dose: The dose.
        method: Name of the method; "labels" for the training labels' own score, the teacher line.
        n_train: Training fields, None for all.
        score: Mean Dice over the event classes, with its interval over seeds and groups of fields.
        without_group: (group,) the same without each group of fields; the groups are the same for every arm of a grid.
        without_seed: (seed,) the same without each seed; empty where there is one.
    """

    noise: str
    dose: float
    method: str
    n_train: int | None
    score: Interval
    without_group: Floats
    without_seed: Floats


@dataclass(frozen=True)
class Contrast:
    """An arm against another on identical fields.

    Args:
        arm: The arm.
        baseline: What it is compared with.
        difference: arm - baseline in Dice, with its interval.
        p: Two-sided p-value of Student's t.
        p_holm: The same, Holm-adjusted over the contrasts made together.
        no_harm: Whether it is shown not to be worse by the declared margin.
    """

    arm: Arm
    baseline: Arm
    difference: Interval
    p: float
    p_holm: float
    no_harm: Equivalence


def score_arms(fields: "pd.DataFrame") -> list[Arm]:
    """Score every arm, and the labels it was trained on, with intervals over seeds and groups of fields.

    Dice is pooled over fields and averaged over seeds. Its variance is the jackknife's over groups of fields (wells,
    tile groups) plus the jackknife's over seeds; Student's t has the degrees of freedom of the two together
    (Satterthwaite 1946). Arms share their groups, so that differences between them are paired by field; seeds are not.

    Args:
        fields: The `fields` table of `collect`.
    """
    groups = np.unique(fields["group"])
    arms: list[Arm] = []
    for key, part in fields.groupby(list(ARM), dropna=False, sort=False):
        noise, dose, method, n_train = _identity(key)
        sources = {"prediction": method}
        if find_arm(arms, noise=noise, dose=dose, method=TEACHER, n_train=n_train) is None:
            sources["labels"] = TEACHER
        for source, name in sources.items():
            counts = _counts_by_seed(part[part["source"] == source], groups)
            arms.append(_arm(noise, dose, name, n_train, counts))
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


def _arm(noise: str, dose: float, method: str, n_train: int | None, counts: NDArray[np.int64]) -> Arm:
    n_seeds, n_groups = counts.shape[:2]
    whole = counts.sum(1)
    by_seed = dice(whole)
    without_group = dice(whole[:, None] - counts).mean(0)
    without_seed = (by_seed.sum() - by_seed) / (n_seeds - 1) if n_seeds > 1 else np.zeros(0)
    estimate = float(by_seed.mean())
    bare = Interval(estimate, np.nan, np.nan, LEVEL, n_groups)
    arm = Arm(noise, dose, method, n_train, bare, without_group, without_seed)
    return replace(arm, score=_interval([arm], lambda scores: scores[0], bounds=(0, 1)))


def _interval(
    arms: Sequence[Arm], of: Callable[[Sequence[float]], float], *, bounds: tuple[float, float] = (-np.inf, np.inf)
) -> Interval:
    """Return a number that is made of the arms' scores with its interval."""
    estimates = [arm.score.estimate for arm in arms]
    n_groups = len(arms[0].without_group)
    left_out = [np.array([of(row) for row in zip(*(arm.without_group for arm in arms), strict=True)])]
    for place, arm in enumerate(arms):
        if len(arm.without_seed):
            rows = [[*estimates[:place], float(score), *estimates[place + 1 :]] for score in arm.without_seed]
            left_out.append(np.array([of(row) for row in rows]))
    sizes = np.array([len(values) for values in left_out])
    variances = np.array([(len(v) - 1) / len(v) * ((v - v.mean()) ** 2).sum() for v in left_out])
    error = float(np.sqrt(variances.sum())) if n_groups >= FEWEST_CLUSTERS else np.nan
    shares = (variances**2 / np.maximum(sizes - 1, 1)).sum()
    df = float(variances.sum() ** 2 / shares) if shares > 0 else float(n_groups - 1)
    return student_interval(of(estimates), error, df=df, n_clusters=n_groups, level=LEVEL, bounds=bounds)


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
    differences = [
        _interval([arm], lambda scores: scores[0] - scores[0])
        if arm is baseline
        else _interval([arm, baseline], lambda scores: scores[0] - scores[1], bounds=(-1, 1))
        for arm, baseline in pairs
    ]
    p_values = [_p_value(difference) for difference in differences]
    return [
        Contrast(arm, baseline, difference, p, float(p_holm), assess_equivalence(difference, margin=margin))
        for (arm, baseline), difference, p, p_holm in zip(
            pairs, differences, p_values, adjust_holm(p_values), strict=True
        )
    ]


def _p_value(difference: Interval) -> float:
    from scipy.special import stdtr

    if difference.error == 0:
        return float(difference.estimate == 0)
    return float(2 * stdtr(difference.df, -abs(difference.estimate) / difference.error))


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
    """ED10, ED50 and the area under one dose-response curve, with intervals over groups and seeds.

    Args:
        curve: Arms of one noise and method by rising dose, the clean arm first.
    """
    doses = [arm.dose for arm in curve]
    summaries: dict[str, Callable[[Sequence[float]], float]] = {
        "ED10": lambda scores: effective_dose(doses, scores, loss=0.1),
        "ED50": lambda scores: effective_dose(doses, scores, loss=0.5),
        "mean over doses": lambda scores: area_under_curve(doses, scores),
    }
    return {name: _interval(curve, of) for name, of in summaries.items()}


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
