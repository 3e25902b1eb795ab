"""Tables of an OME-Zarr field as ngio and Fractal read them: under `tables/<name>`, listed last, never overwritten.

The form is that of Fractal's tables, version 1 (fractal-analytics-platform.github.io/ngio/stable/table_specs): a group
whose attributes tell type and backend, and one Parquet file.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from noisylabels.data.errors import InputError
from noisylabels.plates.multiscale import appearing, write_group
from noisylabels.plates.omezarr import read_attributes

if TYPE_CHECKING:
    import pyarrow as pa

GENERIC = {"table_version": "1", "type": "generic_table", "backend": "parquet", "index_key": None, "index_type": None}


def write_field_table(folder: str | Path, table: "pa.Table", *, name: str) -> Path:
    """Add a table to a field of an OME-Zarr 0.5 plate. The list of tables is written last.

    Args:
        folder: The field.
        table: Any rows. Not modified.
        name: Names are used once.

    Returns:
        The folder of the table.

    Raises:
        InputError: If the name is taken.
    """
    import pyarrow.parquet as pq

    field = Path(folder)
    target = field / "tables" / name
    if name in list_tables(field):
        msg = f"A table's name must be new, but {target} is there. Nothing is overwritten: choose another name."
        raise InputError(msg)
    if not target.exists():  # else a run ended before the last step
        with appearing(target) as temporary:
            pq.write_table(table, temporary / "table.parquet")
            write_group(temporary, GENERIC)
    write_group(field / "tables", {"tables": [*list_tables(field), name]})
    return target


def list_tables(folder: str | Path) -> list[str]:
    """List the names of a field's tables."""
    names: list[str] = read_attributes(Path(folder) / "tables").get("tables", [])
    return names
