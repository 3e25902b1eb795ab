"""Multiscale groups of OME-Zarr 0.5, as zarr writes them and yaozarrs describes them."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from noisylabels.data.arrays import RealArray
from noisylabels.data.atomic import write_text

if TYPE_CHECKING:
    from pydantic import BaseModel

PROVENANCE_KEY = "noisylabels"
SMALLEST_LEVEL_PX = 256


@contextlib.contextmanager
def appearing(folder: Path) -> Iterator[Path]:
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


def levels_of(array: RealArray, smaller: Callable[[RealArray], RealArray]) -> Iterator[RealArray]:
    """Halve a picture until it fits in twice SMALLEST_LEVEL_PX; the first level is the picture."""
    yield array
    while max(array.shape[-2:]) > 2 * SMALLEST_LEVEL_PX:
        array = smaller(array)
        yield array


def write_multiscale(
    folder: Path, levels: Sequence[RealArray], ome: Mapping[str, Any], provenance: Mapping[str, object] | None
) -> None:
    """Write a group with one array per level, one chunk per picture: fields are read whole, chunks written whole."""
    import zarr

    for number, level in enumerate(levels):
        array = zarr.create_array(
            folder / str(number),
            shape=level.shape,
            dtype=level.dtype,
            chunks=(*(1 for _ in level.shape[:-2]), *level.shape[-2:]),
            dimension_names=[axis["name"] for axis in ome["multiscales"][0]["axes"]],
            zarr_format=3,
            config={"write_empty_chunks": True},
        )
        for chunk in np.ndindex(level.shape[:-2]):  # where one fails, no other is on its way to the disk
            array[chunk] = level[chunk]
    write_group(folder, {"ome": dict(ome), **({PROVENANCE_KEY: dict(provenance)} if provenance else {})})


def write_group(folder: Path, attributes: Mapping[str, object]) -> None:
    """Write the metadata of a group, whole or not at all."""
    document = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    write_text(folder / "zarr.json", json.dumps(document, indent=1) + "\n")


def plain(model: "BaseModel") -> dict[str, Any]:
    """Turn a model of yaozarrs into plain data."""
    plain: dict[str, Any] = json.loads(model.model_dump_json(exclude_none=True, exclude_unset=False, by_alias=True))
    return plain


def multiscale(axes: str, levels: Sequence[RealArray], pixel: float, unit: str | None) -> Any:
    """Describe the levels: axes, and pixels that double from level to level."""
    from yaozarrs import v05

    kinds = {"t": v05.TimeAxis(name="t"), "c": v05.ChannelAxis(name="c"), "z": v05.SpaceAxis(name="z")}
    space = {"unit": unit} if unit else {}
    described = [kinds.get(axis) or v05.SpaceAxis(name=axis, **space) for axis in axes]
    datasets = []
    for number in range(len(levels)):
        scale = [1.0] * (len(axes) - 2) + [pixel * 2**number] * 2
        datasets.append(v05.Dataset(path=str(number), coordinateTransformations=[v05.ScaleTransformation(scale=scale)]))
    return v05.Multiscale(axes=described, datasets=datasets)
