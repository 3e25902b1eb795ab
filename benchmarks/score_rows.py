"""Rows of a CSV table that a benchmark writes line by line, so that a second call goes on."""

import csv
from collections.abc import Callable, Iterable, Sequence
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


def complete(
    path: Path, columns: Sequence[str], keys: Iterable[Sequence[object]], measure: Callable[..., Sequence[float]]
) -> None:
    """Measure what has no row yet; each is written and printed as soon as it is there.

    Args:
        path: The table.
        columns: Its columns, those of a key first.
        keys: What there is to measure.
        measure: Takes the values of a key; returns those of the other columns.
    """
    rows = read(path)
    for key in keys:
        about = dict(zip(columns, map(str, key), strict=False))
        if not any(about.items() <= row.items() for row in rows):
            values = (f"{value:.4f}" for value in measure(*key))
            row = about | dict(zip(columns[len(about) :], values, strict=True))
            append(path, row, columns)
            print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
