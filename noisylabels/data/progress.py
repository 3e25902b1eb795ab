"""Progress where nobody looks at a terminal: a line now and then."""

import sys
from collections.abc import Callable
from time import monotonic

LINE_EVERY_S = 30.0
"""Between two lines of progress."""


def count_in_lines(name: str, total: int | None) -> Callable[[], None]:
    """Return what counts one item and, half a minute after the last line, prints another to standard error.

    Args:
        name: What passes.
        total: How many there will be; None if nobody knows.

    Examples:
        >>> advance = count_in_lines("fields", 9)
        >>> advance()  # the first half minute is silent
    """
    done, written = 0, monotonic()

    def advance() -> None:
        nonlocal done, written
        done += 1
        if monotonic() - written >= LINE_EVERY_S:
            written = monotonic()
            sys.stderr.write(f"{name}: {done} of {total}\n" if total else f"{name}: {done}\n")

    return advance
