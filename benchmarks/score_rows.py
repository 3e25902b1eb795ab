"""Rows of a CSV table that a benchmark writes line by line, so that a second call goes on."""

import csv
from collections.abc import Sequence
from pathlib import Path

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    """Read the rows there are."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append(path: Path, row: Row, columns: Sequence[str]) -> None:
    """Write one more row."""
    new = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns)
        if new:
            writer.writeheader()
        writer.writerow(row)
