"""The commands corrupt, calibrate and detect on a small dataset folder."""

import json

import numpy as np
import pandas as pd
import pytest

from noisylabels.data.dataset import open_dataset
from noisylabels.data.images import write_label_map
from noisylabels.noise.log import read_log
from noisylabels.noise.model import NoiseModel, render_log
from tests.datasets import write_fields
from tests.noise.fields import crowded_field
from tests.running import run_command

CHANNELS = ("DsRed", "pHluorin")
MODEL = "missed: {rate: 0.3, given: {contrast: -2}}\nboundary: {rate: 0.5}\n"


@pytest.fixture
def folder(tmp_path):
    """A dataset of six fields, the first of them empty."""
    fields = [crowded_field(index, n_events=60 if index else 0) for index in range(6)]
    dataset = write_fields(
        tmp_path / "data",
        {"truth": [label_map for label_map, _ in fields]},
        ids=[f"field-{index}" for index in range(6)],
        images=[image.clip(0).astype(np.uint16) for _, image in fields],
    )
    (tmp_path / "model.yaml").write_text(MODEL)
    return dataset.folder


def corrupt(folder, *more):
    return run_command("corrupt", folder, "--noise", folder.parent / "model.yaml", *more)


def content(folder, name="noisy"):
    return {path.name: path.read_bytes() for path in sorted((folder / "labels" / name).glob("*.tif"))}


def test_corrupted_label_maps_are_the_models_and_the_log_renders_them_again(folder, capsys):
    assert corrupt(folder) == 0
    dataset = open_dataset(folder)
    log = read_log(folder / "labels/noisy/errors.parquet")
    model = NoiseModel.read(folder.parent / "model.yaml")
    for name in dataset.ids():
        clean, image = dataset.label_map("truth", name), dataset.image(name)
        noisy = dataset.label_map("noisy", name)
        assert np.array_equal(noisy, model.apply(clean, image, image_id=name).label_map)
        rows = log.select(log["image"] == name)
        assert np.array_equal(render_log(clean, rows, image), noisy)
    provenance = json.loads((folder / "labels/noisy/provenance.json").read_text())
    assert NoiseModel.from_dict(provenance["model"]).to_dict() == model.to_dict()
    assert "6 label maps, 0 failed; " in capsys.readouterr().out


def test_two_workers_write_the_same_bytes(folder):
    assert corrupt(folder, "--workers", 2) == 0
    assert corrupt(folder, "--name", "alone") == 0
    assert content(folder) == content(folder, "alone")


def test_a_killed_run_goes_on_where_it_was(folder):
    assert corrupt(folder) == 0
    before = content(folder)
    done = folder / "labels/noisy/field-1.tif"
    done_at = done.stat().st_mtime_ns
    log = next((folder / "labels/noisy/log").glob("field-3-*.parquet"))
    log.unlink()
    (folder / "labels/noisy/field-3.tif").unlink()
    (folder / "labels/noisy/errors.parquet").unlink()
    assert corrupt(folder) == 0
    assert content(folder) == before
    assert done.stat().st_mtime_ns == done_at
    assert log.is_file()


def test_a_field_whose_truth_has_changed_is_done_again(folder):
    assert corrupt(folder) == 0
    write_label_map(folder / "labels/truth/field-1.tif", crowded_field(9)[0])
    before = content(folder)
    assert corrupt(folder) == 0
    after = content(folder)
    assert {name for name in after if after[name] != before[name]} == {"field-1.tif"}
    assert len(list((folder / "labels/noisy/log").glob("field-1-*.parquet"))) == 1


def test_a_label_set_of_another_model_is_not_overwritten_unless_asked(folder, capsys):
    assert corrupt(folder) == 0
    before = content(folder)
    assert run_command("corrupt", folder, "--noise", "liberal") == 2
    assert capsys.readouterr().err == (
        f"noisylabels: {folder / 'labels' / 'noisy'} must hold what was made with the same settings to go on, "
        "got other model. Give another --name, or --overwrite.\n"
    )
    assert content(folder) == before
    assert run_command("corrupt", folder, "--noise", "liberal", "--overwrite") == 0
    assert content(folder) != before


def test_a_field_that_cannot_be_read_fails_alone_with_code_3(folder, capsys):
    (folder / "labels/truth/field-2.tif").write_bytes(b"")
    assert corrupt(folder) == 3
    captured = capsys.readouterr()
    assert "field-2" in captured.err
    assert "5 label maps, 1 failed" in captured.out
    assert sorted(content(folder)) == [f"field-{index}.tif" for index in (0, 1, 3, 4, 5)]


@pytest.mark.parametrize(
    ("words", "beginning"),
    [
        (
            ["--noise", "strict"],
            "noisylabels: A preset must be one of ['careful', 'conservative', 'liberal', 'cip-lcsb']",
        ),
        (["--noise", "liberal", "--labels", "cip"], "noisylabels: A label set of "),
        (["--noise", "liberal", "--name", "truth"], "noisylabels: The noisy label set must have a name of its own"),
    ],
)
def test_a_mistake_is_one_sentence_and_code_2(folder, capsys, words, beginning):
    assert run_command("corrupt", folder, *words) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(beginning)
    assert captured.err.count("\n") == 1
    assert not (folder / "labels/noisy").exists()


def test_a_calibrated_profile_is_written_drawn_and_used(folder, tmp_path, capsys):
    assert corrupt(folder) == 0
    out = tmp_path / "calibrated"
    assert run_command("calibrate", folder, "--labels", "noisy", "--out", out, "--resamples", 5) == 0
    assert "6 fields" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == [
        "calibration.png", "checks.csv", "features.csv", "model.yaml", "profile.json", "types.csv",
    ]  # fmt: skip
    types = pd.read_csv(out / "types.csv")
    assert types["field"].tolist() == [f"field-{index}" for index in range(6)]
    checks = pd.read_csv(out / "checks.csv").set_index("name")
    assert 0.15 < checks.loc["phagophore.missed.rate", "observed"] < 0.6
    assert (out / "calibration.png").read_bytes().startswith(b"\x89PNG")
    assert run_command("corrupt", folder, "--noise", out / "profile.json", "--name", "again") == 0
    assert run_command("corrupt", folder, "--noise", out / "model.yaml", "--name", "again") == 0


def test_detection_writes_an_ordered_queue_from_a_networks_probabilities(folder, tmp_path, capsys):
    assert corrupt(folder) == 0
    dataset = open_dataset(folder)
    predictions = tmp_path / "predictions"
    predictions.mkdir()
    for name in dataset.ids():
        hot = np.moveaxis(np.eye(3)[dataset.label_map("truth", name)], -1, 0)
        np.save(predictions / f"{name}.npy", (0.9 * hot + 0.1 / 3).astype(np.float32))
    out = tmp_path / "detected"
    people = tmp_path / "people.csv"
    people.write_text(
        "id,who\n" + "".join(f"{name},{'anna' if name < 'field-2' else 'bob'}\n" for name in dataset.ids())
    )
    words = ("detect", folder, "--labels", "noisy", "--out", out, "--probabilities", predictions)
    words += ("--annotators", f"{people}:who")
    assert run_command(*words) == 0
    told = capsys.readouterr().out
    assert "probably wrong events: " in told
    queue, issues = pd.read_csv(out / "queue.csv"), pd.read_csv(out / "issues.csv")
    doubted = queue["field"][queue["n_issues"] > 0]
    assert f"Next: correct the {len(doubted)} fields with most to doubt ({', '.join(doubted[:3])}" in told
    assert "100% of the expected wrong events.\n" in told
    assert told.endswith(f"  noisylabels annotate score {folder}.desk label_issue --table {out / 'queue.csv'}\n")
    assert (queue["value"].diff().dropna() <= 0).all()
    assert (issues["score"].diff().dropna() <= 0).all()
    assert queue["value"].sum() == pytest.approx(issues["score"].sum())
    assert queue.set_index("field").loc["field-0", "n_issues"] == 0
    assert pd.read_csv(out / "annotators.csv").set_index("annotator")["fields"].to_dict() == {"bob": 4, "anna": 2}
    classes = pd.read_csv(out / "classes.csv")
    assert classes.loc[0, "labelled"] == "background"  # what is missed
    assert (classes["labelled"] != classes["model"]).all()
    log = read_log(folder / "labels/noisy/errors.parquet")
    missed = log.select((log["kind"] == "missed") & (log["area_px"] >= 9))
    found = set(
        issues[issues["kind"] == "missed"][["image", "row_min", "column_min"]].itertuples(index=False, name=None)
    )
    logged = set(zip(missed["image"], missed["row_min"], missed["column_min"], strict=True))
    assert len(logged & found) > 0.8 * len(logged) > 0
    (predictions / "field-4.npy").unlink()
    assert run_command(*words) == 2
    assert "1 of 6 are missing: field-4." in capsys.readouterr().err


def test_detection_makes_its_own_predictions_out_of_fold(folder, tmp_path):
    assert corrupt(folder) == 0
    out = tmp_path / "detected"
    assert run_command("detect", folder, "--labels", "noisy", "--out", out, "--folds", 3) == 0
    assert len(pd.read_csv(out / "queue.csv")) == 6
    assert {"missed"} <= set(pd.read_parquet(out / "issues.parquet")["kind"])


def ignore_left(folder, source, target):
    dataset = open_dataset(folder)
    for name in dataset.ids():
        label_map = dataset.label_map(source, name).copy()
        label_map[:, :30] = 255
        write_label_map(dataset.label_path(target, name), label_map)
    return dataset


def test_label_maps_with_ignored_pixels_are_corrupted_and_calibrated(folder):
    dataset = ignore_left(folder, "truth", "partial")
    assert corrupt(folder, "--labels", "partial", "--name", "weak") == 0
    for name in dataset.ids():
        weak = dataset.label_map("weak", name, ignore_index=255)
        assert (weak[:, :30] == 255).all()
        assert (weak[:, 30:] != 255).all()
    profiles = {}
    for reference in ("truth", "partial"):  # what the weak map ignores counts in neither
        out = folder.parent / reference
        assert (
            run_command(
                "calibrate", folder, "--out", out, "--labels", "weak", "--reference", reference, "--resamples", 2
            )
            == 0
        )
        profiles[reference] = (out / "profile.json").read_text()
    assert profiles["truth"] == profiles["partial"]


def test_maps_of_different_sizes_are_not_calibrated(folder, capsys):
    dataset = open_dataset(folder)
    for name in dataset.ids():
        write_label_map(dataset.label_path("small", name), dataset.label_map("truth", name)[:8])
    words = ("--out", folder.parent / "out", "--labels", "small", "--features", "area")
    assert run_command("calibrate", folder, *words) == 2
    sentence = (
        "Label maps small and truth of field-0 must have one size, got (8, 128) and (96, 128). Pair them by field."
    )
    assert capsys.readouterr().err == f"noisylabels: {sentence}\n"
    assert not (folder.parent / "out").exists()
