"""Where a well lies on its plate."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from noisylabels.data.errors import InputError

MOST_ROWS, MOST_COLUMNS = 32, 48  # 1536 wells, the largest plate that is sold

PLATE_SHAPES = ((8, 12), (16, 24), (MOST_ROWS, MOST_COLUMNS))
"""(rows, columns) of plates with 96, 384 and 1536 wells."""

_NAME = re.compile(r"([A-Za-z]{1,2})0*([1-9]\d?)")
_IN_NAME = re.compile(r"(?:^|(?<=[_\-. ]))(?P<row>A?[A-Z])(?P<column>0[1-9]|[1-9]\d?)(?=[_\-. ]|$)")
_HARMONY = re.compile(r"(?:^|(?<=[_\-. ]))r(?P<row>\d{1,2})c(?P<column>\d{1,2})(?=[_\-. fp]|$)")
_AXES = "CFSTWZ"  # channel, field, site, time, wave, plane: B07_C01 is channel 1 of well B07


@dataclass(frozen=True, order=True)
class WellPosition:
    """Row and column of a well, both counted from 1 as instruments count them.

    Args:
        row: 1 for A, 2 for B, ... 27 for AA; at most 32.
        column: 1 to 48.

    Raises:
        InputError: If the position is on no plate that is sold.

    Examples:
        >>> WellPosition(2, 7).name, WellPosition.parse("b7"), WellPosition(27, 1).name
        ('B07', WellPosition(row=2, column=7), 'AA01')
    """

    row: int
    column: int

    def __post_init__(self) -> None:
        if not (1 <= self.row <= MOST_ROWS and 1 <= self.column <= MOST_COLUMNS):
            raise InputError(_off_plate(f"row {self.row}, column {self.column}"))

    @property
    def name(self) -> str:
        """Row letters and two-digit column: `B07`."""
        return f"{self.row_name}{self.column:02d}"

    @property
    def row_name(self) -> str:
        """Row letters: `B`; `AA` after `Z`."""
        first, second = divmod(self.row - 1, 26)
        return ("" if first == 0 else chr(64 + first)) + chr(65 + second)

    @classmethod
    def parse(cls, name: str) -> "WellPosition":
        """Read a well's name, with or without leading zeros.

        Raises:
            InputError: If it is no name of a well, or of a well that is on no plate.

        Examples:
            >>> WellPosition.parse("Z99")
            Traceback (most recent call last):
            ...
            noisylabels.data.errors.InputError: A well must lie in A01..AF48, got 'Z99'. \
Correct its name in the file or index.
        """
        match = _NAME.fullmatch(name.strip())
        if match is None:
            raise InputError(_off_plate(repr(name)))
        letters, column = match[1].upper(), int(match[2])
        row = ord(letters[-1]) - 64 + 26 * (ord(letters[0]) - 64 if len(letters) == 2 else 0)
        if row > MOST_ROWS or column > MOST_COLUMNS:
            raise InputError(_off_plate(repr(name)))
        return cls(row, column)


class Place(NamedTuple):
    """The plate and the well that a name tells, "" where it tells none."""

    plate: str
    well: str


def find_well(name: str) -> Place:
    """Find plate and well in the name of a field, a folder or a file without suffix.

    A well is a word of its own (`B07`, `AF48`, in capitals), or Harmony's `r02c03`. Of several words that could be one,
    those with two digits count first; a word behind another that begins with the letter of an axis (channel, field,
    site, time, wave, plane) is that axis; of what is left it is the last. What stands before it is the plate.

    Args:
        name: The name, as `plate1_B07_f3`.

    Returns:
        Plate and well, the well as `B07`; both empty when the name tells none.

    Examples:
        >>> find_well("P1_Q05_f3"), find_well("exp_C3_B07_f1").well, find_well("r02c03f01").well
        (Place(plate='P1', well='Q05'), 'B07', 'B03')
        >>> find_well("img_0001")
        Place(plate='', well='')
    """
    matches = [match for match in _IN_NAME.finditer(name) if _is_on_a_plate(match)]
    padded = [match for match in matches if len(match["column"]) == 2]
    among = padded or matches
    wells = among[:1] + [match for match in among[1:] if match["row"] not in _AXES]
    if wells:
        found = wells[-1]
        well = WellPosition.parse(found[0])
    else:
        harmony = _HARMONY.search(name)
        if harmony is None or not _is_on_a_plate(harmony):
            return Place("", "")
        found, well = harmony, WellPosition(int(harmony["row"]), int(harmony["column"]))
    return Place(name[: found.start()].rstrip("_-. "), well.name)


def _is_on_a_plate(match: re.Match[str]) -> bool:
    try:
        if match["row"].isdigit():
            WellPosition(int(match["row"]), int(match["column"]))
        else:
            WellPosition.parse(match[0])
    except InputError:
        return False
    return True


def _off_plate(got: str) -> str:
    return f"A well must lie in A01..AF48, got {got}. Correct its name in the file or index."


def plate_shape(wells: Iterable[WellPosition]) -> tuple[int, int]:
    """Find the smallest plate of 96, 384 or 1536 wells that holds these wells: its rows and columns.

    Examples:
        >>> plate_shape([WellPosition(2, 7)]), plate_shape([WellPosition(9, 1)])
        ((8, 12), (16, 24))
    """
    positions = list(wells)
    rows = max((well.row for well in positions), default=1)
    columns = max((well.column for well in positions), default=1)
    return next(shape for shape in PLATE_SHAPES if rows <= shape[0] and columns <= shape[1])
