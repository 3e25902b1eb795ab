"""Every robust preset trains through the launcher, predicts, and does what its name says."""

import json
import shutil

import numpy as np
import pytest
import torch

from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_label_map
from noisylabels.learning import launcher
from noisylabels.learning.checkpoints import load
from noisylabels.learning.launch import find_bundle
from noisylabels.learning.robust.correction import OnlineCorrection
from tests.bundles.small_screen import write_screen

PRESETS = sorted(
    path.stem for path in (find_bundle("cdl") / "configs").glob("*.yaml") if path.stem.startswith("robust_")
)
SMALL = {"num_epochs": 2, "network_def::channels": [4, 8], "network_def::strides": [1]}


@pytest.fixture(scope="module")
def screen(tmp_path_factory):
    folder = write_screen(tmp_path_factory.mktemp("screen"))
    shutil.copytree(folder / "labels" / "cip", folder / "labels" / "truth")
    return folder


def train(screen, out, *presets, **overrides):
    settings = {"dataset_dir": str(screen), "output_dir": str(out), **SMALL, **overrides}
    launcher.run(launcher.plan_training("cdl", presets, settings))
    return load(out / "last.pt")["network"]


def test_there_is_a_preset_for_every_method():
    names = "ce gce sce nrdice tloss forward appearance background recalibrated teacher early coteaching trusted"
    assert [f"robust_{name}" for name in sorted(names.split())] == PRESETS


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_trains_and_predicts(screen, tmp_path, preset):
    trusted = {"trusted_ids": open_dataset(screen).ids("training")[:2]} if preset == "robust_trusted" else {}
    weights = train(screen, tmp_path, preset, **trusted)
    assert all(torch.isfinite(value).all() for value in weights.values())
    epochs = json.loads((tmp_path / "metrics.json").read_text())
    assert [row["epoch"] for row in epochs] == [1, 2]
    settings = {"dataset_dir": str(screen), "split": "test", "ckpt_path": str(tmp_path / "last.pt")}
    launcher.run(launcher.plan_prediction("cdl", (), {**settings, "output_dir": str(tmp_path / "out")}))
    assert len(list((tmp_path / "out").glob("*.tif"))) == len(open_dataset(screen).ids("test"))


def test_the_teacher_is_asked_from_the_declared_epoch_on(screen, tmp_path, monkeypatch):
    asked = []
    original = OnlineCorrection._corrected

    def spy(self, *batch):
        asked.append(self.epoch)
        return original(self, *batch)

    monkeypatch.setattr(OnlineCorrection, "_corrected", spy)
    train(screen, tmp_path, "robust_teacher", correction_start=2)
    assert set(asked) == {2}


def test_co_teaching_is_not_the_plain_step(screen, tmp_path):
    plain = train(screen, tmp_path / "plain", "robust_ce")
    pair = train(screen, tmp_path / "pair", "robust_coteaching")
    assert any((plain[name] != pair[name]).any() for name in plain)


@pytest.mark.parametrize(
    "presets", [(), ("robust_teacher",), ("robust_coteaching",), ("robust_trusted",), ("robust_appearance",)], ids=str
)
def test_following_memorisation_changes_no_weight(screen, tmp_path, presets):
    trusted = {"trusted_ids": open_dataset(screen).ids("training")[:2]} if "robust_trusted" in presets else {}
    plain = train(screen, tmp_path / "plain", *presets, **trusted)
    followed = train(screen, tmp_path / "followed", *presets, "memorisation", **trusted)
    assert all(torch.equal(plain[name], followed[name]) for name in plain)
    last = json.loads((tmp_path / "followed" / "metrics.json").read_text())[-1]
    assert 0 <= last["memorisation_correct_fitted"] <= 1
    assert last["memorisation_corrupted_memorised"] is None  # the truth of this screen is its labels: none is wrong


def test_memorisation_needs_the_truth_of_every_field(screen, tmp_path):
    with pytest.raises(InputError, match=r"truth_name must be a label set of .*, got 'none'"):
        train(screen, tmp_path, "memorisation", truth_name="none")


def test_trusted_labels_replace_noisy_ones(screen, tmp_path):
    noisy = tmp_path / "screen"
    shutil.copytree(screen, noisy)
    dataset = open_dataset(noisy)
    ids = dataset.ids("training")
    for case in ids:
        swapped = np.array([0, 2, 1], np.uint8)[dataset.label_map("truth", case)]
        write_label_map(dataset.label_path("cip", case), swapped)
    weights = train(noisy, tmp_path / "mixed", "robust_trusted", trusted_ids=ids[:3], trusted_share=0.5)
    alone = train(noisy, tmp_path / "alone", "demo")
    assert any((weights[name] != alone[name]).any() for name in weights)


def test_a_trusted_field_that_does_not_exist_is_named(screen, tmp_path):
    with pytest.raises(ValueError, match="trusted_ids must be ids of training fields, got 'nobody'"):
        train(screen, tmp_path, "robust_trusted", trusted_ids=["nobody"])
