"""The `cip` command and the nuclei pipeline: datasets, single files, failures, resuming."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage as ndi

from noisylabels.cip.labelling import PIPELINES, Labeller, Outcome, Task, label_files, load_pipeline
from noisylabels.cip.nuclei import NucleiSettings, clean_nuclei, segment_nuclei, split_nuclei, threshold_nuclei
from noisylabels.cip.stock import STOCK, segment_stock
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map, write_image
from noisylabels.data.labels import ClassTable
from noisylabels.data.settings import change
from tests.cip.test_cip_pipeline import AUTOLYSOSOME, PHAGOPHORE, field
from tests.datasets import write_fields
from tests.running import run_command


@pytest.fixture
def dataset(tmp_path):
    """Two fields whose channels are stored pHluorin first, with a truth."""
    truth = np.zeros((96, 128), np.uint8)
    truth[38:43, 38:43], truth[57:64, 87:94] = 1, 2
    image = field(PHAGOPHORE, AUTOLYSOSOME)[::-1]
    return write_fields(
        tmp_path / "data",
        {"truth": [truth] * 2},
        ids=["a", "b"],
        images=[image] * 2,
        channel_names=("pHluorin", "DsRed"),
        pixel_size_um=0.2152,
    )


def test_the_command_labels_a_dataset_and_prints_the_errors(dataset, capsys):
    assert run_command("cip", dataset.folder, "--reference", "truth", "--preset", "rosella-lc3-mended") == 0
    assert dataset.label_map("cip", "a")[40, 40] == 1
    assert dataset.label_map("cip", "b")[60, 90] == 2
    table = (dataset.folder / "labels/cip/vesicles/a.csv").read_text().splitlines()
    assert table[0].startswith("vesicle,voxels,area_px")
    assert len(table) >= 3
    printed = capsys.readouterr().out
    assert "2 label maps, 0 failed" in printed
    assert "phagophore" in printed
    assert "mean IoU" in printed


def test_a_second_call_continues_and_other_settings_are_refused(dataset, capsys):
    assert run_command("cip", dataset.folder) == 0
    first, second = (dataset.label_path("cip", name) for name in ("a", "b"))
    before = first.stat().st_mtime_ns
    second.unlink()
    assert run_command("cip", dataset.folder) == 0
    assert first.stat().st_mtime_ns == before
    assert second.exists()
    assert run_command("cip", dataset.folder, "--preset", "rosella-lc3-mended") == 2
    assert "must hold what was made with the same settings to go on" in capsys.readouterr().err
    assert run_command("cip", dataset.folder, "--preset", "rosella-lc3-mended", "--overwrite") == 0
    assert first.stat().st_mtime_ns > before
    note = json.loads((dataset.folder / "labels/cip/settings.json").read_text())
    assert note["settings"]["name"] == "rosella-lc3-mended"


def test_another_scale_than_the_cameras_is_doubted_and_can_be_said(dataset, capsys):
    assert run_command("cip", dataset.folder) == 0
    assert "--full-scale" not in capsys.readouterr().err
    for name in ("a", "b"):
        write_image(dataset.image_path(name), (dataset.image(name) / 65_536).astype(np.float32))
    assert run_command("cip", dataset.folder, "--perturb", 2, "--name", "doubted") == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("noisylabels: a: pixels up to 0.0")
    assert lines[0].endswith(" where cip expects counts of a 16-bit camera. Give --full-scale 255 or 1.")
    assert run_command("cip", dataset.folder, "--name", "said", "--full-scale", 65_535 / 65_536) == 0
    assert capsys.readouterr().err == ""
    assert (dataset.label_map("said", "a") == dataset.label_map("cip", "a")).all()
    written = [json.loads((dataset.folder / f"labels/{name}/settings.json").read_text()) for name in ("cip", "said")]
    assert written[1] == {**written[0], "full_scale": 65_535 / 65_536}
    assert run_command("cip", dataset.folder, "--name", "none", "--full-scale", "0") == 2
    said = "noisylabels: The full scale must be above 0, got 0. Give --full-scale 255 or 1.\n"
    assert capsys.readouterr().err == said


def test_8_bit_pixels_of_a_single_file_are_doubted(tmp_path, capsys):
    image = tmp_path / "one.tif"
    write_image(image, np.minimum(field(PHAGOPHORE) // 16, 255).astype(np.uint8))
    assert run_command("cip", image, "--channels", "0,1", "--out", tmp_path / "labels") == 0
    assert capsys.readouterr().err.startswith("noisylabels: one: 8-bit pixels (brightest ")


def test_phases_keep_all_classes(dataset, capsys):
    assert run_command("cip", dataset.folder, "--phases", "--name", "phases", "--reference", "truth") == 0
    assert "early autolysosome" in capsys.readouterr().out
    assert set(np.unique(read_label_map(dataset.label_path("phases", "a")))) - {0, 1, 2} <= {3, 4}
    assert read_label_map(dataset.label_path("phases", "a"))[60, 90] in (3, 4)


def test_a_broken_image_fails_alone_with_exit_code_three(dataset, capsys):
    dataset.image_path("a").write_bytes(dataset.image_path("a").read_bytes()[:200])
    assert run_command("cip", dataset.folder) == 3
    captured = capsys.readouterr()
    assert "a.ome.tif must be a whole image file" in captured.err
    assert "1 label maps, 1 failed" in captured.out
    assert not dataset.label_path("cip", "a").exists()
    assert dataset.label_path("cip", "b").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--preset", "lcsb"),
            f"A preset must be one of {', '.join(PIPELINES)}, got 'lcsb'. Use one of those names.",
        ),
        (("--channels", "0"), "--channels must be 2 positions from 0 on, as 0,1, got '0'. Correct it."),
        (("--channels", "red,green"), "--channels must be 2 positions from 0 on, as 0,1, got 'red,green'."),
        (("--reference", "gold"), "A label set of"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_code_two(dataset, capsys, words, sentence):
    assert run_command("cip", dataset.folder, *words) == 2
    assert sentence in capsys.readouterr().err
    assert not (dataset.folder / "labels/cip").exists()


def test_unknown_channel_names_are_refused(dataset, capsys):
    about = dataset.folder / "dataset.json"
    about.write_text(about.read_text().replace("pHluorin", "GFP"))
    assert run_command("cip", dataset.folder) == 2
    assert "Channels must include DsRed and pHluorin, got ['GFP', 'DsRed']." in capsys.readouterr().err


def test_a_single_file_is_labelled_into_a_folder(tmp_path, capsys):
    image = tmp_path / "field.ome.tif"
    write_image(image, np.concatenate([field(PHAGOPHORE), field()[:1]]))
    assert run_command("cip", image) == 2
    assert "--out must be given with a single image" in capsys.readouterr().err
    assert run_command("cip", image, "--channels", "0,1", "--out", tmp_path / "labels") == 0
    assert read_label_map(tmp_path / "labels/field.tif")[40, 40] == 1
    assert run_command("cip", image, "--channels", "0,3", "--out", tmp_path / "other") == 2
    assert f"{image}: The image must have a channel 3, got 3 channels. Use --channels." in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_stock_pipeline_labels_one_class_a_channel(dataset, tmp_path, capsys):
    words = ("--preset", "brightest", "--channels", "0", "--name", "first", "--reference", "truth")
    assert run_command("cip", dataset.folder, *words) == 0
    assert "mean IoU" in capsys.readouterr().out
    image = dataset.image("a")
    np.testing.assert_array_equal(dataset.label_map("first", "a"), segment_stock(image[:1], STOCK["brightest"]))
    other = tmp_path / "other.yaml"
    other.write_text("level: 0.5")
    words = ("--preset", "brightest", "--channels", "1,0", "--settings", other, "--name", "both")
    assert run_command("cip", dataset.folder, *words) == 0
    half = replace(STOCK["brightest"], level=0.5)
    np.testing.assert_array_equal(dataset.label_map("both", "a"), segment_stock(image[[1, 0]], half))


@pytest.mark.parametrize("preset", ["nuclei", "otsu"])
def test_a_pipeline_of_one_channel_asks_which_of_several(dataset, capsys, preset):
    assert run_command("cip", dataset.folder, "--preset", preset, "--name", "own") == 2
    assert capsys.readouterr().err == (
        f"noisylabels: --channels must say what {preset} reads in {dataset.folder}, got nothing, and it has "
        "0 pHluorin, 1 DsRed. Choose.\n"
    )
    assert not (dataset.folder / "labels/own").exists()
    assert run_command("cip", dataset.folder, "--preset", preset, "--name", "own", "--channels", "1") == 0


def test_a_stock_pipeline_of_more_channels_than_classes_is_refused(tmp_path, capsys):
    table = ClassTable(("background", "nucleus"))
    made = write_fields(
        tmp_path / "one", {"cip": [None]}, images=[field()], channel_names=("DNA", "actin"), classes=table
    )
    assert run_command("cip", made.folder, "--preset", "otsu", "--channels", "0,1") == 2
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .endswith(
            f"otsu labels one class a channel, so --channels must be at most 1 in {made.folder} (nucleus), got 2. "
            "Name fewer channels."
        )
    )
    assert not (made.folder / "labels").exists()


def test_any_number_of_workers_writes_the_same_bytes(dataset, tmp_path):
    labeller = Labeller(load_pipeline("nuclei"), (0,))
    files = {}
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        tasks = [Task(name, dataset.image_path(name), folder / f"{name}.tif") for name in ("a", "b")]
        assert [outcome for _, outcome in label_files(tasks, labeller, workers=workers)] == [Outcome(), Outcome()]
        files[workers] = [task.target.read_bytes() for task in tasks]
    assert files[1] == files[2]


NUCLEI = NucleiSettings()


@pytest.mark.parametrize("image", [np.zeros((1, 30, 40)), np.full((30, 40), 7), np.zeros((1, 1, 1))])
def test_an_even_image_has_no_nuclei(image):
    label_map = segment_nuclei(image)
    assert label_map.shape == image.shape[-2:]
    assert not label_map.any()


def discs(*centres, radius=11, shape=(60, 80)):
    at = np.indices(shape)
    return np.any([np.hypot(at[0] - row, at[1] - column) < radius for row, column in centres], axis=0)


def test_nuclei_are_thresholded_cleaned_and_split():
    image = np.random.default_rng(0).poisson(20 + 180 * discs((20, 20), (20, 39), (45, 60)))
    image[50, 5] = 4000  # one hot pixel does not become a nucleus
    found = segment_nuclei(np.minimum(image, 400))
    assert ndi.label(found)[1] == 3
    assert (found[discs((20, 20), radius=7)] == 1).all()
    assert found[50, 5] == 0


def test_specks_go_and_holes_close():
    mask = discs((20, 20))
    mask[20, 20] = False
    mask[50:53, 50:53] = True
    clean = clean_nuclei(mask, NUCLEI)
    assert clean[20, 20]
    assert not clean[45:].any()


def test_a_single_nucleus_is_not_split():
    mask = discs((30, 40))
    assert np.array_equal(split_nuclei(mask, NUCLEI), mask)
    assert not split_nuclei(np.zeros((5, 6), bool), NUCLEI).any()


def test_a_gradient_of_two_levels_is_cut_between_them():
    plane = np.where(np.arange(40) < 20, 10.0, 200.0) * np.ones((30, 1))
    bright = threshold_nuclei(plane, NUCLEI)
    assert not bright[:, :18].any()
    assert bright[:, 22:].all()


def test_nuclei_settings_and_images_are_checked():
    assert change(NUCLEI, {"at_least_px": 50}).at_least_px == 50
    with pytest.raises(InputError, match="must have one channel, got shape"):
        segment_nuclei(np.zeros((2, 30, 40)))
