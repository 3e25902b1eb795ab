"""Write plates as OME-Zarr 0.5: fields whole or absent, nothing ever overwritten."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.disk import writing
from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Field, Stack
from noisylabels.plates.multiscale import appearing, levels_of, multiscale, plain, write_group, write_multiscale
from noisylabels.plates.plate import Plate

_CHANNEL_COLOURS = ("D55E00", "009E73", "56B4E9", "F0E442", "CC79A7", "FFFFFF")


def field_folder(root: Path, field: Field) -> Path:
    """Return where a field of a plate lies: `B/07/3`."""
    return root / field.well.row_name / f"{field.well.column:02d}" / str(field.number)


def start_plate(root: str | Path) -> Path:
    """Check that a plate may be written here: the folder is new, or holds an unfinished plate.

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
    root: Path, field: Field, stack: Stack, *, channels: Sequence[str], provenance: Mapping[str, object] | None = None
) -> Path:
    """Write one field as a pyramid; it appears whole or not at all, and one that is there is left alone.

    Args:
        root: The plate.
        field: The field.
        stack: (channel, plane, row, column) pixels of an integer or float type, or (time, channel, plane, row, column).
            Not modified.
        channels: Channel names.
        provenance: Where the pixels come from; kept under our own key beside `ome`.

    Returns:
        The field's folder.
    """
    folder = field_folder(root, field)
    if folder.exists():
        return folder
    axes = "tczyx"[-stack.ndim :]
    data, axes = (stack[..., 0, :, :], axes.replace("z", "")) if stack.shape[-3] == 1 else (stack, axes)
    levels = list(levels_of(data, _mean_of_four))
    with appearing(folder) as temporary:
        write_multiscale(temporary, levels, _image_attributes(axes, levels, field, channels, data), provenance)
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
        write_group(root / well.row_name, {})
        write_group(
            root / well.row_name / f"{well.column:02d}",
            {"ome": plain(v05.Well(version="0.5", well=v05.WellDef(images=images)))},
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
    content = plain(v05.Plate(version="0.5", plate=definition))
    # The specification's own example repeats the version here, and ome-zarr-models warns without it.
    write_group(root, {"ome": {**content, "plate": {**content["plate"], "version": "0.5"}}})


def write_plate(
    root: str | Path, plate: Plate, *, channels: Sequence[str] | None = None, time: int | None = None
) -> list[str]:
    """Convert a plate to OME-Zarr 0.5. A second run takes up where the first was cut off.

    Args:
        root: The new plate's folder, `*.ome.zarr`.
        plate: The plate to convert.
        channels: Which channels, in order; all when None.
        time: The time point to take; all of them, along an axis t, when None.

    Returns:
        One sentence per field that could not be read and is left out.

    Raises:
        InputError: If the folder is taken or no field can be read.
        DiskFullError: If the disk is full; what is written is kept.
    """
    with writing(root):
        return _write_plate(start_plate(root), plate, channels, time)


def _write_plate(folder: Path, plate: Plate, channels: Sequence[str] | None, time: int | None) -> list[str]:
    problems, written = [], []
    for field in plate.fields:
        try:
            stack = None if field_folder(folder, field).exists() else _read(field, channels, time)
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


def _read(field: Field, channels: Sequence[str] | None, time: int | None) -> Stack:
    moments = field.times if time is None else (time,)
    stacks = [field.read_stack(channels=channels, time=moment) for moment in moments]
    if len({stack.shape for stack in stacks}) > 1:
        shapes = sorted({stack.shape for stack in stacks})
        msg = f"Time points of {field.plate} {field.id} must have one shape, got {shapes}. Choose one with --time."
        raise InputError(msg)
    return stacks[0] if len(stacks) == 1 else np.stack(stacks)


def _belongs(entry: Path) -> bool:
    return entry.is_dir() and entry.name.isalpha() and len(entry.name) <= 2


def _mean_of_four(array: RealArray) -> RealArray:
    rows, columns = array.shape[-2] // 2 * 2, array.shape[-1] // 2 * 2
    blocks = array[..., :rows, :columns].reshape(*array.shape[:-2], rows // 2, 2, columns // 2, 2)
    mean: NDArray[Any] = blocks.mean(axis=(-3, -1)).astype(array.dtype)
    return mean


def _image_attributes(
    axes: str, levels: Sequence[RealArray], field: Field, channels: Sequence[str], data: RealArray
) -> dict[str, object]:
    from yaozarrs import v05

    known = field.pixel_size_um is not None
    scales = multiscale(axes, levels, field.pixel_size_um or 1.0, "micrometer" if known else None)
    full = float(np.iinfo(data.dtype.name).max) if data.dtype.kind in "ui" else 1.0
    planes = data if "t" not in axes else np.moveaxis(data, 1, 0)
    shown = [
        v05.OmeroChannel(
            label=name,
            color=_CHANNEL_COLOURS[number % len(_CHANNEL_COLOURS)],
            active=True,
            window=v05.OmeroWindow(min=0.0, max=full, start=float(plane.min()), end=float(plane.max())),
        )
        for number, (name, plane) in enumerate(zip(channels, planes, strict=True))
    ]
    return plain(v05.Image(version="0.5", multiscales=[scales], omero=v05.Omero(channels=shown)))
