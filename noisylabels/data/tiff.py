"""TIFF files laid out by their own headers: which page holds which channel, focal plane and time point.

An OME-TIFF may describe the pages of a whole set of files; here a file is read for its own pages only. A page that the
header promises and the file lacks is a fault, and so is whatever tifffile merely logs: a file cut in the middle still
opens, and would be read as what is left of it.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from tifffile import TiffFile

WHITE_IS_ZERO, CONTIGUOUS, ALPHA = 0, 1, (1, 2)  # as TIFF numbers them

Place = tuple[int, int, int]
MICROMETRES = {"µm": 1.0, "um": 1.0, "micron": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6}
"""Micrometres in a unit, by the names that OME and ImageJ give it."""


@dataclass(frozen=True)
class TiffLayout:
    """What a file says of its pages.

    Args:
        places: The page of each (time point, channel, focal plane), counted from 0 within the file.
        channel_names: One name per channel, () when the file does not name them all differently.
        pixel_size_um: Side of a pixel in micrometres, if the file says.
        n_images: How many images (series) have pages in this file; only the first is laid out.
        colour: The one page holds the channels as samples of each pixel, after the column, or before the row if
        planar: they are stored one colour after the other.
        n_alpha: How many of the last samples are transparency, as the file says.
        white_is_zero: The lowest number is the brightest.
    """

    places: Mapping[Place, int] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()
    pixel_size_um: float | None = None
    n_images: int = 1
    colour: bool = False
    planar: bool = False
    n_alpha: int = 0
    white_is_zero: bool = False

    @property
    def n_times(self) -> int:
        """How many time points."""
        return len({time for time, _, _ in self.places})

    @property
    def n_channels(self) -> int:
        """How many channels."""
        return len({channel for _, channel, _ in self.places})

    @property
    def n_planes(self) -> int:
        """How many focal planes."""
        return len({plane for _, _, plane in self.places})


def read_layout(path: str | Path) -> TiffLayout:
    """Read how a file is laid out, without reading a pixel.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is torn or lacks a page that its header promises.
    """
    with open_tiff(path) as file:
        return layout_of(file, Path(path))


def read_planes(path: str | Path, *, time: int = 0, layout: TiffLayout | None = None) -> RealArray:
    """Read the pixels of one time point.

    Args:
        path: The file.
        time: The time point, from 0.
        layout: The file's own layout, if it was read before.

    Returns:
        (channel, plane, row, column); (1, 1, row, column, sample) for colour pictures.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is torn or lacks a page that its header promises.
    """
    with open_tiff(path) as file:
        return planes_of(file, layout or layout_of(file, Path(path)), time=time)


@contextlib.contextmanager
def open_tiff(path: str | Path) -> Iterator["TiffFile"]:
    """Open a file strictly: what tifffile logs as an error is one.

    Raises:
        InputError: If it cannot be decoded.
    """
    import tifffile

    try:
        with _strict(), tifffile.TiffFile(path, _multifile=False) as file:
            yield file
    except (InputError, FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        msg = f"{path} must be a whole image file, but it cannot be decoded ({error}). Copy it again from its source."
        raise InputError(msg) from error


def layout_of(file: "TiffFile", path: Path) -> TiffLayout:
    """Read the layout of an open file.

    Raises:
        InputError: If it lacks a page that its header promises, or has axes beside time, channel and focal plane.
    """
    layout = (_ome_layout(file, path) if file.is_ome else None) or _plain_layout(file, path)
    first = file.pages[0]
    return replace(
        layout,
        white_is_zero=is_white_zero(file),
        planar=layout.colour and int(first.planarconfig or CONTIGUOUS) != CONTIGUOUS,
        n_alpha=sum(int(extra) in ALPHA for extra in first.extrasamples),
    )


def planes_of(file: "TiffFile", layout: TiffLayout, *, time: int = 0) -> RealArray:
    """Read the pixels of one time point of an open file, as `read_planes` gives them."""
    pages = [page for (moment, _, _), page in sorted(layout.places.items()) if moment == time]
    pictures = pictures_of(file, pages)
    return np.stack(pictures).reshape(layout.n_channels, layout.n_planes, *pictures[0].shape)


def is_white_zero(file: "TiffFile") -> bool:
    """Return whether the lowest number is the brightest."""
    return int(file.pages[0].photometric) == WHITE_IS_ZERO


def pictures_of(file: "TiffFile", pages: list[int]) -> list[RealArray]:
    """Read pages of an open file."""
    if max(pages) < len(file.pages):
        return [file.pages[page].asarray() for page in pages]
    whole = file.series[0].asarray()  # ImageJ writes large stacks with one header for all
    planes = whole.reshape(-1, *whole.shape[-2:])
    return [planes[page] for page in pages]


def _plain_layout(file: "TiffFile", path: Path) -> TiffLayout:
    series = file.series[0]
    axes, shape = series.axes, series.shape
    if 0 in shape or len(axes) != len(shape):
        msg = f"{path} must hold pixels, got shape {tuple(shape)}. Copy it again from its source."
        raise InputError(msg)
    stacked = [(axis, size) for axis, size in zip(axes, shape, strict=True) if axis not in "YXS"]
    order = _named([axis for axis, _ in stacked])
    if order is None or not {"Y", "X"} <= set(axes):
        msg = f"{path} must have the axes time, channel, plane, row and column, got {axes}. Split it into fields."
        raise InputError(msg)
    numbers = dict(zip(order, (size for _, size in stacked), strict=True))
    places: dict[Place, int] = {}
    for page, place in enumerate(product(*(range(numbers[axis]) for axis in order))):
        at = dict(zip(order, place, strict=True))
        places[at.get("T", 0), at.get("C", 0), at.get("Z", 0)] = page
    whole = sum(1 for one in file.series if one.axes == axes and one.shape == shape)
    return TiffLayout(places, n_images=whole, colour="S" in axes, **_imagej(file, numbers.get("C", 1)))


def _named(axes: list[str]) -> list[str] | None:
    """Return the axes of pages without a word on them: the first are channels, the next focal planes."""
    free = [axis for axis in "CZ" if axis not in axes]
    unknown = [place for place, axis in enumerate(axes) if axis not in "TCZ"]
    if len(unknown) > len(free) or (unknown and free[0] != "C"):
        return None
    named = list(axes)
    for place, axis in zip(unknown, free, strict=False):
        named[place] = axis
    return named


def _imagej(file: "TiffFile", n_channels: int) -> dict[str, Any]:
    imagej = file.imagej_metadata or {}
    names = tuple(str(name).split("\n")[0].strip() for name in imagej.get("Labels", ())[:n_channels])
    resolution = file.pages[0].tags.valueof("XResolution")
    length = resolution[1] / resolution[0] if resolution and resolution[0] else None
    size = _micrometres(length, str(imagej.get("unit", "")).replace("\\u00B5", "µ"))
    return {"channel_names": _distinct(names, n_channels) if "C" in file.series[0].axes else (), "pixel_size_um": size}


def _distinct(names: tuple[str, ...], n_channels: int) -> tuple[str, ...]:
    return names if len(names) == n_channels and all(names) and len(set(names)) == n_channels else ()


def _ome_layout(file: "TiffFile", path: Path) -> TiffLayout | None:
    """Read the layout from the OME-XML; None where it leaves that to another file."""
    from defusedxml import ElementTree

    root = ElementTree.fromstring((file.ome_metadata or "").encode(), forbid_dtd=True)
    images = [node for node in root.iter() if _name(node) == "Pixels"]
    found = [_OmeImage(node, root.get("UUID", ""), path, len(file.pages)) for node in images]
    own = [image for image in found if image.own]
    if not own:
        return None
    return own[0].layout(n_images=len(own))


def _name(node: "Element") -> str:
    return str(node.tag).rpartition("}")[2]


class _OmeImage:
    """The planes of one `Pixels` element: those in this file, and those in others of its set."""

    def __init__(self, node: "Element", uuid: str, path: Path, n_pages: int) -> None:
        self.node, self.path, self.n_pages = node, path, n_pages
        self.channels = [child for child in node if _name(child) == "Channel"]
        samples = [int(channel.get("SamplesPerPixel", 1)) for channel in self.channels]
        self.colour = bool(samples) and samples[0] > 1
        n_channels = len(samples) if self.colour else int(node.get("SizeC", 1))
        self.sizes = {"C": n_channels, "Z": int(node.get("SizeZ", 1)), "T": int(node.get("SizeT", 1))}
        self.own: dict[Place, int] = {}
        self.others: dict[Place, str] = {}
        entries = [child for child in node if _name(child) == "TiffData"]
        for entry in entries:
            self._take(entry, uuid)

    def _take(self, entry: "Element", uuid: str) -> None:
        home = next((child for child in entry if _name(child) == "UUID"), None)
        name = "" if home is None else home.get("FileName", "")
        same = home is None or (home.text or "").strip() == uuid or name == self.path.name
        places = list(self._places())
        first = places.index(tuple(int(entry.get(f"First{axis}", 0)) for axis in "TCZ"))  # type: ignore[arg-type]
        begin = int(entry.get("IFD", 0))
        everything = self.n_pages - begin if same else len(places)
        count = int(entry.get("PlaneCount", 1 if "IFD" in entry.attrib else everything))
        for step, place in enumerate(places[first : first + count]):
            if same:
                self.own[place] = begin + step
            else:
                self.others[place] = name

    def _places(self) -> Iterator[Place]:
        """Iterate over the planes in the order of the pages."""
        order = self.node.get("DimensionOrder", "XYZCT")[:1:-1]
        for numbers in product(*(range(self.sizes[axis]) for axis in order)):
            at = dict(zip(order, numbers, strict=True))
            yield at["T"], at["C"], at["Z"]

    def layout(self, n_images: int) -> TiffLayout:
        for place in self._places():
            page, other = self.own.get(place), self.others.get(place)
            lost = page is None and (other is None or not (self.path.parent / Path(other).name).is_file())
            if lost or (page is not None and page >= self.n_pages):
                raise InputError(self._lacking(place, other))
        kept = [sorted({place[axis] for place in self.own}) for axis in range(3)]
        if len(self.own) != len(kept[0]) * len(kept[1]) * len(kept[2]):
            msg = f"{self.path} must hold whole channels of its set of files, got {len(self.own)} single planes of it."
            raise InputError(msg + " Export each field into a file of its own.")
        places = {tuple(kept[axis].index(place[axis]) for axis in range(3)): page for place, page in self.own.items()}
        names = tuple(self.channels[number].get("Name", "") for number in kept[1] if number < len(self.channels))
        return TiffLayout(
            places=places,  # type: ignore[arg-type]  # tuples of three
            channel_names=_distinct(names, len(kept[1])),
            pixel_size_um=self._pixel_size(),
            n_images=n_images,
            colour=self.colour,
        )

    def _lacking(self, place: Place, other: str | None) -> str:
        time, channel, plane = place
        where = f"its set has it in {other}, which is not there" if other else f"it has {self.n_pages} pages"
        return (
            f"{self.path} must have the page of channel {channel}, plane {plane}, time {time} that its header names, "
            f"but {where}. Copy it again from its source, with the files that belong to it."
        )

    def _pixel_size(self) -> float | None:
        return _micrometres(self.node.get("PhysicalSizeX"), self.node.get("PhysicalSizeXUnit", "µm"))


def _micrometres(length: object, unit: str) -> float | None:
    try:
        size = float(str(length).replace(",", ".")) * MICROMETRES[unit]
    except (ValueError, KeyError):
        return None
    return size if 0 < size < float("inf") else None


@contextlib.contextmanager
def _strict() -> Iterator[None]:
    logger, faults = logging.getLogger("tifffile"), _Faults()
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(faults)
    try:
        yield
    finally:
        logger.removeHandler(faults)
        logger.propagate = propagates
    if faults.messages:
        raise ValueError(faults.messages[0])


class _Faults(logging.Handler):
    """Keeps the errors that this thread logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a message."""
        if record.thread == self._thread:
            self.messages.append(record.getMessage())
