"""Where a well lies on its plate."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from noisylabels.data.errors import InputError

MOST_ROWS, MOST_COLUMNS = 32, 48  # 1536 wells, the largest plate that is sold

_NAME = re.compile(r"([A-Za-z]{1,2})0*([1-9]\d?)")


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
    shapes = ((8, 12), (16, 24), (MOST_ROWS, MOST_COLUMNS))
    return next(shape for shape in shapes if rows <= shape[0] and columns <= shape[1])
