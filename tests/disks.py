"""Disks that are really full."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE = 4 * 1024 * 1024


@contextmanager
def small_disk(*, free: int | None = None) -> Iterator[Path]:
    """Give a disk of 4 MiB, nearly filled; outside pytest's folders, whose clean-up a mount left by a kill would break.

    Args:
        free: How many bytes are left beside `ballast`, a file to remove when the disk is to have room again; all when
            None.
    """
    folder = Path(tempfile.mkdtemp(prefix="noisylabels-disk-"))
    words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        folder.rmdir()
        pytest.skip("left out: a full disk needs the right to mount a tmpfs")
    try:
        if free is not None:
            fill(folder, free=free)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def fill(folder: Path, *, free: int) -> None:
    """Fill the disk of a folder with `ballast` but for some bytes."""
    room = os.statvfs(folder)
    (folder / "ballast").write_bytes(b"\0" * (room.f_bavail * room.f_bsize - free))
