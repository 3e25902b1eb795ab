"""A full disk, distinguished from every other error, in one sentence."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from noisylabels.data.errors import InputError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WORDS = tuple(os.strerror(code) for code in FULL)


class DiskFullError(OSError):
    """A disk is full: no use going on."""

    def __str__(self) -> str:
        """Return the sentence without the number of the error."""
        return str(self.strerror)


class writing:  # reads as a statement
    """Distinguish a full disk from other errors: `with writing(folder): ...`.

    Args:
        folder: Where is written, for the sentence.
        advice: What running the same command again does.

    Raises:
        DiskFullError: If the disk, or the user's share of it, is full.

    Examples:
        >>> with writing("results"):
        ...     raise OSError(errno.ENOSPC, "No space left on device")
        Traceback (most recent call last):
        ...
        noisylabels.data.disk.DiskFullError: The disk of results must have room, but it is full. Free some and run the \
same command again: it takes up where this stopped.
    """

    def __init__(self, folder: str | Path, *, advice: str = "it takes up where this stopped") -> None:
        self.folder, self.advice = folder, advice

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Translate."""
        if isinstance(error, Exception) and not isinstance(error, DiskFullError) and is_disk_full(error):
            msg = (
                f"The disk of {self.folder} must have room, but it is full. "
                f"Free some and run the same command again: {self.advice}."
            )
            raise DiskFullError(errno.ENOSPC, msg) from error


def is_disk_full(error: BaseException) -> bool:
    """Distinguish a full disk, or one that was met on the way to this error, from any other.

    HDF5 and Arrow raise errors of their own, which only quote the operating system's words.

    Examples:
        >>> is_disk_full(OSError(errno.ENOSPC, "No space left on device")), is_disk_full(OSError("torn"))
        (True, False)
    """
    return any(_names_it(one) for one in _met(error))


def _names_it(error: BaseException) -> bool:
    if isinstance(error, DiskFullError) or (isinstance(error, OSError) and error.errno in FULL):
        return True
    return isinstance(error, OSError | RuntimeError) and any(word in str(error) for word in _WORDS)


def _met(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None and not isinstance(error, InputError):
        yield error
        error = error.__cause__ or error.__context__
