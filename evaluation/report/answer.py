"""The first screen of a report: which method, how much, how sure, what to look at, in one picture and few sentences."""

from typing import TYPE_CHECKING

import numpy as np

from evaluation.metrics.counts import ERRORS, CountTable
from evaluation.report.canvas import FAINT, INK, RULE, Figure, canvas, colours_of, finish
from evaluation.report.verdicts import score_name
from evaluation.statistics.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ON_REFERENCE = ("missed", "misclassified", "incomplete", "swollen", "split")
N_SHOWN = 3


def draw_answer(comparison: Comparison) -> Figure:
    """Draw the primary score of each method, well by well and as a whole, and the difference of the last and the first.

    Args:
        comparison: One method or more, baseline first.
    """
    metric, methods = comparison.primary_metric, comparison.methods
    column, colours = comparison.metrics.index(metric), colours_of(methods)
    paired = len(methods) > 1
    with canvas(9.6 if paired else 5.6, 0.62 * len(methods) + 1.4) as drawing:
        grid = drawing.subplots(1, 2 if paired else 1, squeeze=False, width_ratios=[3, 2] if paired else [1])[0]
        rows = np.arange(len(methods))
        alone = comparison.alone[:, :, column]
        if paired:
            grid[0].plot(alone.T, rows, color=RULE, linewidth=0.7, zorder=1)
        for row, method in enumerate(methods):
            interval = comparison.interval(method, metric)
            grid[0].plot(
                alone[:, row], np.full(len(alone), row), "o", color=colours[method], markersize=3.2, alpha=0.45
            )
            grid[0].hlines(row, interval.low, interval.high, color=colours[method], linewidth=5, alpha=0.55, zorder=3)
            grid[0].plot(
                interval.estimate, row, "D", color=colours[method], markersize=7, markeredgecolor="white", zorder=4
            )
            _print_above(grid[0], interval.estimate, row, f"{interval.estimate:.3f}")
        grid[0].set_yticks(rows, methods, fontsize=10)
        grid[0].set_ylim(len(methods) - 0.5, -0.5)
        grid[0].set_title(score_name(metric))
        if paired:
            last, first = methods[-1], methods[0]
            difference = comparison.difference(last, first, metric).absolute
            grid[1].axvline(0, color=FAINT, linewidth=1)
            gaps = alone[:, -1] - alone[:, 0]
            grid[1].plot(gaps, np.zeros(len(gaps)), "o", color=FAINT, markersize=3.2, alpha=0.5)
            grid[1].hlines(0, difference.low, difference.high, color=INK, linewidth=5, alpha=0.55)
            grid[1].plot(difference.estimate, 0, "D", color=INK, markersize=7, markeredgecolor="white")
            grid[1].set_yticks([])
            grid[1].set_ylim(-0.8, 0.8)
            grid[1].set_title(f"{last} − {first}")
            _print_above(grid[1], difference.estimate, 0, f"{difference.estimate:+.3f}")
            low, high = grid[1].get_xlim()
            reach = max(abs(low), abs(high))  # 0 in the middle: which side is whose is seen at once
            grid[1].set_xlim(-reach, reach)
            grid[1].set_xlabel(f"← {first} better      {last} better →")
        for axis in grid:
            axis.locator_params(axis="x", nbins=5)
        caption = (
            f"{score_name(metric)}. Dots: each of the {comparison.n_clusters} clusters (wells or fields) alone, "
            f"joined between methods; diamond: the data set; bar: its {comparison.level:.0%} interval."
        )
        return finish(drawing, name="answer", caption=caption)


def _print_above(axis: "Axes", value: float, row: float, text: str) -> None:
    if np.isfinite(value):
        axis.annotate(
            text, (value, row), xytext=(0, 9), textcoords="offset points", ha="center", fontsize=9, fontweight="bold"
        )


def say_where_to_look(table: CountTable, comparison: Comparison) -> str:
    """Return in a sentence which fields of the last method are the worst, and which kind of error is its commonest.

    Args:
        table: The counts.
        comparison: The comparison of its methods.
    """
    last, column = comparison.methods[-1], comparison.metrics.index(comparison.primary_metric)
    values = comparison.by_field[:, -1, column]
    order = [place for place in np.argsort(values, kind="stable") if np.isfinite(values[place])]
    worst = list(dict.fromkeys(str(comparison.fields[place]) for place in order))[:N_SHOWN]
    sentence = f"Look first at {', '.join(worst)}, where {last} scores lowest" if worst else "No field has a score"
    error = find_commonest_error(table.select(method=last))
    return f"{sentence}, and at {error}." if error else f"{sentence}; no event of it is wrong."


def find_commonest_error(table: CountTable) -> str:
    """Return the commonest kind of error of a method with its class and number; empty where there is none.

    Args:
        table: Counts of one method.
    """
    errors = table.errors.sum(0)
    found = []
    for index, name in enumerate(table.classes.foreground, start=1):
        for kind in (*ON_REFERENCE, "spurious", "merged"):
            side = "n_reference" if kind in ON_REFERENCE else "n_prediction"
            number, total = (int(errors[index, ERRORS.index(one)]) for one in (kind, side))
            words = "events" if kind in ON_REFERENCE else "predicted events"
            found.append((number, f"{kind} {name} ({number} of {total} {words}), its commonest error"))
    number, words = max(found, key=lambda entry: entry[0])
    return words if number else ""
