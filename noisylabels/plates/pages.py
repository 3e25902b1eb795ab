"""Pages of TIFF files and whole PNG pictures, each file opened once and strictly."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.images import invert, read_image
from noisylabels.data.tiff import TiffLayout, is_white_zero, open_tiff, pictures_of, read_layout

ONE_PICTURE = TiffLayout({(0, 0, 0): 0})


def read_file_layout(path: Path) -> TiffLayout:
    """Read how a file is laid out; what is no TIFF is one picture.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is torn or lacks a page that its header promises.
    """
    return read_layout(path) if _is_tiff(path) else ONE_PICTURE


def read_pages(wanted: Sequence[tuple[Path, int]]) -> list[RealArray]:
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


def _pages_of(path: Path, numbers: list[int]) -> list[RealArray]:
    if not _is_tiff(path):
        whole = read_image(path)
        return [_grey(whole[0] if len(whole) == 1 else whole, path)]
    with open_tiff(path) as file:
        pages = [_grey(page, path) for page in pictures_of(file, numbers)]
        white = is_white_zero(file)
    return [invert(page, source=path) for page in pages] if white else pages


def _grey(page: RealArray, path: Path) -> RealArray:
    if page.ndim != 2:
        msg = f"Pages of {path} must be (row, column), got shape {page.shape}. Export the channels as grey pictures."
        raise InputError(msg)
    return page


def _is_tiff(path: Path) -> bool:
    return not path.name.lower().endswith(".png")
