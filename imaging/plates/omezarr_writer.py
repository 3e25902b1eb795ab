"""Write plates as OME-Zarr 0.5: fields whole or absent, label maps beside them, nothing ever overwritten."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.plates.omezarr import read_metadata
from imaging.plates.plate import Field, Plate, Stack
from imaging.plates.wells import WellPosition
from noisylabels.atomic import write_text
from noisylabels.errors import InputError
from noisylabels.labels import ClassTable, LabelMap, check_label_map

PROVENANCE_KEY = "noisylabels"
SMALLEST_LEVEL_PX = 256

# Okabe and Ito's colours, which colour-blind people tell apart; the background is transparent.
_COLOURS = ((0, 0, 0, 0), (0, 158, 115, 255), (213, 94, 0, 255), (86, 180, 233, 255), (240, 228, 66, 255))
_CHANNEL_COLOURS = ("D55E00", "009E73", "56B4E9", "F0E442", "CC79A7", "FFFFFF")


def field_folder(root: Path, field: Field) -> Path:
    """Say where a field of a plate lies: `B/07/3`."""
    return root / field.well.row_name / f"{field.well.column:02d}" / str(field.number)


def start_plate(root: str | Path) -> Path:
    """Make sure that a plate may be written here: the folder is new, or holds an unfinished plate.

    Raises:
        InputError: If a finished plate, or anything else, is there already.
    """
    folder = Path(root)
    if (folder / "zarr.json").exists():
        msg = f"{folder} must be new, but a finished plate is there. Choose another name; nothing is overwritten."
        raise InputError(msg)
    if folder.is_dir() and any(not _belongs(entry) for entry in folder.iterdir()):
        msg = f"{folder} must be new or hold an unfinished plate, got other files in it. Choose another name."
        raise InputError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_field(
    root: Path, field: Field, stack: Stack, *, channels: Sequence[str], provenance: Mapping[str, Any] | None = None
) -> Path:
    """Write one field as a pyramid; it appears whole or not at all, and one that is there is left alone.

    Args:
        root: The plate.
        field: The field.
        stack: (channel, plane, row, column) pixels of an integer or float type. Not modified.
        channels: Channel names.
        provenance: Where the pixels come from; kept under our own key beside `ome`.

    Returns:
        The field's folder.
    """
    folder = field_folder(root, field)
    if folder.exists():
        return folder
    data, axes = (stack[:, 0], "cyx") if stack.shape[1] == 1 else (stack, "czyx")
    levels = list(_levels(data, _mean_of_four))
    with _appearing(folder) as temporary:
        _write_multiscale(temporary, levels, _image_attributes(axes, levels, field, channels, data), provenance)
    return folder


def finish_plate(root: Path, plate: Plate, fields: Sequence[Field]) -> None:
    """Write the wells' metadata and then, last, the plate's: a plate without it is unfinished.

    Args:
        root: The plate's new folder.
        plate: The plate that was converted.
        fields: The fields that were written.
    """
    from yaozarrs import v05

    by_well: dict[Any, list[Field]] = {}
    for field in fields:
        by_well.setdefault(field.well, []).append(field)
    for well, members in by_well.items():
        images = [v05.FieldOfView(path=str(field.number)) for field in sorted(members, key=lambda one: one.number)]
        _write_group(root / well.row_name, {})
        _write_group(
            root / well.row_name / f"{well.column:02d}",
            {"ome": _plain(v05.Well(version="0.5", well=v05.WellDef(images=images)))},
        )
    wells = [
        v05.PlateWell(
            path=f"{well.row_name}/{well.column:02d}",
            rowIndex=well.row - 1,
            columnIndex=well.column - 1,
        )
        for well in sorted(by_well)
    ]
    definition = v05.PlateDef(
        name=plate.name,
        rows=[v05.Row(name=WellPosition(row + 1, 1).row_name) for row in range(plate.shape[0])],
        columns=[v05.Column(name=f"{column + 1:02d}") for column in range(plate.shape[1])],
        wells=wells,
        field_count=max(len(members) for members in by_well.values()),
    )
    content = _plain(v05.Plate(version="0.5", plate=definition))
    # The specification's own example repeats the version here, and ome-zarr-models warns without it.
    _write_group(root, {"ome": {**content, "plate": {**content["plate"], "version": "0.5"}}})


def write_plate(root: str | Path, plate: Plate, *, channels: Sequence[str] | None = None) -> list[str]:
    """Convert a plate to OME-Zarr 0.5. A second run takes up where the first was cut off.

    Args:
        root: The new plate's folder, `*.ome.zarr`.
        plate: The plate to convert; its first time point is taken.
        channels: Which channels, in order; all when None.

    Returns:
        One sentence per field that could not be read and is left out.

    Raises:
        InputError: If the folder is taken or no field can be read.
    """
    folder, problems, written = start_plate(root), [], []
    for field in plate.fields:
        try:
            stack = None if field_folder(folder, field).exists() else field.read_stack(channels=channels)
        except (InputError, FileNotFoundError) as error:
            problems.append(str(error))
            continue
        if stack is not None:
            source = {"converted from": plate.format, "plate": plate.name, "field": field.id}
            write_field(folder, field, stack, channels=channels or field.channels, provenance=source)
        written.append(field)
    if not written:
        msg = f"Plate {plate.name} must have at least one whole field, got none ({problems[0]})."
        raise InputError(msg + " Choose channels that are whole.")
    finish_plate(folder, plate, written)
    return problems


def write_labels(
    folder: str | Path,
    label_map: LabelMap,
    *,
    name: str,
    classes: ClassTable,
    provenance: Mapping[str, Any],
) -> Path:
    """Add a label map to a field of an OME-Zarr 0.5 plate. The list of labels is written last.

    Args:
        folder: The field.
        label_map: (row, column) class indices of the field's size. Not modified.
        name: `<method>_<hash>`; names are used once.
        classes: Class names, kept as properties of each value.
        provenance: Hashes of checkpoint and settings, parents; kept under our own key beside `ome`.

    Returns:
        The folder of the label map.

    Raises:
        InputError: If the name is taken, the size differs from the field's, or the field is not OME-Zarr 0.5.
    """
    field = Path(folder)
    scales = _multiscale_of(field)
    shape = _array_shape(field / scales["datasets"][0]["path"])
    checked = check_label_map(label_map, classes, source=f"label map {name}", like=(shape[-2], shape[-1]))
    target = field / "labels" / name
    if target.exists() or name in list_labels(field):
        msg = f"A label map's name must be new, but {target} is there. Nothing is overwritten: choose another name."
        raise InputError(msg)
    levels = list(_levels(checked, lambda array: array[::2, ::2]))
    pixel = float(scales["datasets"][0]["coordinateTransformations"][0]["scale"][-1])
    unit = next((axis.get("unit") for axis in scales["axes"] if axis["name"] == "x"), None)
    with _appearing(target) as temporary:
        _write_multiscale(temporary, levels, _label_attributes(levels, pixel, unit, classes), provenance)
    _write_group(field / "labels", {"ome": {"version": "0.5", "labels": [*list_labels(field), name]}})
    return target


def list_labels(folder: str | Path) -> list[str]:
    """List the names of a field's label maps."""
    try:
        names: list[str] = read_metadata(Path(folder) / "labels").get("labels", [])
    except FileNotFoundError:
        return []
    return names


def read_labels(folder: str | Path, name: str) -> LabelMap:
    """Read one label map of a field at full resolution.

    Raises:
        InputError: If the field has no label map of that name.
    """
    import zarr

    if name not in list_labels(folder):
        msg = f"A label map of {folder} must be one of {list_labels(folder)}, got {name!r}. Use one of these names."
        raise InputError(msg)
    return np.asarray(zarr.open_array(Path(folder) / "labels" / name / "0", mode="r")[...], np.uint8)


def _multiscale_of(field: Path) -> dict[str, Any]:
    content = read_metadata(field)
    if not (field / "zarr.json").is_file() or not content.get("multiscales"):
        msg = f"{field} must be a field of an OME-Zarr 0.5 plate to hold label maps. Convert the plate first."
        raise InputError(msg)
    scales: dict[str, Any] = content["multiscales"][0]
    return scales


def _array_shape(array: Path) -> tuple[int, ...]:
    return tuple(json.loads((array / "zarr.json").read_text(encoding="utf-8"))["shape"])


def _belongs(entry: Path) -> bool:
    return entry.is_dir() and entry.name.isalpha() and len(entry.name) <= 2


@contextlib.contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """Fill a folder beside its place and then rename it into it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".writing-"))
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.rename(folder)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def _levels(array: NDArray[Any], smaller: Any) -> Iterator[NDArray[Any]]:
    yield array
    while max(array.shape[-2:]) > 2 * SMALLEST_LEVEL_PX:
        array = smaller(array)
        yield array


def _mean_of_four(array: NDArray[Any]) -> NDArray[Any]:
    rows, columns = array.shape[-2] // 2 * 2, array.shape[-1] // 2 * 2
    blocks = array[..., :rows, :columns].reshape(*array.shape[:-2], rows // 2, 2, columns // 2, 2)
    mean: NDArray[Any] = blocks.mean(axis=(-3, -1)).astype(array.dtype)
    return mean


def _write_multiscale(
    folder: Path, levels: Sequence[NDArray[Any]], ome: Mapping[str, Any], provenance: Mapping[str, Any] | None
) -> None:
    import zarr

    for number, level in enumerate(levels):
        # One chunk per picture: a field is read whole, and each chunk is written in one step.
        array = zarr.create_array(
            folder / str(number),
            shape=level.shape,
            dtype=level.dtype,
            chunks=(*(1 for _ in level.shape[:-2]), *level.shape[-2:]),
            dimension_names=[axis["name"] for axis in ome["multiscales"][0]["axes"]],
            zarr_format=3,
            config={"write_empty_chunks": True},
        )
        array[...] = level
    _write_group(folder, {"ome": dict(ome), **({PROVENANCE_KEY: dict(provenance)} if provenance else {})})


def _write_group(folder: Path, attributes: Mapping[str, Any]) -> None:
    document = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    write_text(folder / "zarr.json", json.dumps(document, indent=1) + "\n")


def _plain(model: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(model.model_dump_json(exclude_none=True, exclude_unset=False, by_alias=True))
    return plain


def _multiscale(axes: str, levels: Sequence[NDArray[Any]], pixel: float, unit: str | None) -> Any:
    from yaozarrs import v05

    kinds = {"c": v05.ChannelAxis(name="c"), "z": v05.SpaceAxis(name="z")}
    space = {"unit": unit} if unit else {}
    described = [kinds.get(axis) or v05.SpaceAxis(name=axis, **space) for axis in axes]
    datasets = []
    for number in range(len(levels)):
        scale = [1.0] * (len(axes) - 2) + [pixel * 2**number] * 2
        datasets.append(v05.Dataset(path=str(number), coordinateTransformations=[v05.ScaleTransformation(scale=scale)]))
    return v05.Multiscale(axes=described, datasets=datasets)


def _image_attributes(
    axes: str, levels: Sequence[NDArray[Any]], field: Field, channels: Sequence[str], data: NDArray[Any]
) -> dict[str, Any]:
    from yaozarrs import v05

    known = field.pixel_size_um is not None
    scales = _multiscale(axes, levels, field.pixel_size_um or 1.0, "micrometer" if known else None)
    full = float(np.iinfo(data.dtype).max) if data.dtype.kind in "ui" else 1.0
    shown = [
        v05.OmeroChannel(
            label=name,
            color=_CHANNEL_COLOURS[number % len(_CHANNEL_COLOURS)],
            active=True,
            window=v05.OmeroWindow(min=0.0, max=full, start=float(plane.min()), end=float(plane.max())),
        )
        for number, (name, plane) in enumerate(zip(channels, data, strict=True))
    ]
    return _plain(v05.Image(version="0.5", multiscales=[scales], omero=v05.Omero(channels=shown)))


def _label_attributes(
    levels: Sequence[NDArray[Any]], pixel: float, unit: str | None, classes: ClassTable
) -> dict[str, Any]:
    from yaozarrs import v05

    # Integers, by hand: yaozarrs writes label-value as 1.0, and napari-ome-zarr then ignores the colours.
    image_label = {
        "colors": [{"label-value": index, "rgba": list(_COLOURS[index % len(_COLOURS)])} for index in classes.indices],
        "properties": [{"label-value": index, "class": name} for index, name in enumerate(classes)],
        "source": {"image": "../../"},
    }
    scales = v05.Image(version="0.5", multiscales=[_multiscale("yx", levels, pixel, unit)])
    return {**_plain(scales), "image-label": image_label}
