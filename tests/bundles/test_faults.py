"""Trainings that would lose or mistake something in silence: each is refused in one sentence, or does it right."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from noisylabels.data.errors import InputError
from noisylabels.data.images import write_label_map
from noisylabels.learning import launcher
from noisylabels.learning.checkpoints import load
from tests.bundles.small_screen import write_screen


def train(screen: Path, out: Path, *presets: str, **overrides: object) -> None:
    settings = {"dataset_dir": str(screen), "output_dir": str(out), "num_epochs": 1, "schedule_epochs": 4}
    launcher.run(launcher.plan_training("cdl", presets, settings | overrides))


def test_other_settings_of_a_scheme_other_validation_labels_and_a_dropped_preset_are_refused(
    screen: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    train(screen, out, "robust_teacher")
    for settings, place in (
        ({"teacher::decay": 0.5}, "learning scheme OnlineCorrection teacher decay must be 0.98 to continue "),
        ({"correction_start": 9}, "learning scheme OnlineCorrection start must be 4 to continue "),
        ({"channels_last": False}, "channels_last must be True to continue "),
    ):
        with pytest.raises(InputError) as fault:
            train(screen, out, "robust_teacher", num_epochs=2, **settings)
        assert str(fault.value).startswith(place)
    with pytest.raises(InputError, match=r" to continue .*last\.pt, got "):
        train(screen, out, num_epochs=2)
    field = screen / "labels/cip/f6.tif"
    write_label_map(field, tifffile.imread(field)[::-1].copy())
    with pytest.raises(InputError, match=r"^validation_data must be .* to continue "):
        train(screen, out, "robust_teacher", num_epochs=2)


def test_a_preset_that_keeps_more_is_refused_and_no_traceback(screen: Path, tmp_path: Path) -> None:
    train(screen, tmp_path / "run")
    with pytest.raises(InputError, match=r" to continue .*last\.pt, got "):
        train(screen, tmp_path / "run", "robust_coteaching", num_epochs=2)


def test_the_last_epoch_is_validated_and_pixels_of_255_may_be_there(screen: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.writing-x.pt").write_bytes(b"left by a kill")
    for path in (screen / "labels/cip").iterdir():
        label_map = tifffile.imread(path)
        label_map[:, :20] = 255
        write_label_map(path, label_map)
    train(screen, tmp_path / "run", num_epochs=2, val_interval=5)
    assert (tmp_path / "run/model.pt").is_file()
    assert not list((tmp_path / "run").glob(".writing-*"))
    entries = json.loads((tmp_path / "run/metrics.json").read_text())
    assert ["val_mean_iou" in entry for entry in entries] == [False, True]


def test_a_record_is_of_the_network_that_was_trained_last(screen: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(screen, out)
    with pytest.raises(InputError, match="must hold the weights of this network"):
        train(screen, out, "paper")
    assert json.loads((out / "run.json").read_text())["network"]["_target_"] == "UNet"
    train(screen, out, "paper", resume=False)
    launcher.run(launcher.plan_prediction("cdl", (), {"dataset_dir": str(screen), "ckpt_path": str(out / "model.pt")}))
    assert len(list((screen / "labels/cdl").glob("*.tif"))) == 10


def test_the_score_is_that_of_what_is_written(tmp_path: Path) -> None:
    """Fields of 41 x 57 are padded to 48 x 64: the score of training is that of the label maps written."""
    screen = write_screen(tmp_path / "screen", size=(41, 57))
    train(screen, tmp_path / "run", patch_size=[32, 32])
    weights = str(tmp_path / "run/model.pt")
    launcher.run(launcher.plan_prediction("cdl", (), {"dataset_dir": str(screen), "ckpt_path": weights}))
    counts = np.zeros((3, 3), np.int64)
    for name in ("f6", "f7"):
        pair = [tifffile.imread(screen / "labels" / labels / f"{name}.tif") for labels in ("cip", "cdl")]
        np.add.at(counts, tuple(part.ravel() for part in pair), 1)
    either = counts.sum(0) + counts.sum(1) - counts.diagonal()
    expected = np.nanmean(np.where(either > 0, counts.diagonal() / np.maximum(either, 1), np.nan))
    (entry,) = json.loads((tmp_path / "run/metrics.json").read_text())
    assert entry["val_mean_iou"] == pytest.approx(expected, abs=2e-3)  # the folded network rounds otherwise


def test_label_maps_are_named_by_id(screen: Path, tmp_path: Path) -> None:
    """plate0/A01 and plate1/A01 are two fields: two label maps."""
    train(screen, tmp_path / "run")
    lists = json.loads((screen / "datalist.json").read_text())
    lists = {"training": [], "validation": [], "test": lists["test"]}
    for number, entry in enumerate(lists["test"]):
        image = screen / f"plate{number}" / "A01.ome.tif"
        image.parent.mkdir()
        shutil.move(screen / entry["image"], image)
        entry["image"] = str(image.relative_to(screen))
    (screen / "datalist.json").write_text(json.dumps(lists))
    weights = str(tmp_path / "run/model.pt")
    launcher.run(launcher.plan_prediction("cdl", (), {"dataset_dir": str(screen), "ckpt_path": weights}))
    assert sorted(path.name for path in (screen / "labels/cdl").glob("*.tif")) == ["f8.tif", "f9.tif"]


def test_two_images_of_one_name_are_refused_before_anything_runs(screen: Path, tmp_path: Path) -> None:
    images = screen / "images"
    shutil.copy(images / "f0.ome.tif", images / "f0.tif")
    with pytest.raises(InputError, match=r"^Images of .* must differ in name, got .*f0\.ome\.tif and .*f0\.tif\."):
        launcher.run(launcher.plan_prediction("cdl", (), {"dataset_dir": str(images)}))


def test_flipped_bytes_of_weights_are_found(screen: Path, tmp_path: Path) -> None:
    train(screen, tmp_path / "run")
    path = tmp_path / "run/last.pt"
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 60):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            state = load(path)
        except InputError:
            continue
        path.write_bytes(whole)  # the flip fell on padding between the parts: what is read is what was written
        assert all(np.array_equal(state["network"][key], value) for key, value in load(path)["network"].items())
