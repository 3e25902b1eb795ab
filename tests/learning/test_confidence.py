"""What a prediction writes beside its label maps: events with probabilities, probability maps, instance maps."""

import csv
import logging

import numpy as np
import pytest

from noisylabels.data.event_files import read_event_file
from noisylabels.data.events import label_events
from noisylabels.data.images import read_image, read_label_map
from noisylabels.data.instances import read_instance_map, split_touching, write_instance_map
from noisylabels.learning.launcher import plan_prediction
from noisylabels.learning.models import load_model
from tests.bundles.conftest import UPSTREAM
from tests.bundles.small_screen import write_screen
from tests.learning.test_models import write_weights
from tests.running import run_command

pytestmark = [pytest.mark.filterwarnings(warning) for warning in UPSTREAM]


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    """A screen of 2 + 2 + 2 fields, weights of no training, and all that predict writes."""
    room = tmp_path_factory.mktemp("room")
    write_screen(room / "screen", splits=("training",) * 2 + ("validation",) * 2 + ("test",) * 2)
    write_weights(room)
    words = ["predict", str(room / "model.pt"), str(room / "screen"), "--method", "cdl"]
    assert run_command(*words, "--probabilities", "--instances", "--calibrate-on", "cip") == 0
    return room


@pytest.mark.parametrize(("asked", "level"), [((), logging.WARNING), (("--verbose",), logging.INFO)])
def test_what_monai_logs_is_printed_when_it_is_asked_for(predicted, tmp_path, asked, level):
    words = ["predict", predicted / "model.pt", predicted / "screen", "--split", "test", "--output_dir", tmp_path]
    assert run_command(*words, *asked) == 0
    assert logging.getLogger("monai.bundle.scripts").level == level


@pytest.mark.filterwarnings("ignore")
def test_every_event_has_the_mean_probability_of_its_class(predicted):
    screen = predicted / "screen"
    found = read_event_file(screen / "labels/cdl/events.csv")
    assert sorted(found) == [f"f{place}" for place in range(6)]
    for field, table in found.items():
        label_map = read_label_map(screen / f"labels/cdl/{field}.tif")
        instances, classes = label_events(label_map)
        assert table["class_index"].tolist() == classes.tolist()
        chances = np.load(screen / f"probabilities/cdl/{field}.npy")
        assert chances.dtype == np.float16
        assert chances.shape == (3, *label_map.shape)
        for event in range(1, len(table) + 1):
            rows, columns = np.nonzero(instances == event)
            place = event - 1
            box = [int(table[name][place]) for name in ("row_min", "column_min", "row_max", "column_max")]
            assert box == [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
            assert table["area_px"][place] == len(rows)
            mean = chances[classes[place], rows, columns].astype(float).mean()
            assert table["probability"][place] == pytest.approx(mean, abs=1e-3)


def test_the_temperature_makes_the_trusted_labels_likelier(predicted):
    screen = predicted / "screen"
    model = load_model(predicted)
    losses = []
    for field in ("f2", "f3"):  # the validation fields
        calibrated = np.load(screen / f"probabilities/cdl/{field}.npy").astype(float)
        plain = model.probabilities(read_image(screen / f"images/{field}.ome.tif"))
        labels = read_label_map(screen / f"labels/cip/{field}.tif")[None].astype(int)
        losses.append([-np.log(np.take_along_axis(one, labels, 0)).mean() for one in (calibrated, plain)])
        assert (calibrated.argmax(0) == plain.argmax(0)).mean() > 0.99  # but for ties in half precision
    calibrated, plain = np.mean(losses, axis=0)
    assert calibrated < plain


def test_instance_maps_are_those_of_the_label_maps_and_have_a_table(predicted):
    screen = predicted / "screen"
    tables = read_event_file(screen / "instances/cdl/events.csv")
    for field in ("f0", "f3"):
        instances, classes = split_touching(read_label_map(screen / f"labels/cdl/{field}.tif"))
        assert np.array_equal(read_instance_map(screen / f"instances/cdl/{field}.tif"), instances)
        assert tables[field]["class_index"].tolist() == classes.tolist()
        assert tables[field]["area_px"].sum() == (instances > 0).sum()


def test_the_evaluation_ranks_events_by_their_probability(predicted, capsys):
    words = ["evaluate", str(predicted / "screen"), "--reference", "cip", "--methods", "cdl", "--resamples", "20"]
    assert run_command(*words, "--split", "all", "--out", str(predicted / "evaluated")) == 0
    with (predicted / "evaluated/tables/average_precision.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == ["phagophore", "autolysosome"]
    assert "Precision against recall" in (predicted / "evaluated/report.html").read_text()
    capsys.readouterr()


def test_a_table_of_other_label_maps_is_named_and_left_out(predicted, tmp_path, capsys):
    path = predicted / "screen/labels/cdl/events.csv"
    whole = path.read_text()
    path.write_text("\n".join(line for line in whole.splitlines() if not line.startswith("f3")) + "\n")
    words = ["evaluate", str(predicted / "screen"), "--reference", "cip", "--methods", "cdl", "--resamples", "20"]
    assert run_command(*words, "--split", "all", "--out", str(tmp_path / "evaluated")) == 3
    assert "left out probabilities of cdl/f3: events.csv must hold the events of cdl of f3" in capsys.readouterr().err
    path.write_text(whole)


def test_objects_are_scored_where_both_sides_have_instance_maps(predicted, tmp_path, capsys):
    screen = predicted / "screen"
    words = ["evaluate", str(screen), "--reference", "cip", "--methods", "cdl", "--resamples", "20", "--instances"]
    assert run_command(*words, "--split", "test", "--out", str(tmp_path / "none")) == 2
    assert "f4.tif must hold the object numbers of cip, but there is none." in capsys.readouterr().err
    n_objects = 0
    for field in ("f4", "f5"):
        instances, classes = split_touching(read_label_map(screen / f"labels/cip/{field}.tif"))
        write_instance_map(screen / f"instances/cip/{field}.tif", instances)
        n_objects += len(classes)
    assert run_command(*words, "--split", "test", "--out", str(tmp_path / "evaluated")) == 0
    with (tmp_path / "evaluated/tables/average_precision.csv").open(newline="") as file:
        assert sum(int(row["events, reference"]) for row in csv.DictReader(file)) == n_objects
    assert "objects of instance maps" in (tmp_path / "evaluated/report.html").read_text()


def test_small_events_become_background_in_maps_tables_and_probabilities(predicted, tmp_path):
    data, least = predicted / "screen", 40
    words = ["predict", predicted / "model.pt", data, "--split", "test", "--output_dir", tmp_path / "out"]
    assert run_command(*words, "--min_event_px", least, "--probabilities_dir", tmp_path / "chances") == 0
    tables = read_event_file(tmp_path / "out" / "events.csv")
    n_dropped = 0
    for path in sorted((tmp_path / "out").glob("*.tif")):
        before, after = read_label_map(data / "labels/cdl" / path.name), read_label_map(path)
        instances, _ = label_events(before)
        areas = np.bincount(instances.ravel())
        small = (areas[instances] < least) & (instances > 0)
        n_dropped += int(small.sum())
        np.testing.assert_array_equal(after, np.where(small, 0, before))
        assert path.stem not in tables or tables[path.stem]["area_px"].min() >= least
        np.testing.assert_array_equal(np.load(tmp_path / "chances" / f"{path.stem}.npy").argmax(0)[small], 0)
    assert n_dropped > 0


def test_weights_bring_their_own_minimum_and_the_command_line_wins():
    assert plan_prediction("nuclei", (), {}).values()["min_event_px"] == 20
    assert plan_prediction("nuclei", (), {"min_event_px": "0"}).values()["min_event_px"] == 0
    assert "min_event_px" not in plan_prediction("cdl", (), {}).values()


def test_what_cannot_be_had_is_one_sentence(predicted, capsys):
    words = ["predict", str(predicted / "model.pt"), str(predicted / "screen"), "--output_dir", str(predicted / "out")]
    assert run_command(*words, "--preset", "marginal", "--probabilities") == 2
    assert "must be of a prediction that measures events, got marginal, which does not." in capsys.readouterr().err
    images = ["predict", str(predicted / "model.pt"), str(predicted / "screen/images")]
    assert run_command(*images, "--calibrate-on", "cip") == 2
    assert "--calibrate-on must have a dataset folder" in capsys.readouterr().err
    assert not (predicted / "out").exists()
