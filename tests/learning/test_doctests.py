import doctest
import importlib
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[2] / "noisylabels" / "learning"
MODULES = [f"noisylabels.learning.{path.stem}" for path in sorted(ROOM.glob("*.py"))]


@pytest.mark.parametrize("module", ["noisylabels.learning.monai_io", *MODULES])
def test_examples_in_docstrings_hold(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0
