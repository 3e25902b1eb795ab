"""The reduce step before the fields: uneven illumination, once per plate and channel.

A median over a sample of fields suppresses cells, a polynomial what is left. Fields are averaged over blocks of pixels
first, so that memory does not grow with the camera; the result is a handful of coefficients in a small file.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.data.hashes import hash_code, hash_values
from noisylabels.plates.fields import Field
from noisylabels.plates.plate import Coefficients, Plate
from noisylabels.screening.store import read_json

BLOCK_PX = 8
DEGREE = 4


def choose_sample(plate: Plate, n_fields: int, seed: int) -> list[Field]:
    """Choose whole fields over the plate by the hash of seed and id: the same on every machine."""
    whole = [field for field in plate.fields if not field.missing]
    ordered = sorted(whole, key=lambda field: hash_values([seed, field.plate, field.id]))
    return sorted(ordered[:n_fields], key=lambda field: field.id)


def estimate_flatfield(
    fields: Iterable[Field], *, channels: Sequence[str] | None = None, time: int | None = None
) -> tuple[Coefficients, ...]:
    """Estimate the illumination of each channel from fields of one plate.

    Args:
        fields: The sample; twenty to fifty are enough.
        channels: Channels in order; all when None.
        time: Time point; the first when None.

    Returns:
        Per channel the coefficients that `noisylabels.cip.flatfield.polynomial_profile` draws.

    Raises:
        InputError: If there is no field or sizes differ.
    """
    small = [_relative(_blocks(field.read(channels=channels, time=time, z="max"))) for field in fields]
    if not small or len({picture.shape for picture in small}) > 1:
        msg = f"Illumination must be estimated from fields of one size, got {sorted({p.shape for p in small})}."
        raise InputError(msg + " Use --flatfield none.")
    return tuple(_fit(channel) for channel in np.median(np.stack(small), axis=0))


def plate_flatfield(
    plate: Plate,
    path: Path,
    *,
    channels: Sequence[str] | None = None,
    time: int | None = None,
    n_fields: int = 32,
    seed: int = 0,
) -> tuple[Coefficients, ...]:
    """Estimate a plate's illumination, or read it from `path` if it was estimated there from the same files.

    Args:
        plate: The plate.
        path: Where the coefficients are kept.
        channels: Channels in order; all when None.
        time: Time point; the first when None.
        n_fields: Size of the sample.
        seed: Seed of the sample.
    """
    sample = choose_sample(plate, n_fields, seed)
    stamps = [[field.id, field.stamps(channels=channels, time=time)] for field in sample]
    key = hash_values([channels, time, stamps, hash_code(("noisylabels.screening.flatfield",))])
    known = read_json(path)
    if known is None or known["key"] != key:
        coefficients = estimate_flatfield(sample, channels=channels, time=time)
        known = {"key": key, "fields": [field.id for field in sample], "coefficients": coefficients}
        write_text(path, json.dumps(known, indent=1) + "\n")
    return tuple(as_coefficients(entry) for entry in known["coefficients"])


def stored_flatfield(plate: Plate, channels: Sequence[str] | None) -> tuple[Coefficients, ...]:
    """Read the illumination that the instrument stored in its index; flat where it stored none.

    Raises:
        InputError: If it stored none at all.
    """
    if not plate.illumination:
        msg = f"Plate {plate.name} must have illumination profiles in its index, got none. Use --flatfield estimate."
        raise InputError(msg)
    return tuple(plate.illumination.get(name, ((1.0,),)) for name in channels or plate.channels)


def as_coefficients(entry: Any) -> Coefficients:
    """Turn lists from JSON into coefficients."""
    return tuple(tuple(float(value) for value in order) for order in entry)


def _blocks(image: RealArray) -> NDArray[np.float32]:
    rows, columns = (max(side // BLOCK_PX, 1) * min(BLOCK_PX, side) for side in image.shape[-2:])
    block = [min(BLOCK_PX, side) for side in image.shape[-2:]]
    cut = image[:, :rows, :columns].reshape(len(image), -1, block[0], columns // block[1], block[1])
    means: NDArray[np.float32] = cut.mean(axis=(2, 4), dtype=np.float32)
    return means


def _relative(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    means = picture.mean(axis=(1, 2), keepdims=True)
    return np.asarray(picture / np.where(means > 0, means, 1), np.float32)


def _fit(picture: NDArray[np.float32]) -> Coefficients:
    y, x = (np.linspace(-0.5, 0.5, side, endpoint=False) + 0.5 / side for side in picture.shape)
    degree = min(DEGREE, min(picture.shape) - 1)
    powers = [(n - k, k) for n in range(degree + 1) for k in range(n + 1)]
    terms = np.stack([(y[:, None] ** k * x[None, :] ** p).ravel() for p, k in powers], axis=1)
    solution, *_ = np.linalg.lstsq(terms, picture.ravel(), rcond=None)
    # Rounded: the last bits of a least-squares solver differ between machines, and the coefficients are hashed.
    values = iter(round(float(value), 6) for value in solution)
    return tuple(tuple(next(values) for _ in range(n + 1)) for n in range(degree + 1))
