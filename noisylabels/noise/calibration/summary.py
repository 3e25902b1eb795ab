"""Summary: the numbers that describe a pipeline's or an annotator's errors, by name."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.events import EventTable
from noisylabels.data.labels import ClassTable
from noisylabels.noise.calibration.comparison import Comparison
from noisylabels.noise.calibration.image_effect import MixedLogistic, fit_mixed_logistic
from noisylabels.noise.calibration.logistic import Logistic, rank_score
from noisylabels.noise.calibration.places import lean_to_places
from noisylabels.noise.dose import feature_values
from noisylabels.noise.kinds.split import SMALLEST_PX
from noisylabels.noise.kinds.spurious import PLACES

Floats = NDArray[np.float64]
Summary = dict[str, float]
Reference = Mapping[str, tuple[float, float]]

QUANTILES = np.array([0.02, *np.arange(1, 10) / 10, 0.98])
"""Ends pulled in: a line from the last decile to the largest value would invent what lies between."""
SIZES = ("small", "medium", "large")
HUGE_PX = 1e9
NORMAL_MEDIAN = 0.6745  # median of |x| for a standard normal x


def summarise(
    comparisons: Sequence[Comparison],
    classes: ClassTable,
    reference: Reference,
    sizes: Mapping[str, Sequence[float]],
    *,
    near: Summary | None = None,
) -> Summary:
    """Describe the errors of some fields.

    Args:
        comparisons: The fields.
        classes: The class table.
        reference: Mean and standard deviation of each feature that misses may depend on.
        sizes: By class, the four areas that bound small, medium and large events.
        near: A summary of much the same fields, from which the fits start.

    Returns:
        Numbers by name, `<class>.<what>`; nan where there is nothing to count.

        - `missed.rate`, and the logistic fit of an event in an image without an effect of its own, `missed.intercept`
          and `missed.weight.<feature>`, with its `missed.auc` and the spread of the images' effects, `missed.image_sd`;
        - of events that are not missed `to.<class>`, the transition, and, unless merged, `incomplete.rate` and
          `incomplete.cover.<quantile>`; of found events
          `shift_px.<size>.<quantile>` of the outline and `jitter_px` along it (median); `step_px`, the robust standard
          deviation of the centroid along each axis; the medians `area_ratio` and `iou`; `split.rate`;
        - per true event `merged.rate`, `merged.mergeable`, `merged.mutual` and `spurious.rate`; `spurious.area`, the
          mean log area of spurious events in standard deviations of the true events', and with an image
          `spurious.near.<place>`, the mean z-score of their places, and `spurious.lean.<place>`, the weights that
          choose such places.
    """
    found: Summary = {}
    for name in classes.foreground:
        events = [part.events.select(part.events["class_index"] == classes.index(name)) for part in comparisons]
        extras = [part.extras.select(part.extras["class_index"] == classes.index(name)) for part in comparisons]
        numbers = (
            _missed(events, reference, _fit_of(near, name, reference))
            | _transitions(_below(events), classes)
            | _shapes(_below(events), sizes[name])
            | _spurious(_below(extras), _below(events))
        )
        numbers |= _leans(comparisons, [len(part) for part in events], numbers)
        found |= {f"{name}.{what}": value for what, value in numbers.items()}
    return found


def feature_reference(comparisons: Sequence[Comparison], features: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Compute mean and standard deviation of each feature over all true events."""
    values = {name: np.concatenate([feature_values(part.events, name) for part in comparisons]) for name in features}
    return {
        name: (float(column.mean()), float(column.std()) or 1.0) if len(column) else (0.0, 1.0)
        for name, column in values.items()
    }


def size_bounds(comparisons: Sequence[Comparison], classes: ClassTable) -> dict[str, list[float]]:
    """Part the true events of each class in thirds by area."""
    bounds = {}
    for name in classes.foreground:
        areas = np.concatenate(
            [part.events["area_px"][part.events["class_index"] == classes.index(name)] for part in comparisons]
        )
        thirds = np.quantile(areas, [1 / 3, 2 / 3]) if len(areas) else np.array([1.0, 1.0])
        low, high = float(np.floor(thirds[0])) + 1, float(np.floor(thirds[1])) + 1
        bounds[name] = [0.0, low, max(high, low + 1), HUGE_PX]
    return bounds


def z_scores(table: EventTable, reference: Reference) -> Floats:
    """Return the (event, feature) z-scores of a table against a reference."""
    columns = [(feature_values(table, name) - mean) / sd for name, (mean, sd) in reference.items()]
    return np.column_stack(columns) if columns else np.zeros((len(table), 0))


def _below(tables: Sequence[EventTable]) -> EventTable:
    return EventTable({name: np.concatenate([table[name] for table in tables]) for name in tables[0]})


def _fit_of(summary: Summary | None, name: str, reference: Reference) -> MixedLogistic | None:
    names = ["intercept", *(f"weight.{feature}" for feature in reference), "image_sd"]
    found = [(summary or {}).get(f"{name}.missed.{what}", np.nan) for what in names]
    return None if np.isnan(found).any() else MixedLogistic(Logistic(found[0], np.array(found[1:-1])), found[-1])


def _missed(tables: Sequence[EventTable], reference: Reference, near: MixedLogistic | None) -> Summary:
    missed = [table["missed"] for table in tables]
    features = [z_scores(table, reference) for table in tables]
    every, struck = np.concatenate(features), np.concatenate(missed)
    if len(struck) == 0:
        return {"missed.rate": np.nan}
    fit, image_sd = fit_mixed_logistic(features, missed, start=near)
    return {
        "missed.rate": float(struck.mean()),
        "missed.intercept": fit.intercept,
        **{f"missed.weight.{name}": float(weight) for name, weight in zip(reference, fit.weights, strict=True)},
        "missed.auc": rank_score(fit.probabilities(every), struck),
        "missed.image_sd": image_sd,
    }


def _transitions(events: EventTable, classes: ClassTable) -> Summary:
    labelled = events["weak_class_index"][~events["missed"]]
    return {f"to.{name}": _share(labelled == classes.index(name)) for name in classes.foreground}


def _shapes(events: EventTable, bounds: Sequence[float]) -> Summary:
    found = events.select(events["found"])
    own = events.select(~events["missed"] & ~events["merged"])
    whole = found.select(~found["incomplete"])
    numbers = {
        "incomplete.rate": _share(own["incomplete"]),
        **_quantiles("incomplete.cover", own["cover"][own["incomplete"]]),
    }
    for size, low, high in zip(SIZES, bounds, bounds[1:], strict=False):
        of_size = (whole["area_px"] >= low) & (whole["area_px"] < high)
        numbers |= _quantiles(f"shift_px.{size}", whole["shift_px"][of_size])
    steps = np.concatenate([whole["step_row"], whole["step_column"]])
    large = found["area_px"] >= SMALLEST_PX
    return {
        **numbers,
        "area_ratio": float(np.median(found["area_ratio"])) if len(found) else np.nan,
        "iou": float(np.median(found["iou"])) if len(found) else np.nan,
        "jitter_px": float(np.median(whole["jitter_px"])) if len(whole) else np.nan,
        "step_px": float(np.median(np.abs(steps)) / NORMAL_MEDIAN) if len(steps) else np.nan,
        "split.rate": _share(found["split"][large]),
        "merged.rate": _share(events["merged"]),
        "merged.mergeable": _share(events["mergeable"]),
        "merged.mutual": _share(events["mutual"]),
    }


def _spurious(extras: EventTable, events: EventTable) -> Summary:
    spurious = extras.select(extras["spurious"])
    numbers = {"spurious.rate": len(spurious) / len(events) if len(events) else np.nan, "spurious.area": np.nan}
    for name in PLACES:
        if f"place_{name}" in spurious:
            numbers[f"spurious.near.{name}"] = float(spurious[f"place_{name}"].mean()) if len(spurious) else np.nan
    if len(spurious) and len(events) > 1:
        logs = np.log(events["area_px"])
        numbers["spurious.area"] = float((np.log(spurious["area_px"]).mean() - logs.mean()) / (logs.std() or 1.0))
    return numbers


def _leans(comparisons: Sequence[Comparison], n_events: Sequence[int], numbers: Summary) -> Summary:
    wanted = np.array([numbers.get(f"spurious.near.{place}", np.nan) for place in PLACES])
    kept = [(part.places, n) for part, n in zip(comparisons, n_events, strict=True) if part.places is not None]
    if not kept:
        return {}
    if np.isnan(wanted).any():
        return {f"spurious.lean.{place}": np.nan for place in PLACES}
    weights = lean_to_places([places for places, _ in kept], wanted, np.array([float(n) for _, n in kept]))
    return {f"spurious.lean.{place}": float(weight) for place, weight in zip(PLACES, weights, strict=True)}


def _share(chosen: NDArray[np.bool_]) -> float:
    return float(chosen.mean()) if len(chosen) else np.nan


def _quantiles(name: str, values: Floats) -> Summary:
    drawn = np.quantile(values, QUANTILES) if len(values) else np.full(len(QUANTILES), np.nan)
    return {f"{name}.{quantile:.2f}": float(value) for quantile, value in zip(QUANTILES, drawn, strict=True)}
