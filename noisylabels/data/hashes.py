"""What a result depends on, as SHA-256 in hexadecimal: plain data, arrays, files, code."""

import hashlib
import importlib.util
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Plain = Mapping[str, object] | Sequence[object] | str | float | None
"""What JSON can hold."""

Stamp = tuple[str, int, int]
"""Name, size in bytes and time of change in nanoseconds of a file."""


def hash_values(values: Plain) -> str:
    """Return the hash of plain data; the order of keys does not matter.

    Examples:
        >>> hash_values({"a": 1, "b": 2}) == hash_values({"b": 2, "a": 1})
        True
    """
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hash_bytes(text.encode())


def hash_bytes(data: bytes) -> str:
    """Return the hash of bytes."""
    return hashlib.sha256(data).hexdigest()


class Hasher:
    """A hash of pieces in the order in which they are added, for what is not held in memory at once.

    Examples:
        >>> hasher = Hasher()
        >>> hasher.add(b"one ")
        >>> hasher.add(np.frombuffer(b"two", np.uint8))
        >>> hasher.value == hash_bytes(b"one two")
        True
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, piece: bytes | NDArray[np.generic]) -> None:
        """Add bytes, or the values of an array; its shape and type are not told apart."""
        self._digest.update(piece if isinstance(piece, bytes) else np.ascontiguousarray(piece).tobytes())

    @property
    def value(self) -> str:
        """The hash of what was added so far."""
        return self._digest.hexdigest()


def hash_array(array: NDArray[np.generic]) -> str:
    """Return the hash of an array: its shape, its type and its values. Not modified.

    Examples:
        >>> flat = np.zeros(6, np.uint8)
        >>> hash_array(flat) == hash_array(flat.reshape(2, 3)), hash_array(flat) == hash_array(flat.astype("u2"))
        (False, False)
    """
    head = f"{array.shape} {array.dtype.str} ".encode()
    return hash_bytes(head + np.ascontiguousarray(array).tobytes())


def hash_files(paths: Iterable[Path]) -> str:
    """Return the hash of the contents of files in order. Names and places do not count: a copy is the same."""
    hasher = Hasher()
    for path in paths:
        with path.open("rb") as file:
            hasher.add(hashlib.file_digest(file, "sha256").digest())
    return hasher.value


def hash_named_files(paths: Iterable[Path], root: Path) -> str:
    """Return the hash of files and of their places below a folder, in the order of their paths."""
    hasher = Hasher()
    for path in sorted(paths):
        hasher.add(str(path.relative_to(root)).encode() + path.read_bytes())
    return hasher.value


def hash_file(path: str | Path) -> str:
    """Return the hash of one file, as `sha256sum` prints it."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp_files(paths: Sequence[Path]) -> tuple[Stamp, ...]:
    """Return name, size and time of change: while these stay, a file need not be hashed again."""
    stamps = []
    for path in paths:
        status = path.stat()
        stamps.append((path.name, status.st_size, status.st_mtime_ns))
    return tuple(stamps)


@cache
def hash_code(packages: tuple[str, ...]) -> str:
    """Return the hash of the source files of packages or modules, with the program's version.

    Args:
        packages: Their full names; the code that decides a method's pixels.

    Raises:
        LookupError: If one has no source.
    """
    from noisylabels import __version__

    sources = {name: hash_files(_sources(name)) for name in packages}
    return hash_values({"version": __version__, "sources": sources})


def _sources(name: str) -> list[Path]:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None or not found.has_location:
        msg = f"{name} has no source to hash"
        raise LookupError(msg)
    origin = Path(found.origin)
    return sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
