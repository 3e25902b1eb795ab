"""Label maps in OME-Zarr: a label image on its own, or the one under `labels/` of an image."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.errors import InputError


def find_zarrs(place: Path) -> list[Path]:
    """List the OME-Zarr folders of a folder and its sub-folders, sorted; one itself is a list of itself."""
    if place.name.lower().endswith(".zarr"):
        return [place] if place.is_dir() else []
    below = sorted(place.rglob("*.zarr")) if place.is_dir() else []
    return [path for path in below if path.is_dir() and not any(parent in below for parent in path.parents)]


def read_zarr_mask(place: Path) -> NDArray[np.int64]:
    """Read a label map at full resolution.

    Args:
        place: A label image, or an image with one label map under `labels/`.

    Returns:
        (row, column) numbers.

    Raises:
        InputError: If there are several label maps, several planes, or the values are no whole numbers.
    """
    import zarr

    from noisylabels.plates.omezarr import read_metadata
    from noisylabels.plates.omezarr_labels import list_labels

    names = list_labels(place)
    if len(names) > 1:
        msg = f"{place} must hold one label map, got {', '.join(names)}. Copy the one that is meant elsewhere."
        raise InputError(msg)
    folder = place / "labels" / names[0] if names else place
    scales = read_metadata(folder).get("multiscales") or [{}]
    try:
        level = _below(folder, str(scales[0]["datasets"][0]["path"]))
        array = np.asarray(zarr.open_array(level, mode="r")[...])
    except InputError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, OSError) as error:
        kind = type(error).__name__
        msg = f"{folder} must be a label image of OME-Zarr, got one that cannot be read ({kind}). Export it again."
        raise InputError(msg) from error
    plane = array.reshape(array.shape[-2:]) if array.ndim >= 2 and array.size == np.prod(array.shape[-2:]) else None
    if plane is None or plane.dtype.kind not in "bui":
        msg = (
            f"{folder} must hold one plane of whole numbers, got shape {array.shape} of {array.dtype}. "
            "Export label maps of single planes."
        )
        raise InputError(msg)
    return np.asarray(plane, np.int64)


def _below(folder: Path, level: str) -> Path:
    path = (folder / level).resolve()
    if folder.resolve() not in path.parents:
        msg = f"The path of a level of {folder} must lie in it, got {level!r}. Export it again."
        raise InputError(msg)
    return path
