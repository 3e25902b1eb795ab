"""A folder in memory: the desk flushes every stroke to disk, and some disks take 50 ms for that."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


def memory_folder():
    return MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None


@contextlib.contextmanager
def temporary_folder():
    folder = Path(tempfile.mkdtemp(prefix="desk-", dir=memory_folder()))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def tmp_path():
    with temporary_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def browser():
    """One Chromium for the tests of a file."""
    from tests.annotation.pages import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def context(browser):
    """A fresh profile: own cookies, own tabs."""
    from tests.annotation.pages import VIEWPORT

    context = browser.new_context(viewport=VIEWPORT)
    yield context
    context.close()
