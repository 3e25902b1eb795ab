"""How often printed intervals hold the truth, and how often two equal methods are called different.

    python -m benchmarks.coverage [--simulations 1000] [--page docs/coverage.md]
    python -m benchmarks.coverage --speed BEFORE.json NOW.json --page docs/coverage.md
    python -m benchmarks.coverage --again --page docs/coverage.md

Wells are simulated from distributions whose true score is known from a hundred thousand of them: pixels of three
classes with lognormal well effects, events with negative-binomial counts per well. Every row compares what was printed
before (percentile bootstrap; the verdict from the interval alone) with what is printed now. The second call only puts
two files of `python -m benchmarks.evaluation --json FILE` side by side, of two states of the source; the third writes
the page again from the tables beside it.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage_page import Cell, write_cells, write_costs, write_page
from benchmarks.ratios import Ratio, take_over
from evaluation.metrics.pixels import divide, score_all
from evaluation.statistics.effects import cliffs_delta, cliffs_delta_interval, hodges_lehmann, hodges_lehmann_interval
from evaluation.statistics.equivalence import assess_equivalence
from evaluation.statistics.intervals import Interval, jackknife_interval, leave_clusters_out
from evaluation.statistics.permutation import permute_pairs

Floats = NDArray[np.float64]
ALPHA = 0.05
DRAWS = 1000  # of the bootstrap that is compared with
WELLS = (3, 4, 5, 6, 8, 12, 24)
IMAGES = (6, 12, 20)


@dataclass(frozen=True)
class Screen:
    """A kind of screen: what its wells hold, and how its methods are scored.

    Attributes:
        name: What it is called in the table.
        draw: (number of wells, generator, how much better the second method is) to (well, method, statistic).
        score: (..., statistic) to (...).
    """

    name: str
    draw: Callable[[int, np.random.Generator, float], Floats]
    score: Callable[[Floats], Floats]


def draw_pixels(n: int, rng: np.random.Generator, gain: float, *, spread: float = 1.0) -> Floats:
    """Draw confusion matrices of two methods on wells that both find easy or hard."""
    size = np.exp(rng.normal(np.log(2000), 0.6 * spread, (n, 2)))  # reference pixels of the two event classes
    ease = rng.normal(0, 0.5 * spread, (n, 1, 1))
    counts = np.zeros((n, 2, 3, 3))
    logit = 1.0 + gain * np.arange(2)[:, None] + ease + rng.normal(0, 0.25 * spread, (n, 2, 2))
    found = size[:, None] / (1 + np.exp(-logit))
    extra = size[:, None] * np.exp(rng.normal(-1.2 - gain * np.arange(2)[:, None], 0.4 * spread, (n, 2, 2)))
    for index in (1, 2):
        counts[:, :, index, index] = found[:, :, index - 1]
        counts[:, :, index, 0] = 0.9 * (size[:, None] - found)[:, :, index - 1]
        counts[:, :, index, 3 - index] = 0.1 * (size[:, None] - found)[:, :, index - 1]
        counts[:, :, 0, index] = extra[:, :, index - 1]
    counts[:, :, 0, 0] = np.maximum(350_000 - counts.sum((2, 3)), 0)
    return np.round(counts).reshape(n, 2, 9)


def draw_events(n: int, rng: np.random.Generator, gain: float, *, mean: float = 20.0) -> Floats:
    """Draw pairs, events of the reference and predicted events of two methods."""
    events = rng.negative_binomial(2, 2 / (2 + mean), n)
    ease = rng.normal(0, 0.5, (n, 1))
    chance = 1 / (1 + np.exp(-(0.8 + gain * np.arange(2) + ease + rng.normal(0, 0.3, (n, 2)))))
    hits = rng.binomial(events[:, None], chance)
    spurious = rng.poisson(0.3 * mean * np.exp(-gain * np.arange(2) + rng.normal(0, 0.5, (n, 2))))
    return np.stack([hits, np.repeat(events[:, None], 2, 1), hits + spurious], axis=-1).astype(float)


def mean_iou(sums: Floats) -> Floats:
    return score_all(sums.reshape(*sums.shape[:-1], 3, 3))["MeanIoU"]


def event_f1(sums: Floats) -> Floats:
    return divide(2 * sums[..., 0], sums[..., 1] + sums[..., 2])


SCREENS = (
    Screen("mean IoU", draw_pixels, mean_iou),
    Screen("mean IoU, twice the spread", lambda n, rng, gain: draw_pixels(n, rng, gain, spread=2.0), mean_iou),
    Screen("event F1", draw_events, event_f1),
    Screen("event F1, 3 events per well", lambda n, rng, gain: draw_events(n, rng, gain, mean=3.0), event_f1),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000, help="per cell of a table")
    parser.add_argument("--page", type=Path, help="also write the tables, and this Markdown file of them")
    parser.add_argument("--speed", nargs=2, type=Path, help="files of benchmarks.evaluation: before and now")
    parser.add_argument("--again", action="store_true", help="only write the page again from the tables beside it")
    options = parser.parse_args()
    if (options.speed or options.again) and not options.page:
        parser.error("--speed and --again need --page.")
    if options.speed:
        write_costs(options.page.parent / "tables" / f"{options.page.stem}_costs.csv", *map(read_costs, options.speed))
    elif not options.again:
        cells = []
        for cell in measure(options.simulations):
            print(*cell, flush=True)
            cells.append(cell)
        if options.page:
            write_cells(options.page.parent / "tables" / f"{options.page.stem}.csv", cells)
    if options.page:
        write_page(options.page)
        print(options.page.read_text())


def read_costs(path: Path) -> dict[str, Ratio]:
    """Read what benchmarks.evaluation measured, by its name; of several peers the last."""
    return {one.what: one for one in take_over(path) if isinstance(one, Ratio)}


def measure(n_simulations: int) -> Iterator[Cell]:
    """Simulate every cell of every table."""
    for screen in SCREENS:
        for what in ("one method", "difference"):
            for n in WELLS:
                shares = measure_coverage(screen, n, n_simulations, difference=what == "difference")
                yield Cell("intervals", f"{screen.name}, {what}", n, *shares, n_simulations)
    for screen in SCREENS:
        for n in WELLS:
            yield Cell("verdicts", screen.name, n, *measure_verdicts(screen, n, n_simulations), n_simulations)
    for screen in SCREENS[::2]:
        for n in WELLS[3:]:
            yield Cell("equivalence", screen.name, n, *measure_equivalence(screen, n, n_simulations), n_simulations)
    for name, share_of in (("Hodges-Lehmann shift", measure_shift), ("Cliff's delta", measure_delta)):
        for n in IMAGES:
            yield Cell("ratings", name, n, *share_of(n, n_simulations), n_simulations)


def measure_coverage(screen: Screen, n: int, n_simulations: int, *, difference: bool) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    score = difference_of(screen) if difference else first_of(screen)
    truth = float(score(screen.draw(100_000, rng, 0.3).sum(0)))
    hits = np.zeros((n_simulations, 2))
    for place in range(n_simulations):
        wells = screen.draw(n, rng, 0.3)
        hits[place] = [holds(interval, truth) for interval in (percentile(wells, score, rng), jackknife(wells, score))]
    return tuple(np.nanmean(hits, axis=0).tolist())


def measure_verdicts(screen: Screen, n: int, n_simulations: int) -> tuple[float, float]:
    rng = np.random.default_rng(1)
    score = difference_of(screen)
    called = np.zeros((n_simulations, 2), bool)
    for place in range(n_simulations):
        wells = screen.draw(n, rng, 0.0)
        test = permute_pairs(wells[:, 1], wells[:, 0], screen.score, n_resamples=5000, rng=rng)
        agree = jackknife(wells, score).excludes(0) and bool(test.p < ALPHA)
        called[place] = percentile(wells, score, rng).excludes(0), agree
    return tuple(called.mean(0).tolist())


def measure_equivalence(screen: Screen, n: int, n_simulations: int) -> tuple[float, float]:
    rng = np.random.default_rng(2)
    score = difference_of(screen)
    loss = -float(score(screen.draw(100_000, rng, -0.3).sum(0)))
    shown = np.zeros((n_simulations, 2), bool)
    for place in range(n_simulations):
        wells = screen.draw(n, rng, -0.3)
        drawn = resample(wells, score, rng)
        shown[place] = (
            (1 + np.sum(drawn <= -loss)) / (1 + len(drawn)) < ALPHA,
            assess_equivalence(jackknife(wells, score), margin=loss).not_inferior,
        )
    return tuple(shown.mean(0).tolist())


def measure_shift(n: int, n_simulations: int) -> tuple[float, float]:
    """Differences of two ratings that are symmetric about 1."""
    rng = np.random.default_rng(3)
    hits = np.zeros((n_simulations, 2))
    for place in range(n_simulations):
        values = 1 + np.round(rng.normal(0, 1.5, n))
        draws = [hodges_lehmann(values[rng.integers(n, size=n)]) for _ in range(200)]
        low, high = np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2])
        hits[place] = low <= 1 <= high, holds(hodges_lehmann_interval(values), 1.0)
    return tuple(np.nanmean(hits, axis=0).tolist())


def measure_delta(n: int, n_simulations: int) -> tuple[float, float]:
    rng = np.random.default_rng(4)
    truth = cliffs_delta(*draw_ratings(3000, rng).T)
    hits = np.zeros((n_simulations, 2))
    for place in range(n_simulations):
        pairs = draw_ratings(n, rng)
        draws = [cliffs_delta(*pairs[rng.integers(n, size=n)].T) for _ in range(200)]
        low, high = np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2])
        hits[place] = low <= truth <= high, holds(cliffs_delta_interval(*pairs.T), truth)
    return tuple(np.nanmean(hits, axis=0).tolist())


def draw_ratings(n: int, rng: np.random.Generator) -> Floats:
    """(image, method) ratings of 1 to 10; some images please more than others."""
    image = rng.normal(5, 1.5, (n, 1))
    return np.clip(np.round(image + np.array([0, 0.7]) + rng.normal(0, 1, (n, 2))), 1, 10)


def first_of(screen: Screen) -> Callable[[Floats], Floats]:
    return lambda sums: screen.score(sums[..., 0, :])


def difference_of(screen: Screen) -> Callable[[Floats], Floats]:
    return lambda sums: screen.score(sums[..., 1, :]) - screen.score(sums[..., 0, :])


def jackknife(wells: Floats, score: Callable[[Floats], Floats]) -> Interval:
    left_out, alone = leave_clusters_out(wells, score)
    return jackknife_interval(left_out, estimate=float(score(wells.sum(0))), says=~np.isnan(alone))


def resample(wells: Floats, score: Callable[[Floats], Floats], rng: np.random.Generator) -> Floats:
    weights = rng.multinomial(len(wells), np.full(len(wells), 1 / len(wells)), size=DRAWS).astype(float)
    drawn = score(np.tensordot(weights, wells, 1))
    return drawn[~np.isnan(drawn)]


def percentile(wells: Floats, score: Callable[[Floats], Floats], rng: np.random.Generator) -> Interval:
    """Give the interval that was printed before: quantiles of bootstrap resamples of the wells."""
    drawn = resample(wells, score, rng)
    low, high = np.quantile(drawn, [ALPHA / 2, 1 - ALPHA / 2]) if len(drawn) else (np.nan, np.nan)
    return Interval(float(score(wells.sum(0))), float(low), float(high), 1 - ALPHA, len(wells))


def holds(interval: Interval, truth: float) -> float:
    return np.nan if np.isnan(interval.low) else float(interval.low <= truth <= interval.high)


if __name__ == "__main__":
    main()
