"""Simulated fields of an experiment: labelled whole, then cut; plates that the split never cuts."""

import re
import shutil

import numpy as np
import pytest

from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map
from noisylabels.data.quarters import cut_dataset
from noisylabels.experiments import simulated
from noisylabels.experiments.simulated import CIP, CONSENSUS, write_simulated

SETTINGS = {"fields": 3, "plates": 3, "rows": 65, "columns": 80, "seed": 2, "split": [0.34, 0.33, 0.33]}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment") / "data"
    return write_simulated(folder, SETTINGS, labels=(CIP, CONSENSUS)), open_dataset(folder.with_name("whole"))


def read(dataset, name, case_id):
    return read_label_map(dataset.label_path(name, case_id), dataset.classes)


def test_the_cip_sees_whole_fields_and_quarters_are_cut_afterwards(made):
    cut, whole = made
    assert (len(whole.cases), len(cut.cases)) == (3, 12)
    for case in whole.cases:
        top = [f"{case.id}_q{place}" for place in (1, 2)]
        np.testing.assert_array_equal(
            np.concatenate([cut.image(name) for name in top], -1), whole.image(case.id)[:, :32]
        )
        for labels in (CIP, CONSENSUS, "truth"):
            pieces = np.concatenate([read(cut, labels, name) for name in top], -1)
            np.testing.assert_array_equal(pieces, read(whole, labels, case.id)[:32])
    assert any(read(whole, CIP, case.id).any() for case in whole.cases)


def test_no_plate_is_cut_by_the_split(made):
    cut, _ = made
    plates = [
        {case.id[:2] for case in cut.cases if case.split == split} for split in ("training", "validation", "test")
    ]
    assert sorted(map(len, plates)) == [1, 1, 1]
    assert set.union(*plates) == {"P1", "P2", "P3"}


def test_the_consensus_is_what_six_of_seven_runs_agree_on(made):
    cut, _ = made
    for case in cut.cases:
        runs = np.stack([read(cut, f"{CIP}-{place}", case.id) for place in range(1, 8)])
        expected = np.zeros_like(runs[0])
        for index in range(1, len(cut.classes)):
            expected[(runs == index).sum(0) >= 6] = index
        np.testing.assert_array_equal(read(cut, CONSENSUS, case.id), expected)


@pytest.mark.parametrize("whole", [True, False])
def test_a_shard_that_is_second_takes_what_the_first_has_made(tmp_path, monkeypatch, whole):
    def cut(dataset, folder):
        cut_dataset(dataset, folder)
        shutil.copytree(folder, tmp_path / "data")  # another shard, at the same time
        if not whole:
            (tmp_path / "data" / "dataset.json").unlink()

    monkeypatch.setattr(simulated, "cut_dataset", cut)
    settings = {**SETTINGS, "plates": 1}
    if whole:
        assert len(write_simulated(tmp_path / "data", settings).cases) == 12
    else:
        with pytest.raises(OSError, match="not empty"):
            write_simulated(tmp_path / "data", settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "whole"]


def test_what_a_kill_left_is_made_anew(tmp_path):
    settings = {**SETTINGS, "plates": 1}
    write_simulated(tmp_path / "data", settings)
    (tmp_path / "data").rename(tmp_path / ".writing-killed")
    (tmp_path / ".writing-killed" / "dataset.json").unlink()
    assert len(write_simulated(tmp_path / "data", settings).cases) == 12


def test_whole_fields_where_quarters_are_not_asked_for(tmp_path):
    made = write_simulated(tmp_path / "data", {**SETTINGS, "quarters": False})
    assert [made.image(case.id).shape[-2:] for case in made.cases] == [(65, 80)] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_an_unknown_setting_is_one_sentence(tmp_path):
    message = "Settings of data.simulate must be among fields, plates, rows, columns, quarters, preset, seed, split, "
    message += "got 'plate'. Remove or rename it."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        write_simulated(tmp_path / "data", {"plate": 2})
    assert not (tmp_path / "data").exists()
