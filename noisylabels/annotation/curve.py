"""How many more? A learning curve of the corrected fields, and when the next ten are no longer worth it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from noisylabels.annotation.retraining import Counts, Plan, count_fields, jackknife, mean_iou, train, write_progress
from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError

SHARES = (0.25, 0.5, 1.0)
"""Shares of the fields that are learnt from; each holds the smaller ones."""

MORE = 10
WORTH = 0.01  # of mean IoU: less than an interval of a few fields can tell

Trained = Mapping[int, Mapping[str, Counts]]
"""Pixel counts of left-out fields, by number of fields learnt from."""


@dataclass(frozen=True)
class Point:
    """The score of networks that learnt from so many fields, with a 95 % interval over groups (None: too few)."""

    n_fields: int
    score: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Gain:
    """What ten more fields are expected to add to the mean IoU, with a 95 % interval over groups (None: too few)."""

    gain: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Curve:
    """A learning curve.

    Args:
        points: From few fields to all.
        next_ten: What ten more are expected to add.
        stop: Whether even the upper end of that is below 0.01.
        sentence: The same for a person.
    """

    points: list[Point]
    next_ten: Gain
    stop: bool
    sentence: str


def learn_curve(plan: Plan) -> Curve:
    """Train on a quarter, half and all of the fields that are not left out, and score the left-out ones.

    Raises:
        InputError: If nothing can be left out, or the training refuses the fields.
    """
    dataset = open_dataset(plan.dataset)
    groups = {case.id: case.group for case in dataset.cases}
    sizes = [_kept(groups, fold, 1.0) for fold in plan.folds]
    if not sizes or min(len({groups[field] for field in kept}) for kept in sizes) < 2:
        n_groups = len(set(groups.values()))
        msg = f"A learning curve must have fields of three groups (wells), got {n_groups}. Correct more."
        raise InputError(msg)
    # Shares that come to the same number of fields are one point.
    shares = {_n_kept(plan, groups, share): share for share in SHARES}
    passes = [(n_fields, share, fold) for n_fields, share in shares.items() for fold in plan.folds]
    trained: dict[int, dict[str, Counts]] = {n_fields: {} for n_fields in shares}
    for number, (n_fields, share, fold) in enumerate(passes):
        name = f"pass_{number + 1}"
        write_progress(plan, number, len(passes), f"learning from {n_fields} fields", name)
        kept = _kept(groups, fold, share)
        weights = train(plan, dataset, [field for field in groups if field not in kept], name)
        trained[n_fields] |= count_fields(plan, dataset, fold, weights)
    return draw_curve(trained, groups, n_now=len(groups))


def draw_curve(trained: Trained, groups: Mapping[str, str], *, n_now: int) -> Curve:
    """Fit score = a + b log(fields) through the points, and read the next ten off it.

    Args:
        trained: Pixel counts of the same left-out fields, for two numbers of fields or more.
        groups: Group by field.
        n_now: Fields there are now.
    """
    left_out = {field: groups[field] for field in next(iter(trained.values()))}

    def score(n_fields: int, fields: Sequence[str]) -> float:
        return mean_iou([trained[n_fields][field] for field in fields])

    def gain(fields: Sequence[str]) -> float:
        slope = np.polyfit(np.log(list(trained)), [score(n_fields, fields) for n_fields in trained], 1)[0]
        return float(slope * math.log((n_now + MORE) / n_now))

    points = []
    for n in sorted(trained):
        low, high = jackknife(partial(score, n), left_out)
        points.append(Point(n, score(n, list(left_out)), low, high))
    next_ten = Gain(gain(list(left_out)), *jackknife(gain, left_out))
    sure = "" if next_ten.low is None else f" ({next_ten.low:.3f} to {next_ten.high:.3f})"
    stop = next_ten.high is not None and next_ten.high < WORTH
    sentence = f"The next {MORE} fields are expected to add {next_ten.gain:.3f}{sure} to the mean IoU."
    return Curve(points, next_ten, stop, sentence + (f" That is less than {WORTH}: you may stop." if stop else ""))


def _n_kept(plan: Plan, groups: Mapping[str, str], share: float) -> int:
    return round(float(np.mean([len(_kept(groups, fold, share)) for fold in plan.folds])))


def _kept(groups: Mapping[str, str], left_out: Sequence[str], share: float) -> list[str]:
    """Select a share of the groups that are not left out, at least one, in a drawn order: nested."""
    away = {groups[field] for field in left_out}
    names = sorted({group for group in groups.values() if group not in away})
    order = np.random.default_rng(0).permutation(len(names))
    taken = {names[place] for place in order[: max(1, round(share * len(names)))]}
    return [field for field, group in groups.items() if group in taken]
