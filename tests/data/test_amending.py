import re

import numpy as np
import pytest

from noisylabels.cli import main
from noisylabels.data.amending import amend_dataset
from noisylabels.data.dataset import open_dataset, read_list_label
from noisylabels.data.errors import InputError
from noisylabels.data.splits import split_groups
from tests.evaluation.datasets import EMPTY, TRUTH, make_dataset
from tests.running import run_command


@pytest.fixture
def folder(tmp_path):
    return make_dataset(tmp_path / "data", {"truth": [EMPTY, TRUTH], "cip": [EMPTY, EMPTY]})


def test_names_and_pixel_size_change_and_nothing_else(folder, capsys):
    before = {path: path.read_bytes() for path in folder.rglob("*.tif")}
    lists = (folder / "datalist.json").read_bytes()
    words = ["amend", str(folder), "--classes", "background,rim,ring", "--channels", "a,b", "--pixel-size-um", "0.5"]
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code in (0, None)
    now = open_dataset(folder)
    assert (now.classes.names, now.channel_names, now.pixel_size_um) == (("background", "rim", "ring"), ("a", "b"), 0.5)
    told = capsys.readouterr().out.strip()
    assert told == f"{folder}: classes background, rim, ring; channels a, b; pixel 0.5 um"
    assert {path: path.read_bytes() for path in folder.rglob("*.tif")} == before
    assert (folder / "datalist.json").read_bytes() == lists
    assert amend_dataset(now) == now


def test_a_class_that_a_label_map_holds_cannot_lose_its_name(folder):
    path = folder / "labels/truth/P1_B03_f1.tif"
    message = (
        f"Classes of {folder} must name every class index of its label maps, got 2 names and index 2 in {path}. "
        "Name more classes."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        amend_dataset(open_dataset(folder), class_names=("background", "event"))
    assert len(open_dataset(folder).classes) == 3


def test_channels_and_sizes_that_cannot_be_are_refused(folder):
    message = f"Channels of {folder} must be 2 different names, got DNA. Name each once."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        amend_dataset(open_dataset(folder), channel_names=("DNA",))
    with pytest.raises(InputError, match=r"^The pixel size must be above 0 micrometres, got 0\. Correct it\.$"):
        amend_dataset(open_dataset(folder), pixel_size_um=0)
    with pytest.raises(InputError, match=r"^The pixel size must be above 0 micrometres, got nan\. Correct it\.$"):
        amend_dataset(open_dataset(folder), pixel_size_um=float(np.nan))


def test_groups_are_dealt_anew_and_none_is_cut(tmp_path, capsys):
    folder = make_dataset(tmp_path / "data", {"truth": [TRUTH] * 6})
    before = open_dataset(folder)
    assert run_command("amend", folder, "--fractions", "0.5,0,0.5", "--seed", "3") == 0
    now = open_dataset(folder)
    assert {(case.id, case.group) for case in now.cases} == {(case.id, case.group) for case in before.cases}
    expected = split_groups([case.group for case in now.cases], (0.5, 0, 0.5), seed=3)
    assert [case.split for case in now.cases] == expected
    assert capsys.readouterr().out.strip().endswith("3 training, 0 validation, 3 test")
    assert read_list_label(folder) == "truth"


def test_the_pipeline_writes_no_class_index_that_means_something_else(folder, capsys):
    with pytest.raises(SystemExit):
        main(["amend", str(folder), "--classes", "background,rim,ring"])
    capsys.readouterr()
    assert run_command("cip", folder, "--name", "new") == 2
    told = capsys.readouterr().err
    assert f"Classes of {folder} must begin with those of lcsb-rosella-lc3-2017 (background, phagophore, auto" in told
    assert not (folder / "labels/new").exists()
