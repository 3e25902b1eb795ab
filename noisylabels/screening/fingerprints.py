"""What a result depends on, as hashes: input, settings, model and code."""

import hashlib
import importlib.util
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import noisylabels

Stamp = tuple[str, int, int]
CHUNK_BYTES = 1 << 20


def hash_values(values: Any) -> str:
    """Hash plain data; the order of keys does not matter.

    Examples:
        >>> hash_values({"a": 1, "b": 2}) == hash_values({"b": 2, "a": 1})
        True
    """
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def hash_files(paths: Iterable[Path]) -> str:
    """Hash the contents of files in order. Their names and places do not count: a copied plate is the same plate."""
    whole = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def stamp_files(paths: Sequence[Path]) -> tuple[Stamp, ...]:
    """Note name, size and time of change: while these stay, a file need not be hashed again."""
    stamps = []
    for path in paths:
        status = path.stat()
        stamps.append((path.name, status.st_size, status.st_mtime_ns))
    return tuple(stamps)


@cache
def hash_code(packages: tuple[str, ...]) -> str:
    """Hash the source files of packages or modules, with the program's version.

    Args:
        packages: Their full names; the code that decides a method's pixels.
    """
    sources = {name: hash_files(_sources(name)) for name in packages}
    return hash_values({"version": noisylabels.__version__, "sources": sources})


def _sources(name: str) -> list[Path]:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        msg = f"{name} has no source to hash"
        raise LookupError(msg)
    origin = Path(found.origin)
    return sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
