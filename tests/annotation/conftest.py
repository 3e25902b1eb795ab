"""A folder in memory: the desk flushes every stroke to disk, and some disks take 50 ms for that."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


def memory_folder():
    return MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None


@pytest.fixture
def tmp_path():
    folder = Path(tempfile.mkdtemp(prefix="desk-", dir=memory_folder()))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
