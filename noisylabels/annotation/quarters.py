"""Quarters: a field cut in four, the unit in which the paper's biologists corrected."""

from typing import NamedTuple

from noisylabels.data.errors import InputError


class Window(NamedTuple):
    """A half-open box of pixels."""

    row_min: int
    column_min: int
    row_max: int
    column_max: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rows and columns, to index an array with."""
        return slice(self.row_min, self.row_max), slice(self.column_min, self.column_max)


def cut_in_quarters(window: Window) -> tuple[Window, Window, Window, Window]:
    """Cut a window in four: top left, top right, bottom left, bottom right.

    With an odd side the halves differ by one pixel; every pixel lies in exactly one quarter.

    Args:
        window: At least two pixels high and wide.

    Raises:
        InputError: If it is smaller.

    Examples:
        >>> cut_in_quarters(Window(0, 0, 512, 680))[3]
        Window(row_min=256, column_min=340, row_max=512, column_max=680)
    """
    row_min, column_min, row_max, column_max = window
    if row_max - row_min < 2 or column_max - column_min < 2:
        msg = f"A field must be at least 2 x 2 pixels to be cut in quarters, got {window}. Leave it whole."
        raise InputError(msg)
    row, column = (row_min + row_max) // 2, (column_min + column_max) // 2
    return (
        Window(row_min, column_min, row, column),
        Window(row_min, column, row, column_max),
        Window(row, column_min, row_max, column),
        Window(row, column, row_max, column_max),
    )
