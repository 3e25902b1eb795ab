"""Figures of scores with intervals, of bands of overlap, of errors by size, and of trade-offs."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from evaluation.experts.costs import find_crossings
from evaluation.report.canvas import ERROR_COLOURS, FAINT, INK, Figure, canvas, colours_of, finish
from evaluation.statistics.intervals import Interval


def draw_scores(scores: Mapping[str, Mapping[str, Interval]]) -> Figure:
    """Draw scores with their intervals, one line per metric, methods above each other.

    Args:
        scores: Interval by method by metric name.
    """
    methods = list(dict.fromkeys(method for by_method in scores.values() for method in by_method))
    colours = colours_of(methods)
    with canvas(6.6, 0.8 + 0.12 * len(scores) * (len(methods) + 0.8)) as drawing:
        axes = drawing.add_subplot()
        for place, by_method in enumerate(scores.values()):
            for order, method in enumerate(methods):
                interval = by_method[method]
                height = place + (order - (len(methods) - 1) / 2) * 0.7 / max(1, len(methods))
                axes.hlines(height, interval.low, interval.high, color=colours[method], linewidth=2.2, alpha=0.55)
                axes.scatter(
                    interval.estimate,
                    height,
                    s=26,
                    color=colours[method],
                    zorder=3,
                    label=method if place == 0 else None,
                )
        axes.set_yticks(range(len(scores)), list(scores))
        axes.set_ylim(len(scores) - 0.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return finish(
            drawing, name="scores", caption="Scores of the data set: dot = value, line = its interval over clusters."
        )


def draw_bands(shares: Mapping[str, Mapping[str, Sequence[ArrayLike]]], *, name: str = "bands") -> Figure:
    """Draw found events by band of overlap: mean over experts, SD, and each expert as a dot (the paper's figure 3B).

    Args:
        shares: By class name, by method: the (expert,) shares found with low overlap and those with high overlap.
            Not modified.
        name: Name of the figure.
    """
    with canvas(min(10.6, 2.9 * len(shares)), 3.0) as drawing:
        shared = None
        for place, (title, by_method) in enumerate(shares.items()):
            axes = shared = drawing.add_subplot(1, len(shares), place + 1, sharey=shared)
            for column, (method, (low, high)) in enumerate(by_method.items()):
                colour = colours_of(list(by_method))[method]
                lows, highs = np.asarray(low, float), np.asarray(high, float)
                axes.bar(column, highs.mean(), 0.6, color=colour, label="IoU 0.5 to 1" if column == 0 else None)
                axes.bar(
                    column,
                    lows.mean(),
                    0.6,
                    highs.mean(),
                    color=colour,
                    alpha=0.4,
                    label="IoU 0.1 to 0.5" if column == 0 else None,
                )
                total = lows + highs
                if total.size > 1:
                    axes.errorbar(column, total.mean(), total.std(ddof=1), color=INK, capsize=3, linewidth=1)
                    axes.scatter(column + np.linspace(-0.15, 0.15, total.size), total, s=9, color=INK, zorder=3)
            axes.set_xticks(range(len(by_method)), list(by_method))
            axes.set_ylim(0, 1.02)
            axes.set_title(title)
            axes.grid(axis="y")
            axes.set_ylabel("share of reference events" if place == 0 else "")
        caption = (
            "Reference events found, by the overlap (IoU of boxes) of their best predicted event of the same class: "
            "full colour 0.5 to 1, pale 0.1 to below 0.5. With several experts: mean, SD, and a dot per expert."
        )
        return finish(drawing, name=name, caption=caption)


def draw_overlap_curves(curves: Mapping[str, Mapping[str, ArrayLike]], thresholds: Sequence[float]) -> Figure:
    """Draw the event F1 over the demanded overlap.

    Args:
        curves: (threshold,) F1 by method by class name. Not modified.
        thresholds: IoU from which a pair counts.
    """
    with canvas(min(10.6, 3.3 * len(curves)), 2.8) as drawing:
        for place, (name, by_method) in enumerate(curves.items()):
            axes = drawing.add_subplot(1, len(curves), place + 1)
            for method, values in by_method.items():
                axes.plot(
                    thresholds,
                    np.asarray(values, float),
                    color=colours_of(list(by_method))[method],
                    label=method,
                    linewidth=1.8,
                )
            axes.set_ylim(0, 1)
            axes.set_xlim(0, 1)
            axes.set_title(name)
            axes.set_xlabel("IoU from which a pair counts")
            axes.set_ylabel("F1 of events" if place == 0 else "")
            axes.grid()
        axes.legend(loc="lower left")
        return finish(
            drawing, name="overlap_curves", caption="F1 of events against the overlap demanded (one-to-one pairs)."
        )


def draw_precision(curves: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]]) -> Figure:
    """Draw precision against recall of events while less and less probable ones count.

    Args:
        curves: (point,) recall, rising, and (point,) precision, by method by class name. Not modified.
    """
    with canvas(min(10.6, 3.3 * len(curves)), 2.8) as drawing:
        for place, (name, by_method) in enumerate(curves.items()):
            axes = drawing.add_subplot(1, len(curves), place + 1)
            for method, (recall, precision) in by_method.items():
                colour = colours_of(list(by_method))[method]
                steps = np.concatenate([[0.0], np.asarray(recall, float)])
                heights = np.asarray(precision, float)
                if not len(heights) or not np.isfinite(steps).all():
                    continue  # nothing predicted, or nothing to find
                axes.stairs(heights, steps, baseline=None, color=colour, label=method, linewidth=1.8)
            axes.set_ylim(0, 1.02)
            axes.set_xlim(0, 1)
            axes.set_title(name)
            axes.set_xlabel("recall of events")
            axes.set_ylabel("precision of events" if place == 0 else "")
            axes.grid()
            if axes.get_legend_handles_labels()[0]:
                axes.legend(loc="lower left")
        return finish(
            drawing,
            name="precision_recall",
            caption="Precision against recall while less and less probable events count (one-to-one pairs, IoU 0.5).",
        )


def draw_errors(shares: Mapping[str, Mapping[str, Mapping[str, ArrayLike]]], bins: Sequence[str]) -> Figure:
    """Draw what became of the reference events, by their size.

    Args:
        shares: (bin,) shares of events by outcome, by method, by class name; nan where a bin is empty. Not modified.
        bins: Names of the size bins.
    """
    methods = list(dict.fromkeys(method for by_method in shares.values() for method in by_method))
    with canvas(min(10.6, 3.4 * len(methods) + 1.2), 2.2 * len(shares) + 0.5) as drawing:
        grid = drawing.subplots(len(shares), len(methods), squeeze=False, sharex=True, sharey=True)
        for row, (name, by_method) in enumerate(shares.items()):
            for column, method in enumerate(methods):
                axes, bottom = grid[row, column], np.zeros(len(bins))
                for outcome, values in by_method[method].items():
                    heights = np.nan_to_num(np.asarray(values, float))
                    axes.bar(range(len(bins)), heights, 0.8, bottom, color=ERROR_COLOURS[outcome], label=outcome)
                    bottom = bottom + heights
                axes.set_title(f"{method}: {name}")
                axes.set_ylim(0, 1)
                axes.set_xticks(range(len(bins)), list(bins), fontsize=7.5)
                axes.set_ylabel("share of events" if column == 0 else "")
                axes.set_xlabel("area of the event (pixels)" if row == len(shares) - 1 else "")
        grid[0, -1].legend(loc="upper left", bbox_to_anchor=(1, 1))
        return finish(drawing, name="errors_by_size", caption="What became of the reference events, by their area.")


def draw_break_even(costs: Mapping[str, tuple[float, float]], *, fields: float) -> Figure:
    """Draw hours spent against fields analysed: a fixed share (set-up, training) and a share per field.

    Args:
        costs: (fixed hours, hours per field) by method.
        fields: Right end of the axis.
    """
    colours = colours_of(list(costs))
    with canvas(5.6, 3.0) as drawing:
        axes = drawing.add_subplot()
        counts = np.linspace(0, fields, 200)
        for method, (fixed, slope) in costs.items():
            axes.plot(counts, fixed + slope * counts, color=colours[method], linewidth=1.8, label=method)
        for first, _, where in find_crossings(costs):
            if where <= fields:
                height = costs[first][0] + costs[first][1] * where
                axes.scatter(where, height, s=22, color=INK, zorder=3)
                axes.annotate(f"{where:,.0f} fields", (where, height), (6, -11), textcoords="offset points", fontsize=8)
        axes.set_xlim(0, fields)
        axes.set_ylim(0)
        axes.set_xlabel("fields analysed")
        axes.set_ylabel("hours spent")
        axes.grid(color=FAINT, alpha=0.3)
        axes.legend(loc="upper left")
        return finish(
            drawing,
            name="break_even",
            caption="Hours spent against fields analysed. A dot marks where a method starts to pay.",
        )
