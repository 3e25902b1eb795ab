"""What a notebook imports: two lazy packages with a few names each."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import evaluation
import noisylabels
from noisylabels.data.dataset import Case, Dataset
from noisylabels.data.events import EventTable
from tests.docs.pages import ROOT, read_blocks


@pytest.mark.parametrize("package", [noisylabels, evaluation], ids=lambda package: package.__name__)
def test_a_face_is_sorted_small_and_whole(package):
    assert list(package.__all__) == sorted(package.__all__)
    assert 10 <= len(package.__all__) <= 20
    for name in package.__all__:
        assert getattr(package, name).__doc__, name


@pytest.mark.parametrize("package", ["noisylabels", "evaluation"])
def test_the_stub_says_what_the_face_offers(package):
    tree = ast.parse((ROOT / package / "__init__.pyi").read_text())
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported == set(sys.modules[package].__all__)


def test_a_face_costs_nothing_until_it_is_used():
    code = (
        "import sys, noisylabels, evaluation; print(sorted({'numpy', 'torch', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError):
        _ = noisylabels.corrupt_everything


def test_the_block_of_the_front_page_runs_and_is_short(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = [block for block in read_blocks((ROOT / "README.md").read_text()) if block.language == "python"]
    assert len(blocks) == 1
    assert len(blocks[0].text.splitlines()) <= 12
    exec(compile(blocks[0].text, "README.md", "exec"), {})
    assert "mean IoU" in capsys.readouterr().out


def test_reprs_are_one_short_line(tmp_path):
    cases = tuple(Case(f"f{place}", "B02", "training", "images/x.tif") for place in range(200))
    dataset = Dataset(Path("screen"), noisylabels.ROSELLA, ("DsRed", "pHluorin"), 0.2, cases)
    assert repr(dataset) == "Dataset('screen', 200 images, DsRed + pHluorin, labels: none)"
    table = EventTable({"event": np.arange(3), "area_px": np.arange(3)})
    assert repr(table) == "EventTable(3 events: event, area_px)"
    assert "<table" in table._repr_html_()
