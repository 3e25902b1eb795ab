"""Images of fields, as the desk shows them: sixteen bits a pixel, with a first contrast that is always usable."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisylabels.annotation.fields import Field, dataset_of
from noisylabels.annotation.project import Project
from noisylabels.data.errors import InputError

Planes = NDArray[np.uint16]

UINT16_MAX = 65535
LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.8
"""First view of a channel: from the dimmest hundredth to just below the brightest vesicles."""

PLANES_KEPT = 4  # fewer than lie between an image and its hidden repeat, which would else arrive faster


def read_planes(project: Project, field: Field) -> Planes:
    """Read the image of a field as the desk shows it.

    Integers from 0 to 65535 stay as they are; any other range (negative, float) is stretched onto 0..65535.
    Of several focal planes the brightest value of each pixel is taken.

    Returns:
        (channel, row, column) uint16.

    Raises:
        FileNotFoundError: If the image file is missing.
        InputError: If it cannot be decoded, holds NaN, or is smaller than it was.
    """
    dataset = dataset_of(project)
    path = dataset.image_path(field.case_id)
    planes = _planes_of_file(path, path.stat().st_mtime_ns if path.exists() else 0, len(dataset.channel_names))
    window = planes[:, *field.window.slices]
    if window.shape[1:] != (field.rows, field.columns):
        msg = (
            f"{path} must be at least as large as when the project was made, got {planes.shape[1:]}. Put "
            "the old file back."
        )
        raise InputError(msg)
    return window


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


@functools.lru_cache(maxsize=PLANES_KEPT)
def _planes_of_file(path: Path, modified_ns: int, n_channels: int) -> Planes:  # noqa: ARG001 (a key of the cache)
    from noisylabels.data.images import read_image

    image = read_image(path, n_channels=n_channels)
    if image.ndim == 4:
        image = image.max(axis=1)
    return _as_uint16(image)


def _as_uint16(image: NDArray[Any]) -> Planes:
    lowest, highest = image.min(initial=0), image.max(initial=0)
    if image.dtype.kind in "uib" and lowest >= 0 and highest <= UINT16_MAX:
        return image.astype(np.uint16, copy=False)
    lowest, highest = float(image.min()), float(image.max())
    if highest <= lowest:
        return np.zeros(image.shape, np.uint16)
    stretched = (image.astype(np.float64) - lowest) * (UINT16_MAX / (highest - lowest))
    return np.round(stretched).astype(np.uint16)
