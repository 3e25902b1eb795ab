"""Label maps as other programs write them -> class indices: 0 and 255, object numbers, palettes, colours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.events import InstanceMap
from noisylabels.data.images import IMAGE_SUFFIXES, read_image
from noisylabels.data.labels import ClassTable, LabelMap, check_label_map
from noisylabels.importing.pairing import Content
from noisylabels.importing.zarr_masks import read_zarr_mask

Holds = Literal["auto", "classes", "objects", "colours"]
"""What the label maps hold, as a person says it; `auto` looks."""

MASK_SUFFIXES = tuple(suffix for suffix in IMAGE_SUFFIXES if suffix not in (".jpg", ".jpeg"))
"""Formats that keep numbers exactly."""

MAX_COLOURS = 32
"""A label map of more colours than this is a photograph."""


class RawMask(NamedTuple):
    """The numbers of one file: (row, column) int64, or colours packed as 0xRRGGBB where `coloured`."""

    values: NDArray[np.int64]
    coloured: bool


@dataclass(frozen=True)
class Reading:
    """How the numbers of a set of label maps become class indices.

    Args:
        holds: What they hold.
        classes: The class table that comes out.
        index: Class index by number in the file (colours as 0xRRGGBB). Empty for objects: all but 0 are class 1.
        background: The number of no object, for objects.
    """

    holds: Literal["classes", "objects", "colours"]
    classes: ClassTable
    index: Mapping[int, int]
    background: int = 0

    def describe(self) -> str:
        """Return one line that tells which number became which class.

        Examples:
            >>> Reading("classes", ClassTable(("background", "nucleus")), {0: 0, 255: 1}).describe()
            '0 = background, 255 = nucleus'
        """
        if self.holds == "objects":
            return f"object numbers; every object is {self.classes.names[1]}"
        write = _hex if self.holds == "colours" else str
        shown = [f"{write(value)} = {self.classes.names[index]}" for value, index in sorted(self.index.items())]
        return ", ".join(shown)

    def number(self, raw: RawMask) -> InstanceMap:
        """Return the object numbers of one file, (row, column) int32: 1, 2, ... in their order, 0 for background."""
        own = np.where(raw.values == self.background, np.iinfo(np.int64).min, raw.values)
        found, places = np.unique(own, return_inverse=True)
        first = 0 if found[0] == np.iinfo(np.int64).min else 1
        return (places.reshape(own.shape) + first).astype(np.int32)

    def apply(self, raw: RawMask, *, source: str) -> LabelMap:
        """Turn the numbers of one file into class indices, (row, column) uint8.

        Raises:
            InputError: If a number has no class.
        """
        if self.holds == "objects":
            objects: LabelMap = (raw.values != self.background).astype(np.uint8)
            return objects
        found, places = np.unique(raw.values, return_inverse=True)
        strangers = [int(value) for value in found if int(value) not in self.index]
        if strangers:
            write = _hex if raw.coloured else str
            msg = (
                f"Values of {source} must be among those of the table ({self.describe()}), got {write(strangers[0])}. "
                f"Add it: --values {write(strangers[0])}=CLASS."
            )
            raise InputError(msg)
        table = np.array([self.index[int(value)] for value in found], np.uint8)
        return check_label_map(table[places.reshape(raw.values.shape)], self.classes, source=source)


def read_mask(path: str | Path) -> RawMask:
    """Read one label map as it is, before its numbers have a meaning.

    Args:
        path: TIFF, PNG, NIfTI or OME-Zarr. A palette gives its indices; grey saved as RGB or RGBA is grey; other
            colours are packed as 0xRRGGBB.

    Raises:
        InputError: If it cannot be decoded, or is no picture of one plane of whole numbers or colours.
    """
    file = Path(path)
    if file.is_dir():
        return RawMask(read_zarr_mask(file), coloured=False)
    palette = _read_palette(file)
    array = read_image(file) if palette is None else palette[None]
    if len(array) == 3 and array.ndim == 3:
        red, green, blue = array.astype(np.int64)
        return RawMask(red << 16 | green << 8 | blue, coloured=True)
    if array.ndim != 3 or len(array) != 1:
        msg = f"{path} must be a label map of one plane, got shape {array.shape}. Export each label map alone."
        raise InputError(msg)
    if array.dtype.kind == "f" and not np.array_equal(array, np.round(array)):
        msg = f"{path} must hold whole numbers, got fractions such as {array[array != np.round(array)][0]:.3g}. \
Export label maps, not probabilities."
        raise InputError(msg)
    return RawMask(array[0].astype(np.int64), coloured=False)


def decide_reading(
    paths: Iterable[Path],
    *,
    holds: Holds = "auto",
    content: Content = "unknown",
    classes: ClassTable | None = None,
    values: Mapping[str, str] | None = None,
    source: str = "label maps",
) -> Reading:
    """Decide how a set of label maps is to be read, from all of them at once.

    Args:
        paths: The files.
        holds: What they hold if a person says so.
        content: What their program is known to write.
        classes: The class table, if it is known; otherwise it comes from what is in the maps.
        values: Class name by number or colour (`255`, `#ff0000`), as a person says it; `ignore` is not read.
        source: What to call them in an error.

    Raises:
        InputError: If the numbers fit no table, or what is given contradicts them. The message names the option.
    """
    raws = [read_mask(path) for path in paths]
    coloured = any(raw.coloured for raw in raws)
    present = sorted({int(value) for raw in raws for value in np.unique(raw.values)})
    if values:
        return _by_table(values, classes, coloured=coloured)
    if coloured and holds in ("auto", "colours", "classes"):
        return _by_colours(raws, classes, source=source)
    if holds == "objects" or (holds == "auto" and content == "objects"):
        return _as_objects(classes, background=_commonest(raws) if coloured else 0)
    if content == "ilastik":
        return _from_one(present, classes, source=source)
    if holds == "auto" and classes is None and _look_like_objects(raws, present):
        return _as_objects(None, background=0)
    return _by_numbers(present, classes, source=source)


def parse_values(pairs: Sequence[str]) -> dict[str, str]:
    """Read VALUE=CLASS of the command line.

    Raises:
        InputError: If one is no number or colour, or has no class.

    Examples:
        >>> parse_values(["255=nucleus", "#00ff00=autolysosome"])
        {'255': 'nucleus', '#00ff00': 'autolysosome'}
    """
    table = {}
    for pair in pairs:
        value, _, name = pair.partition("=")
        if not name or not (value.isdecimal() or _is_colour(value)):
            msg = (
                f"Values must be given as NUMBER=CLASS or #RRGGBB=CLASS, got {pair!r}. Write for instance 255=nucleus."
            )
            raise InputError(msg)
        table[value.lower()] = name
    return table


def _by_table(values: Mapping[str, str], classes: ClassTable | None, *, coloured: bool) -> Reading:
    if coloured != all(_is_colour(value) for value in values):
        kind = "colours as #RRGGBB" if coloured else "numbers"
        msg = f"--values must name {kind}, as the label maps hold them, got {next(iter(values))}. Correct it."
        raise InputError(msg)
    numbers = {int(value[1:], 16) if coloured else int(value): name for value, name in values.items()}
    background = 0 if 0 in numbers else None
    names = list(dict.fromkeys(numbers.values()))
    if background is None and "background" not in names:
        numbers[0] = "background"
    ordered = ["background", *(name for name in names if name != "background")] if "background" in names or \
        background is None else names  # fmt: skip
    table = classes or ClassTable(tuple(ordered))
    return Reading("colours" if coloured else "classes", table, {v: table.index(name) for v, name in numbers.items()})


def _by_colours(raws: Sequence[RawMask], classes: ClassTable | None, *, source: str) -> Reading:
    """Black, or else the commonest colour, is the background; the others follow in the order of their names."""
    colours = sorted({int(value) for raw in raws for value in np.unique(raw.values)})
    if len(colours) > MAX_COLOURS:
        msg = (
            f"{source} must hold at most {MAX_COLOURS} colours, got {len(colours)}: these are pictures. Name the masks."
        )
        raise InputError(msg)
    background = 0 if 0 in colours else _commonest(raws)
    others = [colour for colour in colours if colour != background]
    if classes is None:
        classes = ClassTable(("background", *(f"colour {_hex(colour)}" for colour in others)))
    elif len(classes) - 1 != len(others):
        shown = ", ".join(map(_hex, others))
        msg = (
            f"{source} must hold one colour for each of {', '.join(classes.foreground)}, got {shown}. "
            "Say which is which: --values '#RRGGBB=CLASS', once for each."
        )
        raise InputError(msg)
    return Reading("colours", classes, {background: 0} | {colour: i for i, colour in enumerate(others, 1)})


def _as_objects(classes: ClassTable | None, *, background: int) -> Reading:
    if classes is not None and len(classes) != 2:
        msg = (
            f"Object numbers must become one class, got the classes {', '.join(classes)}. "
            "Name the background and one class, or write which number is which: --values 1=CLASS."
        )
        raise InputError(msg)
    return Reading("objects", classes or ClassTable(("background", "object")), {}, background)


def _from_one(present: Sequence[int], classes: ClassTable | None, *, source: str) -> Reading:
    """Read ilastik's numbers, which begin at 1 in the order of its labels; its first label is the background."""
    n_classes = max(2, *present)
    table = classes or ClassTable(("background", *(f"label {number}" for number in range(2, n_classes + 1))))
    if len(table) < n_classes or min(present) < 1:
        msg = (
            f"{source} must hold ilastik's labels 1..{len(table)}, got {present[0]}..{present[-1]}. "
            "Say which is which: --values 1=CLASS, once for each."
        )
        raise InputError(msg)
    return Reading("classes", table, {number: number - 1 for number in range(1, len(table) + 1)})


def _by_numbers(present: Sequence[int], classes: ClassTable | None, *, source: str) -> Reading:
    highest, lowest = present[-1], present[0]
    if classes is None and len(present) <= 2 and lowest in (0, highest):
        return Reading("classes", ClassTable(("background", "foreground")), {0: 0, highest or 1: 1})
    if classes is None and lowest >= 0 and highest < 256:
        classes = ClassTable(("background", *(f"class {number}" for number in range(1, highest + 1))))
    if classes is not None and lowest >= 0 and highest < len(classes):
        return Reading("classes", classes, {number: number for number in classes.indices})
    if classes is not None and len(classes) == 2 and len(present) <= 2 and lowest == 0:
        return Reading("classes", classes, {0: 0, highest: 1})
    asked = f"class indices 0..{len(classes) - 1} ({', '.join(classes)})" if classes else "class indices 0..255"
    shown = ", ".join(map(str, present[:6])) + (", ..." if len(present) > 6 else "")
    msg = (
        f"{source} must hold {asked}, got {shown}. Say which number is which class (--values {highest}=CLASS, once for "
        "each), or that they are object numbers (--masks objects)."
    )
    raise InputError(msg)


def _look_like_objects(raws: Sequence[RawMask], present: Sequence[int]) -> bool:
    """Distinguish object numbers from class indices: many numbers, each of them in one place only."""
    if len(present) <= 2:
        return False
    if present[-1] > 255:
        return True
    from scipy import ndimage

    single, total = 0, 0
    for raw in raws:
        for value in np.unique(raw.values[raw.values > 0]):
            single += ndimage.label(raw.values == value, structure=np.ones((3, 3)))[1] == 1
            total += 1
    return total > len(raws) and single >= 0.95 * total


def _commonest(raws: Sequence[RawMask]) -> int:
    found, counts = np.unique(np.concatenate([raw.values.ravel() for raw in raws]), return_counts=True)
    return int(found[counts.argmax()])


def _read_palette(path: Path) -> RealArray | None:
    if path.suffix.lower() != ".png":
        return None
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return np.asarray(picture) if picture.mode == "P" else None
    except (UnidentifiedImageError, OSError, SyntaxError):
        return None  # the reader of images says what is wrong


def _is_colour(value: str) -> bool:
    return len(value) == 7 and value[0] == "#" and all(letter in "0123456789abcdefABCDEF" for letter in value[1:])


def _hex(colour: int) -> str:
    return f"#{colour:06x}"
