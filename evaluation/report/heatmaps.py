"""Heat maps: confusion matrices and plates."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.report.canvas import INK, RULE, Figure, canvas, finish
from evaluation.screens.plates import lay_out
from noisylabels.data.wells import WellPosition

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PIXEL_CAPTION = (
    "Confusion matrices of pixels: counts, and their share of the reference class (row). The colour shows the share; a "
    "perfect method is dark on the diagonal alone."
)
EVENT_CAPTION = (
    "Confusion matrices of events, paired one to one: found (diagonal), found as another class, missed (first column) "
    "and spurious (first row)."
)


def draw_confusions(confusions: Mapping[str, ArrayLike], names: Sequence[str], *, events: bool = False) -> Figure:
    """Draw one confusion matrix per method: counts, and colour by the share of the reference class (row).

    Args:
        confusions: (C, C) counts by method, rows = reference class, columns = predicted class. Not modified.
        names: C class names.
        events: Whether events are counted; pixels if not. With events, the first row and column stand for no event.
    """
    n = len(confusions)
    with canvas(min(10.6, 3.5 * n + 0.4), 3.1) as drawing:
        for place, (method, counts) in enumerate(confusions.items()):
            axes = drawing.add_subplot(1, n, place + 1)
            _draw_confusion(axes, np.asarray(counts), names, events=events)
            axes.set_title(method)
            if place:
                axes.set_ylabel("")
        caption = EVENT_CAPTION if events else PIXEL_CAPTION
        return finish(drawing, name="event_confusion" if events else "confusion", caption=caption)


def _draw_confusion(axes: "Axes", counts: NDArray[np.int64], names: Sequence[str], *, events: bool) -> None:
    totals = counts.sum(1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    if events:
        shares[0, 0] = np.nan  # what is no event on either side cannot be counted
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(counts.shape):
        share = shares[row, column]
        percent = "–" if np.isnan(share) else f"{share:.1%}"
        colour = "white" if share > 0.6 else INK
        axes.text(column, row - 0.12, percent, ha="center", va="center", color=colour, fontsize=9, weight="bold")
        axes.text(
            column,
            row + 0.2,
            "" if np.isnan(share) else _short(int(counts[row, column])),
            ha="center",
            va="center",
            color=colour,
            fontsize=7,
        )
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8, rotation=90, va="center")
    axes.set_xlabel("predicted class")
    axes.set_ylabel("reference class")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _short(count: int) -> str:
    """Write a count as it fits a cell.

    Examples:
        >>> _short(950), _short(12_345), _short(7_250_000)
        ('950', '12.3 k', '7.25 M')
    """
    if count < 10_000:
        return str(count)
    return f"{count / 1e6:.3g} M" if count >= 1_000_000 else f"{count / 1e3:.3g} k"


def draw_plates(values: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Figure:
    """Draw plates as heat maps, well by well: a line per plate, a column per quantity.

    Args:
        values: Value by well name (`B07`) by plate name by quantity. Wells may be missing, at the edge too.

    Raises:
        InputError: If a well name is not a letter or two and a number.
    """
    from matplotlib.ticker import MaxNLocator

    plates = list(dict.fromkeys(plate for by_plate in values.values() for plate in by_plate))
    with canvas(3.5 * len(values), 2.1 * len(plates) + 0.5) as drawing:
        grid = drawing.subplots(len(plates), len(values), squeeze=False)
        for column, (quantity, by_plate) in enumerate(values.items()):
            layouts = [lay_out(by_plate.get(plate, {})) for plate in plates]
            found = np.concatenate([layout[np.isfinite(layout)] for layout in layouts])
            limits = (float(found.min()), float(found.max())) if found.size else (0.0, 1.0)
            for row, (plate, layout) in enumerate(zip(plates, layouts, strict=True)):
                picture = _draw_plate(grid[row, column], layout, limits)
                title = quantity if not plate else f"{quantity}\n{plate}" if column == 0 else f"{quantity}\n"
                grid[row, column].set_title(title)
            bar = drawing.colorbar(picture, ax=list(grid[:, column]), orientation="horizontal", shrink=0.6, aspect=30)
            bar.outline.set_visible(False)
            bar.ax.tick_params(labelsize=7)
            bar.ax.xaxis.set_major_locator(MaxNLocator(4))
        return finish(drawing, name="plates", caption="Means by well. Hatched: no field of that well was evaluated.")


def _draw_plate(axes: "Axes", layout: NDArray[np.float64], limits: tuple[float, float]) -> Any:
    axes.patch.set(facecolor="white", hatch="////")
    picture = axes.imshow(np.ma.masked_invalid(layout), cmap="cividis", vmin=limits[0], vmax=limits[1])
    rows, columns = layout.shape
    step = 1 if rows <= 8 else 2 if rows <= 16 else 4
    axes.set_yticks(
        range(0, rows, step), [WellPosition(row + 1, 1).row_name for row in range(0, rows, step)], fontsize=6.5
    )
    axes.set_xticks(range(0, columns, step), [str(column + 1) for column in range(0, columns, step)], fontsize=6.5)
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False, pad=1)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(RULE)
    return picture
