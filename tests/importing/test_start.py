"""`noisylabels start`: a folder of images that nobody has described."""

import shlex

import numpy as np
import pytest
import tifffile
from PIL import Image

from noisylabels.data.dataset import open_dataset
from noisylabels.data.images import write_image
from tests.running import run_command


def start(*words):
    return run_command("start", *words)


@pytest.fixture
def nuclei(tmp_path, monkeypatch):
    """Six 8-bit PNG images of one channel with masks of 0 and 255 beside them, in one folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    for place in range(6):
        image, mask = np.full((20, 30), 10, np.uint8), np.zeros((20, 30), np.uint8)
        image[5:9, 5 : 9 + place], mask[5:9, 5 : 9 + place] = 200, 255
        Image.fromarray(image).save(tmp_path / "mine" / f"a{place}.png")
        Image.fromarray(mask).save(tmp_path / "mine" / f"a{place}_mask.png")
    (tmp_path / "mine" / ".DS_Store").write_bytes(b"x")
    return tmp_path / "mine"


def test_images_and_masks_become_a_dataset_and_a_picture(nuclei, capsys):
    before = sorted(path.name for path in nuclei.iterdir())
    assert start(nuclei) == 0
    assert sorted(path.name for path in nuclei.iterdir()) == before
    data = open_dataset(f"{nuclei}-dataset")
    assert data.classes.names == ("background", "foreground")
    assert sorted(data.ids()) == [f"a{place}" for place in range(6)]
    assert [int(data.label_map("masks", f"a{place}").sum()) for place in range(6)] == [4 * (4 + p) for p in range(6)]
    said = capsys.readouterr().out
    assert "classes:        background, foreground\n" in said
    assert "note:           masks: masks, 0 = background, 255 = foreground\n" in said
    assert f"  noisylabels train cdl --dataset_dir {nuclei}-dataset --label_name masks" in said
    with Image.open(data.folder / "first-look.png") as picture:
        assert picture.size == (30, 20)


def test_two_folders_are_told_apart_by_their_names(tmp_path, capsys):
    for name in ("images", "labels"):
        (tmp_path / "mine" / name).mkdir(parents=True)
    tifffile.imwrite(tmp_path / "mine" / "images" / "a.tif", np.zeros((2, 8, 9), np.uint16))
    tifffile.imwrite(tmp_path / "mine" / "labels" / "a.tif", np.eye(8, 9, dtype=np.uint8))
    assert start(tmp_path / "mine", "--out", tmp_path / "out") == 0
    data = open_dataset(tmp_path / "out")
    assert (data.ids("training"), data.label_names()) == (["a"], ["labels"])


def test_without_labels_a_pipeline_comes_first(tmp_path, capsys):
    (tmp_path / "a").mkdir()
    for name in "123":
        tifffile.imwrite(tmp_path / "a" / f"{name}.tif", np.zeros((8, 9), np.uint16))
    assert start(tmp_path / "a") == 0
    assert f"Next:\n  noisylabels cip {tmp_path / 'a-dataset'} --preset nuclei\n" in capsys.readouterr().out


def test_of_several_channels_the_pipeline_is_given_one(tmp_path, capsys):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 8, 9), np.uint16), photometric="minisblack")
    assert start(tmp_path / "a.tif") == 0
    line = f"noisylabels cip {tmp_path / 'a-dataset'} --preset nuclei --channels 0"
    assert f"Next:\n  {line}\n" in capsys.readouterr().out
    assert run_command(*line.split()[1:]) == 0


def test_the_stain_of_nuclei_is_chosen_and_paths_with_spaces_can_be_pasted(tmp_path, capsys):
    image = np.arange(144, dtype=np.uint16).reshape(2, 8, 9)
    for name in "123":
        write_image(tmp_path / "my cells" / f"{name}.ome.tif", image, channel_names=["gH2AX", "Hoechst 33342"])
    assert start(tmp_path / "my cells") == 0
    said = capsys.readouterr().out
    lines = said.split("Next:\n")[1].splitlines()
    assert shlex.split(lines[0])[1:] == ["cip", f"{tmp_path}/my cells-dataset", "--preset", "nuclei", "--channels", "1"]
    assert shlex.split(lines[2])[-1] == f"{tmp_path}/my cells-dataset-model/model.pt"
    assert shlex.split(lines[3])[1:] == ["survey", f"{tmp_path}/my cells-dataset", "--methods", "cip,cdl"]
    assert "even" not in said


def test_images_in_which_nothing_can_be_seen_are_told(tmp_path, capsys):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 9), np.uint16))
    assert start(tmp_path / "a.tif") == 0
    said = "values:         uint16, 0 to 0; every image is even: nothing can be seen in it\n"
    assert said in capsys.readouterr().out


def test_fields_of_one_well_stay_together_and_a_fifth_is_kept_for_the_test(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    for well in ("B02", "B03", "C02", "C03", "D02"):
        for site in (1, 2):
            tifffile.imwrite(tmp_path / "mine" / f"{well}_s{site}.tif", np.eye(8, 9, dtype=np.uint16))
    assert start(tmp_path / "mine") == 0
    said = capsys.readouterr().out
    assert "images:         10 (6 training, 2 validation, 2 test)\n" in said
    assert "kept together:  5 groups\n" in said
    data = open_dataset(tmp_path / "mine-dataset")
    assert {case.id: case.group for case in data.cases}["B02_s1"] == "B02"


def test_names_of_fewer_than_three_wells_keep_nothing_together(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    for site in range(4):
        tifffile.imwrite(tmp_path / "mine" / f"B02_s{site}.tif", np.eye(8, 9, dtype=np.uint16))
    assert start(tmp_path / "mine") == 0
    assert "kept together:  every image for itself\n" in capsys.readouterr().out


def test_two_sub_folders_are_too_few_to_hold_one_out_and_that_is_said(tmp_path, capsys):
    for folder in ("control", "treated"):
        (tmp_path / "mine" / folder).mkdir(parents=True)
        for site in range(3):
            tifffile.imwrite(tmp_path / "mine" / folder / f"s{site}.tif", np.eye(8, 9, dtype=np.uint16))
    assert start(tmp_path / "mine") == 0
    said = capsys.readouterr().out
    assert "images:         6 (4 training, 1 validation, 1 test)\n" in said
    assert (
        "note:           too few sub-folders to hold one out (control, treated): training and test have images of the "
        "same\n"
    ) in said


def test_time_points_of_one_file_are_images_that_are_kept_together(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    for name in "abc":
        movie = np.stack([np.full((8, 9), 10 * time, np.uint16) for time in range(10)])
        tifffile.imwrite(tmp_path / "mine" / f"{name}.tif", movie, imagej=True, metadata={"axes": "TYX"})
    assert start(tmp_path / "mine") == 0
    said = capsys.readouterr().out
    assert "images:         30 (10 training, 10 validation, 10 test)\n" in said
    assert "kept together:  3 groups\n" in said
    assert "note:           30 time points of 3 files are images; those of one file are kept together\n" in said
    data = open_dataset(tmp_path / "mine-dataset")
    assert [data.image(f"b_t{time:02}")[0, 0, 0] for time in (1, 4, 10)] == [0, 30, 90]
    assert {case.group for case in data.cases if case.id.startswith("c_")} == {"c"}


def test_a_single_image_is_predicted_and_not_trained_on(tmp_path, capsys):
    tifffile.imwrite(tmp_path / "a.tif", np.eye(8, 9, dtype=np.uint16))
    assert start(tmp_path / "a.tif") == 0
    assert capsys.readouterr().out.split("Next:\n")[1].splitlines() == [
        f"  noisylabels predict nuclei {tmp_path}/a-dataset/images",
        f"  noisylabels cip {tmp_path}/a-dataset --preset nuclei",
        f"  noisylabels survey {tmp_path}/a-dataset --methods cip",
    ]


def test_a_dataset_folder_is_not_written_over(nuclei, capsys):
    assert start(nuclei) == 0
    capsys.readouterr()
    assert start(nuclei) == 2
    assert capsys.readouterr().err == (
        f"noisylabels: {nuclei}-dataset must be free for the dataset folder, got something there. "
        "Name another place: --out FOLDER.\n"
    )


def test_what_is_not_there_is_said(tmp_path, capsys):
    assert start(tmp_path / "nothing") == 2
    assert capsys.readouterr().err == (
        f"noisylabels: {tmp_path / 'nothing'} must be a folder of images or an image file, but it does not exist. "
        "Check the path.\n"
    )
