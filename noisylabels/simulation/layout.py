"""Layouts: which well of a plate gets which treatment, and which fields are taken."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.data.keys import combine_keys, generator
from noisylabels.data.wells import WellPosition
from noisylabels.simulation.plate import TREATMENTS
from noisylabels.simulation.settings import PlateSettings

Layout = Mapping[str, tuple[str, float]]
"""Condition and dose by well."""

DOSED = ("starvation", "bafilomycin")
"""Treatments of the layout `dose-response`: upper and lower half of the plate."""


@dataclass(frozen=True)
class PlannedField:
    """One field to simulate.

    Args:
        id: Its name: plate, well and field.
        plate: Name of the plate.
        well: Name of the well.
        field: Number in the well, from 1.
        condition: Treatment of the well.
        dose: Its strength.
    """

    id: str
    plate: str
    well: str
    field: int
    condition: str
    dose: float


def lay_out(name: str, plate: PlateSettings) -> Layout:
    """Return every well of a plate its treatment.

    Args:
        name: `untreated`; `treatments` (column by column, all of `TREATMENTS` in turn); `dose-response` (doses rise
            from 0 in the first column to 1 in the last, upper half starvation, lower half bafilomycin); or the path
            of a CSV file with the columns well, condition and dose (0..1).
        plate: Rows and columns.

    Raises:
        InputError: If the name is none of these, or the file lacks a column or names an unknown treatment or well.

    Examples:
        >>> lay_out("dose-response", PlateSettings(rows=2, columns=3))["B02"]
        ('bafilomycin', 0.5)
    """
    if name.endswith(".csv"):
        return _read_layout(Path(name))
    layouts = {"untreated": _untreated, "treatments": _treatments, "dose-response": _dose_response}
    if name not in layouts:
        msg = f"A layout must be one of {', '.join(layouts)} or a .csv file, got {name!r}. Use a name of the list."
        raise InputError(msg)
    return {
        WellPosition(row + 1, column + 1).name: layouts[name](row, column, plate)
        for row in range(plate.rows)
        for column in range(plate.columns)
    }


def plan_fields(
    layout: Layout, *, n_fields: int, seed: int, plate: str = "P1", fields_per_well: int | None = None
) -> list[PlannedField]:
    """Choose wells at random and number the fields in each.

    Args:
        layout: Treatments by well.
        n_fields: How many fields.
        seed: Seed of the screen; the same seed gives the same wells, and more fields keep the earlier ones.
        plate: Name of the plate.
        fields_per_well: Fields taken in a well before the next; as few as the plate allows when None.

    Raises:
        InputError: If there are too few wells, or a number is below 1.

    Examples:
        >>> [field.id for field in plan_fields({"A01": ("untreated", 1.0)}, n_fields=2, seed=0)]
        ['P1_A01_f1', 'P1_A01_f2']
    """
    each = -(-n_fields // len(layout)) if fields_per_well is None else fields_per_well
    if n_fields < 1 or each < 1:
        msg = f"There must be at least one field, got {n_fields} fields, {each} in a well. Ask for more."
        raise InputError(msg)
    if n_fields > each * len(layout):
        msg = f"{len(layout)} wells of {each} fields must hold {n_fields} fields. Take more fields per well."
        raise InputError(msg)
    wells = sorted(layout)
    order = generator(combine_keys(seed, plate, "wells")).permutation(len(wells))
    planned = []
    for index in range(n_fields):
        well, field = wells[order[index // each]], index % each + 1
        condition, dose = layout[well]
        planned.append(PlannedField(f"{plate}_{well}_f{field}", plate, well, field, condition, dose))
    return planned


def plan_plates(
    layout: Layout, *, n_plates: int, n_fields: int, seed: int, fields_per_well: int | None = None
) -> list[PlannedField]:
    """Plan the fields of several plates of one layout, as many on each.

    Args:
        layout: Treatments by well.
        n_plates: How many plates, P1, P2, ...
        n_fields: How many fields on all of them; the first plates take one more where it does not divide.
        seed: Seed of the screen.
        fields_per_well: As in `plan_fields`.

    Raises:
        InputError: If there are fewer fields than plates, or too few wells.

    Examples:
        >>> [field.id for field in plan_plates({"A01": ("untreated", 1.0)}, n_plates=2, n_fields=2, seed=0)]
        ['P1_A01_f1', 'P2_A01_f1']
    """
    if not 1 <= n_plates <= n_fields:
        msg = f"There must be a plate, and a field for each, got {n_plates} plates and {n_fields} fields. Ask for more."
        raise InputError(msg)
    planned = []
    for plate in range(n_plates):
        here = n_fields // n_plates + (plate < n_fields % n_plates)
        name = f"P{plate + 1}"
        planned += plan_fields(layout, n_fields=here, seed=seed, plate=name, fields_per_well=fields_per_well)
    return planned


def _untreated(row: int, column: int, plate: PlateSettings) -> tuple[str, float]:  # noqa: ARG001 - one signature
    return "untreated", 0.0


def _treatments(row: int, column: int, plate: PlateSettings) -> tuple[str, float]:  # noqa: ARG001 - one signature
    names = list(TREATMENTS)
    return names[column % len(names)], 1.0


def _dose_response(row: int, column: int, plate: PlateSettings) -> tuple[str, float]:
    condition = DOSED[0] if 2 * row < plate.rows else DOSED[1]
    return condition, column / max(1, plate.columns - 1)


def _read_layout(path: Path) -> Layout:
    if not path.is_file():
        msg = f"{path} must be a layout table, but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    layout: dict[str, tuple[str, float]] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            layout |= _read_row(row, f"{path}, line {number},")
    if not layout:
        msg = f"{path} must have at least one row below its heading, got none. Add wells."
        raise InputError(msg)
    return layout


def _read_row(row: Mapping[str, str], where: str) -> dict[str, tuple[str, float]]:
    missing = [name for name in ("well", "condition", "dose") if row.get(name) in (None, "")]
    if missing:
        msg = f"{where} must have the columns well, condition and dose, got none for {missing}. Fill them in."
        raise InputError(msg)
    if row["condition"] not in TREATMENTS:
        msg = f"{where} must name one of {', '.join(TREATMENTS)}, got {row['condition']!r}. Correct the condition."
        raise InputError(msg)
    try:
        dose = float(row["dose"])
    except ValueError:
        dose = -1.0
    if not 0 <= dose <= 1:
        msg = f"{where} must have a dose in [0, 1], got {row['dose']!r}. 1 is the full effect."
        raise InputError(msg)
    return {WellPosition.parse(row["well"]).name: (row["condition"], dose)}
