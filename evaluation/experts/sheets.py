"""Sheets: small CSV tables that people write; all their faults are listed at once, one line each."""

import csv
from collections.abc import Sequence
from pathlib import Path

from noisylabels.data.errors import InputError

MOST_FAULTS = 50  # listed; the rest is counted


def read_rows(path: str | Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a sheet as text.

    Args:
        path: CSV with a head row.
        columns: Heads that must be there; others are read too.

    Returns:
        One mapping per row, cells stripped; the first stands in line 2 of the sheet.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If a column is missing, or there is no row.
    """
    if not Path(path).is_file():
        msg = f"{path} must be a sheet (CSV), but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        heads = [head for head in reader.fieldnames or [] if head]
        lacking = [name for name in columns if name not in heads]
        if lacking:
            there = ", ".join(heads) or "none"
            msg = f"{path} must have the columns {', '.join(columns)}, got {there}. Add {', '.join(lacking)}."
            raise InputError(msg)
        rows = [{name: (row[name] or "").strip() for name in heads} for row in reader]
    if not rows:
        msg = f"{path} must have at least one row below its head, got none. Fill it in."
        raise InputError(msg)
    return rows


def refuse_faults(faults: Sequence[str], *, source: str) -> None:
    """Raise all faults of a sheet at once, one line each.

    Args:
        faults: One phrase each; nothing happens when there is none.
        source: What to call the sheet.

    Raises:
        InputError: If there is a fault.

    Examples:
        >>> refuse_faults(["row 2: score must be a whole number from 1 to 10, got '11'"], source="a.csv")
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: a.csv has 1 faults:
        row 2: score must be a whole number from 1 to 10, got '11'
        Correct them and read the sheet again.
    """
    if not faults:
        return
    more = [f"... and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
    lines = [f"{source} has {len(faults)} faults:", *faults[:MOST_FAULTS], *more]
    raise InputError("\n".join([*lines, "Correct them and read the sheet again."]))
