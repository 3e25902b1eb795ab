"""Commands of `noisylabels`, run in the process of the test."""

import pytest

from noisylabels.cli import main


def run_command(*words: object) -> int:
    """Run `noisylabels WORDS` and return its exit code; what it prints is in `capsys`."""
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    return int(stop.value.code or 0)
