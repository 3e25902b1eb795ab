"""Objects keep their numbers when they are imported, so that touching ones stay apart."""

import numpy as np
import pytest

from noisylabels.data.images import write_image
from noisylabels.data.labels import ClassTable
from noisylabels.data.outlines import Outline, number_outlines, write_outlines
from noisylabels.importing.folder import import_folder

OBJECTS = np.zeros((12, 16), np.uint16)
OBJECTS[2:8, 1:6], OBJECTS[2:8, 6:11], OBJECTS[9:11, 12:15] = 40, 7, 300


@pytest.fixture
def images(tmp_path):
    for name in ("a", "b", "c"):
        write_image(tmp_path / "images" / f"{name}.tif", np.full((1, 12, 16), 100, np.uint16))
    return tmp_path / "images"


def rings(rows, columns):
    (top, bottom), (left, right) = rows, columns
    return (np.array([[top, left], [top, right], [bottom, right], [bottom, left]], float),)


def test_object_numbers_become_instances(images, tmp_path):
    for name in ("a", "b", "c"):
        write_image(tmp_path / "masks" / f"{name}.tif", OBJECTS[None] * (name != "c"))
    made = import_folder(images, tmp_path / "data", labels={"truth": tmp_path / "masks"}, masks="objects").dataset
    found = made.instance_map("truth", "a")
    assert np.array_equal(found, np.select([OBJECTS == 7, OBJECTS == 40, OBJECTS == 300], [1, 2, 3]))
    assert np.array_equal(made.label_map("truth", "a"), OBJECTS > 0)
    assert not made.instance_map("truth", "c").any()


def test_class_indices_have_no_instances(images, tmp_path):
    for name in ("a", "b", "c"):
        write_image(tmp_path / "masks" / f"{name}.tif", (OBJECTS[None] > 0).astype(np.uint8))
    made = import_folder(images, tmp_path / "data", labels={"truth": tmp_path / "masks"}).dataset
    assert not made.instance_path("truth", "a").exists()
    with pytest.raises(FileNotFoundError, match="must hold the object numbers of truth, but there is none"):
        made.instance_map("truth", "a")


def test_every_outline_is_an_instance(images, tmp_path):
    (tmp_path / "rois").mkdir()
    drawn = [Outline("nucleus", rings((2, 8), (1, 6))), Outline("nucleus", rings((2, 8), (6, 11)))]
    for name in ("a", "b", "c"):
        (tmp_path / "rois" / f"{name}.zip").write_bytes(write_outlines(drawn, "roi"))
    table = ClassTable(("background", "nucleus"))
    made = import_folder(images, tmp_path / "data", labels={"truth": tmp_path / "rois"}, classes=table).dataset
    expected = np.select([OBJECTS == 40, OBJECTS == 7], [1, 2])
    assert np.array_equal(made.instance_map("truth", "a"), expected)
    assert np.array_equal(made.label_map("truth", "a"), expected > 0)


def test_what_is_to_be_ignored_is_no_object():
    drawn = [Outline("nucleus", rings((0, 2), (0, 2))), Outline("ignore", rings((1, 2), (0, 2)))]
    assert number_outlines(drawn, (2, 3)).tolist() == [[1, 1, 0], [0, 0, 0]]
