"""Our numbers beside the paper's: estimates, intervals over wells, and the same number on each screen alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluation.metrics.counts import CountTable
from evaluation.metrics.scores import Metric, data_set_metrics, event_f1, found_share
from evaluation.report.verdicts import judge
from evaluation.statistics.comparison import Comparison, compare_methods
from evaluation.statistics.effects import mean_interval
from evaluation.statistics.intervals import Interval
from noisylabels.experiments.paper.evaluation import BOXES, Counted
from noisylabels.experiments.paper.experts import CORRECTED, EXPERTS
from noisylabels.experiments.paper.screen import TRUTH

METHODS = ("CIP", "CDL", "MDL", "mdl-finetuned")
PERCENT = 100.0


@dataclass(frozen=True)
class Number:
    """One number with its interval.

    Args:
        estimate: All screens together.
        low: Lower end of the 95 % interval: jackknife over wells with Student's t.
        high: Upper end.
        screens: The same number on each screen alone.
        relative: The same difference relative to the baseline, in percent, or None.
        decides: Of a difference, whether interval and permutation test agree that there is one.
        verdict: Of a difference of two methods compared alone, what may be said of it.
    """

    estimate: float
    low: float
    high: float
    screens: tuple[float, ...] = ()
    relative: "Number | None" = None
    decides: bool = False
    verdict: str = ""


def measure(counted: Counted, *, resamples: int, seed: int = 0) -> dict[str, Number]:
    """Measure every number that the page needs, by key.

    Keys are "rating CIP", "found CDL phagophore|all|boxes", "MeanIoU CDL|test|truth" and, for differences,
    "MeanIoU CDL-CIP|all|corrected"; scores are in percent, differences in percentage points.

    Args:
        counted: The counts of all screens.
        resamples: Random swaps of the permutation tests.
        seed: Of the swaps.
    """
    numbers = _ratings(counted)
    for subset in ("all", "test"):
        for reference in (TRUTH, CORRECTED, BOXES):
            table = _own_table(counted, reference, test=subset == "test")
            metrics = _metrics(table, boxes=reference == BOXES)
            # MDL saw the corrected maps of the quarters it was trained on: beyond its test quarters it is not scored.
            methods = METHODS[:2] if subset == "all" else METHODS
            rng = np.random.default_rng(seed)
            comparison = compare_methods(table, metrics, methods=methods, n_resamples=resamples, rng=rng)
            numbers |= {f"{key}|{subset}|{reference}": value for key, value in _name(comparison, table).items()}
    return numbers


def _own_table(counted: Counted, reference: str, *, test: bool) -> CountTable:
    table = counted.table(reference, test=test)
    if reference != BOXES:
        return table
    experts = [expert.name for expert in EXPERTS]
    return table.select(np.isin(table.keys["reference"], experts) & np.isin(table.keys["method"], METHODS))


def _metrics(table: CountTable, *, boxes: bool) -> tuple[Metric, ...]:
    names = ("", *table.classes.foreground)
    events = [found_share(table.classes, name, iou=0.1) for name in names]
    events += [event_f1(table.classes, "", iou=iou) for iou in (0.1, 0.5)]
    return tuple(events) if boxes else (*data_set_metrics(table.classes), *events)


def _name(comparison: Comparison, table: CountTable) -> dict[str, Number]:
    numbers = {}
    screens = list(dict.fromkeys(table.keys["plate"].tolist()))
    alone = {
        (screen, method): [
            metric.of_data_set(table.select(plate=screen, method=method)) for metric in comparison.metrics
        ]
        for screen in screens
        for method in comparison.methods
    }
    for place, metric in enumerate(comparison.metrics):
        for method in comparison.methods:
            own = [alone[screen, method][place] for screen in screens]
            numbers[_title(metric, method)] = _number(comparison.interval(method, metric), own)
        for later, earlier in _pairs(comparison.methods):
            difference = comparison.difference(later, earlier, metric)
            own = [alone[screen, later][place] - alone[screen, earlier][place] for screen in screens]
            relative = _number(difference.relative, [])
            two = len(comparison.methods) == 2
            numbers[_title(metric, f"{later}-{earlier}")] = replace(
                _number(difference.absolute, own, relative),
                decides=difference.decides(),
                verdict=judge(comparison, metric=metric)[1] if two else "",
            )
    return numbers


def _title(metric: Metric, methods: str) -> str:
    if metric.name == "found@0.1":
        return f"found {methods} {metric.class_name}"
    return f"{metric.name} {methods}"


def _pairs(methods: Sequence[str]) -> list[tuple[str, str]]:
    return [(later, earlier) for place, earlier in enumerate(methods) for later in methods[place + 1 :]]


def _number(interval: Interval, screens: Sequence[float], relative: Number | None = None) -> Number:
    low, high = PERCENT * interval.low, PERCENT * interval.high
    return Number(PERCENT * interval.estimate, low, high, tuple(PERCENT * value for value in screens), relative)


def _ratings(counted: Counted) -> dict[str, Number]:
    numbers = {}
    for method in METHODS:
        scores: Mapping[str, float] = counted.ratings.scores(method=method)
        interval = mean_interval(list(scores.values()))
        own = [
            float(np.mean([score for image, score in scores.items() if image.startswith(f"{screen} ")]))
            for screen in counted.screens
        ]
        numbers[f"rating {method}"] = Number(interval.estimate, interval.low, interval.high, tuple(own))
    return numbers
