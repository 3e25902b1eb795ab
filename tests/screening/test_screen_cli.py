import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tifffile

from noisylabels.learning.models import load_model
from noisylabels.learning.records import Record, write_record
from noisylabels.plates.omezarr_labels import list_labels, read_labels
from noisylabels.screening.screen import open_screen
from tests.plates.made_plates import hash_tree
from tests.running import run_command

PATTERN = "{well}_f{field}_c{channel}.tif"


@pytest.fixture
def plate(tmp_path):
    """Two wells, two fields, two channels of noise with a bright square in each."""
    rng = np.random.default_rng(2)
    for well in ("B07", "C03"):
        for field in (1, 2):
            for channel in (1, 2):
                picture = rng.normal(200, 5, (40, 56))
                picture[10:15, 10 * field : 10 * field + 5] += 300
                path = tmp_path / "plate" / f"{well}_f{field}_c{channel}.tif"
                path.parent.mkdir(exist_ok=True)
                tifffile.imwrite(path, picture.astype(np.uint16))
    return tmp_path / "plate"


def run(plate, folder, *more):
    words = ("screen", "run", plate, folder, "--pattern", PATTERN, "--method", "threshold", "--workers", "0")
    return run_command(*words, *more)


def test_run_status_measure_export(plate, tmp_path, capsys):
    before = hash_tree(plate)
    assert run(plate, tmp_path / "run", "--json", "--channels", "DsRed=2,pHluorin=1") == 0
    told = json.loads(capsys.readouterr().out)
    counts = {"done": 4, "failed": 0, "missing": 0, "stale": 0}
    assert told == {**counts, "problems": [], "failures": [], "doubts": []}
    assert run_command("screen", "status", tmp_path / "run", "--verify") == 0
    assert capsys.readouterr().out == "4 done, 0 failed, 0 missing, 0 stale\n"
    layout = tmp_path / "layout.csv"
    layout.write_text("well,drug\nB07,DMSO\nC03,bafilomycin\n")
    assert run_command("screen", "measure", tmp_path / "run", "--layout", layout, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["events"], facts["fields"], facts["wells"]) == (4, 4, 2)
    wells = pd.read_csv(tmp_path / "run" / "measurements" / "wells.csv")
    assert wells["drug"].tolist() == ["DMSO", "bafilomycin"]
    assert wells["per_field_event"].tolist() == [1, 1]
    assert wells["mean_DsRed_event"].between(450, 550).all()
    assert run_command("screen", "export", tmp_path / "run", tmp_path / "zarr") == 0
    (name,) = list_labels(tmp_path / "zarr" / "plate.ome.zarr" / "B" / "07" / "1")
    assert name.startswith("threshold_")
    label_map = read_labels(tmp_path / "zarr" / "plate.ome.zarr" / "B" / "07" / "2", name)
    assert np.array_equal(label_map, tifffile.imread(tmp_path / "run" / "plate" / "B07" / "B07_f002.tif"))
    assert label_map[12, 22] == 1
    exported = hash_tree(tmp_path / "zarr")
    assert run_command("screen", "export", tmp_path / "run", tmp_path / "zarr") == 0
    assert capsys.readouterr().out.endswith("0 label maps " + name + ", 4 were there\n")
    assert hash_tree(tmp_path / "zarr") == exported
    assert hash_tree(plate) == before


def test_a_run_on_the_exported_plate_finds_the_same_events(plate, tmp_path):
    assert run(plate, tmp_path / "run") == 0
    assert run_command("screen", "export", tmp_path / "run", tmp_path / "zarr") == 0
    words = ("screen", "run", tmp_path / "zarr", tmp_path / "again", "--method", "threshold", "--workers", "0")
    assert run_command(*words) == 0
    names = ["plate/B07/B07_f001.tif", "plate/C03/C03_f002.tif"]
    for name in names:
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_some_failed_is_code_3_and_the_sentence_is_told(plate, tmp_path, capsys):
    torn = plate / "B07_f1_c1.tif"
    torn.write_bytes(torn.read_bytes()[:50])
    assert run(plate, tmp_path / "run") == 3
    told = capsys.readouterr()
    counts, step = told.out.splitlines()
    assert counts == "3 done, 1 failed, 0 missing, 0 stale"
    assert step == f"Next: noisylabels screen measure {tmp_path / 'run'}"
    assert f"plate B07_f001: {torn} must be a whole image file" in told.err
    assert "Traceback" not in told.err
    assert run_command("screen", "status", tmp_path / "run", "--json") == 3
    assert json.loads(capsys.readouterr().out)["failed"] == 1


def test_another_setting_needs_another_folder(plate, tmp_path, capsys):
    assert run(plate, tmp_path / "run") == 0
    before = hash_tree(tmp_path / "run")
    assert run(plate, tmp_path / "run", "--set", "factor=2.0") == 2
    assert capsys.readouterr().err == (
        f"noisylabels: {tmp_path / 'run'} must hold what was made with the same settings to go on, got other method. "
        "Choose another folder: results are not overwritten.\n"
    )
    assert hash_tree(tmp_path / "run") == before


def test_a_screen_of_two_plates_keeps_them_apart(plate, tmp_path):
    (tmp_path / "screen").mkdir()
    for name in ("P1", "P2"):
        shutil.copytree(plate, tmp_path / "screen" / name)
    for path in (tmp_path / "screen" / "P2").glob("C03*"):
        path.unlink()
    words = ("--pattern", "{plate}/" + PATTERN, "--method", "threshold", "--workers", "0")
    assert run_command("screen", "run", tmp_path / "screen", tmp_path / "run", *words) == 0
    layout = tmp_path / "layout.csv"
    layout.write_text("plate,well,drug\nP1,B07,a\nP2,B07,b\n")
    assert run_command("screen", "measure", tmp_path / "run", "--layout", layout) == 0
    wells = pd.read_csv(tmp_path / "run" / "measurements" / "wells.csv")
    assert list(zip(wells["plate"], wells["well"], wells["drug"].fillna(""), strict=True)) == [
        ("P1", "B07", "a"),
        ("P1", "C03", ""),
        ("P2", "B07", "b"),
    ]
    assert wells["n_fields"].tolist() == [2, 2, 2]


def test_shards_of_the_command_make_the_whole(plate, tmp_path, capsys):
    for part in ("1/2", "2/2"):
        assert run(plate, tmp_path / "run", "--shard", part) == 0
    assert capsys.readouterr().out.splitlines()[-2] == "4 done, 0 failed, 0 missing, 0 stale"


@pytest.mark.parametrize("named", ["nuclei-mine", "nuclei-mine/model.pt"])
def test_the_folder_of_a_training_labels_plates_with_its_own_channels_and_classes(
    plate, tmp_path, monkeypatch, capsys, named
):
    import torch
    from monai.networks.nets import UNet

    monkeypatch.chdir(tmp_path)
    told = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 4, 8, 8], "strides": [1, 2, 2]}
    (tmp_path / "nuclei-mine").mkdir()
    torch.manual_seed(3)
    torch.save(UNet(**told).state_dict(), tmp_path / "nuclei-mine/model.pt")
    write_record(Record("mdl", {"_target_": "UNet", **told}, 1, ("background", "nucleus"), ("DNA",)), "nuclei-mine")
    words = ("--pattern", PATTERN, "--model", named, "--channels", "DNA=2", "--workers", "0")
    assert run_command("screen", "run", plate, "many", *words[:4]) == 2
    told = capsys.readouterr().err
    assert told == (
        "noisylabels: The network must have 1 channel (DNA), got 2 of plate plate (1, 2). "
        "Choose some: --channels DNA=1.\n"
    )
    assert run_command("screen", "run", plate, "by-number", *words[:4], "--channels", "2", "--workers", "0") == 0
    assert "channels: 2 taken for DNA\n" in capsys.readouterr().out
    assert run_command("screen", "run", plate, "run", *words) == 0
    assert run_command("screen", "measure", "run") == 0
    assert "per_field_nucleus" in pd.read_csv("run/measurements/wells.csv")
    expected = load_model("nuclei-mine").predict(tifffile.imread(plate / "B07_f2_c2.tif")[None])
    assert np.array_equal(tifffile.imread("run/plate/B07/B07_f002.tif"), expected)
    assert open_screen("run").job.method.name == "nuclei-mine"


def test_a_screen_is_compared_with_a_reference(plate, tmp_path, capsys):
    assert run(plate, tmp_path / "run") == 0
    words = ("screen", "measure", tmp_path / "run", "--reference", tmp_path / "before")
    assert run_command(*words) == 2
    assert "must be a measured run, but" in capsys.readouterr().err
    assert run_command("screen", "measure", tmp_path / "run") == 0
    assert run_command("screen", "measure", tmp_path / "run", "--reference", tmp_path / "run") == 2
    assert "The reference must have at least 3 wells, got 2." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "magic"], "A method must be one of threshold, cip, bundle, exported, got 'magic'. A pipeline is"),
        (["--model", "nuclei"], "The method of a model must be bundle or exported, got threshold with --model nuclei."),
        (["--method", "exported"], "The method exported must have a model, got none. Add --model."),
        (["--set", "factor"], "A setting must be written name=value, got 'factor'."),
        (["--channels", "GFP"], "Channels of plate plate must be among 1, 2, got GFP."),
        (["--device", "abacus"], "device must be one that torch finds here (cpu"),
        (
            ["--flatfield", "maybe"],
            "Invalid value for '--flatfield': 'maybe' is not one of 'none', 'index', 'estimate'. ",
        ),
        (["--flatfield", "index"], "Plate plate must have illumination profiles in its index, got none."),
        (["--shard", "9/2"], "A shard must be i/n with i in 1..n, got '9/2'."),
        (["--scheduler", "tcp://127.0.0.1:9"], "tcp://127.0.0.1:9 must be a Dask scheduler, but it does not answer"),
    ],
)
def test_mistakes_are_one_sentence_and_code_2(plate, tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.setattr("noisylabels.parallel.dask.CONNECT_S", 0.3)
    assert run(plate, tmp_path / "run", *words) == 2
    assert not list(tmp_path.glob("run/*/*"))
    told = capsys.readouterr().err
    assert told.startswith(f"noisylabels: {message}")
    assert told.count("\n") == 1


def test_no_run_is_one_sentence(tmp_path, capsys):
    assert run_command("screen", "status", tmp_path) == 2
    assert capsys.readouterr().err == (
        f"noisylabels: {tmp_path} must be the folder of a run, but it has no run.json. Run `screen run` first.\n"
    )


def test_help_loads_nothing_heavy():
    heavy = "{'torch', 'monai', 'pandas', 'zarr', 'matplotlib', 'distributed', 'skimage'}"
    code = (
        "import sys; from noisylabels.cli import find_app; "
        "find_app('screen'); find_app('convert'); "
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_run_in_a_relative_folder_lies_where_it_was_asked_for(plate, tmp_path, monkeypatch, capsys):
    from noisylabels.screening.screen import open_screen

    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run(plate, "run") == 0
    assert open_screen("run").store.folder == tmp_path / "here" / "run"  # a cluster's workers stand elsewhere
