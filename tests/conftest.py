"""Tests compute on the processor, on a machine with a GPU too; those marked `gpu` are the ones that need one."""

import sys

import pytest


@pytest.fixture(autouse=True)
def _where_to_compute(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("gpu"):
        torch = pytest.importorskip("torch")
        if not torch.cuda.is_available():
            pytest.skip("no GPU: what is marked gpu is left out")
        return
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # for the programs that a test starts
    if "torch" in sys.modules:
        monkeypatch.setattr(sys.modules["torch"].cuda, "is_available", lambda: False)
