"""Where the shared archive of small plates and files lies, for those who have it."""

from pathlib import Path

import pytest

ARCHIVE = Path(__file__).parents[3] / "shared" / "cases" / "plates.tar.xz"

needs_cases = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not ARCHIVE.is_file(), reason="left out: needs the shared archive of cases"),
]
