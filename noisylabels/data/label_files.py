"""Label maps as files of other programs: one writer for dataset folders, screens and the annotators' desk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from noisylabels.data.atomic import replacing, write_bytes
from noisylabels.data.events import label_events
from noisylabels.data.images import write_label_map
from noisylabels.data.labels import IGNORE_INDEX, ClassTable, LabelMap
from noisylabels.data.outlines import trace_outlines, write_outlines

LabelFormat = Literal["tiff", "nifti", "roi", "geojson", "instances"]
ENDINGS: Mapping[LabelFormat, str] = {
    "tiff": ".tif",
    "nifti": ".nii.gz",
    "roi": ".zip",
    "geojson": ".geojson",
    "instances": ".tif",
}
"""Ending of the file of each format."""


def write_label_files(
    folder: str | Path, name: str, label_map: LabelMap, classes: ClassTable, *, form: LabelFormat
) -> list[Path]:
    """Write one label map as another program reads it; `noisylabels import` reads all of them back, equal to the pixel.

    Args:
        folder: Where; made when missing.
        name: Of the field.
        label_map: (row, column) class indices, 255 where ignored. Not modified.
        classes: The class table.
        form: "tiff" and "nifti": class indices. "roi": a zip of ImageJ's ROIs. "geojson": annotations of QuPath.
            "instances": event numbers from 1 on, uint16, a folder for each class, as Cellpose and CellProfiler have
            them; ignored pixels are background there.

    Returns:
        The files.

    Raises:
        InputError: If the map is not (row, column) uint8.

    Examples:
        >>> import tempfile
        >>> table = ClassTable(("background", "nucleus"))
        >>> label_map = np.array([[1, 0, 1]], np.uint8)
        >>> [path] = write_label_files(tempfile.mkdtemp(), "f1", label_map, table, form="instances")
        >>> "/".join(path.parts[-2:])
        'nucleus/f1.tif'
    """
    target = Path(folder)
    path = target / f"{name}{ENDINGS[form]}"
    if form in ("tiff", "nifti"):
        write_label_map(path, label_map)
    elif form == "instances":
        return [
            _write_instances(target / one / path.name, label_map == index)
            for index, one in enumerate(classes)
            if index and index != IGNORE_INDEX
        ]
    else:
        outlines = trace_outlines(label_map, classes)
        write_bytes(path, write_outlines(outlines, "roi" if form == "roi" else "geojson"))
    return [path]


def _write_instances(path: Path, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Path:
    import tifffile

    instances, _ = label_events(mask.astype(np.uint8))
    with replacing(path) as temporary:
        tifffile.imwrite(temporary, instances.astype(np.uint16), compression="zlib")
    return path
