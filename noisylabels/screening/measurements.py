"""From records to tables: one row per event, per field, per well. Sums are kept, so every mean can be made again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noisylabels.data.atomic import replacing
from noisylabels.data.errors import InputError
from noisylabels.plates.fields import Field
from noisylabels.screening.parents import Parents, parent_tables, require_some, well_counts
from noisylabels.screening.screen import Screen
from noisylabels.screening.store import Record

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

GROUP_ROWS, GROUP_FIELDS = 64_000, 4_000
FEW_ROWS, FEW_FIELDS = 2_000, 100
"""Fields' tables are joined by so many first: a table of 24 rows takes 50 kB of memory, most of it not of its rows."""
KEYS = ("plate", "well", "row", "column")


@dataclass(frozen=True)
class Tables:
    """The measurements of a run.

    Args:
        fields: One row per field, failed ones too.
        wells: One row per well with at least one field.
        n_events: How many events `write_events` wrote.
        n_parents: How many parents were measured; None if nobody asked.
    """

    fields: "pd.DataFrame"
    wells: "pd.DataFrame"
    n_events: int
    n_parents: int | None = None


def measure_screen(
    screen: Screen, folder: Path, *, layout: "pd.DataFrame | None" = None, parents: Parents | None = None
) -> Tables:
    """Measure a run: write `events`, `fields` and `wells` as Parquet and CSV, and `parents` where there are some.

    Args:
        screen: The run.
        folder: Where the tables go; each appears whole or not at all.
        layout: What each well was treated with; see `noisylabels.screening.layout`.
        parents: The nuclei or cells that events are counted in; see `noisylabels.screening.parents`.

    Raises:
        InputError: If no field is done, none has parents, or the layout's columns clash with measurements.
    """
    n_events = write_events(screen, folder)
    fields, classes = field_table(screen), screen.job.method.classes.foreground
    wells, n_parents = well_table(fields, classes), None
    if parents is not None:
        sums: list[dict[str, Any]] = []
        n_parents = write_rows(parent_tables(screen, parents, sums), folder / "parents")
        require_some(sums, parents.store.folder)
        wells = wells.merge(well_counts(sums, classes), on=list(KEYS), how="left", validate="one_to_one")
    if layout is not None:
        fields, wells = join_layout(fields, layout), join_layout(wells, layout)
    for name, table in (("fields", fields), ("wells", wells)):
        write_table(table, folder / name)
    return Tables(fields, wells, n_events, n_parents)


def write_events(screen: Screen, folder: Path) -> int:
    """Write the events of all fields that are done, field by field: memory does not grow with the screen.

    Returns:
        The number of events.

    Raises:
        InputError: If no field is done.
    """
    total = write_rows(_event_tables(screen), folder / "events")
    if total is None:
        counts = screen.count_states()
        got = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        why = " Stale: done with other settings, another model or code." if counts["stale"] else ""
        msg = f"{screen.store.folder} must have a field that is done, got {got}. Give screen run again.{why}"
        raise InputError(msg)
    return total


def write_rows(tables: Iterator["pa.Table"], path: Path) -> int | None:
    """Write tables of Arrow below each other, as `path`.parquet and `path`.csv, each whole or not at all.

    Returns:
        The number of rows; None, and no file, if there is no table.
    """
    import pyarrow.parquet as pq
    from pyarrow import csv

    gathered = _gathered(_gathered(tables, rows=FEW_ROWS, number=FEW_FIELDS))
    first = next(gathered, None)
    if first is None:
        return None
    schema, gathered, total = first.schema, chain([first], gathered), 0
    del first  # or it stays while all others are written
    with (
        replacing(path.with_name(path.name + ".parquet")) as parquet_path,
        replacing(path.with_name(path.name + ".csv")) as text_path,
        pq.ParquetWriter(parquet_path, schema) as parquet,
        csv.CSVWriter(text_path, schema) as text,
    ):
        for table in gathered:
            parquet.write_table(table)
            text.write_table(table)
            total += table.num_rows
    return total


def field_table(screen: Screen) -> "pd.DataFrame":
    """Collect one row per field.

    Columns: plate, well, row, column, field, method, state, message; shape and pixel size; per class `n_<class>` events
    and `area_px_<class>`; per channel the image's mean, quantiles and sharpness; per channel and class
    `sum_mean_<channel>_<class>`, the sum over events of their mean intensity. Fields that failed have no counts.
    """
    import pandas as pd

    rows = [_field_row(field, state, screen) for field, state in screen.survey()]
    table = pd.DataFrame(rows)
    counted = [name for name in table.columns if name.startswith(("n_", "area_px_"))]
    return table.astype(dict.fromkeys(counted, "Int64"))


def well_table(fields: "pd.DataFrame", classes: Sequence[str]) -> "pd.DataFrame":
    """Sum fields up to wells and take the ratios that are read.

    Args:
        fields: The table of `field_table`.
        classes: The foreground classes.

    Returns:
        One row per well: `n_fields` done, `n_fields_failed`, per class `n_<class>`, `per_field_<class>`,
        `mean_area_px_<class>`, `area_fraction_<class>` (of the imaged area), `fraction_<class>` (of all events: the
        phase fractions, the read-out of flux), `mean_<channel>_<class>`, and per channel the mean over fields of the
        image's mean and sharpness. Undefined ratios (no event, no field) are empty.
    """
    import pandas as pd

    done = fields[fields["state"] == "done"]
    grouped = done.groupby(list(KEYS), sort=True)
    sums = grouped[[name for name in done.columns if name.startswith(("n_", "area_px_", "sum_mean_", "pixels"))]].sum()
    means = grouped[[name for name in done.columns if name.startswith(("image_mean_", "image_sharpness_"))]].mean()
    n_all = sums[[f"n_{name}" for name in classes]].sum(axis=1).astype(float)
    made: dict[str, Any] = {"n_fields": grouped.size().astype("Int64")}
    for name in classes:
        n_events = sums[f"n_{name}"].astype(float)
        made[f"n_{name}"] = sums[f"n_{name}"]
        made[f"per_field_{name}"] = n_events / grouped.size()
        made[f"fraction_{name}"] = n_events / n_all
        made[f"mean_area_px_{name}"] = sums[f"area_px_{name}"].astype(float) / n_events
        made[f"area_fraction_{name}"] = sums[f"area_px_{name}"].astype(float) / sums["pixels"].astype(float)
        for column in (one for one in sums.columns if one.startswith("sum_mean_") and one.endswith(f"_{name}")):
            made[column.removeprefix("sum_")] = sums[column] / n_events
    wells = pd.DataFrame(made).join(means)
    failed = fields[fields["state"] == "failed"].groupby(list(KEYS)).size().rename("n_fields_failed")
    together = wells.join(failed, how="outer").reset_index()
    together["n_fields"] = together["n_fields"].fillna(0)
    together["n_fields_failed"] = together["n_fields_failed"].fillna(0).astype("Int64")
    return together


def join_layout(table: "pd.DataFrame", layout: "pd.DataFrame") -> "pd.DataFrame":
    """Add what each well was treated with; wells that the layout does not name stay, with empty entries.

    Raises:
        InputError: If a column of the layout has the name of a measurement.
    """
    keys = ["plate", "well"] if "plate" in layout.columns else ["well"]
    clash = sorted(set(layout.columns) & set(table.columns) - set(keys))
    if clash:
        msg = f"Columns of the layout must not be named as measurements, got {', '.join(clash)}. Rename them."
        raise InputError(msg)
    joined = table.merge(layout, on=keys, how="left", validate="many_to_one")
    added = [name for name in layout.columns if name not in keys]
    return joined[[*KEYS, *added, *(name for name in table.columns if name not in KEYS)]]


def write_table(table: "pd.DataFrame", path: Path) -> None:
    """Write a table as `path`.parquet and `path`.csv, each whole or not at all."""
    with replacing(path.with_name(path.name + ".parquet")) as temporary:
        table.to_parquet(temporary, index=False)
    with replacing(path.with_name(path.name + ".csv")) as temporary:
        table.to_csv(temporary, index=False)


def _gathered(
    tables: Iterator["pa.Table"], *, rows: int = GROUP_ROWS, number: int = GROUP_FIELDS
) -> Iterator["pa.Table"]:
    """Join small tables: each group of rows that is written costs memory until the file is closed."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    n_rows = 0
    for table in tables:
        waiting.append(table)
        n_rows += table.num_rows
        if n_rows >= rows or len(waiting) >= number:
            joined, waiting, n_rows = pa.concat_tables(waiting).combine_chunks(), [], 0
            yield joined
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def read_events(screen: Screen, field: Field) -> "pa.Table":
    """Read the events of a field that is done.

    Returns:
        One row per event: plate, well, field, method, class, and what was measured.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(screen.job.method.classes)
    events = pq.ParquetFile(screen.store.path(field, ".events.parquet")).read()
    classes = [names[index] for index in events["class_index"].to_pylist()]
    first = {"plate": field.plate, "well": field.well.name, "field": field.number, "method": screen.job.method.name}
    columns = {name: pa.array([value] * events.num_rows, _arrow_type(value)) for name, value in first.items()}
    return pa.table({**columns, "class": pa.array(classes, pa.string()), **dict(_columns(events))})


def _event_tables(screen: Screen) -> Iterator["pa.Table"]:
    return (read_events(screen, field) for field, state in screen.survey() if state == "done")


def _columns(events: "pa.Table") -> Iterator["tuple[str, pa.ChunkedArray]"]:
    import pyarrow as pa

    for name in events.column_names:
        # One type over all fields: flat-field correction or not, an empty field or not.
        wanted = pa.float64() if pa.types.is_floating(events[name].type) else pa.int64()
        yield name, events[name].cast(wanted)


def _arrow_type(value: object) -> "pa.DataType":
    import pyarrow as pa

    return pa.int64() if isinstance(value, int) else pa.string()


def _field_row(field: Field, state: str, screen: Screen) -> dict[str, object]:
    row: dict[str, object] = {
        "plate": field.plate,
        "well": field.well.name,
        "row": field.well.row,
        "column": field.well.column,
        "field": field.number,
        "method": screen.job.method.name,
        "state": state,
        "message": "",
    }
    record = screen.store.read_record(field) if state in ("done", "failed") else None
    if record is None:
        return row
    if state == "failed":
        return {**row, "message": record["error"]["message"]}
    return {**row, **_measured(field, record)}


def _measured(field: Field, record: Record) -> dict[str, object]:
    rows, columns = record["shape"]
    counts: Mapping[str, Mapping[str, int]] = record["counts"]
    measured: dict[str, object] = {"pixels": rows * columns, "pixel_size_um": field.pixel_size_um}
    for name, count in counts.items():
        measured |= {f"n_{name}": count["events"], f"area_px_{name}": count["pixels"]}
        for channel in record["image"]:
            measured[f"sum_mean_{channel}_{name}"] = record["sums"][name][channel]
    for channel, described in record["image"].items():
        measured |= {f"image_{key}_{channel}": value for key, value in described.items()}
    return measured
