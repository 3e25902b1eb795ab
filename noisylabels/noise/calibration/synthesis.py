"""Synthesis: from a profile's numbers to the settings of the error kinds that make them again."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from evaluation.metrics.settings import EvaluationSettings
from noisylabels.noise.calibration.profile import Profile
from noisylabels.noise.calibration.summary import QUANTILES, SIZES
from noisylabels.noise.dose import NODES, WEIGHTS, solve_intercept
from noisylabels.noise.kinds.spurious import PLACES
from noisylabels.noise.model import NoiseModel

MAX_LEAN = 4.0
INCOMPLETE_COVER = EvaluationSettings().complete


def synthesise(profile: Profile, *, seed: int = 0) -> NoiseModel:
    """Make the noise model that makes the errors of a profile again.

    Misses follow the fitted logistic model with its image effect; the other kinds are drawn at their rates, shifts and
    covers from their quantiles.

    Args:
        profile: What calibration found.
        seed: Of the model.
    """
    return NoiseModel.from_dict({"classes": list(profile.class_names), "seed": seed, **describe_errors(profile)})


def describe_errors(profile: Profile) -> dict[str, object]:
    """Describe the errors of a profile as a noise model's plain data, by error kind.

    Args:
        profile: What calibration found.
    """
    data: dict[str, Any] = {}
    for name in profile.classes.foreground:
        for kind, entry in _entries(profile, name):
            data.setdefault(kind, []).append(entry)
    if len(profile.classes.foreground) > 1:
        data["misclassified"] = {"transition": _transition(profile), "draw": "bernoulli"}
    return data


def _entries(profile: Profile, name: str) -> Iterable[tuple[str, dict[str, object]]]:
    def value(what: str) -> float:
        return profile.value(f"{name}.{what}")

    def rate(what: str) -> dict[str, object]:
        return {"rate": {name: float(np.clip(value(f"{what}.rate"), 0, 1))}, "draw": "bernoulli"}

    if value("missed.rate") > 0:
        weights = {feature: value(f"missed.weight.{feature}") for feature in profile.reference}
        reference = {feature: list(numbers) for feature, numbers in profile.reference.items()}
        fitted = {"given": weights, "reference": reference, "intercept": value("missed.intercept")}
        yield "missed", rate("missed") | fitted | {"image_sd": value("missed.image_sd")}
    if value("incomplete.rate") > 0:
        yield "incomplete", rate("incomplete") | {"cover": _steps(profile, f"{name}.incomplete.cover")}
    waver = dict(zip(("jitter_px", "step_px"), _apart(value("jitter_px"), value("step_px")), strict=True))
    for size, low, high in zip(SIZES, profile.sizes[name], profile.sizes[name][1:], strict=False):
        shifts = _steps(profile, f"{name}.shift_px.{size}")
        if any(shifts) or value("jitter_px") > 0:
            outline = {"shift_px": shifts, **waver, "sizes_px": [low, high], "min_cover": INCOMPLETE_COVER}
            yield "boundary", {"rate": {name: 1.0}, "unless": ["incomplete"]} | outline
    if value("spurious.rate") > 0:
        lean = {"area": _lean(value("spurious.area"), value("spurious.rate"))}
        near = {
            place: value(f"spurious.lean.{place}")
            for place in PLACES
            if f"{name}.spurious.lean.{place}" in profile.summary
        }
        yield "spurious", rate("spurious") | {"given": lean, "near": near}
    if value("split.rate") > 0:
        yield "split", rate("split")
    if value("merged.rate") > 0 and value("merged.mergeable") > 0:
        yield "merged", {"rate": {name: _merging_rate(profile, name)}, "draw": "bernoulli"}


def _merging_rate(profile: Profile, name: str) -> float:
    """Find the rate p at which events reach for their nearest neighbour so that as many merge as were observed.

    A bridge takes one event from the count. Two that are each other's nearest have two chances, 1 - (1 - p)^2; one
    that is not its neighbour's nearest has one. Both must have been found, and as the same class.
    """
    mergeable, mutual, merged = (profile.value(f"{name}.merged.{what}") for what in ("mergeable", "mutual", "rate"))
    found = 1 - profile.value(f"{name}.missed.rate")
    same = sum(profile.value(f"{name}.to.{other}") ** 2 for other in profile.classes.foreground)
    wanted = merged / max(found**2 * same, 1e-9)
    # mutual / 2 x (2 p - p^2) + (mergeable - mutual) p = wanted
    root = mergeable**2 - 2 * mutual * wanted
    if root < 0:
        return 1.0
    rate = (mergeable - np.sqrt(root)) / mutual if mutual > 0 else wanted / mergeable
    return float(np.clip(rate, 0, 1))


def _lean(mean: float, rate: float) -> float:
    """Find the logistic weight that makes the struck share of standard normal values have this mean."""
    rate = float(np.clip(rate, 0.01, 0.99))

    def mean_at(weight: float) -> float:
        chance = expit(solve_intercept(weight * NODES, rate, weights=WEIGHTS) + weight * NODES)
        return float(WEIGHTS @ (chance * NODES) / rate)

    low, high = mean_at(-MAX_LEAN), mean_at(MAX_LEAN)
    if not low < mean < high:
        return float(np.copysign(MAX_LEAN, mean))
    return float(brentq(lambda weight: mean_at(weight) - mean, -MAX_LEAN, MAX_LEAN))


def _apart(along: float, step: float) -> tuple[float, float]:
    """Part what an outline wavers by into a jitter and a rigid step.

    A rigid step of SD s along each axis moves a round outline by s along it and the centroid by s; a jitter of SD j
    moves the outline by j and, with our correlation length, the centroid by about j / sqrt(2).
    """
    rigid = float(np.clip(2 * step**2 - along**2, 0, along**2))
    return float(np.sqrt(along**2 - rigid)), float(np.sqrt(rigid))


def _steps(profile: Profile, name: str) -> list[float]:
    return [profile.value(f"{name}.{quantile:.2f}") for quantile in QUANTILES]


def _transition(profile: Profile) -> list[list[float]]:
    names = profile.classes.foreground
    rows = [[profile.value(f"{true}.to.{weak}") for weak in names] for true in names]
    return [
        row if sum(row) > 0 else [float(true == weak) for weak in names] for true, row in zip(names, rows, strict=True)
    ]
