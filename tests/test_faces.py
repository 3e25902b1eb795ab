"""What a notebook imports: two lazy packages with a few names each."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import evaluation
import noisylabels
from evaluation.metrics.scores import data_set_metrics
from noisylabels.data.dataset import Case, Dataset
from noisylabels.data.events import EventTable
from noisylabels.plates.plate import Plate
from noisylabels.simulation.settings import FrameSettings, SimulationSettings
from tests.cases import draw
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


def test_what_a_notebook_holds_says_what_it_is():
    field = noisylabels.simulate_field(SimulationSettings(frame=FrameSettings(rows=48, columns=64)), seed=1)
    n_events = len(field.events)
    assert repr(field) == f"SimulatedField(image (2, 48, 64) uint16, {n_events} events)"
    noise = noisylabels.NoiseModel.from_dict({"missed": {"rate": 1.0}})
    assert repr(noise) == "NoiseModel(missed; background, phagophore, autolysosome; seed 0)"
    assert repr(noisylabels.NoiseModel()).startswith("NoiseModel(no errors; ")
    noisy = noise.apply(draw("11.. / 1122"), image_id="a")
    assert repr(noisy) == "Corrupted(label map of 2 x 4, 2 errors)"
    assert repr(Plate("P1", Path(), "harmony", (8, 12), ())) == "Plate('P1', harmony, 0 wells, 0 fields, no channels)"


def test_events_counts_and_comparisons_are_a_line_and_a_table():
    truth = draw("11.. / 1122")
    events = evaluation.find_events(truth)
    assert repr(events) == "Events(2 events: 1 of class 1, 1 of class 2)"
    assert events.to_pandas().values.tolist() == [[1, 0, 0, 2, 2, 4], [2, 1, 2, 2, 4, 2]]
    assert repr(evaluation.find_events(0 * truth)) == "Events(0 events)"
    entries = [
        (evaluation.FieldKey(f"f{place}", method, cluster=f"f{place}"), truth, predicted)
        for place in range(6)
        for method, predicted in (("CIP", 0 * truth), ("CDL", truth))
    ]
    table = evaluation.count_fields(entries, classes=noisylabels.ROSELLA)
    assert repr(table) == "CountTable(CIP, CDL against reference: 6 fields, 3 classes)"
    metrics = data_set_metrics(noisylabels.ROSELLA)[:1]
    comparison = evaluation.compare_methods(table, metrics, n_resamples=100, rng=np.random.default_rng(0))
    title = metrics[0].title
    assert repr(comparison) == f"Comparison(CIP, CDL by {title}: 6 fields, 6 clusters)"
    (row,) = comparison.to_pandas().to_dict("records")
    assert (row["metric"], row["method"], row["baseline"]) == (title, "CDL", "CIP")
    assert row["difference"] == comparison.differences[0].absolute.estimate
    for shown in (events, table, comparison):
        assert "<table" in shown._repr_html_()
