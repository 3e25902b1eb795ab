"""OME-Zarr plates, 0.4 to 0.6: metadata as JSON, pixels through zarr, everything opened for reading only."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Field, Plane, Stack
from noisylabels.plates.gathering import inside, make_plate
from noisylabels.plates.plate import Plate
from noisylabels.plates.remote import Place, RemoteFolder, read_if_there

VERSIONS = ("0.4", "0.5", "0.6")
METADATA = ("zarr.json", ".zattrs", ".zarray", ".zgroup")


@dataclass(frozen=True)
class ZarrField(Field):
    """A field that is an OME-Zarr image.

    Args:
        folder: The image group.
        array: Path of its full-resolution array within the group.
        axes: The array's axes in order, of t, c, z, y, x.
        n_times: How many time points the first field of the plate has.
    """

    folder: Place = Path()
    array: str = "0"
    axes: str = "cyx"
    n_times: int = 1

    @property
    def times(self) -> tuple[int, ...]:
        """The time points, counted from 0."""
        return tuple(range(self.n_times))

    @property
    def missing(self) -> tuple[Plane, ...]:
        """The array, if no chunk of it is stored. Single missing chunks mean empty pixels in Zarr."""
        array = Path(str(self.folder)) / self.array
        if _has_pixels(array):
            return ()
        return tuple(Plane(0, position, 0, array) for position in range(len(self.channels)))

    def reading(self) -> list[object]:
        """Return how the array is laid out."""
        return [list(self.channels), self.array, self.axes]

    def files(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> tuple[Path, ...]:
        """List the metadata of the image and its array, and the chunks."""
        self.channel_positions(channels), self.time_point(time)
        folder = Path(str(self.folder))
        metadata = (path for name in METADATA if (path := folder / name).is_file())
        return (*metadata, *sorted(path for path in (folder / self.array).rglob("*") if path.is_file()))

    def read_stack(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> Stack:
        """Read every focal plane as (channel, plane, row, column)."""
        own = describe_image(self.folder)
        positions, moment = self._positions(own, channels), self.time_point(time)
        try:
            array, has_pixels = self._open(own.array, own.axes, moment)
            whole = np.asarray(array[moment] if "t" in own.axes else array[...]) if has_pixels else np.zeros(0)
        except InputError:
            raise
        except Exception as error:
            msg = f"{self.folder} must be a whole OME-Zarr image, but it cannot be read ({error}). Copy it again."
            raise InputError(msg) from error
        if not has_pixels:
            msg = f"{self.folder / own.array} must hold pixels, got metadata only. Copy the plate's chunk files too."
            raise InputError(msg)
        axes = own.axes.replace("t", "")
        if whole.ndim != len(axes):
            msg = f"{self.folder} must have an array of the axes {own.axes}, got shape {whole.shape}. Copy it again."
            raise InputError(msg)
        for place, axis in enumerate("cz"):
            if axis not in axes:
                whole, axes = np.expand_dims(whole, place), axes[:place] + axis + axes[place:]
        stack: Stack = np.transpose(whole, [axes.index(axis) for axis in "czyx"])
        return np.ascontiguousarray(stack[positions])

    def _positions(self, own: "ImageDescription", channels: Sequence[str] | None) -> list[int]:
        """Return channels by the names that the image itself gives them."""
        wanted = [self.channels[position] for position in self.channel_positions(channels)]
        if len(own.channels) != len(self.channels):
            msg = f"{self.folder} must have {len(self.channels)} channels, as its plate, got {len(own.channels)}."
            raise InputError(msg + " Read it apart.")
        if set(own.channels) != set(self.channels):
            msg = f"{self.folder} must have the channels {', '.join(self.channels)}, as its plate, "
            raise InputError(msg + f"got {', '.join(own.channels)}. Read it apart.")
        if own.n_times != self.n_times:
            msg = f"{self.folder} must have {self.n_times} time points, as its plate, got {own.n_times}."
            raise InputError(msg + " Read it apart.")
        return [own.channels.index(name) for name in wanted]

    def _open(self, array: str, axes: str, moment: int) -> tuple[Any, bool]:  # noqa: ARG002 - a remote one asks by time
        """Open an array of the image, and say whether anything of it is stored."""
        import zarr

        place = Path(str(self.folder)) / array
        return (zarr.open_array(place, mode="r"), True) if _has_pixels(place) else (None, False)


def _has_pixels(array: Path) -> bool:
    return any(path.name not in METADATA and path.is_file() for path in array.rglob("*"))


def read_metadata(folder: Place) -> dict[str, Any]:
    """Read the OME metadata of a group: `.zattrs` of 0.4, `attributes.ome` of `zarr.json` of 0.5.

    Raises:
        FileNotFoundError: If the folder is no Zarr group.
        InputError: If the JSON is torn or of an unknown version.
    """
    for name in ("zarr.json", ".zattrs"):
        path = folder / name
        if (data := read_if_there(path)) is not None:
            break
    else:
        msg = f"{folder} must be a Zarr group, but it has neither zarr.json nor .zattrs. Check the path."
        raise FileNotFoundError(msg)
    try:
        document = json.loads(data.decode())
    except ValueError as error:
        msg = f"{path} must be JSON, but it cannot be parsed ({error}). Copy it again from its source."
        raise InputError(msg) from error
    content: dict[str, Any] = document.get("attributes", {}).get("ome", {}) if name == "zarr.json" else document
    version = str(next(_versions(content), "0.4"))
    if version[:3] not in VERSIONS or version[3:4].isdigit():  # 0.6 is met as 0.6.dev3 as well
        msg = f"{path} must be OME-Zarr {', '.join(VERSIONS[:-1])} or {VERSIONS[-1]}, got {version}. Convert it to 0.5."
        raise InputError(msg)
    return content


def read_attributes(folder: Path) -> dict[str, Any]:
    """Read the attributes of a Zarr 3 group, whatever they say; nothing where there is no group."""
    data = read_if_there(folder / "zarr.json")
    attributes: dict[str, Any] = {} if data is None else json.loads(data).get("attributes", {})
    return attributes


def _versions(content: dict[str, Any]) -> Iterator[str]:
    """Find where a version may stand: at the top in 0.5, in the plate, well or image in 0.4."""
    entries = [content]
    for value in content.values():
        entries += value if isinstance(value, list) else [value]
    yield from (entry["version"] for entry in entries if isinstance(entry, dict) and "version" in entry)


def read_omezarr(folder: Place, kind: type[ZarrField] = ZarrField) -> Plate:
    """Read an OME-Zarr plate's metadata; channels and axes are taken from its first field.

    Args:
        folder: The plate.
        kind: What its fields are.

    Raises:
        InputError: If it is no plate, or holds no usable field.
    """
    plate = read_metadata(folder).get("plate")
    if not plate:
        msg = f"{folder} must be an OME-Zarr plate, but its metadata has no plate. Give the plate's own folder."
        raise InputError(msg)
    name = str(plate.get("name") or folder.name.removesuffix(".zarr").removesuffix(".ome"))
    problems: list[str] = []
    found: list[tuple[WellPosition, int, Place]] = []
    listed: set[object] = set()
    if isinstance(folder, RemoteFolder):
        _fetch_wells(folder, plate.get("wells", []))
    for entry in plate.get("wells", []):
        try:
            if entry["path"] in listed:
                problems.append(f"Well {entry['path']!r} of {name} must be listed once, got it again: read once.")
                continue
            listed.add(entry["path"])
            found += _fields_of(folder, plate, entry)
        except (InputError, FileNotFoundError, LookupError, TypeError, ValueError) as error:
            problems.append(f"Well {entry.get('path', '?')!r} of {name}: {error}")
    first: ImageDescription | None = None
    for _, _, image in found:
        try:
            first = describe_image(image)
            break
        except (InputError, FileNotFoundError) as error:
            problems.append(str(error))
    fields = []
    if first is not None:
        plain = first._asdict()
        fields = [kind(name, well, number, folder=image, **plain) for well, number, image in found]
    rows, columns = len(plate.get("rows", ())), len(plate.get("columns", ()))
    shape = (rows, columns) if rows >= 8 and columns >= 12 else None
    return make_plate(name, folder, "omezarr", fields, problems=problems, shape=shape)


def _fetch_wells(folder: RemoteFolder, wells: list[Any]) -> None:
    """Fetch the metadata of all wells together: one by one, each would cost a journey."""
    paths = [str(entry["path"]) for entry in wells if isinstance(entry, dict) and "path" in entry]
    names = [str(inside(Path(), f"{path}/{name}")) for path in paths for name in ("zarr.json", ".zattrs")]
    folder.known.update({f"{folder}/{name}": data for name, data in folder.fetch(names).items() if data is not None})


def _fields_of(folder: Place, plate: dict[str, Any], entry: dict[str, Any]) -> list[tuple[WellPosition, int, Place]]:
    well = _well_of(plate, entry)
    place = inside(folder, entry["path"])
    images = read_metadata(place)["well"]["images"]
    numbers = [int(image["path"]) if image["path"].isdigit() else n for n, image in enumerate(images)]
    if len(set(numbers)) < len(numbers):
        msg = f"Fields of well {well.name} must be listed once each, got {numbers}. Correct its metadata."
        raise InputError(msg)
    return [(well, number, inside(place, image["path"])) for number, image in zip(numbers, images, strict=True)]


def _well_of(plate: dict[str, Any], entry: dict[str, Any]) -> WellPosition:
    row, _, column = str(entry["path"]).partition("/")
    if {"rows", "columns"} <= set(plate) and {"rowIndex", "columnIndex"} <= set(entry):
        row, column = (
            str(plate[axis][entry[key]]["name"]) for axis, key in (("rows", "rowIndex"), ("columns", "columnIndex"))
        )
    if not column.isdigit():
        msg = f"its column must be a number, got {column!r}. Sub-wells are not read: give each a column of its own."
        raise InputError(msg)
    return WellPosition.parse(f"{row}{int(column):02d}")


class ImageDescription(NamedTuple):
    """What the metadata of an image say: channels, size of a pixel, path and axes of the array, time points."""

    channels: tuple[str, ...]
    pixel_size_um: float | None
    array: str
    axes: str
    n_times: int


def describe_image(image: Place) -> ImageDescription:
    """Read the metadata of one image.

    Raises:
        FileNotFoundError: If it or its array is not there.
        InputError: If the metadata are torn or lack what is needed.
    """
    try:
        return _describe(image)
    except (InputError, OSError):
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        msg = f"{image} must have the metadata of an OME-Zarr image, got something else ({error}). Convert it again."
        raise InputError(msg) from error


def _describe(image: Place) -> ImageDescription:
    content = read_metadata(image)
    if not content.get("multiscales"):
        msg = f"{image} must be an OME-Zarr image, but its metadata has no multiscales. Copy it again from its source."
        raise InputError(msg)
    scales = content["multiscales"][0]
    described = [axis if isinstance(axis, dict) else {"name": axis} for axis in _axes(scales)]
    axes = "".join(axis["name"] for axis in described)
    shape = _shape(image / scales["datasets"][0]["path"])
    sizes = dict(zip(axes, shape, strict=True))
    labels = [channel.get("label", "") for channel in content.get("omero", {}).get("channels", [])]
    n_channels = sizes.get("c", 1)
    transforms = scales["datasets"][0].get("coordinateTransformations", [])
    scale = next(_scales_of(transforms), None)
    unit = next((axis.get("unit") for axis in described if axis["name"] == "x"), None)
    named = len(labels) == n_channels and all(labels) and len(set(labels)) == n_channels
    return ImageDescription(
        channels=tuple(labels) if named else tuple(str(number) for number in range(n_channels)),
        pixel_size_um=float(scale[-1]) if scale and unit == "micrometer" else None,
        array=scales["datasets"][0]["path"],
        axes=axes,
        n_times=sizes.get("t", 1),
    )


def _axes(scales: dict[str, Any]) -> list[Any]:
    """Find the axes: in 0.6 they belong to a coordinate system."""
    axes: list[Any] = scales["axes"] if "axes" in scales else scales["coordinateSystems"][-1]["axes"]
    return axes


def _scales_of(transforms: list[dict[str, Any]]) -> Iterator[list[float]]:
    for entry in transforms:
        if entry.get("type") == "scale":
            yield entry["scale"]
        yield from _scales_of(entry.get("transformations", []))


def _shape(array: Place) -> tuple[int, ...]:
    for name in ("zarr.json", ".zarray"):
        if (data := read_if_there(array / name)) is not None:
            return tuple(json.loads(data.decode())["shape"])
    msg = f"{array} must be a Zarr array, but it has no metadata. Copy the plate again from its source."
    raise FileNotFoundError(msg)
