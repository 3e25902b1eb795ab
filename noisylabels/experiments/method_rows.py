"""Many methods at one dose: a row each, where curves would lie on top of each other."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from evaluation.report.canvas import BLUE, FAINT, INK, Figure, canvas, finish
from noisylabels.experiments.curves import TEACHER, Arm
from noisylabels.experiments.declaration import CLEAN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MANY = 6
"""With more methods than this, rows are drawn beside the curves."""


def draw_method_rows(arms: Sequence[Arm], *, references: Mapping[str, float], name: str = "methods") -> Figure:
    """Draw the Dice of every method with its interval: a panel for clean labels, and one per noise at its largest dose.

    Args:
        arms: Arms of one training-set size.
        references: Vertical lines by name: clean ceiling, gold only.
        name: File name.
    """
    methods = [method for method in dict.fromkeys(arm.method for arm in arms) if method != TEACHER]
    doses: dict[str, float] = {}
    for arm in arms:
        doses[arm.noise] = max(arm.dose, doses.get(arm.noise, 0.0))
    with canvas(min(2.4 * len(doses) + 1.6, 11.0), 0.22 * len(methods) + 0.9) as drawing:
        panels = np.atleast_1d(drawing.subplots(1, len(doses), sharex=True, sharey=True))
        for axes, (noise, dose) in zip(panels, doses.items(), strict=True):
            shown = {arm.method: arm for arm in arms if (arm.noise, arm.dose) == (noise, dose)}
            _draw_rows(axes, [shown.get(method) for method in methods])
            labels = shown.get(TEACHER)
            if labels is not None and noise != CLEAN:
                axes.axvline(labels.score.estimate, color=INK, linewidth=0.9, linestyle="--")
            for height in references.values():
                axes.axvline(height, color=FAINT, linewidth=0.9, linestyle=":")
            axes.set_title(noise if noise == CLEAN else f"{noise}, dose {dose:g}")
            axes.set_xlabel("mean Dice")
            axes.set_xlim(-0.02, 1.02)
            axes.grid(axis="x")
        panels[0].set_yticks(range(len(methods)), methods)
        panels[0].invert_yaxis()
        caption = (
            "Dice on clean test fields by method, each noise at its largest dose; bars: 95 %, jackknife. "
            f"Dashed: the training labels' own Dice. Dotted: {_name_references(references)}. No dot: not run there."
        )
        return finish(drawing, name=name, caption=caption)


def _name_references(references: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {height:.2f}" for name, height in references.items()) or "no reference"


def _draw_rows(axes: "Axes", found: Sequence[Arm | None]) -> None:
    for place, arm in enumerate(found):
        if arm is not None:
            score = arm.score
            axes.plot([score.low, score.high], [place, place], color=BLUE, linewidth=1.4)
            axes.plot([score.estimate], [place], color=BLUE, marker="o", markersize=4)
