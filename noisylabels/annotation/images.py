"""Images of fields, as the desk shows them: sixteen bits a pixel, with a first contrast that is always usable."""

import functools
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from noisylabels.annotation.colours import channel_colour
from noisylabels.annotation.fields import Field, dataset_of
from noisylabels.annotation.project import Project
from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.hashes import hash_file

Planes = NDArray[np.uint16]

UINT16_MAX = 65535
LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.8
"""First view of a channel: from the dimmest hundredth to just below the brightest vesicles."""

THUMBNAIL_PX = 128
"""As the pages have them."""

PLANES_KEPT = 4  # fewer than lie between an image and its hidden repeat, which would else arrive faster


class ImageReplacedError(InputError):
    """An image file is another than when the project was made."""


def read_planes(project: Project, field: Field) -> Planes:
    """Read the image of a field as the desk shows it.

    Integers from 0 to 65535 stay as they are; any other range (negative, float) is stretched onto 0..65535.
    Of several focal planes the brightest value of each pixel is taken.

    Returns:
        (channel, row, column) uint16.

    Raises:
        FileNotFoundError: If the image file is missing.
        InputError: If it cannot be decoded, holds NaN, or is another file than when the project was made.
    """
    dataset = dataset_of(project)
    path = dataset.image_path(field.case_id)
    modified_ns = path.stat().st_mtime_ns if path.exists() else 0
    if path.exists() and _hash_of_file(path, modified_ns, path.stat().st_size) != field.image_sha256:
        msg = f"{path} must be the file it was when the project was made, got another picture. Put the old file back."
        raise ImageReplacedError(msg)
    planes = _planes_of_file(path, modified_ns, len(dataset.channel_names))
    return planes[:, *field.window.slices]


def draw_thumbnail(project: Project, field: Field) -> bytes:
    """Draw the image of a field small, as PNG: the first channel magenta, the second green, any other grey.

    Returns:
        The file; its longest side has at most 128 pixels.

    Raises:
        FileNotFoundError: If the image file is missing.
        InputError: If it cannot be read.
    """
    from PIL import Image

    planes = read_planes(project, field)
    step = max(1, -(-max(planes.shape[1:]) // THUMBNAIL_PX))
    colours = np.zeros((*planes[0, ::step, ::step].shape, 3))
    for index, (plane, (low, high)) in enumerate(zip(planes, contrast_of(planes), strict=True)):
        light = np.clip((plane[::step, ::step] - low) / (high - low), 0, 1)
        colours += light[..., None] * np.divide(channel_colour(index), 255)
    stream = io.BytesIO()
    Image.fromarray((255 * np.clip(colours, 0, 1)).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def contrast_of(planes: Planes) -> list[list[float]]:
    """Propose the first contrast: per channel (low, high), finite, low < high.

    Examples:
        >>> contrast_of(np.full((1, 4, 4), 7, np.uint16))
        [[7.0, 8.0]]
    """
    limits = []
    for plane in planes:
        low, high = np.percentile(plane, [LOW_PERCENTILE, HIGH_PERCENTILE])
        limits.append([float(low), float(max(high, low + 1))])
    return limits


@functools.lru_cache(maxsize=4096)
def _hash_of_file(path: Path, modified_ns: int, n_bytes: int) -> str:  # noqa: ARG001 (keys of the cache)
    return hash_file(path)


@functools.lru_cache(maxsize=PLANES_KEPT)
def _planes_of_file(path: Path, modified_ns: int, n_channels: int) -> Planes:  # noqa: ARG001 (a key of the cache)
    from noisylabels.data.images import read_image

    image = read_image(path, n_channels=n_channels)
    if image.ndim == 4:
        image = image.max(axis=1)
    return _as_uint16(image)


def _as_uint16(image: RealArray) -> Planes:
    lowest, highest = image.min(initial=0), image.max(initial=0)
    if image.dtype.kind in "uib" and lowest >= 0 and highest <= UINT16_MAX:
        return image.astype(np.uint16, copy=False)
    lowest, highest = float(image.min()), float(image.max())
    if highest <= lowest:
        return np.zeros(image.shape, np.uint16)
    stretched = (image.astype(np.float64) - lowest) * (UINT16_MAX / (highest - lowest))
    return np.round(stretched).astype(np.uint16)
