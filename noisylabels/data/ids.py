"""Names that become files: ids of images, label sets, plates. Each is one safe part of a path, checked when read."""

import re
from pathlib import Path

from noisylabels.data.errors import InputError

SUFFIXES = (".ome.tiff", ".ome.tif", ".ome.zarr", ".tiff", ".tif", ".png", ".jpeg", ".jpg", ".nii.gz", ".nii", ".zarr")
"""Suffixes of image and label-map files, from the longest to be told apart first."""

MOST_BYTES = 200  # a file system takes 255, and suffixes and temporary names want room

_UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f<>:\"|?*]")


def image_id(path: str | Path) -> str:
    """Return the id of an image by its file: the name without folder and format suffix, whatever its case.

    Examples:
        >>> image_id("images/B07_f3.ome.tif"), image_id("a.b.nii.gz"), image_id("A.OME.TIF")
        ('B07_f3', 'a.b', 'A')
    """
    name = Path(path).name
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def check_name(name: object, *, what: str, source: str | Path = "") -> str:
    """Check that a name can be a file or a folder, and nothing else.

    Args:
        name: What was read.
        what: What it names, in plural: "Ids", "Names of label sets".
        source: Where it was read, for the error.

    Returns:
        The name.

    Raises:
        InputError: If it is no text, empty, too long, leads elsewhere, or begins with a sign that MONAI evaluates.

    Examples:
        >>> check_name("B07_f3", what="Ids")
        'B07_f3'
        >>> check_name("../../X", what="Ids", source="datalist.json")
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: Ids of datalist.json must be plain names (no path, no leading . $ @ %, \
at most 200 bytes), got '../../X'. Rename it.
    """
    plain = (
        isinstance(name, str)
        and name.strip() == name
        and name[:1] not in ("", ".", "$", "@", "%")
        and not _UNSAFE.search(name)
        and len(name.encode(errors="replace")) <= MOST_BYTES
    )
    if not plain:
        where = f" of {source}" if str(source) else ""
        msg = (
            f"{what}{where} must be plain names (no path, no leading . $ @ %, at most {MOST_BYTES} bytes), "
            f"got {name!r}. Rename it."
        )
        raise InputError(msg)
    return str(name)


def safe_name(text: str) -> str:
    """Turn any text into a name that can be a file: letters, digits, `_`, `.` and `-`; what else there is becomes `_`.

    Examples:
        >>> safe_name("Plate 7/a"), safe_name("../x"), safe_name("")
        ('Plate_7_a', '_x', '_')
    """
    return re.sub(r"^\.+", "", re.sub(r"[^\w.-]+", "_", text))[:MOST_BYTES] or "_"
