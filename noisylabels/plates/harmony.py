"""Harmony and Columbus exports of PerkinElmer/Revvity instruments (Operetta, Opera Phenix, Sonata).

`Images/Index.idx.xml` or `Images/Index.xml`, software versions 1 to 7. From version 6 on the channels are described
once, under `Maps`, and no more in every image; positions are metres with Y pointing up. A plane whose `State` is
not `Ok` or whose file is gone is a missing plane of its own field: it shifts nothing.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Plane
from noisylabels.plates.gathering import FieldKey, Files, Gathering, distinct, find_file, make_plate
from noisylabels.plates.markup import iterate_xml, number_or_none, texts, whole
from noisylabels.plates.plate import ALL, LATEST, Choice, Coefficients, Plate

INDEX_NAMES = ("Index.idx.xml", "Index.xml", "Index.ref.xml")

_NAMESPACE = re.compile(r"\{.*HarmonyV\d+\}")
_PROFILE = re.compile(r"Background:(?:(?!Foreground).)*?Profile:\s*\{\s*Coefficients:\s*(\[\[.*?\]\])")


def find_index(folder: Path) -> Path | None:
    """Find a Harmony index in a folder or its `Images`."""
    places = (folder, folder / "Images", folder / "images")
    return next((found for place in places if (found := find_file(place, *INDEX_NAMES))), None)


def read_harmony(folder: Path, choice: Choice = Choice()) -> Plate:  # noqa: B008
    """Read a Harmony export without reading a pixel.

    Args:
        folder: The export, its `Images` folder, or the index itself.
        choice: Which sequence to read where a plane was taken several times.

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
    content = _chosen_sequences(_parse(index), choice.sequence, index)
    gathering = Gathering(content.name or index.parent.parent.name)
    used = {entry["ChannelID"] for entry in content.images if entry.get("ChannelID")}
    channels = sorted(used, key=_number)
    files = Files(index.parent)
    positions: dict[FieldKey, tuple[float, float]] = {}
    for order, entry in enumerate(content.images):
        try:
            _take(entry, order, gathering, channels, files, positions)
        except InputError as error:
            gathering.problems.append(str(error))
    gathering.name_repeated("Choose with --sequence.")
    names = distinct([content.channels[channel] for channel in channels], channels)
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
            content.rows, content.columns = (
                int(number_or_none(plate.get(key, "")) or 0) for key in ("PlateRows", "PlateColumns")
            )
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
        size = number_or_none(entry["ImageResolutionX"])
        content.pixel_size_um = None if size is None else size * 1e6


def _chosen_sequences(content: _Content, sequence: str, index: Path) -> _Content:
    if sequence == LATEST:
        return content
    known = sorted({entry.get("SequenceID", "") for entry in content.images}, key=_number)
    if sequence == ALL:
        for entry in content.images:
            key = f"{entry.get('ChannelID', '')}, sequence {entry.get('SequenceID', '')}"
            content.channels[key] = content.channels[entry.get("ChannelID", "")]
            entry["ChannelID"] = key
        return content
    if sequence not in known:
        msg = f"--sequence must be latest, all or one of {', '.join(known)} of {index}, got {sequence!r}. Choose one."
        raise InputError(msg)
    return replace(content, images=[entry for entry in content.images if entry.get("SequenceID", "") == sequence])


def _take(
    entry: dict[str, str],
    order: int,
    gathering: Gathering,
    channels: list[str],
    files: Files,
    positions: dict[FieldKey, tuple[float, float]],
) -> None:
    try:
        well = WellPosition(whole(entry["Row"]), whole(entry["Col"]))
        number, z, time = whole(entry["FieldID"]), whole(entry["PlaneID"]), whole(entry.get("TimepointID", "0"))
        channel = channels.index(entry["ChannelID"])
    except (KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        msg = f"Image {entry.get('id', '?')!r} of the index must number row, column, field, plane: {error}. Left out."
        raise InputError(msg) from error
    path, found = files.find(entry.get("URL", ""))
    there = entry.get("State", "Ok") == "Ok" and found
    version = (number_or_none(entry.get("SequenceID", "")) or 0.0, float(order))
    gathering.add(well, number, Plane(time, channel, z, path), is_there=there, version=version)
    x, y = (number_or_none(entry.get(key, "")) for key in ("PositionX", "PositionY"))
    if x is not None and y is not None:
        positions[well, number] = (0.0 - y * 1e6, x * 1e6)


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
    try:
        coefficients = tuple(tuple(float(value) for value in order) for order in json.loads(match[1]))
    except (ValueError, TypeError):
        return None
    return coefficients if all(isfinite(value) for order in coefficients for value in order) else None


def _number(key: str) -> tuple[int, str]:
    first = key.partition(",")[0]
    return (int(first) if first.isdigit() else 0, key)
