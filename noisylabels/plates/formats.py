"""One door to every plate format: the folder itself tells which reader it needs."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.plates import cv8000, flex, harmony, imagexpress, omezarr, pattern
from noisylabels.plates.plate import Plate

FORMATS: dict[str, Callable[[Path], Plate]] = {
    "omezarr": omezarr.read_omezarr,
    "harmony": harmony.read_harmony,
    "cv8000": cv8000.read_cv8000,
    "imagexpress": imagexpress.read_imagexpress,
    "flex": flex.read_flex,
}
"""Reader by format. Plain TIFF files need a naming pattern and are not among them."""


def open_plates(folder: str | Path, *, pattern: str | None = None) -> tuple[Plate, ...]:
    """Find every plate in a folder: one export, or a screen of several.

    Args:
        folder: A plate, or a folder that holds plates at any depth.
        pattern: Naming pattern of plain TIFF files, such as `{plate}/{well}_f{field}_c{channel}.tif`; when None the
            format is recognised.

    Returns:
        The plates, sorted by name. Plates of equal names are told apart by their folders.

    Raises:
        FileNotFoundError: If the folder does not exist.
        PermissionError: If the folder cannot be listed.
        InputError: If it holds no plate that can be read.
    """
    root = Path(folder)
    _refuse_unreadable(root)
    if pattern is not None:
        return _by_pattern(root, pattern)
    found = [FORMATS[kind](place) for place, kind in _plate_folders(root)]
    if not found:
        msg = (
            f"{root} must hold a plate ({', '.join(FORMATS)}), got none of them. "
            "For plain TIFF files give --pattern, such as '{plate}/{well}_f{field}_c{channel}.tif'."
        )
        raise InputError(msg)
    return tuple(sorted(_told_apart(found), key=lambda plate: plate.name))


def open_plate(folder: str | Path, *, pattern: str | None = None) -> Plate:
    """Open the one plate of a folder.

    Args:
        folder: The plate.
        pattern: As in `open_plates`.

    Raises:
        InputError: As `open_plates`, or if there are several plates.
    """
    plates = open_plates(folder, pattern=pattern)
    if len(plates) > 1:
        names = ", ".join(plate.name for plate in plates)
        msg = f"{folder} must hold one plate, got {len(plates)} ({names}). Give the folder of one of them."
        raise InputError(msg)
    return plates[0]


def _by_pattern(root: Path, naming: str) -> tuple[Plate, ...]:
    return pattern.read_pattern(root, naming)


def _refuse_unreadable(root: Path) -> None:
    try:
        next(root.iterdir(), None)
    except PermissionError as error:
        msg = f"{root} must be readable, but permission is denied. Ask its owner for read access."
        raise PermissionError(msg) from error
    except FileNotFoundError as error:
        msg = f"{root} must be a plate's folder, but it does not exist. Check the path."
        raise FileNotFoundError(msg) from error
    except NotADirectoryError as error:
        msg = f"{root} must be a plate's folder, got a file. Give the folder that holds it."
        raise InputError(msg) from error


def _plate_folders(root: Path) -> Iterator[tuple[Path, str]]:
    for parent, folders, files in os.walk(root):
        place = Path(parent)
        kind = _recognise(place, files)
        if kind:
            folders.clear()
            yield place, kind
        folders.sort()


def _recognise(place: Path, files: list[str]) -> str | None:
    if ("zarr.json" in files or ".zattrs" in files) and omezarr.is_omezarr_plate(place):
        return "omezarr"
    if any(name in files for name in harmony.INDEX_NAMES):
        return "harmony"
    if cv8000.INDEX_NAME in files:
        return "cv8000"
    suffixes = {Path(name).suffix.lower() for name in files}
    return "imagexpress" if ".htd" in suffixes else "flex" if ".flex" in suffixes else None


def _told_apart(plates: list[Plate]) -> Iterator[Plate]:
    counts = Counter(plate.name for plate in plates)
    for plate in plates:
        yield plate if counts[plate.name] == 1 else _renamed(plate, f"{plate.name} {plate.folder.name}")


def _renamed(plate: Plate, name: str) -> Plate:
    wells = tuple(
        replace(well, fields=tuple(replace(found, plate=name) for found in well.fields)) for well in plate.wells
    )
    return replace(plate, name=name, wells=wells)
