"""A plate at a glance: which wells were imaged, which fields lack planes."""

from collections.abc import Sequence
from typing import Any

from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Field
from noisylabels.plates.plate import Plate


def plate_map(plate: Plate) -> str:
    """Draw the plate: the number of fields per well, `.` for none, `!` where planes are missing.

    Examples:
        >>> from pathlib import Path
        >>> from noisylabels.plates.fields import TiffField
        >>> from noisylabels.plates.plate import Well
        >>> well = WellPosition(1, 2)
        >>> print(plate_map(Plate("P1", Path("P1"), "pattern", (2, 3), (Well(well, (TiffField("P1", well, 1, ()),)),))))
            01  02  03
        A    .   1   .
        B    .   .   .
    """
    rows, columns = plate.shape
    cells = {well.position: _cell(well.fields) for well in plate.wells}
    lines = ["   " + " ".join(f"{column:>3}" for column in (f"{n:02d}" for n in range(1, columns + 1)))]
    for row in range(1, rows + 1):
        positions = [WellPosition(row, column) for column in range(1, columns + 1)]
        shown = " ".join(f"{cells.get(position, '.'):>3}" for position in positions)
        lines.append(f"{positions[0].row_name:<2} {shown}")
    return "\n".join(lines)


def describe(plate: Plate) -> dict[str, Any]:
    """Collect what a machine wants to know of a plate, missing planes by name included."""
    fields = list(plate.fields)
    missing = [
        {
            "field": field.id,
            "channel": field.channels[plane.channel],
            "z": plane.z,
            "time": plane.time,
            "path": str(plane.path),
        }
        for field in fields
        for plane in field.missing
    ]
    return {
        "plate": plate.name,
        "format": plate.format,
        "folder": str(plate.folder),
        "rows": plate.shape[0],
        "columns": plate.shape[1],
        "wells": len(plate.wells),
        "fields": len(fields),
        "channels": list(plate.channels),
        "pixel_size_um": fields[0].pixel_size_um if fields else None,
        "missing": missing,
        "problems": list(plate.problems),
    }


def _cell(fields: Sequence[Field]) -> str:
    return f"{len(fields)}!" if any(field.missing for field in fields) else str(len(fields))
