"""Harmony and Columbus exports of PerkinElmer/Revvity instruments (Operetta, Opera Phenix, Sonata).

`Images/Index.idx.xml` or `Images/Index.xml`, software versions 1 to 7. From version 6 on the channels are described
once, under `Maps`, and no more in every image; positions are metres with Y pointing up. A plane whose `State` is
not `Ok` or whose file is gone is a missing plane of its own field: it shifts nothing.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Plane
from noisylabels.plates.gathering import FieldKey, Gathering, inside, make_plate
from noisylabels.plates.markup import iterate_xml, texts
from noisylabels.plates.plate import Coefficients, Plate

INDEX_NAMES = ("Index.idx.xml", "Index.xml")

_NAMESPACE = re.compile(r"\{.*HarmonyV\d+\}")
_PROFILE = re.compile(r"Background:(?:(?!Foreground).)*?Profile:\s*\{\s*Coefficients:\s*(\[\[.*?\]\])")


def find_index(folder: Path) -> Path | None:
    """Look for a Harmony index in a folder or its `Images`."""
    places = [place / name for place in (folder, folder / "Images", folder / "images") for name in INDEX_NAMES]
    return next((place for place in places if place.is_file()), None)


def read_harmony(folder: Path) -> Plate:
    """Read a Harmony export without reading a pixel.

    Args:
        folder: The export, its `Images` folder, or the index itself.

    Returns:
        The plate; planes of the index that are not there stand in each field's `missing`. Its `illumination` holds
        Harmony's own background profiles.

    Raises:
        InputError: If there is no index, it is not Harmony's, or it holds no usable field.
    """
    index = folder if folder.is_file() else find_index(folder)
    if index is None:
        msg = f"{folder} must hold a Harmony index ({' or '.join(INDEX_NAMES)}), got none. Give the export's folder."
        raise InputError(msg)
    content = _parse(index)
    gathering = Gathering(content.name or index.parent.parent.name)
    channels = sorted(content.channels, key=_number)
    files = {path.name for path in index.parent.iterdir()}
    positions: dict[FieldKey, tuple[float, float]] = {}
    for entry in content.images:
        try:
            _take(entry, gathering, channels, index.parent, files, positions)
        except InputError as error:
            gathering.problems.append(str(error))
    names = _distinct([content.channels[channel] for channel in channels], channels)
    fields = gathering.fields(names, pixel_size_um=content.pixel_size_um, positions_um=positions)
    plate = make_plate(
        gathering.plate, index.parent, "harmony", fields, problems=gathering.problems, shape=content.shape
    )
    profiles = {names[channels.index(key)]: profile for key, profile in content.profiles.items() if key in channels}
    return replace(plate, illumination=profiles)


@dataclass
class _Content:
    name: str = ""
    rows: int = 0
    columns: int = 0
    channels: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, Coefficients] = field(default_factory=dict)
    images: list[dict[str, str]] = field(default_factory=list)
    pixel_size_um: float | None = None

    @property
    def shape(self) -> tuple[int, int] | None:
        return (self.rows, self.columns) if self.rows and self.columns else None


def _parse(index: Path) -> _Content:
    content = _Content()
    checked = False
    for name, element in iterate_xml(index):
        if not checked:
            _refuse_strangers(element.tag, index)
            checked = True
        if name == "Image" and len(element):
            _take_image(texts(element), content)
            element.clear()
        elif name == "Entry":
            _take_channel(element.get("ChannelID", ""), texts(element), content)
            element.clear()
        elif name == "Plate" and len(element):
            plate = texts(element)
            content.name = plate.get("Name") or plate.get("PlateID", "")
            content.rows, content.columns = int(plate.get("PlateRows", 0)), int(plate.get("PlateColumns", 0))
    return content


def _refuse_strangers(tag: str, index: Path) -> None:
    if not _NAMESPACE.match(tag):
        namespace = tag[1:].partition("}")[0] if tag.startswith("{") else "none"
        msg = (
            f"{index} must have a namespace that ends in HarmonyV1..V7, got {namespace}. Export it from Harmony again."
        )
        raise InputError(msg)


def _take_image(entry: dict[str, str], content: _Content) -> None:
    content.images.append(entry)
    channel = entry.get("ChannelID", "")
    if entry.get("ChannelName") or channel not in content.channels:
        content.channels[channel] = entry.get("ChannelName") or f"channel {channel}"
    _take_pixel_size(entry, content)


def _take_channel(channel: str, entry: dict[str, str], content: _Content) -> None:
    # Entries for channels that no image uses are possible: only names are taken here, the images decide.
    if entry.get("ChannelName"):
        content.channels[channel] = entry["ChannelName"]
    profile = read_profile(entry.get("FlatfieldProfile", ""))
    if profile is not None:
        content.profiles[channel] = profile
    _take_pixel_size(entry, content)


def _take_pixel_size(entry: Mapping[str, str], content: _Content) -> None:
    if content.pixel_size_um is None and entry.get("ImageResolutionX"):
        content.pixel_size_um = float(entry["ImageResolutionX"]) * 1e6


def _take(
    entry: dict[str, str],
    gathering: Gathering,
    channels: list[str],
    folder: Path,
    files: set[str],
    positions: dict[FieldKey, tuple[float, float]],
) -> None:
    try:
        well = WellPosition(int(entry["Row"]), int(entry["Col"]))
        number, z, time = int(entry["FieldID"]), int(entry["PlaneID"]), int(entry.get("TimepointID", 0))
    except (KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        msg = f"Image {entry.get('id', '?')!r} of the index must number row, column, field, plane: {error}. Left out."
        raise InputError(msg) from error
    path = inside(folder, entry.get("URL", ""))
    there = entry.get("State", "Ok") == "Ok" and (path.name in files if path.parent == folder else path.is_file())
    gathering.add(well, number, Plane(time, channels.index(entry["ChannelID"]), z, path), is_there=there)
    if entry.get("PositionX") and entry.get("PositionY"):
        positions[well, number] = (0.0 - float(entry["PositionY"]) * 1e6, float(entry["PositionX"]) * 1e6)


def read_profile(text: str) -> Coefficients | None:
    """Read a FlatfieldProfile: brace text with unquoted keys, NaN and INF, so not JSON.

    Args:
        text: The element's text.

    Returns:
        The coefficients of the background's polynomial, one tuple per degree; None where there is nothing to correct.
    """
    match = _PROFILE.search(text)
    if match is None:
        return None
    return tuple(tuple(float(value) for value in order) for order in json.loads(match[1]))


def _distinct(names: list[str], keys: list[str]) -> list[str]:
    return [name if names.count(name) == 1 else f"{name} ({key})" for name, key in zip(names, keys, strict=True)]


def _number(key: str) -> tuple[int, str]:
    return (int(key) if key.isdigit() else 0, key)
