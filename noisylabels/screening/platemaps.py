"""Plate maps: one measure over the wells of a plate, as a grid and as a picture."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.wells import WellPosition

if TYPE_CHECKING:
    import pandas as pd


def well_grid(wells: "pd.DataFrame", measure: str, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Lay a measure of one plate's wells on the plate.

    Args:
        wells: Rows of one plate with `row` and `column` from 1.
        measure: Name of the column.
        shape: Rows and columns of the plate.

    Returns:
        (row, column) values, NaN where there is no well or no value.
    """
    grid = np.full(shape, np.nan)
    values = wells[measure].to_numpy(dtype=float, na_value=np.nan)
    grid[wells["row"].to_numpy(int) - 1, wells["column"].to_numpy(int) - 1] = values
    return grid


def measures_to_map(wells: "pd.DataFrame", classes: Sequence[str]) -> list[str]:
    """Choose what is worth a map: events per field and share of each class, and the failures if there are any."""
    wanted = [f"{kind}_{name}" for name in classes for kind in ("per_field", "fraction")]
    chosen = [name for name in wanted if name in wells.columns and not (len(classes) == 1 and "fraction" in name)]
    return [*chosen, *(["n_fields_failed"] if wells["n_fields_failed"].sum() else [])]


def say_measure(measure: str) -> str:
    """Put the name of a measure into words.

    Examples:
        >>> say_measure("per_field_phagophore"), say_measure("fraction_early autolysosome")
        ('phagophore, events per field', 'early autolysosome, share of all events')
    """
    for start, words in (("per_field_", "events per field"), ("fraction_", "share of all events")):
        if measure.startswith(start):
            return f"{measure.removeprefix(start)}, {words}"
    return {"n_fields_failed": "fields that failed"}.get(measure, measure.replace("_", " "))


def draw_plate_map(grid: NDArray[np.float64], title: str) -> bytes:
    """Draw a grid as PNG; wells without a value stay grey.

    Args:
        grid: (row, column) values of a plate.
        title: What stands above.
    """
    from matplotlib.figure import Figure

    n_rows, n_columns = grid.shape
    figure = Figure(figsize=(1.6 + 0.27 * n_columns, 1.0 + 0.27 * n_rows), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor("0.9")
    picture = axes.imshow(np.ma.masked_invalid(grid), cmap="viridis")
    axes.set_xticks(range(n_columns), [str(column + 1) for column in range(n_columns)], fontsize=7)
    axes.set_yticks(range(n_rows), [WellPosition(row + 1, 1).row_name for row in range(n_rows)], fontsize=7)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_title(title, fontsize=9)
    figure.colorbar(picture, ax=axes, shrink=0.8).ax.tick_params(labelsize=7)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()
