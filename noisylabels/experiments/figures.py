"""Figures of an experiment: dose-response curves, recall by appearance, training-set sizes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.report.canvas import INK, Figure, canvas, finish
from noisylabels.experiments.curves import TEACHER, Arm
from noisylabels.experiments.declaration import CLEAN
from noisylabels.experiments.line_styles import draw_legend, draw_references, height_for, line_styles_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def draw_curves(arms: Sequence[Arm], *, references: Mapping[str, float], name: str = "curves") -> Figure:
    """Draw Dice against dose, one panel per noise, one line per method.

    Args:
        arms: Arms of one training-set size.
        references: Horizontal lines by name: clean ceiling, gold only.
        name: File name.
    """
    noises = list(dict.fromkeys(arm.noise for arm in arms if arm.noise != "clean")) or ["clean"]
    methods = [method for method in dict.fromkeys(arm.method for arm in arms) if method != TEACHER]
    styles = {TEACHER: {"color": INK, "marker": "o", "markersize": 3.5, "linestyle": "--"}, **line_styles_of(methods)}
    width, height = min(2.9 * len(noises) + 1.6, 11.0), height_for(len(methods) + 1, least=3.0)
    with canvas(width, height) as drawing:
        panels = np.atleast_1d(drawing.subplots(1, len(noises), sharey=True))
        for axes, noise in zip(panels, noises, strict=True):
            for method, style in styles.items():
                _draw_curve(axes, _curve_of(arms, noise, method), style)
            draw_references(axes, references)
            axes.set_title(noise)
            axes.set_xlabel("dose")
            axes.set_ylim(-0.02, 1.02)
            axes.grid(axis="y")
        panels[0].set_ylabel("mean Dice of the event classes")
        draw_legend(drawing, styles)
        caption = (
            "Dice on clean test fields by dose (a rate of events, or pixels of an outline); bands: 95 %, jackknife "
            "over groups of fields and over seeds with Student's t. "
            "Dashed: the training labels' own Dice (teacher line); a method above it generalises beyond its labels."
        )
        return finish(drawing, name=name, caption=caption)


def draw_recall(table: "pd.DataFrame", *, by: str) -> Figure:
    """Draw the recall of true events by quartile of a feature: one row per class, one column per noise.

    Each noise is shown at its largest dose.

    Args:
        table: `recall_by_quartile` of the experiment.
        by: The feature, for the axis.
    """
    noisy = table[table["noise"] != CLEAN]
    shown = noisy if len(noisy) else table
    doses = shown.groupby("noise", sort=False)["dose"].max()
    classes, methods = (list(dict.fromkeys(shown[name])) for name in ("class", "method"))
    styles = line_styles_of(methods)
    height = height_for(len(methods), least=2.1 * len(classes) + 0.5)
    with canvas(min(2.6 * len(doses) + 1.6, 11.0), height) as drawing:
        panels = drawing.subplots(len(classes), len(doses), sharex=True, sharey=True, squeeze=False)
        for row, class_name in zip(panels, classes, strict=True):
            for axes, (noise, dose) in zip(row, doses.items(), strict=True):
                part = shown[(shown["class"] == class_name) & (shown["noise"] == noise) & (shown["dose"] == dose)]
                _draw_quartiles(axes, part, styles)
            row[0].set_ylabel(f"recall, {class_name}")
        for axes, (noise, dose) in zip(panels[0], doses.items(), strict=True):
            axes.set_title(f"{noise}, dose {dose:g}")
        for axes in panels[-1]:
            axes.set_xlabel(f"quartile of {by.removesuffix('_px')}")
        draw_legend(drawing, styles)
        caption = (
            f"Share of true events found with their class, by quartile of {by} within the class (1 = lowest), all "
            "seeds, each noise at its largest dose."
        )
        return finish(drawing, name=f"recall_by_{by}", caption=caption)


def _draw_quartiles(axes: "Axes", part: "pd.DataFrame", styles: Mapping[str, dict[str, Any]]) -> None:
    for method, rows in part.groupby("method", sort=False):
        recall = rows.groupby("quartile")["recall"].mean()
        axes.plot(recall.index, recall, **styles[str(method)])
    axes.set_xticks([1, 2, 3, 4])
    axes.set_ylim(-0.02, 1.02)
    axes.grid(axis="y")


def draw_sizes(arms: Sequence[Arm]) -> Figure:
    """Draw Dice against training-set size, one panel per noise, one line per dose and method; dashed: the labels."""
    noises = list(dict.fromkeys(arm.noise for arm in arms if arm.method != TEACHER))
    lines = list(dict.fromkeys((arm.dose, arm.method) for arm in arms if arm.method != TEACHER))
    styles = line_styles_of([f"{method}, dose {dose:g}" for dose, method in lines])
    sizes = sorted({arm.n_train for arm in arms if arm.n_train})
    with canvas(min(2.9 * len(noises) + 1.8, 11.0), height_for(len(lines), least=2.8)) as drawing:
        panels = np.atleast_1d(drawing.subplots(1, len(noises), sharey=True))
        for axes, noise in zip(panels, noises, strict=True):
            for (dose, method), style in zip(lines, styles.values(), strict=True):
                curve = _sized(arms, noise, dose, method)
                if curve:
                    _draw_line(axes, [arm.n_train or 0 for arm in curve], curve, style)
                    own = {arm.n_train or 0: arm.score.estimate for arm in _sized(arms, noise, dose, TEACHER)}
                    axes.plot(list(own), list(own.values()), color=INK, linewidth=0.9, linestyle="--")
            axes.set_title(noise)
            axes.set_xscale("log", base=2)
            axes.set_xticks(sizes, [str(size) for size in sizes])
            axes.set_xlabel("training fields")
            axes.grid(axis="y")
        panels[0].set_ylabel("mean Dice of the event classes")
        draw_legend(drawing, styles)
        caption = "Dice on clean test fields by number of training fields. Dashed: the training labels' own Dice."
        return finish(drawing, name="sizes", caption=caption)


def _sized(arms: Sequence[Arm], noise: str, dose: float, method: str) -> list[Arm]:
    curve = [arm for arm in arms if arm.n_train and (arm.noise, arm.dose, arm.method) == (noise, dose, method)]
    return sorted(curve, key=lambda arm: arm.n_train or 0)


def _curve_of(arms: Sequence[Arm], noise: str, method: str) -> list[Arm]:
    curve = [arm for arm in arms if arm.method == method and arm.noise in (noise, "clean")]
    return sorted(curve, key=lambda arm: arm.dose)


def _draw_curve(axes: "Axes", curve: Sequence[Arm], style: Mapping[str, object]) -> None:
    if curve:
        _draw_line(axes, [arm.dose for arm in curve], curve, style)


def _draw_line(axes: "Axes", places: Sequence[float], curve: Sequence[Arm], style: Mapping[str, Any]) -> None:
    axes.plot(places, [arm.score.estimate for arm in curve], **style)
    axes.fill_between(
        places,
        [arm.score.low for arm in curve],
        [arm.score.high for arm in curve],
        color=style["color"],
        alpha=0.12,
        linewidth=0,
    )
