"""Files and folders that are either whole or absent: written beside their place, then renamed into it."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Return a temporary path in the folder of `path`; on leaving, it becomes `path` in one step.

    The temporary file keeps the suffixes of `path` (writers that look at them behave the same). It is
    flushed to disk before the rename. If the block raises, it is removed and `path` is left as it was.

    Args:
        path: The file to write or to replace. Its folder is made when missing.

    Yields:
        The path to write to.

    Examples:
        >>> folder = Path(tempfile.mkdtemp())
        >>> with replacing(folder / "a.txt") as path:
        ...     _ = path.write_text("whole")
        >>> [p.name for p in folder.iterdir()]
        ['a.txt']
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".writing-", suffix="".join(target.suffixes))
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def building(folder: str | Path) -> Iterator[Path]:
    """Return a new folder beside `folder`; on leaving, it becomes `folder` in one step.

    If the block raises, it is removed with all that is in it, and `folder` is left as it was.

    Args:
        folder: The folder to make; it must be missing or empty.

    Yields:
        The folder to write into.

    Examples:
        >>> home = Path(tempfile.mkdtemp())
        >>> with building(home / "fields") as folder:
        ...     _ = (folder / "a.txt").write_text("whole")
        >>> [str(p.relative_to(home)) for p in home.rglob("*.txt")]
        ['fields/a.txt']
    """
    target = Path(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=".writing-"))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def together(folder: str | Path) -> Iterator[Path]:
    """Return a new folder beside `folder`; on leaving, its files move into `folder`, over those of their names.

    If the block raises, they are removed, and `folder` is left as it was: files that belong together are all of
    one making. Other files of `folder` stay.

    Args:
        folder: Where the files go; made when missing.

    Yields:
        The folder to write into.

    Examples:
        >>> home = Path(tempfile.mkdtemp())
        >>> with together(home / "tables") as folder:
        ...     write_text(folder / "a" / "b.csv", "1")
        >>> [str(p.relative_to(home)) for p in home.rglob("*.csv")], len(list(home.iterdir()))
        (['tables/a/b.csv'], 1)
    """
    target = Path(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=".writing-"))
    try:
        yield temporary
        for path in sorted(path for path in temporary.rglob("*") if path.is_file()):
            place = target / path.relative_to(temporary)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all.

    Args:
        path: The file to write or to replace.
        data: Its new content.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all.

    Args:
        path: The file to write or to replace.
        text: Its new content.
    """
    write_bytes(path, text.encode())


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
