"""One door to every plate format: the folder itself tells which reader it needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.plates import cv8000, flex, harmony, imagexpress, omezarr
from noisylabels.plates.gathering import is_hidden
from noisylabels.plates.names import name_plates
from noisylabels.plates.omezarr_remote import RemoteZarrField
from noisylabels.plates.pattern import read_pattern
from noisylabels.plates.plate import Choice, Plate
from noisylabels.plates.recognition import NONE, recognise
from noisylabels.plates.remote import Place, RemoteFolder, address_of

MOST_TOLD = 3

FORMATS: dict[str, Callable[[Path, Choice], Plate]] = {
    "omezarr": lambda folder, _: omezarr.read_omezarr(folder),
    "harmony": harmony.read_harmony,
    "cv8000": cv8000.read_cv8000,
    "imagexpress": imagexpress.read_imagexpress,
    "flex": lambda folder, _: flex.read_flex(folder),
}
"""Reader by format. Plain TIFF files need a naming pattern and are not among them."""


def open_plates(folder: str | Path, *, pattern: str | None = None, choice: Choice | None = None) -> tuple[Plate, ...]:
    """Find every plate in a folder: one export, or a screen of several.

    Args:
        folder: A plate, or a folder that holds plates at any depth.
        pattern: Naming pattern of plain TIFF files, such as `{plate}/{well}_f{field}_c{channel}.tif`; when None the
            format is recognised.
        choice: What to read where an export holds several pictures of a plane; the latest focal planes when None.

    Returns:
        The plates, sorted by name. Names are plain and all different: plates of equal names are told apart by the first
        part of their path that differs. What cannot be read does not stop the others: it stands among the `problems`
        of the first plate.

    Raises:
        FileNotFoundError: If the folder does not exist.
        PermissionError: If the folder cannot be listed.
        InputError: If it holds no plate that can be read.
    """
    if address := address_of(folder):
        return name_plates([_remote(RemoteFolder(address), pattern)], Path(address))
    root = Path(folder)
    _refuse_unreadable(root)
    if pattern is not None:
        return name_plates(read_pattern(root, pattern), root)
    found: list[Plate] = []
    left_out: list[str] = []
    for place, kind in _places(root, left_out):
        try:
            found.append(_guarded(kind, place, choice or Choice()))
        except (InputError, OSError) as error:
            left_out.append(str(error))
    if not found:
        if left_out:
            raise InputError("; ".join(left_out[:MOST_TOLD]))
        msg = (
            f"{root} must hold a plate ({', '.join(FORMATS)}), got none of them. "
            "For plain TIFF files give --pattern, such as '{plate}/{well}_f{field}_c{channel}.tif'."
        )
        raise InputError(msg)
    first, *rest = name_plates(found, root)
    return (replace(first, problems=(*left_out, *first.problems)), *rest)


def _remote(place: RemoteFolder, pattern: str | None) -> Plate:
    """Read a plate behind an address: its files cannot be listed, so only OME-Zarr, which names them, is found."""
    if pattern is not None or not any(place.fetch(("zarr.json", ".zattrs")).values()):
        msg = f"{place} must be an OME-Zarr plate, the one format read from an address. Copy it here, or mount it."
        raise InputError(msg)
    return _guarded("omezarr", place, Choice())


def _guarded(kind: str, place: Place, choice: Choice) -> Plate:
    """Read a plate; whatever its metadata holds that a reader did not expect is one sentence."""
    try:
        return (
            omezarr.read_omezarr(place, RemoteZarrField)
            if isinstance(place, RemoteFolder)
            else FORMATS[kind](place, choice)
        )
    except (InputError, OSError):
        raise
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        msg = (
            f"{place} must be a whole {kind} plate, but its metadata cannot be understood "
            f"({type(error).__name__}: {error}). Export or copy it again."
        )
        raise InputError(msg) from error


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


def _places(root: Path, left_out: list[str]) -> Iterator[tuple[Path, str]]:
    """Find the folders of plates; what looks like images or plates and is none is noted."""
    for parent, folders, files in os.walk(root):
        place = Path(parent)
        kind = recognise(place, [name for name in files if not is_hidden(name)], left_out)
        if kind == NONE:
            folders.clear()
        elif kind:
            folders.clear()
            yield place, kind
        folders[:] = sorted(name for name in folders if not is_hidden(name) and not name.startswith(".writing-"))
