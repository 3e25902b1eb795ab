"""Outlines of other programs become label maps, equal to the pixel."""

import json

import numpy as np
import pytest

from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image
from noisylabels.data.labels import ClassTable
from noisylabels.data.outlines import trace_outlines, write_outlines
from noisylabels.importing.folder import import_folder
from tests.cases import draw
from tests.running import run_command

TABLE = ClassTable(("background", "nucleus", "spot"))
MAPS = {"a": draw("11.2/1.12/1111"), "b": draw("..../.22./...."), "c": draw("..../..../....")}


@pytest.fixture
def raw(tmp_path):
    for name in MAPS:
        write_image(tmp_path / "raw" / f"{name}.tif", np.zeros((1, 3, 4), np.uint8))
    return tmp_path / "raw"


def write(folder, form, ending, table=TABLE, maps=MAPS):
    folder.mkdir()
    for name, label_map in maps.items():
        (folder / f"{name}{ending}").write_bytes(write_outlines(trace_outlines(label_map, table), form))
    return folder


@pytest.mark.parametrize(
    ("form", "ending", "tool"),
    [("roi", "_RoiSet.zip", "ImageJ ROIs"), ("geojson", ".geojson", "GeoJSON"), ("geojson", ".tif.geojson", "GeoJSON")],
)
def test_what_was_written_as_outlines_comes_back_equal_to_the_pixel(raw, tmp_path, form, ending, tool):
    folder = write(tmp_path / "drawn", form, ending)
    data, notes = import_folder(raw, tmp_path / "out", labels={"truth": folder}, fractions=(1, 0, 0))
    assert data.classes == TABLE
    assert notes == [f"truth: {tool}, 1 nucleus, 2 spot"]
    for name, label_map in MAPS.items():
        np.testing.assert_array_equal(data.label_map("truth", name), label_map)


def test_ignored_pixels_stay_ignored(raw, tmp_path):
    maps = {**MAPS, "c": np.where(draw("1.../..../....") > 0, 255, 0).astype(np.uint8)}
    data, _ = import_folder(raw, tmp_path / "out", labels={"truth": write(tmp_path / "d", "roi", ".zip", maps=maps)})
    np.testing.assert_array_equal(data.label_map("truth", "c", ignore_index=255), maps["c"])


def test_outlines_without_names_are_objects(raw, tmp_path):
    """ImageJ numbers its ROIs, as 0012-0345; QuPath leaves annotations unnamed."""
    square = {"type": "Polygon", "coordinates": [[[1, 0], [3, 0], [3, 2], [1, 2], [1, 0]]]}
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    for number, name in enumerate(MAPS):
        about = {"name": f"0012-034{number}"} if name == "a" else {}
        feature = {"type": "Feature", "geometry": square, "properties": about}
        (drawn / f"{name}.geojson").write_text(json.dumps([feature]))
    data, _ = import_folder(raw, tmp_path / "out", labels={"truth": drawn}, fractions=(1, 0, 0))
    assert data.classes.names == ("background", "object")
    np.testing.assert_array_equal(data.label_map("truth", "b"), draw(".11./.11./...."))
    with pytest.raises(InputError) as fault:
        import_folder(raw, tmp_path / "other", labels={"truth": drawn}, classes=TABLE)
    assert str(fault.value) == (
        "Outlines must be named after the classes nucleus, spot, got '0012-0340'. "
        "Name them in the program that drew them, or give one class: --classes background,NAME."
    )


def coco(**annotation):
    square = {"id": 7, "image_id": 1, "category_id": 4, "segmentation": [[1, 0, 3, 0, 3, 2, 1, 2]], "iscrowd": 0}
    return {
        "images": [{"id": place, "file_name": f"train/{name}.tif"} for place, name in enumerate(MAPS)],
        "categories": [{"id": 4, "name": "nucleus"}, {"id": 9, "name": "cell"}],
        "annotations": [square | annotation],
    }


def test_cocos_polygons_are_read_from_one_file_for_all_images(raw, tmp_path, capsys):
    place = tmp_path / "instances.json"
    place.write_text(json.dumps(coco()))
    assert run_command("import", raw, tmp_path / "out", "--labels", f"truth={place}", "--fractions", "1,0,0") == 0
    assert "truth: COCO, 1 nucleus" in capsys.readouterr().out
    data = open_dataset(tmp_path / "out")
    assert data.classes.names == ("background", "nucleus")
    np.testing.assert_array_equal(data.label_map("truth", "b"), draw(".11./.11./...."))
    assert not data.label_map("truth", "a").any()


def test_overlapping_parts_of_a_coco_annotation_are_one_object(raw, tmp_path):
    parts = [[0, 0, 2, 0, 2, 2, 0, 2], [1, 0, 3, 0, 3, 2, 1, 2]]
    (tmp_path / "all.json").write_text(json.dumps(coco(segmentation=parts)))
    data, _ = import_folder(raw, tmp_path / "out", labels={"truth": tmp_path / "all.json"}, fractions=(1, 0, 0))
    np.testing.assert_array_equal(data.label_map("truth", "b"), draw("111./111./...."))


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (
            {"segmentation": {"counts": [1, 2], "size": [3, 4]}},
            "Annotations of {} must be polygons, got run lengths in annotation 7. Export polygons, or label images.",
        ),
        ({"segmentation": [[1, 0, 3, 0]]}, "Polygons must have at least three finite corners, got 2."),
        (
            {"image_id": 12},
            "{} must be COCO's JSON of images, categories and annotations, got a fault (KeyError). Export it again.",
        ),
    ],
)
def test_faults_of_coco_are_one_sentence_and_leave_nothing(raw, tmp_path, annotation, message):
    place = tmp_path / "all.json"
    place.write_text(json.dumps(coco(**annotation)))
    with pytest.raises(InputError) as fault:
        import_folder(raw, tmp_path / "out", labels={"truth": place})
    assert str(fault.value).startswith(message.format(place))
    assert not (tmp_path / "out").exists()


def test_outlines_of_no_image_are_refused(raw, tmp_path):
    folder = write(tmp_path / "drawn", "roi", ".zip", maps={**MAPS, "d": MAPS["a"]})
    with pytest.raises(FileNotFoundError) as fault:
        import_folder(raw, tmp_path / "out", labels={"truth": folder})
    assert str(fault.value) == (
        f"Label maps of {folder} must belong to images, got none for 1 (d, ...). "
        "Add the image, or take the label map away."
    )


def test_names_of_many_objects_are_no_classes(raw, tmp_path):
    letters = "abcdefghijklmnopqrstuvwxyz"
    square = {"type": "Polygon", "coordinates": [[[1, 0], [3, 0], [3, 2], [1, 2]]]}
    features = [{"type": "Feature", "geometry": square, "properties": {"name": f"cell {word}"}} for word in letters]
    place = tmp_path / "a.geojson"
    place.write_text(json.dumps(features))
    with pytest.raises(InputError, match="at most 20 classes, got 26 names"):
        import_folder(raw, tmp_path / "out", labels={"truth": place})
    data, _ = import_folder(raw, tmp_path / "out", labels={"truth": place}, masks="objects")
    np.testing.assert_array_equal(data.label_map("truth", "a"), draw(".11./.11./...."))
