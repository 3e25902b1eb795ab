import json
import re
from pathlib import Path

import pytest

from noisylabels.data.errors import InputError
from noisylabels.learning.datalist import read_class_names, read_fields, read_images
from tests.bundles.conftest import BUNDLES
from tests.bundles.small_screen import write_screen

PAPER = (0.85, 0.1, 0.05)


def read(screen: Path, label_name: str = "cip") -> dict:
    return read_fields(screen, label_name=label_name, split=PAPER, seed=0)


def test_the_split_of_the_datalist_is_kept(tmp_path: Path) -> None:
    lists = read(write_screen(tmp_path, size=(8, 8)))
    assert {name: [field["id"] for field in part] for name, part in lists.items()} == {
        "training": ["f0", "f1", "f2", "f3", "f4", "f5"],
        "validation": ["f6", "f7"],
        "test": ["f8", "f9"],
    }
    assert lists["test"][0] == {
        "id": "f8",
        "group": "w4",
        "image": str(tmp_path / "images/f8.ome.tif"),
        "label": str(tmp_path / "labels/cip/f8.tif"),
    }


def test_without_a_split_groups_are_dealt_out_whole(tmp_path: Path) -> None:
    lists = read(write_screen(tmp_path, splits=("training",) * 20, size=(8, 8)))
    assert {name: len(part) for name, part in lists.items()} == {"training": 16, "validation": 2, "test": 2}
    groups = [{field["group"] for field in part} for part in lists.values()]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]


def test_a_test_list_that_is_there_costs_no_training_field(tmp_path: Path) -> None:
    lists = read(write_screen(tmp_path, splits=("training",) * 18 + ("test",) * 2, size=(8, 8)))
    assert {name: len(part) for name, part in lists.items()} == {"training": 16, "validation": 2, "test": 2}
    assert [field["id"] for field in lists["test"]] == ["f18", "f19"]


def test_a_split_that_cuts_a_group_is_refused(tmp_path: Path) -> None:
    write_screen(tmp_path, size=(8, 8))
    path = tmp_path / "datalist.json"
    lists = json.loads(path.read_text())
    lists["validation"][0]["group"] = "w0"
    path.write_text(json.dumps(lists))
    message = (
        f"A group of {path} must lie in one split, got 'w0' in training and validation. "
        "Split by group: its fields show the same cells."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(tmp_path)


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels/cip").mkdir(parents=True)
    (tmp_path / "datalist.json").write_text(json.dumps({"training": [], "validation": []}))
    message = f"{tmp_path}/datalist.json must list at least one training field, got none. Add fields or split anew."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(tmp_path)


def test_a_folder_that_is_no_dataset_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    message = f"dataset_dir must be a folder with datalist.json, got {tmp_path} (holiday.jpg). Pass --dataset_dir."
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        read(tmp_path)


def test_an_unknown_label_set_is_refused_with_those_there_are(tmp_path: Path) -> None:
    write_screen(tmp_path, size=(8, 8))
    message = f"label_name must be a label set of {tmp_path} (cip), got 'corrected'. Make it first or name another."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(tmp_path, "corrected")


def test_a_broken_datalist_is_named_with_line_and_column(tmp_path: Path) -> None:
    write_screen(tmp_path, size=(8, 8))
    (tmp_path / "datalist.json").write_text('{"training": [\n  oops]}')
    message = f"{tmp_path}/datalist.json must be JSON, got a fault in line 2, column 3. Correct it or make it anew."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(tmp_path)


def test_an_empty_folder_is_not_predicted_in_silence(tmp_path: Path) -> None:
    message = f"dataset_dir must be a dataset folder or hold images, got {tmp_path} (empty). Check the path."
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        read_images(tmp_path)


def test_images_of_one_split_or_of_a_plain_folder_are_listed(tmp_path: Path) -> None:
    write_screen(tmp_path, size=(8, 8))
    assert [field["id"] for field in read_images(tmp_path, split="test")] == ["f8", "f9"]
    assert len(read_images(tmp_path)) == 10
    assert [field["id"] for field in read_images(tmp_path / "images")] == [f"f{i}" for i in range(10)]
    with pytest.raises(InputError, match=r"^split must be all for a folder without datalist\.json, got 'test'\."):
        read_images(tmp_path / "images", split="test")


def test_images_a_folder_below_are_pointed_at(tmp_path: Path) -> None:
    write_screen(tmp_path / "mine", size=(8, 8))
    (tmp_path / "mine/datalist.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"Did you mean .*mine/images\?$"):
        read_images(tmp_path / "mine")


def test_class_names_come_from_the_metadata() -> None:
    assert read_class_names(BUNDLES / "cdl") == ["background", "phagophore", "autolysosome"]
