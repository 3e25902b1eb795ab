"""Label maps of an OME-Zarr 0.5 field: under `labels/<method>_<hash>`, listed last, never overwritten."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable, LabelMap, check_label_map
from noisylabels.plates.multiscale import (
    PROVENANCE_KEY,
    appearing,
    levels_of,
    multiscale,
    plain,
    write_group,
    write_multiscale,
)
from noisylabels.plates.omezarr import read_metadata

# Okabe and Ito's colours, which colour-blind people tell apart; the background is transparent.
_COLOURS = ((0, 0, 0, 0), (0, 158, 115, 255), (213, 94, 0, 255), (86, 180, 233, 255), (240, 228, 66, 255))


def write_labels(
    folder: str | Path,
    label_map: LabelMap,
    *,
    name: str,
    classes: ClassTable,
    provenance: Mapping[str, object],
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
    levels = list(levels_of(checked, lambda array: array[::2, ::2]))
    pixel = float(scales["datasets"][0]["coordinateTransformations"][0]["scale"][-1])
    unit = next((axis.get("unit") for axis in scales["axes"] if axis["name"] == "x"), None)
    attributes = _label_attributes(levels, pixel, unit, classes)
    if name not in list_labels(field) and _is_here(target, attributes, provenance):
        _list_label(field, name)  # a run that ended before the last step
        return target
    if target.exists() or name in list_labels(field):
        msg = f"A label map's name must be new, but {target} is there. Nothing is overwritten: choose another name."
        raise InputError(msg)
    with appearing(target) as temporary:
        write_multiscale(temporary, levels, attributes, provenance)
    _list_label(field, name)
    return target


def _list_label(field: Path, name: str) -> None:
    write_group(field / "labels", {"ome": {"version": "0.5", "labels": [*list_labels(field), name]}})


def _is_here(target: Path, ome: Mapping[str, object], provenance: Mapping[str, object]) -> bool:
    """Return whether a label map of the same making is there: it was renamed into place whole, but not yet listed."""
    try:
        there = json.loads((target / "zarr.json").read_bytes())["attributes"]
    except (OSError, ValueError, LookupError):
        return False
    return bool(there == json.loads(json.dumps({"ome": ome, PROVENANCE_KEY: provenance})))


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
    if not (field / "zarr.json").is_file() or "axes" not in (content.get("multiscales") or [{}])[0]:
        msg = f"{field} must be a field of an OME-Zarr 0.5 plate to hold label maps. Convert the plate first."
        raise InputError(msg)
    scales: dict[str, Any] = content["multiscales"][0]
    return scales


def _array_shape(array: Path) -> tuple[int, ...]:
    return tuple(json.loads((array / "zarr.json").read_text(encoding="utf-8"))["shape"])


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
    scales = v05.Image(version="0.5", multiscales=[multiscale("yx", levels, pixel, unit)])
    return {**plain(scales), "image-label": image_label}
