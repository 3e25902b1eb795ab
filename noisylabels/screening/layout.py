"""What each well was treated with: a CSV of a person's making."""

from pathlib import Path
from typing import TYPE_CHECKING

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition

if TYPE_CHECKING:
    import pandas as pd

COLUMN_NAMES = ("column", "col")
MOST_TOLD = 5


def read_layout(path: str | Path) -> "pd.DataFrame":
    """Read a treatment layout.

    Args:
        path: CSV with commas, semicolons or tabs. Columns `well` (`B07`), or `row` (a letter or a number) and `column`
            (or `col`); `plate` if plates differ; every other column is a treatment and kept as it is.

    Returns:
        One row per well: `plate` (if given), `well`, treatments.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If wells are not named, are named twice, or are on no plate; all faults in one message.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, sep=None, engine="python", dtype={"plate": str, "well": str, "row": str})
    except FileNotFoundError as error:
        msg = f"{path} must be a treatment layout, but it does not exist. Check the path."
        raise FileNotFoundError(msg) from error
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        msg = f"{path} must be a CSV table, but it cannot be read ({error}). Save it as CSV."
        raise InputError(msg) from error
    table.columns = [str(name).strip() for name in table.columns]
    names, faults = _well_names(table, Path(path))
    place = [name for name in ("well", "row", *COLUMN_NAMES) if name in table.columns]
    table = table.drop(columns=place).assign(well=pd.Series(names, dtype=object))
    keys = [name for name in ("plate", "well") if name in table.columns]
    twice = table[table.duplicated(keys) & table["well"].notna()]
    faults += [f"{' '.join(map(str, row))} is listed twice" for row in twice[keys].itertuples(index=False)]
    if faults:
        more = f"; and {len(faults) - MOST_TOLD} more" if len(faults) > MOST_TOLD else ""
        msg = f"{path} must name each well once: {'; '.join(faults[:MOST_TOLD])}{more}. Correct these lines."
        raise InputError(msg)
    return table[[*keys, *(name for name in table.columns if name not in keys)]]


def _well_names(table: "pd.DataFrame", path: Path) -> tuple[list[str | None], list[str]]:
    column = next((name for name in COLUMN_NAMES if name in table.columns), None)
    if "well" in table.columns:
        texts = [str(text) for text in table["well"]]
    elif "row" in table.columns and column is not None:
        texts = [f"{row}|{number}" for row, number in zip(table["row"], table[column], strict=True)]
    else:
        msg = f"{path} must have the column well, or row and column, got {', '.join(table.columns)}. Add it."
        raise InputError(msg)
    names: list[str | None] = []
    faults = []
    for number, text in enumerate(texts, 2):
        try:
            names.append(_position(text).name)
        except (InputError, ValueError):
            names.append(None)
            faults.append(f"line {number} has {text.replace('|', ' ')!r}, no well in A01..AF48")
    return names, faults


def _position(text: str) -> WellPosition:
    row, bar, column = text.partition("|")
    if not bar:
        return WellPosition.parse(text)
    number = int(float(column))
    return WellPosition(int(row), number) if row.strip().isdigit() else WellPosition.parse(f"{row.strip()}{number:02d}")
