"""Opera QEHS `.flex` files: multi-page TIFF with the instrument's XML in tag 65200.

Names are `RRRCCCFFF.flex` (row, column, field), pages run channel fastest, then focal plane. Read against a synthetic
file only: no real one was at hand. LuraWave-compressed files need a proprietary decoder and are refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Field, Plane, Stack
from noisylabels.plates.gathering import make_plate
from noisylabels.plates.markup import local_name, read_xml
from noisylabels.plates.pages import read_pages
from noisylabels.plates.plate import Plate

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

XML_TAG = 65200
COMPRESSION_TAG = 259
LURAWAVE = 65535

_NAME = re.compile(r"(\d{3})(\d{3})(\d{3})\.flex", re.IGNORECASE)


@dataclass(frozen=True)
class FlexField(Field):
    """A field that is one `.flex` file; its XML is read with its pixels.

    Args:
        path: The file.
    """

    path: Path = Path()

    @property
    def times(self) -> tuple[int, ...]:
        """A `.flex` file holds one moment."""
        return (0,)

    @property
    def missing(self) -> tuple[Plane, ...]:
        """None: what a torn file lacks shows when it is read."""
        return ()

    def files(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> tuple[Path, ...]:
        """Return the one file."""
        self.channel_positions(channels), self.time_point(time)
        return (self.path,)

    def read_stack(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> Stack:
        """Read every focal plane as (channel, plane, row, column), factors applied."""
        self.time_point(time)
        header = read_header(self.path)
        if header.channels != self.channels:
            msg = (
                f"{self.path} must have the channels {list(self.channels)}, got {list(header.channels)}. Read it apart."
            )
            raise InputError(msg)
        if header.well is not None and header.well != self.well:
            msg = f"{self.path} must be of the well in its name, got {header.well.name} in its XML. Rename the file."
            raise InputError(msg)
        n_channels = len(self.channels)
        numbers = [
            [plane * n_channels + channel for plane in range(header.n_pages // n_channels)]
            for channel in self.channel_positions(channels)
        ]
        pages = read_pages([(self.path, number) for row in numbers for number in row])
        factors = [header.factors[number] for row in numbers for number in row]
        scaled = [
            page if factor == 1 else page * np.float32(factor) for page, factor in zip(pages, factors, strict=True)
        ]
        return np.stack(scaled).reshape(len(numbers), -1, *scaled[0].shape)


@dataclass(frozen=True)
class FlexHeader:
    """What the XML of one file says.

    Args:
        plate: Name or barcode of the plate.
        well: The well, if the XML names it.
        shape: Rows and columns of the plate, if the XML says.
        channels: Channel names in page order.
        factors: What each page is multiplied with.
        n_pages: Number of pages.
        pixel_size_um: Side of a pixel in micrometres, if the XML says.
    """

    plate: str
    well: WellPosition | None
    shape: tuple[int, int] | None
    channels: tuple[str, ...]
    factors: tuple[float, ...]
    n_pages: int
    pixel_size_um: float | None


def read_flex(folder: Path) -> Plate:
    """Read a measurement folder of `.flex` files; only the first file is opened.

    Raises:
        InputError: If there is none, the first cannot be read, or it is LuraWave-compressed.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".flex")
    if not files:
        msg = f"{folder} must hold .flex files, got none. Give a Meas_ folder of the Opera."
        raise InputError(msg)
    header, fields, problems = read_header(files[0]), [], []
    name = header.plate or folder.parent.name
    for path in files:
        match = _NAME.fullmatch(path.name)
        if match is None:
            problems.append(f"{path.name} must be named RRRCCCFFF.flex (row, column, field). It is left out.")
            continue
        row, column, number = (int(group) for group in match.groups())
        try:
            well = WellPosition(row, column)
        except InputError as error:
            problems.append(f"{path.name}: {error}")
            continue
        fields.append(FlexField(name, well, number, header.channels, header.pixel_size_um, path=path))
    return make_plate(name, folder, "flex", fields, problems=problems, shape=header.shape)


def read_header(path: Path) -> FlexHeader:
    """Read the XML of one `.flex` file.

    Raises:
        InputError: If it is no whole .flex file or is LuraWave-compressed.
    """
    text, compression, n_pages = _open(path)
    root = read_xml(text, name=f"The XML of {path}")
    arrays = [element for element in root.iter() if local_name(element) == "Array"]
    codec = " ".join(element.get("Compression", "") + element.get("CompressionType", "") for element in arrays).lower()
    if compression == LURAWAVE or "lwf" in codec or "lurawave" in codec:
        msg = (
            f"{path} must not be LuraWave-compressed, but it is, and its decoder is proprietary. "
            "Convert the plate with Bio-Formats (bfconvert) on a computer that has the decoder's licence."
        )
        raise InputError(msg)
    channels = tuple(dict.fromkeys(element.get("Name", "") for element in arrays))
    if not arrays or n_pages % len(channels) or len(arrays) != n_pages:
        msg = f"{path} must have one Array in its XML per page, got {len(arrays)} for {n_pages} pages. Copy it again."
        raise InputError(msg)
    return replace(_described(root), channels=channels, factors=_factors(arrays), n_pages=n_pages)


def _open(path: Path) -> tuple[bytes, int, int]:
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            tags = file.pages[0].tags
            xml, compression, n_pages = tags[XML_TAG].value, int(tags[COMPRESSION_TAG].value), len(file.pages)
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        msg = f"{path} must be a whole .flex file, but it cannot be read ({error}). Copy it again from the instrument."
        raise InputError(msg) from error
    data = xml if isinstance(xml, bytes) else str(xml).encode("latin-1", "replace")
    return _trimmed(data), compression, n_pages


def _trimmed(data: bytes) -> bytes:
    # Some instruments leave a stray ">" or "%" after the last tag.
    end = data.rstrip(b"\0 \r\n\t%")
    while end.endswith(b">>"):
        end = end[:-1]
    return end


def _factors(arrays: "list[Element]") -> tuple[float, ...]:
    return tuple(float(element.get("Factor", 1)) for element in arrays)


def _described(root: "Element") -> FlexHeader:
    found: dict[str, Element] = {}
    for element in root.iter():
        found.setdefault(local_name(element), element)

    def text(name: str) -> str:
        return (found[name].text or "").strip() if name in found else ""

    place = found.get("WellCoordinate")
    well = WellPosition(int(place.get("Row", "")), int(place.get("Col", ""))) if place is not None else None
    shape = (int(text("YSize")), int(text("XSize"))) if text("XSize") and text("YSize") else None
    size = float(text("ImageResolutionX")) * 1e6 if text("ImageResolutionX") else None
    return FlexHeader(text("PlateName") or text("Barcode"), well, shape, (), (), 0, size)
