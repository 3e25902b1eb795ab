"""What the tests of the bundles share."""

import os
from pathlib import Path

import pytest
import torch

from tests.bundles.small_screen import write_screen

BUNDLES = Path(__file__).parents[2] / "bundles"

# Said by MONAI, ignite and torch of themselves, not of us.
UPSTREAM = (
    "ignore:parsing config_file",
    "ignore:executing the bundle config under",
    "ignore:No hash value provided",
    "ignore:# 'dynamic_axes' is not recommended",
    "ignore:from_dynamic_axes_to_dynamic_shapes is deprecated",
    "ignore:.isinstance.treespec, LeafSpec.. is deprecated",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            for warning in UPSTREAM:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small tensors spin when threads wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture
def screen(tmp_path: Path) -> Path:
    return write_screen(tmp_path / "screen")


@pytest.fixture(params=["cdl", "mdl"])
def bundle(request: pytest.FixtureRequest) -> Path:
    return BUNDLES / request.param


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A working directory that has nothing to do with the bundle."""
    before = Path.cwd()
    folder = tmp_path / "some where"
    folder.mkdir()
    os.chdir(folder)
    yield folder
    os.chdir(before)
