import json
import re

import numpy as np
import pytest

from evaluation.box_folders import read_boxes
from evaluation.experts.box_files import count_crowds, read_coco_boxes, read_csv_boxes, read_voc_boxes
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA

HEAD = "field,expert,class,row_min,column_min,row_max,column_max\n"


def written(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


def voc(objects, size="<size><width>680</width><height>512</height><depth>1</depth></size>"):
    shapes = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
        "</bndbox></object>"
        for name, x0, y0, x1, y1 in objects
    )
    return f"<annotation>{size}{shapes}</annotation>"


def coco(annotations):
    return json.dumps(
        {
            "images": [
                {"id": 1, "file_name": "empty.ome.tif", "width": 680, "height": 512},
                {"id": 2, "file_name": "images/B07_f1.ome.tif", "width": 680, "height": 512},
            ],
            "categories": [
                {"id": 5, "name": "phagophore"},
                {"id": 9, "name": "autolysosome"},
                {"id": 3, "name": "cell"},
            ],
            "annotations": [
                {"id": number, "image_id": 2, "category_id": category, "bbox": box}
                for number, (category, box) in enumerate(annotations, start=1)
            ],
        }
    )


def test_a_csv_file_without_rows_knows_the_fields_that_were_looked_at(tmp_path):
    path = written(tmp_path, "boxes.csv", HEAD)
    boxes = read_csv_boxes(path, classes=ROSELLA, shapes={"f1": (512, 680)})
    assert list(boxes) == ["expert"]
    assert len(boxes["expert"]["f1"]) == 0


def test_csv_boxes_are_read_by_expert_and_field(tmp_path):
    rows = "f1,anna,phagophore,10,20,30,50\nf2,anna,autolysosome,0,0,5,5\nf1,ben,autolysosome,1,2,3,4\n"
    boxes = read_csv_boxes(
        written(tmp_path, "boxes.csv", HEAD + rows), classes=ROSELLA, shapes={"f1": (512, 680), "f2": (512, 680)}
    )
    assert boxes["anna"]["f1"].boxes.tolist() == [[10, 20, 30, 50]]
    assert boxes["anna"]["f2"].class_index.tolist() == [2]
    assert len(boxes["ben"]["f2"]) == 0
    assert boxes["ben"]["f1"].boxes.dtype == np.int64


def test_the_annotation_desks_export_is_read(tmp_path):
    from noisylabels.annotation.tables import BOXES

    rows = "B07_f1,anna,cell biologists,phagophore,10,20,30,50,1,done\n"
    path = written(tmp_path, "boxes.csv", ",".join(BOXES) + "\n" + rows)
    assert read_csv_boxes(path, classes=ROSELLA)["anna"]["B07_f1"].boxes.tolist() == [[10, 20, 30, 50]]


def test_all_faults_of_a_csv_file_are_told_at_once(tmp_path):
    rows = (
        "f1,anna,phagophore,10,20,30,50\n"
        "f1,anna,vesicle,10,20,30,50\n"
        "f1,anna,phagophore,30,20,30,50\n"
        "f1,anna,phagophore,10,20,30,681\n"
        "f9,anna,phagophore,10,20,30,50\n"
        "f1,anna,phagophore,ten,20,30,50\n"
    )
    path = written(tmp_path, "boxes.csv", HEAD + rows)
    message = (
        f"{path} must have no faulty boxes, got 5 faults. Correct these:\n"
        "  line 3: class must be one of phagophore, autolysosome, got 'vesicle'\n"
        "  line 4: box must have row_min < row_max and column_min < column_max, got (30, 20, 30, 50)\n"
        "  line 5: box must lie inside its field of 512 rows and 680 columns, got (10, 20, 30, 681)\n"
        "  line 6: field must be one of those given, got 'f9'\n"
        "  line 7: corners must be numbers, got ['ten', '20', '30', '50']"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_csv_boxes(path, classes=ROSELLA, shapes={"f1": (512, 680)})


def test_a_csv_file_that_lacks_columns_is_refused(tmp_path):
    path = written(tmp_path, "boxes.csv", "field,class,x,y\n")
    message = (
        f"{path} must have the columns field, class, row_min, column_min, row_max, column_max, "
        "got none named row_min, column_min, row_max, column_max. Add them."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_csv_boxes(path, classes=ROSELLA)


def test_coco_boxes_begin_with_the_column_and_know_empty_images(tmp_path):
    path = written(tmp_path, "anna.coco.json", coco([(5, [20, 10, 30, 20]), (9, [0.5, 0, 1, 1])]))
    boxes = read_coco_boxes(path, classes=ROSELLA)
    assert list(boxes) == ["anna"]
    assert len(boxes["anna"]["empty"]) == 0
    found = boxes["anna"]["B07_f1"]
    assert found.boxes.tolist() == [[10, 20, 30, 50], [0, 0.5, 1, 1.5]]
    assert found.class_index.tolist() == [1, 2]


def test_coco_images_of_one_name_in_two_folders_are_two_fields(tmp_path):
    content = json.loads(coco([(5, [20, 10, 30, 20])]))
    content["images"][0]["file_name"], content["images"][1]["file_name"] = "plate1/A01.tif", "plate2/A01.tif"
    boxes = read_coco_boxes(written(tmp_path, "a.json", json.dumps(content)), classes=ROSELLA)["a"]
    assert {"plate1_A01", "plate2_A01"} <= set(boxes)
    assert sum(len(events) for events in boxes.values()) == 1
    content["images"][1]["file_name"] = "plate1/A01.png"
    path = written(tmp_path, "b.json", json.dumps(content))
    message = f"Images of {path} must have different file names, got plate1_A01 twice. Rename one."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_coco_boxes(path, classes=ROSELLA)


def test_a_crowd_of_coco_is_no_event(tmp_path):
    content = json.loads(coco([(5, [20, 10, 30, 20]), (9, [0.5, 0, 1, 1])]))
    content["annotations"][0]["iscrowd"] = 1
    path = written(tmp_path, "a.json", json.dumps(content))
    assert sum(map(len, read_coco_boxes(path, classes=ROSELLA)["a"].values())) == 1
    assert count_crowds(path) == 1


def test_coco_faults_are_told_at_once(tmp_path):
    path = written(tmp_path, "anna.json", coco([(3, [20, 10, 30, 20]), (5, [670, 10, 30, 20])]))
    message = (
        f"{path} must have no faulty boxes, got 2 faults. Correct these:\n"
        "  annotation 1: class must be one of phagophore, autolysosome, got 'cell'\n"
        "  annotation 2: box must lie inside its field of 512 rows and 680 columns, got (10, 670, 30, 700)"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_coco_boxes(path, classes=ROSELLA)


def test_json_that_is_not_coco_is_refused(tmp_path):
    path = written(tmp_path, "a.json", '{"images": []}')
    message = (
        f"{path} must be COCO JSON with images, categories and annotations, got none for 'categories'. Export it anew."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_coco_boxes(path, classes=ROSELLA)


@pytest.mark.parametrize(
    ("first_pixel", "box"), [(1, [9, 19, 30, 50]), (0, [10, 20, 31, 51])], ids=["from 1", "from 0"]
)
def test_voc_corners_are_inclusive(tmp_path, first_pixel, box):
    written(tmp_path, "empty.xml", voc([]))
    written(tmp_path, "f1.xml", voc([("phagophore", 20, 10, 50, 30)]))
    boxes = read_voc_boxes(tmp_path, classes=ROSELLA, expert="anna", first_pixel=first_pixel)
    assert list(boxes["anna"]) == ["empty", "f1"]
    assert len(boxes["anna"]["empty"]) == 0
    assert boxes["anna"]["f1"].boxes.tolist() == [box]
    assert boxes["anna"]["f1"].area_px.tolist() == [21 * 31]


def test_voc_boxes_of_one_pixel_have_area_one(tmp_path):
    written(tmp_path, "f1.xml", voc([("phagophore", 680, 512, 680, 512)]))
    assert read_voc_boxes(tmp_path, classes=ROSELLA, expert="anna")["anna"]["f1"].area_px.tolist() == [1]


def test_voc_faults_are_told_at_once(tmp_path):
    written(tmp_path, "f1.xml", voc([("phagophore", 20, 10, 50, 30), ("cell", 0, 1, 5, 5)]))
    written(tmp_path, "f2.xml", voc([("phagophore", 20, 10, "", 30)]))
    message = (
        f"{tmp_path} must have no faulty boxes, got 3 faults. Correct these:\n"
        "  f1.xml, object 2: class must be one of phagophore, autolysosome, got 'cell'\n"
        "  f1.xml, object 2: box must lie inside its field of 512 rows and 680 columns, got (0, -1, 5, 5)\n"
        "  f2.xml, object 1: corners must be numbers, got ['10', '20', '30', '']"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_voc_boxes(tmp_path, classes=ROSELLA)


def test_a_folder_without_xml_is_refused(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"^No \.xml file in .*\. Name the folder with the Pascal VOC annotations\.$"
    ):
        read_voc_boxes(tmp_path, classes=ROSELLA)


def test_the_kind_of_file_decides_how_boxes_are_read(tmp_path):
    folder = tmp_path / "anna"
    folder.mkdir()
    written(folder, "f1.xml", voc([("phagophore", 20, 10, 50, 30)]))
    sheet = written(tmp_path, "boxes.csv", HEAD + "f1,anna,phagophore,9,19,30,50\n")
    ours, theirs = (read_boxes(path, classes=ROSELLA)["anna"]["f1"].boxes.tolist() for path in (folder, sheet))
    assert ours == theirs == [[9, 19, 30, 50]]
    message = f"Boxes must be a .csv, a COCO .json or a folder of Pascal VOC .xml files, got {tmp_path / 'a.txt'}. "
    with pytest.raises(InputError, match=re.escape(message)):
        read_boxes(tmp_path / "a.txt", classes=ROSELLA)
