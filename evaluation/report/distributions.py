"""Figures of values per field, per event and per rating: slopes, violins, sizes, agreement of counts."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.report.canvas import FAINT, INK, RULE, Figure, canvas, colours_of, finish
from evaluation.statistics.agreement import limits_of_agreement

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MANY = 60  # above this many paired lines single ones is not known apart: they are drawn fainter


def draw_pairs(values: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw per-field values of several methods, the values of one field joined by a line.

    Bare boxes would hide whether a method wins on every field or only on average.

    Args:
        values: (field,) values by method by metric name, fields in the same order; nan is not drawn. Not modified.
    """
    with canvas(min(10.6, 2.7 * len(values)), 3.2) as drawing:
        for place, (metric, by_method) in enumerate(values.items()):
            axes = drawing.add_subplot(1, len(values), place + 1)
            colours = colours_of(list(by_method))
            stacked = np.array([np.asarray(column, float) for column in by_method.values()])
            axes.plot(stacked, color=FAINT, linewidth=0.6, alpha=0.5 if stacked.shape[1] <= MANY else 0.15, zorder=1)
            for column, (method, row) in enumerate(zip(by_method, stacked, strict=True)):
                points = row[~np.isnan(row)]
                axes.scatter(np.full(points.size, column), points, s=9, color=colours[method], alpha=0.65, linewidth=0)
                if points.size:
                    low, middle, high = np.quantile(points, [0.25, 0.5, 0.75])
                    axes.vlines(column + 0.17, low, high, color=colours[method], linewidth=5, alpha=0.9)
                    axes.hlines(middle, column + 0.1, column + 0.24, color="white", linewidth=1.4, zorder=4)
            axes.set_xticks(range(len(by_method)), list(by_method))
            axes.set_xlim(-0.35, len(by_method) - 0.6)
            axes.set_title(metric)
            axes.grid(axis="y")
        caption = (
            "Each dot is a field, each line joins one field's values. The bar spans the middle half of the fields, its "
            "notch is the median."
        )
        return finish(drawing, name="pairs", caption=caption)


def draw_violins(scores: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw ratings per rater and method as violins with every rating as a dot (as the paper's figure 3A).

    Args:
        scores: (rating,) scores by method by rater. Not modified.
    """
    methods = list(dict.fromkeys(method for by_method in scores.values() for method in by_method))
    colours = colours_of(methods)
    with canvas(min(10.6, 1.5 + 1.3 * len(scores) * max(1, len(methods) / 2)), 3.0) as drawing:
        axes = drawing.add_subplot()
        step = 0.8 / max(1, len(methods))
        for place, by_method in enumerate(scores.values()):
            for order, method in enumerate(methods):
                values = np.asarray(by_method.get(method, []), float)
                centre = place + (order - (len(methods) - 1) / 2) * step
                _draw_violin(axes, values, centre=centre, width=step * 0.9, colour=colours[method])
        for method in methods:
            axes.scatter([], [], color=colours[method], label=method)
        axes.set_xticks(range(len(scores)), list(scores))
        axes.set_ylim(0.5, 10.5)
        axes.set_yticks(range(1, 11))
        axes.set_ylabel("score")
        axes.grid(axis="y")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return finish(
            drawing,
            name="ratings",
            caption="Blinded scores, 1 (worst) to 10 (best): every dot is a rating, the tick its median.",
        )


def _draw_violin(axes: "Axes", values: NDArray[np.float64], *, centre: float, width: float, colour: str) -> None:
    if not values.size:
        return
    if np.unique(values).size > 1:
        bodies: Any = axes.violinplot(values, [centre], widths=width, showextrema=False)["bodies"]
        for body in bodies:
            body.set(facecolor=colour, alpha=0.25, edgecolor="none")
    levels, counts = np.unique(values, return_counts=True)
    for level, count in zip(levels, counts, strict=True):
        spread = (np.arange(count) - (count - 1) / 2) * min(0.05, width / max(1, count))
        axes.scatter(centre + spread, np.full(count, level), s=7, color=colour, linewidth=0, alpha=0.8)
    axes.hlines(np.median(values), centre - width * 0.3, centre + width * 0.3, color=INK, linewidth=1.4)


def draw_count_agreement(reference: ArrayLike, predictions: Mapping[str, ArrayLike]) -> Figure:
    """Draw Bland-Altman plots of the events per field: what a biologist counts (doi:10.1016/S0140-6736(86)90837-8).

    Args:
        reference: (field,) events of the reference. Not modified.
        predictions: (field,) predicted events by method, in the same order. Not modified.
    """
    truth = np.asarray(reference, float)
    colours = colours_of(list(predictions))
    with canvas(min(10.6, 3.6 * len(predictions)), 3.0) as drawing:
        shared = None
        for place, (method, counted) in enumerate(predictions.items()):
            axes = shared = drawing.add_subplot(1, len(predictions), place + 1, sharey=shared)
            mean, difference = (np.asarray(counted, float) + truth) / 2, np.asarray(counted, float) - truth
            agreement = limits_of_agreement(truth, counted)
            axes.axhline(0, color=FAINT, linewidth=0.8)
            axes.axhspan(agreement["low"], agreement["high"], color=colours[method], alpha=0.10, linewidth=0)
            axes.axhline(agreement["bias"], color=colours[method], linewidth=1.4)
            axes.scatter(mean, difference, s=11, color=colours[method], alpha=0.7, linewidth=0)
            axes.set_title(f"{method}   bias {agreement['bias']:+.1f}".replace("-", "−"))
            axes.set_xlabel("events per field, mean of both")
            axes.set_ylabel("predicted − reference" if place == 0 else "")
            axes.grid(axis="y")
        caption = (
            "Agreement of event counts per field (Bland-Altman): the line is the mean difference (bias), the band its "
            "95 % limits of agreement. A method whose band is narrow and centred on 0 can be trusted to count."
        )
        return finish(drawing, name="count_agreement", caption=caption)


def draw_sizes(areas: Mapping[str, Mapping[str, ArrayLike]], *, unit: str) -> Figure:
    """Draw how many events are how large, as cumulative shares on a logarithmic axis.

    Args:
        areas: (event,) areas by series by class name. Not modified.
        unit: Unit of the areas.
    """
    with canvas(min(10.6, 3.8 * len(areas)), 2.9) as drawing:
        for place, (name, by_series) in enumerate(areas.items()):
            axes = drawing.add_subplot(1, len(areas), place + 1)
            colours = colours_of([series for series in by_series if series != "reference"]) | {"reference": INK}
            for series, values in by_series.items():
                ordered = np.sort(np.asarray(values, float))
                if ordered.size:
                    shares = np.arange(1, ordered.size + 1) / ordered.size
                    style = "--" if series == "reference" else "-"
                    axes.step(
                        ordered,
                        shares,
                        where="post",
                        color=colours[series],
                        linestyle=style,
                        label=f"{series} ({ordered.size})",
                    )
            if any(np.size(values) for values in by_series.values()):
                axes.set_xscale("log")
                axes.legend(loc="lower right", fontsize=7.5)
            axes.set_ylim(0, 1.02)
            axes.set_title(name)
            axes.set_xlabel(f"event area ({unit})")
            axes.set_ylabel("share of events at most this large" if place == 0 else "")
            axes.grid(color=RULE)
        return finish(drawing, name="sizes", caption="Sizes of events; in brackets the number of events.")


def draw_spread(values: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw per-field values as boxes, one panel per metric (as the paper's figure 4A).

    Args:
        values: (field,) values by method by metric; nan is left out. Not modified.
    """
    with canvas(min(10.6, 2.2 * len(values)), 2.7) as drawing:
        for place, (metric, by_method) in enumerate(values.items()):
            axes = drawing.add_subplot(1, len(values), place + 1)
            columns = [np.asarray(column, float) for column in by_method.values()]
            kept: Sequence[ArrayLike] = [column[~np.isnan(column)] for column in columns]
            boxes = axes.boxplot(
                kept, tick_labels=list(by_method), widths=0.55, patch_artist=True, flierprops={"markersize": 2.5}
            )
            for box, colour in zip(boxes["boxes"], colours_of(list(by_method)).values(), strict=True):
                box.set(facecolor=colour, alpha=0.45, edgecolor=colour)
            for line in boxes["medians"]:
                line.set(color=INK, linewidth=1.4)
            axes.set_title(metric)
            axes.grid(axis="y")
        return finish(
            drawing, name="spread", caption="Spread over fields: median, quartiles, whiskers of 1.5 quartile distances."
        )
