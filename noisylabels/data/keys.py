"""Randomness that depends on what it is for, not on when it is drawn.

A key is a 64-bit number hashed from the noise seed, the image's id, the event and the error kind. Equal keys give
equal draws in any order, on any number of workers, for any subset of the images.
"""

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Keys = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def combine_keys(*parts: int | str | ArrayLike) -> Keys:
    """Compute keys of numbers, texts and arrays of numbers by hashing; the order of the parts counts.

    The mixing step is the finaliser of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195), applied
    once per part; texts enter through BLAKE2b.

    Args:
        parts: Whole numbers, texts, or arrays of whole numbers that broadcast with each other.

    Returns:
        uint64 keys in the shape the parts broadcast to; a 0-d array if all parts are single.

    Examples:
        >>> hex(combine_keys(0))  # the published first output of SplitMix64 started at 0
        '0xe220a8397b1dcdaf'
        >>> combine_keys(7, "field-1", np.array([1, 2])).shape
        (2,)
        >>> bool(combine_keys(7, "field-1", 2) == combine_keys(7, "field-1", np.array([1, 2]))[1])
        True
    """
    key: Keys = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):  # the hash wraps around 2^64 on purpose
        for part in parts:
            key = _scramble((key + _GOLDEN) ^ _as_key(part))
    return key


def uniforms(keys: Keys) -> NDArray[np.float64]:
    """Draw one number per key, uniform in the open interval (0, 1)."""
    drawn: NDArray[np.float64] = ((keys >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return drawn


def normals(keys: Keys) -> NDArray[np.float64]:
    """Draw one number per key from the standard normal distribution."""
    drawn: NDArray[np.float64] = ndtri(uniforms(keys))
    return drawn


def generator(key: Keys | np.uint64 | int) -> np.random.Generator:
    """Start a generator (Philox) from one key, for draws of unknown number."""
    return np.random.Generator(np.random.Philox(key=int(key)))


def _as_key(part: int | str | ArrayLike) -> Keys:
    if isinstance(part, str):
        return np.array(int.from_bytes(hashlib.blake2b(part.encode(), digest_size=8).digest(), "little"), np.uint64)
    if isinstance(part, int):
        return np.array(part & 0xFFFFFFFFFFFFFFFF, np.uint64)
    return np.asarray(part).astype(np.uint64)


def _scramble(values: Keys) -> Keys:
    values = (values ^ (values >> np.uint64(30))) * _FIRST
    values = (values ^ (values >> np.uint64(27))) * _SECOND
    scrambled: Keys = values ^ (values >> np.uint64(31))
    return scrambled
