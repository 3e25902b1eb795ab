"""What an image file says of itself beside its pixels: channel names and the size of a pixel."""

from pathlib import Path
from typing import NamedTuple

from noisylabels.data.images import TIFF
from noisylabels.data.tiff import read_layout


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
    if not Path(path).name.lower().endswith(TIFF):
        return ImageMetadata()
    layout = read_layout(path)
    return ImageMetadata(layout.channel_names if layout.n_channels == n_channels else (), layout.pixel_size_um)
