"""Counts on disk: one tidy row per field, reference, method and class, as Parquet and CSV, with the settings beside."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.counts import BOUNDARY, ERRORS, KEYS, CountTable, entry_dtype, entry_shapes
from evaluation.metrics.settings import IOU_THRESHOLDS, EvaluationSettings
from noisylabels import __version__
from noisylabels.data.atomic import replacing, write_text
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable

if TYPE_CHECKING:
    import pandas as pd


def tabulate_counts(table: CountTable) -> "pd.DataFrame":
    """Arrange the counts tidily: one row per entry and class.

    Columns: the keys (`method`, `reference`, `field`, `cluster`, `well`, `plate`), `tolerance_px`, `class_index`,
    `class_name`, `pixels_as_<j>` (reference pixels of this class predicted as class j), `boundary_reference_px` and
    so on, `detected_as_<j>` (0 = missed; on the background row the spurious events by class), the error counts,
    `paper_iou_<percent>`, `one_to_one_iou_<percent>` and `one_to_one_iou_sum`. See `FieldCounts` for their meaning.

    Args:
        table: The counts.
    """
    import pandas as pd

    n_classes = len(table.classes)
    columns: dict[str, NDArray[Any]] = {
        name: np.repeat(column.astype(object), n_classes) for name, column in table.keys.items()
    }
    columns["tolerance_px"] = np.repeat(table.tolerance_px, n_classes)
    columns["class_index"] = np.tile(np.arange(n_classes), len(table))
    columns["class_name"] = np.tile(np.array(table.classes.names, object), len(table))
    for name, heads in _heads(n_classes).items():
        values = getattr(table, name).reshape(len(table) * n_classes, len(heads))
        columns |= {head: values[:, place] for place, head in enumerate(heads)}
    return pd.DataFrame(columns)


def parse_counts(frame: "pd.DataFrame", *, settings: EvaluationSettings | None = None) -> CountTable:
    """Read the tidy form back; its rows may come in any order.

    Args:
        frame: What `tabulate_counts` gave, at least one row.
        settings: How it was counted.

    Raises:
        InputError: If a column is missing, or an entry lacks a class or has one twice.
    """
    heads = _heads(int(frame["class_index"].max()) + 1 if "class_index" in frame else 2)
    lacking = [name for name in _columns(heads) if name not in frame]
    if lacking:
        msg = f"A count table must have all its columns, got none named {', '.join(lacking)}. Write the table anew."
        raise InputError(msg)
    names = frame.drop_duplicates("class_index").sort_values("class_index")["class_name"]
    classes = ClassTable(tuple(names))
    rows = frame.assign(entry=frame.groupby(list(KEYS), sort=False, dropna=False).ngroup())
    rows = rows.sort_values(["entry", "class_index"], kind="stable")
    if rows["class_index"].tolist() != list(range(len(classes))) * (rows["entry"].iloc[-1] + 1):
        msg = f"Each entry of a count table must have each class ({', '.join(classes)}) once. Write the table anew."
        raise InputError(msg)
    first = rows.iloc[:: len(classes)]
    shapes = entry_shapes(len(classes))
    stacks = {
        name: rows[list(columns)].to_numpy(entry_dtype(name)).reshape(-1, *shapes[name])
        for name, columns in heads.items()
    }
    return CountTable(
        classes,
        {name: first[name].fillna("").to_numpy(np.str_) for name in KEYS},
        **stacks,
        tolerance_px=first["tolerance_px"].to_numpy(np.float64),
        settings=settings or EvaluationSettings(),
    )


def write_counts(table: CountTable, folder: str | Path) -> None:
    """Write `counts.parquet`, `counts.csv` and `settings.json` into a folder, each whole or not at all.

    Args:
        table: The counts.
        folder: The evaluation folder; made when missing.
    """
    frame = tabulate_counts(table)
    with replacing(Path(folder) / "counts.parquet") as path:
        frame.to_parquet(path, index=False)
    with replacing(Path(folder) / "counts.csv") as path:
        frame.to_csv(path, index=False)
    about = {"settings": table.settings.to_dict(), "classes": list(table.classes), "noisylabels": __version__}
    write_text(Path(folder) / "settings.json", json.dumps(about, indent=2) + "\n")


def read_counts(folder: str | Path) -> CountTable:
    """Read a folder that `write_counts` made: the Parquet file, or the CSV file if that alone is there.

    Args:
        folder: The evaluation folder.

    Raises:
        FileNotFoundError: If the folder has neither table, or lacks `settings.json`.
        InputError: If the table is not whole.
    """
    import pandas as pd

    parquet, csv = Path(folder) / "counts.parquet", Path(folder) / "counts.csv"
    if not parquet.exists() and not csv.exists():
        msg = f"No counts.parquet or counts.csv in {folder}. Evaluate into that folder first."
        raise FileNotFoundError(msg)
    about = json.loads((Path(folder) / "settings.json").read_text())
    settings = EvaluationSettings.from_dict(about["settings"])
    if parquet.exists():
        frame = pd.read_parquet(parquet)
    else:
        frame = pd.read_csv(csv, dtype=dict.fromkeys((*KEYS, "class_name"), str), keep_default_na=False)
    if frame.empty:
        return CountTable.empty(ClassTable(tuple(about["classes"])), settings=settings)
    return parse_counts(frame, settings=settings)


def _columns(heads: dict[str, tuple[str, ...]]) -> list[str]:
    return [*KEYS, "tolerance_px", "class_index", "class_name", *(head for group in heads.values() for head in group)]


def _heads(n_classes: int) -> dict[str, tuple[str, ...]]:
    """Column heads by array name."""
    percents = [f"{round(100 * threshold):02d}" for threshold in IOU_THRESHOLDS]
    return {
        "confusion": tuple(f"pixels_as_{index}" for index in range(n_classes)),
        "boundary": tuple(f"boundary_{name}" for name in BOUNDARY),
        "detection": tuple(f"detected_as_{index}" for index in range(n_classes)),
        "errors": ERRORS,
        "paper": tuple(f"paper_iou_{percent}" for percent in percents),
        "one_to_one": tuple(f"one_to_one_iou_{percent}" for percent in percents),
        "iou_sum": ("one_to_one_iou_sum",),
    }
