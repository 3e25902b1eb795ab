"""Pages of TIFF files, each file opened once."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from noisylabels.data.errors import InputError


def read_pages(wanted: Sequence[tuple[Path, int]]) -> list[NDArray[Any]]:
    """Decode pages in the order wanted; neighbours in one file share its opening.

    Args:
        wanted: (file, page from 0) pairs.

    Returns:
        One (row, column) array per pair.

    Raises:
        FileNotFoundError: If a file is gone.
        InputError: If a file is torn, has no such page, or its page is not one grey picture.
    """
    pages: list[NDArray[Any]] = []
    for path, group in groupby(wanted, key=lambda pair: pair[0]):
        pages += _pages_of(path, [page for _, page in group])
    return pages


def _pages_of(path: Path, numbers: list[int]) -> list[NDArray[Any]]:
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            pages = [file.pages[number].asarray() for number in numbers]
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        msg = f"{path} must be a whole TIFF file, but it cannot be decoded ({error}). Copy it again from its source."
        raise InputError(msg) from error
    odd = next((page.shape for page in pages if page.ndim != 2), None)
    if odd is not None:
        msg = f"Pages of {path} must be (row, column), got shape {odd}. Export the channels as grey pictures."
        raise InputError(msg)
    return pages
