"""The error log: one row per injected error, enough to render the noisy label map again from the clean one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.atomic import replacing
from noisylabels.data.events import EventTable

COLUMNS: dict[str, Any] = {
    "image": object,
    "event": np.int32,
    "kind": object,
    "class_index": np.uint8,
    "noisy_class_index": np.uint8,
    "area_px": np.int64,
    "noisy_area_px": np.int64,
    "row_min": np.int32,
    "column_min": np.int32,
    "row_max": np.int32,
    "column_max": np.int32,
    "mode": object,
    "magnitude": np.float64,
    "cover": np.float64,
    "jitter_px": np.float64,
    "length_px": np.float64,
    "step_px": np.float64,
    "partner": np.int32,
    "key": np.uint64,
}
"""Column -> dtype. `event` is the id in the clean map (a spurious event continues the numbering), the box and
`class_index` are the clean event's (a spurious event's: its own place, class 0); `mode`, `magnitude`, `cover`,
`jitter_px`, `length_px`, `step_px` and `partner` mean what the error kind says; `key` is the randomness the error was
drawn with."""


def make_rows(image: str, kind: str, events: RealArray, **columns: object) -> EventTable:
    """Start log rows of one kind; columns not given are 0 or "".

    Args:
        image: The image's id.
        kind: The error kind.
        events: (row,) event ids.
        columns: Other columns of the log, single values or (row,) arrays.

    Examples:
        >>> rows = make_rows("a", "incomplete", np.array([4, 7]), mode="cut", cover=[0.5, 0.25])
        >>> len(rows), rows["mode"].tolist(), rows["partner"].tolist()
        (2, ['cut', 'cut'], [0, 0])
    """
    given = {"image": image, "kind": kind, "event": events, **columns}
    n_rows = len(events)
    filled: dict[str, NDArray[Any]] = {}
    for name, dtype in COLUMNS.items():
        filled[name] = np.full(n_rows, "" if dtype is object else 0, dtype)
        filled[name][:] = given.get(name, filled[name])
    return EventTable(filled)


def join_logs(logs: Sequence[EventTable]) -> EventTable:
    """Join logs, one below the other; no logs make an empty one."""
    if not logs:
        return make_rows("", "", np.zeros(0, np.int32))
    return EventTable({name: np.concatenate([log[name] for log in logs]) for name in COLUMNS})


def write_log(path: str | Path, log: EventTable) -> None:
    """Write a log as Parquet, whole or not at all."""
    frame = log.to_pandas()
    for name in ("image", "kind", "mode"):
        frame[name] = frame[name].astype("string")  # an empty log has text columns too
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False)


def read_log(path: str | Path) -> EventTable:
    """Read a log that `write_log` wrote."""
    import pandas as pd

    frame = pd.read_parquet(path)
    return EventTable({name: frame[name].to_numpy(dtype) for name, dtype in COLUMNS.items()})
