"""The shared archive of cases, unpacked once for the tests of this room."""

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plates.archive import ARCHIVE


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Unpack the archive."""
    folder = tmp_path_factory.mktemp("cases")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="tar")  # one case holds a link that leads nowhere
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
