"""The table of predicted events beside label maps: `events.csv`, one row per event, with its probability."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.ids import check_name

EVENT_FILE = "events.csv"
NUMBERS = ("event", "class_index", "row_min", "column_min", "row_max", "column_max", "area_px")
COLUMNS = ("field", "event", "class_index", "class_name", *NUMBERS[2:], "probability")


def write_event_file(path: str | Path, fields: Mapping[str, EventTable], class_names: tuple[str, ...]) -> None:
    """Write the events of fields; rows of other fields that the file has already are kept.

    Args:
        path: `events.csv`; written whole or not at all.
        fields: By field: events in the order of `label_events` with `class_index`, the half-open box `row_min`,
            `column_min`, `row_max`, `column_max`, `area_px` (pixels) and `probability` in [0, 1].
        class_names: One name per class index, the background first.

    Raises:
        InputError: If a file is there that is no such table.

    Examples:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "events.csv"
        >>> box = {name: np.array([place]) for place, name in enumerate(NUMBERS)}
        >>> events = EventTable({**box, "probability": np.array([0.75])})
        >>> write_event_file(file, {"B07_f1": events}, ("background", "nucleus"))
        >>> print(file.read_text().splitlines()[1])
        B07_f1,0,1,nucleus,2,3,4,5,6,0.750000
    """
    whole = (read_event_file(path) if Path(path).is_file() else {}) | dict(fields)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for field in sorted(whole):
        table = whole[field]
        numbers = np.stack([table[name] for name in NUMBERS], axis=1).tolist() if len(table) else []
        for row, probability in zip(numbers, table["probability"].tolist(), strict=True):
            number, index, *place = (int(value) for value in row)
            writer.writerow([field, number, index, class_names[index], *place, f"{probability:.6f}"])
    write_text(path, stream.getvalue())


def read_event_file(path: str | Path) -> dict[str, EventTable]:
    """Read the events of every field that has any.

    Args:
        path: `events.csv`, as `noisylabels predict` writes it.

    Returns:
        By field: the columns that `write_event_file` takes.

    Raises:
        InputError: If it is no such table.
    """
    rows: dict[str, list[list[float]]] = {}
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames is None or not set(COLUMNS) <= set(reader.fieldnames):
                raise InputError(_fault(path, f"the columns {', '.join(reader.fieldnames or ()) or 'none'}"))
            for row in reader:
                numbers = [float(int(row[name])) for name in NUMBERS]
                rows.setdefault(check_name(row["field"], what="Fields", source=path), []).append(
                    [*numbers, _share(row["probability"])]
                )
    except (ValueError, TypeError, csv.Error) as error:
        raise InputError(_fault(path, f"a row that does not fit ({error})")) from None
    return {field: _table(np.array(values)) for field, values in rows.items()}


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        msg = f"probability {text}"
        raise ValueError(msg)
    return value


def _table(values: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> EventTable:
    whole = {name: values[:, place].astype(np.int64) for place, name in enumerate(NUMBERS)}
    return EventTable({**whole, "probability": values[:, -1]})


def _fault(path: str | Path, got: str) -> str:
    return f"{path} must be a table with the columns {', '.join(COLUMNS)}, got {got}. Predict again, or delete it."
