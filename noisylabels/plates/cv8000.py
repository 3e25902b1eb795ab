"""Yokogawa CellVoyager (CV7000, CV8000) measurements: `MeasurementData.mlf` lists the planes, `.mrf` the channels."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Plane
from noisylabels.plates.gathering import FieldKey, Files, Gathering, distinct, find_file, make_plate
from noisylabels.plates.markup import iterate_xml, number_or_none, whole
from noisylabels.plates.plate import ALL, LATEST, Choice, Plate

INDEX_NAME, DETAIL_NAME = "MeasurementData.mlf", "MeasurementDetail.mrf"

_NAMESPACE = "http://www.yokogawa.co.jp/BTS/BTSSchema/1.0"


@dataclass
class _Detail:
    shape: tuple[int, int] | None = None
    settings: str = ""
    pixel_size_um: float | None = None
    names: dict[str, str] = field(default_factory=dict)


def read_cv8000(folder: Path, choice: Choice = Choice()) -> Plate:  # noqa: B008
    """Read a CellVoyager measurement without reading a pixel.

    Args:
        folder: The measurement.
        choice: Which action to read where a plane was taken by several.

    Records of the type `ERR` and records whose file is gone stand in each field's `missing`.

    Raises:
        InputError: If there is no index, it is not Yokogawa's, or it holds no usable field.
    """
    index = find_file(folder, INDEX_NAME)
    if index is None:
        msg = f"{folder} must hold {INDEX_NAME}, got none. Give the measurement's folder."
        raise InputError(msg)
    detail, gathering = _read_detail(folder), Gathering(folder.name)
    records = _chosen_actions(_records(index), choice.action, index)
    channels = sorted({record["Ch"] for record in records if record.get("Ch")}, key=lambda key: (len(key), key))
    files = Files(folder)
    positions: dict[FieldKey, tuple[float, float]] = {}
    for record in records:
        try:
            key = _take(record, channels, files, gathering)
        except InputError as error:
            gathering.problems.append(str(error))
            continue
        x, y = (number_or_none(record.get(axis, "")) for axis in "XY")
        if x is not None and y is not None:
            positions[key] = (0.0 - y, x)
    gathering.name_repeated("Choose with --action.")
    names = distinct([_named(channel, detail) for channel in channels], channels)
    return make_plate(
        gathering.plate,
        folder,
        "cv8000",
        gathering.fields(names, pixel_size_um=detail.pixel_size_um, positions_um=positions),
        problems=gathering.problems,
        shape=detail.shape,
    )


def _records(index: Path) -> list[dict[str, str]]:
    records = []
    for name, element in iterate_xml(index):
        if not element.tag.startswith(f"{{{_NAMESPACE}}}"):
            msg = f"{index} must have the namespace {_NAMESPACE}, got {element.tag}. Export the measurement again."
            raise InputError(msg)
        if name == "MeasurementRecord":
            records.append(_attributes(element.attrib) | {"file": (element.text or "").strip()})
            element.clear()
    return records


def _chosen_actions(records: list[dict[str, str]], action: str, index: Path) -> list[dict[str, str]]:
    if action == LATEST:
        return records
    known = sorted({record["ActionIndex"] for record in records if "ActionIndex" in record})
    if action == ALL:
        return [
            record | {"Ch": f"{record['Ch']}, action {record.get('ActionIndex', '')}"} if record.get("Ch") else record
            for record in records
        ]
    if action not in known:
        msg = f"--action must be latest, all or one of {', '.join(known)} of {index}, got {action!r}. Choose one."
        raise InputError(msg)
    return [record for record in records if record.get("ActionIndex") in (None, action)]


def _named(channel: str, detail: _Detail) -> str:
    number = channel.partition(",")[0]
    return detail.names.get(number, number)


def _take(record: Mapping[str, str], channels: list[str], files: Files, gathering: Gathering) -> FieldKey:
    try:
        well, number = WellPosition(whole(record["Row"]), whole(record["Column"])), whole(record["FieldIndex"])
        time, z, channel = whole(record["TimePoint"]), whole(record["ZIndex"]), channels.index(record["Ch"])
    except (KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        msg = f"Record {record['file']!r} of the index must name row, column, field, plane and time: {error}. Left out."
        raise InputError(msg) from error
    # A failed plane (type ERR) has a message where the file's name would stand.
    name = record["file"] if record.get("Type") == "IMG" else "(plane failed on the instrument)"
    path, found = files.find(name)
    version = (number_or_none(record.get("ActionIndex", "")) or 0.0,)
    gathering.add(well, number, Plane(time, channel, z, path), is_there=found, version=version)
    return well, number


def _read_detail(folder: Path) -> _Detail:
    """Read what else is known of the plate; a file beside the index that is broken or elsewhere refuses no plate."""
    detail = _Detail()
    path = find_file(folder, DETAIL_NAME)
    with contextlib.suppress(InputError):
        for name, element in iterate_xml(path) if path else ():
            entry = _attributes(element.attrib)
            if name == "MeasurementDetail":
                rows, columns = (number_or_none(entry.get(key, "")) for key in ("RowCount", "ColumnCount"))
                detail.shape = (int(rows), int(columns)) if rows and columns else None
                detail.settings = entry.get("MeasurementSettingFileName", "")
            elif name == "MeasurementChannel":
                size = number_or_none(entry.get("HorizontalPixelDimension", ""))
                detail.pixel_size_um = detail.pixel_size_um if size is None else size
    settings = find_file(folder, PureWindowsPath(detail.settings).name) if detail.settings else None
    with contextlib.suppress(InputError):
        detail.names.update(_channel_names(settings) if settings else {})
    return detail


def _channel_names(settings: Path) -> dict[str, str]:
    names: dict[str, str] = {}
    for name, element in iterate_xml(settings):
        if name == "Channel":
            entry = _attributes(element.attrib)
            names[entry.get("Ch", "")] = entry.get("Fluorophore") or entry.get("Acquisition") or entry.get("Ch", "")
    return names


def _attributes(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name.rpartition("}")[2]: value for name, value in attributes.items()}
