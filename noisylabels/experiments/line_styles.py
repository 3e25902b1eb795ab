"""How the lines of an experiment's figures are told apart: by colour and, where colours repeat, by marker."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evaluation.report.canvas import FAINT, OTHER_METHODS, colours_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

MARKERS = ("o", "s", "^", "D", "v")


def line_styles_of(methods: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return for each method what `Axes.plot` draws it with; no two of 25 look alike.

    Examples:
        >>> styles = line_styles_of(["a", "b", "c", "d", "e", "f"])
        >>> styles["a"]["color"] == styles["f"]["color"], styles["a"]["marker"], styles["f"]["marker"]
        (True, 'o', 's')
    """
    rounds = {method: MARKERS[place // len(OTHER_METHODS) % len(MARKERS)] for place, method in enumerate(methods)}
    return {
        method: {"color": colour, "marker": rounds[method], "markersize": 3.5}
        for method, colour in colours_of(methods).items()
    }


def sparsely(n_points: int) -> int:
    """Space the markers of a curve of many points: about five of them.

    Examples:
        >>> sparsely(24), sparsely(3)
        (4, 1)
    """
    return max(1, n_points // 5)


def height_for(n_lines: int, least: float) -> float:
    """Return the height in inches of a figure whose legend of so many lines stands beside it.

    Examples:
        >>> height_for(3, least=2.6), height_for(16, least=2.6)
        (2.6, 3.7)
    """
    return max(least, round(0.2 * n_lines + 0.5, 2))


def draw_legend(drawing: "Canvas", styles: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the names of the lines of a drawing beside all its panels, whose sizes that leaves alone.

    Args:
        drawing: The drawing.
        styles: By name, what each line is drawn with.
    """
    from matplotlib.lines import Line2D

    drawing.legend([Line2D([], [], **style) for style in styles.values()], list(styles), loc="outside right upper")


def draw_references(axes: "Axes", references: Mapping[str, float]) -> None:
    """Draw horizontal lines with their names; names of lines too close to be told apart stand in one place.

    Args:
        axes: Where; an axis from 0 to 1.
        references: Height by name.
    """
    for names, height in group_names(references):
        axes.annotate(
            ", ".join(names), (1, height), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=7
        )
    for height in references.values():
        axes.axhline(height, color=FAINT, linewidth=0.9, linestyle=":")


def group_names(references: Mapping[str, float], apart: float = 0.05) -> list[tuple[list[str], float]]:
    """Group names of lines that are nearer than `apart` to the one above them; a group stands on its highest line.

    Examples:
        >>> group_names({"clean": 0.82, "gold only": 0.80, "labels": 0.5})
        [(['clean', 'gold only'], 0.82), (['labels'], 0.5)]
    """
    groups: list[tuple[list[str], float]] = []
    last = float("inf")
    for name, height in sorted(references.items(), key=lambda line: -line[1]):
        if last - height < apart:
            groups[-1][0].append(name)
        else:
            groups.append(([name], height))
        last = height
    return groups
