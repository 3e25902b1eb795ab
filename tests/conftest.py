"""Tests compute on the processor, on a machine with a GPU too; those marked `gpu` are the ones that need one.

No test fails by the clock, nor by lot: each starts from the same random state, whatever ran before it, and where `CI`
is set the examples of a property are the same in every run.
"""

import os
import random
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Around the whole of a test: what its module shares is made on the processor, and drawn from the seed, too."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  (what other libraries draw from)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        if not item.get_closest_marker("gpu"):
            patch.setenv("CUDA_VISIBLE_DEVICES", "")  # for the programs that a test starts
            if "torch" in sys.modules:
                patch.setattr(sys.modules["torch"].cuda, "is_available", lambda: False)
        return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not pytest.importorskip("torch").cuda.is_available():
        pytest.skip("no GPU: what is marked gpu is left out")


@pytest.fixture(autouse=True)
def absl_leaves_captured_streams_open():
    """absl, which OpenVINO imports, closes the stream it met first when MONAI sets logging anew: pytest's own."""
    yield
    if "absl.logging" in sys.modules:
        sys.modules["absl.logging"].get_absl_handler().python_handler.setStream(sys.__stderr__)
