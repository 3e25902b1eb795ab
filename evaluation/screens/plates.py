"""Plates: values by well, effects of the edge, of rows and of columns, and Z' of the controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.experts.sheets import read_rows, refuse_faults
from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition, plate_shape


@dataclass(frozen=True)
class PlaceEffect:
    """Whether a value hangs on where a well lies on its plate.

    Args:
        n_edge: Wells on the outermost rows and columns of the plate.
        n_inner: The others.
        edge_shift: Median of the edge wells minus median of the inner ones; nan without either.
        edge_p: Mann-Whitney's p-value for edge against inner wells.
        row_p: Kruskal-Wallis's p-value between rows.
        column_p: The same between columns.
    """

    n_edge: int
    n_inner: int
    edge_shift: float
    edge_p: float
    row_p: float
    column_p: float


def lay_out(values: Mapping[str, float]) -> NDArray[np.float64]:
    """Arrange values as (row, column) of the smallest usual plate that holds their wells; nan where there is none.

    Args:
        values: Value by well name. Any wells may be missing, at the edge too.

    Examples:
        >>> grid = lay_out({"B07": 0.5})
        >>> grid.shape, float(grid[1, 6]), bool(np.isnan(grid[0, 0]))
        ((8, 12), 0.5, True)
    """
    places = {well: WellPosition.parse(well) for well in values}
    grid = np.full(plate_shape(places.values()), np.nan)
    for well, place in places.items():
        grid[place.row - 1, place.column - 1] = values[well]
    return grid


def find_place_effects(values: Mapping[str, float]) -> PlaceEffect:
    """Test whether a value hangs on the place of the well: at the edge, by row, by column.

    Args:
        values: Value by well name on one plate; wells with nan are left out.

    Examples:
        >>> wells = {f"{row}{column:02d}": float(row in "AH") for row in "ABCDEFGH" for column in range(2, 12)}
        >>> effect = find_place_effects(wells)
        >>> effect.n_edge, effect.edge_shift, effect.edge_p < 0.001, effect.column_p > 0.9
        (20, 1.0, True, True)
    """
    from scipy import stats

    grid = lay_out(values)
    rows, columns = np.nonzero(~np.isnan(grid))
    found = grid[rows, columns]
    at_edge = (rows == 0) | (columns == 0) | (rows == grid.shape[0] - 1) | (columns == grid.shape[1] - 1)
    edge, inner = found[at_edge], found[~at_edge]
    tested = edge.size and inner.size
    return PlaceEffect(
        n_edge=edge.size,
        n_inner=inner.size,
        edge_shift=float(np.median(edge) - np.median(inner)) if tested else float("nan"),
        edge_p=float(stats.mannwhitneyu(edge, inner).pvalue) if tested else float("nan"),
        row_p=_kruskal(found, rows),
        column_p=_kruskal(found, columns),
    )


def _kruskal(values: NDArray[np.float64], groups: NDArray[np.intp]) -> float:
    from scipy import stats

    parts = [values[groups == group] for group in np.unique(groups)]
    if len(parts) < 2 or np.unique(values).size < 2 or len(values) <= len(parts):
        return float("nan")
    return float(stats.kruskal(*parts).pvalue)


def z_prime(positive: ArrayLike, negative: ArrayLike) -> float:
    """Return the Z' factor of an assay: 1 - 3 (sd_p + sd_n) / |mean_p - mean_n| (Zhang et al. 1999).

    Above 0.5 the controls are well apart, below 0 they overlap (doi:10.1177/108705719900400206).

    Args:
        positive: (well,) values of the positive controls. Not modified.
        negative: (well,) values of the negative controls. Not modified.

    Returns:
        Z'; -inf when the means are equal, nan with fewer than two wells of either.

    Examples:
        >>> round(z_prime([10, 11, 9], [0, 1, -1]), 3)
        0.4
    """
    one, other = np.asarray(positive, float), np.asarray(negative, float)
    if min(one.size, other.size) < 2:
        return float("nan")
    distance = abs(one.mean() - other.mean())
    return float(1 - 3 * (one.std(ddof=1) + other.std(ddof=1)) / distance) if distance else float("-inf")


def mean_by_well(values: ArrayLike, wells: Sequence[str]) -> dict[str, float]:
    """Average the values of each well's fields.

    Args:
        values: (field,) values, nan left out. Not modified.
        wells: (field,) well names; fields without one (empty) are left out.

    Examples:
        >>> mean_by_well([1, 3, 5], ["B02", "B02", ""])
        {'B02': 2.0}
    """
    numbers = np.asarray(values, float)
    names = np.asarray(wells)
    kept = (names != "") & ~np.isnan(numbers)
    return {str(well): float(numbers[kept & (names == well)].mean()) for well in np.unique(names[kept])}


def read_controls(path: str | Path) -> dict[str, str]:
    """Read which wells are controls.

    Args:
        path: CSV with the columns well and kind ("positive" or "negative").

    Returns:
        The kind by well name, wells as `B07`.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If columns are missing or rows faulty; all faults at once, one line each.
    """
    rows = read_rows(path, ("well", "kind"))
    faults = []
    for line, row in enumerate(rows, 2):
        if row["kind"] not in ("positive", "negative"):
            faults.append(f"row {line}: kind must be 'positive' or 'negative', got {row['kind']!r}")
        try:
            WellPosition.parse(row["well"])
        except InputError:
            faults.append(f"row {line}: well must lie in A01..AF48, got {row['well']!r}")
    refuse_faults(faults, source=str(path))
    return {WellPosition.parse(row["well"]).name: row["kind"] for row in rows}
