"""What an image file says of itself beside its pixels: channel names and the size of a pixel."""

from pathlib import Path
from typing import Any, NamedTuple

from noisylabels.data.images import TIFF

MICROMETRES = {"µm": 1.0, "um": 1.0, "micron": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6}
"""Micrometres in a unit, by the names that OME and ImageJ give it."""


class ImageMetadata(NamedTuple):
    """Channel names (() when the file has none) and the side of a pixel in micrometres (None when it has none)."""

    channel_names: tuple[str, ...] = ()
    pixel_size_um: float | None = None


def read_metadata(path: str | Path, *, n_channels: int) -> ImageMetadata:
    """Read the channel names and pixel size of an OME-TIFF or ImageJ TIFF; of other files nothing.

    Args:
        path: The file.
        n_channels: How many channels its image has; names of another number are left out.

    Examples:
        >>> import tempfile, numpy as np
        >>> from noisylabels.data.images import write_image
        >>> path = Path(tempfile.mkdtemp()) / "a.ome.tif"
        >>> write_image(path, np.zeros((1, 2, 2), "u2"), channel_names=["DsRed"], pixel_size_um=0.2)
        >>> read_metadata(path, n_channels=1)
        ImageMetadata(channel_names=('DsRed',), pixel_size_um=0.2)
    """
    import tifffile

    if not Path(path).name.lower().endswith(TIFF):
        return ImageMetadata()
    with tifffile.TiffFile(path) as file:
        if file.is_ome and file.ome_metadata:
            found = _of_ome(file.ome_metadata)
        elif file.is_imagej:
            found = _of_imagej(file)
        else:
            found = ImageMetadata()
    names = tuple(name.strip() for name in found.channel_names)
    fitting = len(names) == n_channels and all(names) and len(set(names)) == n_channels
    return ImageMetadata(names if fitting else (), found.pixel_size_um)


def _of_ome(text: str) -> ImageMetadata:
    from defusedxml import ElementTree

    try:
        root = ElementTree.fromstring(text.encode())
    except ElementTree.ParseError:
        return ImageMetadata()
    pixels = next((node for node in root.iter() if node.tag.endswith("}Pixels")), None)
    if pixels is None:
        return ImageMetadata()
    names = [node.get("Name", "") for node in pixels if node.tag.endswith("}Channel")]
    return ImageMetadata(tuple(names), _size(pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeXUnit", "µm")))


def _of_imagej(file: Any) -> ImageMetadata:
    about = file.imagej_metadata or {}
    labels = about.get("Labels") or ()
    tag = file.pages[0].tags.get("XResolution")
    per_unit = tag.value[0] / tag.value[1] if tag is not None and tag.value[1] else 0.0
    unit = str(about.get("unit", "")).replace("\\u00B5", "µ")
    size = _size(1 / per_unit if per_unit else None, unit)
    return ImageMetadata(tuple(map(str, labels)), size)


def _size(length: object, unit: str) -> float | None:
    try:
        micrometres = float(str(length)) * MICROMETRES[unit]
    except (ValueError, KeyError):
        return None
    return micrometres if 0 < micrometres < float("inf") else None
