"""From run folders to tidy tables: one row per run x field x source, one per event, one per epoch."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.atomic import replacing, write_text
from noisylabels.data.errors import InputError
from noisylabels.experiments.run import RESULT
from noisylabels.experiments.runner import Planned

if TYPE_CHECKING:
    import pandas as pd

FACTORS = ["noise", "dose", "method", "n_train", "noise_seed", "weights_seed", "order_seed", "split_seed"]


def collect(planned: Sequence[Planned], folder: Path) -> dict[str, "pd.DataFrame"]:
    """Join the tables of all done runs and write them as Parquet and CSV.

    Args:
        planned: The runs of the grid.
        folder: The experiment's folder; tables go to `tables/`.

    Returns:
        `fields` (confusion counts), `events` (what became of each true event), `epochs` (metrics by epoch) and `runs`.

    Raises:
        InputError: If no run is done.
    """
    import pandas as pd

    done = [item for item in planned if item.state == "done"]
    if not done:
        msg = f"At least one run of {folder} must be done to collect, got none. Do `noisylabels experiment run` first."
        raise InputError(msg)
    # In the order of the declaration: the tables are the same whatever the order or the shards in which runs were done.
    results = [read_result(folder, item.run_id) for item in done]
    tables = {name: _join(folder, results, name) for name in ("fields", "events")}
    tables["epochs"] = pd.DataFrame([row for result in results for row in _epoch_rows(result)])
    tables["runs"] = pd.DataFrame([{key: result[key] for key in ("id", *FACTORS)} for result in results])
    for name, table in tables.items():
        _write(table, folder / "tables" / name)
    return tables


def confusion_of(fields: "pd.DataFrame") -> NDArray[np.int64]:
    """Read the confusion matrices of a table of fields.

    Returns:
        (row, class, class) counts, rows of each matrix = truth.
    """
    names = [name for name in fields.columns if name.startswith("confusion_")]
    n_classes = round(len(names) ** 0.5)
    return fields[sorted(names)].to_numpy(np.int64).reshape(-1, n_classes, n_classes)


def dice(confusion: NDArray[np.integer]) -> NDArray[np.float64]:
    """Mean Dice over the event classes, nan where none of them occurs.

    Args:
        confusion: (..., class, class) counts.

    Examples:
        >>> float(dice(np.array([[6, 0, 0], [1, 1, 0], [0, 0, 2]])).round(4))  # (2/3 + 1) / 2
        0.8333
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)[..., 1:].astype(float)
    total = (confusion.sum(-1) + confusion.sum(-2))[..., 1:].astype(float)
    known = total > 0
    per_class = np.divide(2 * hits, total, out=np.zeros_like(hits), where=known)
    n_known = known.sum(-1)
    return np.where(n_known > 0, per_class.sum(-1) / np.maximum(n_known, 1), np.nan)


def read_result(folder: Path, run_id: str) -> dict[str, Any]:
    """Read the `result.json` of a done run.

    Args:
        folder: The experiment's folder.
        run_id: The run's id.
    """
    content: dict[str, Any] = json.loads((folder / "runs" / run_id / RESULT).read_text())
    return content


def _join(folder: Path, results: list[dict[str, Any]], name: str) -> "pd.DataFrame":
    import pandas as pd

    tables = []
    for result in results:
        table = pd.read_parquet(folder / "runs" / str(result["id"]) / f"{name}.parquet")
        for position, factor in enumerate(["id", *FACTORS]):
            table.insert(position, factor, result[factor])
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _epoch_rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    head = {key: result[key] for key in ("id", *FACTORS)}
    return [head | row for row in result["epochs"] or []]


def _write(table: "pd.DataFrame", stem: Path) -> None:
    with replacing(stem.with_suffix(".parquet")) as temporary:
        table.to_parquet(temporary, index=False)
    write_text(stem.with_suffix(".csv"), table.to_csv(index=False))
