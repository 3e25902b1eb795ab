"""Yokogawa CellVoyager (CV7000, CV8000) measurements: `MeasurementData.mlf` lists the planes, `.mrf` the channels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Plane
from noisylabels.plates.gathering import FieldKey, Gathering, inside, make_plate
from noisylabels.plates.markup import iterate_xml
from noisylabels.plates.plate import Plate

INDEX_NAME, DETAIL_NAME = "MeasurementData.mlf", "MeasurementDetail.mrf"

_NAMESPACE = "http://www.yokogawa.co.jp/BTS/BTSSchema/1.0"


@dataclass
class _Detail:
    shape: tuple[int, int] | None = None
    settings: str = ""
    pixel_size_um: float | None = None
    names: dict[str, str] = field(default_factory=dict)


def read_cv8000(folder: Path) -> Plate:
    """Read a CellVoyager measurement without reading a pixel.

    Records of the type `ERR` and records whose file is gone stand in each field's `missing`.

    Raises:
        InputError: If there is no index, it is not Yokogawa's, or it holds no usable field.
    """
    index = folder / INDEX_NAME
    if not index.is_file():
        msg = f"{folder} must hold {INDEX_NAME}, got none. Give the measurement's folder."
        raise InputError(msg)
    detail, gathering = _read_detail(folder), Gathering(folder.name)
    records = _records(index)
    channels = sorted({record.get("Ch", "") for record in records}, key=lambda key: (len(key), key))
    files = {path.name for path in folder.iterdir()}
    positions: dict[FieldKey, tuple[float, float]] = {}
    for record in records:
        try:
            key = _take(record, channels, folder, files, gathering)
        except InputError as error:
            gathering.problems.append(str(error))
            continue
        if "X" in record and "Y" in record:
            positions[key] = (0.0 - float(record["Y"]), float(record["X"]))
    names = [detail.names.get(channel, channel) for channel in channels]
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


def _take(
    record: Mapping[str, str], channels: list[str], folder: Path, files: set[str], gathering: Gathering
) -> FieldKey:
    try:
        well, number = WellPosition(int(record["Row"]), int(record["Column"])), int(record["FieldIndex"])
        time, z = int(record["TimePoint"]), int(record["ZIndex"])
    except (KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        msg = f"Record {record['file']!r} of the index must name row, column, field, plane and time: {error}. Left out."
        raise InputError(msg) from error
    # A failed plane (type ERR) has a message where the file's name would stand.
    name = record["file"] if record.get("Type") == "IMG" else "(plane failed on the instrument)"
    path = inside(folder, name)
    gathering.add(well, number, Plane(time, channels.index(record["Ch"]), z, path), is_there=path.name in files)
    return well, number


def _read_detail(folder: Path) -> _Detail:
    detail = _Detail()
    if not (folder / DETAIL_NAME).is_file():
        return detail
    for name, element in iterate_xml(folder / DETAIL_NAME):
        entry = _attributes(element.attrib)
        if name == "MeasurementDetail":
            detail.shape = (int(entry["RowCount"]), int(entry["ColumnCount"]))
            detail.settings = entry.get("MeasurementSettingFileName", "")
        elif name == "MeasurementChannel" and "HorizontalPixelDimension" in entry:
            detail.pixel_size_um = float(entry["HorizontalPixelDimension"])
    settings = inside(folder, detail.settings) if detail.settings else None
    if settings is not None and settings.is_file():
        detail.names.update(_channel_names(settings))
    return detail


def _channel_names(settings: Path) -> dict[str, str]:
    names: dict[str, str] = {}
    for name, element in iterate_xml(settings):
        if name == "Channel":
            entry = _attributes(element.attrib)
            names[entry.get("Ch", "")] = entry.get("Fluorophore") or entry.get("Acquisition") or entry.get("Ch", "")
    # Names must tell channels apart, otherwise the instrument's numbers do.
    return names if len(set(names.values())) == len(names) else {}


def _attributes(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name.rpartition("}")[2]: value for name, value in attributes.items()}
