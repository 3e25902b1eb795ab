"""The dataset folder, and other people's folders imported into one."""

import json

import numpy as np
import pytest

from noisylabels.data.dataset import Case, Dataset, open_dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ROSELLA
from tests.cases import draw


def dataset(folder, cases):
    return Dataset(folder, ROSELLA, ("DsRed", "pHluorin"), 0.2152, tuple(cases), {"seed": 3})


def case(name, group, split):
    return Case(name, group, split, f"images/{name}.ome.tif")


def test_a_dataset_makes_the_round_trip(tmp_path):
    written = dataset(tmp_path, [case("a", "B02", "training"), case("b", "B03", "test")])
    write_dataset(written)
    assert open_dataset(tmp_path) == written
    assert written.ids("test") == ["b"]
    assert written.ids() == ["a", "b"]


def test_the_list_has_monais_form(tmp_path):
    write_dataset(dataset(tmp_path, [case("a", "B02", "validation")]), label_name="cip")
    lists = json.loads((tmp_path / "datalist.json").read_text())
    assert lists == {
        "training": [],
        "validation": [{"id": "a", "group": "B02", "image": "images/a.ome.tif", "label": "labels/cip/a.tif"}],
        "test": [],
    }


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        pytest.param(
            [("a", "g", "training"), ("a", "g", "training")], "Ids of .* must differ, got 'a' 2 times", id="id"
        ),
        pytest.param([("a", "g", "train")], "must be one of training, validation, test, got 'train'", id="split"),
        pytest.param([("a", "g", "training"), ("b", "g", "test")], "got 'g' in training and test", id="cut group"),
    ],
)
def test_a_faulty_list_is_refused_before_anything_is_written(tmp_path, cases, message):
    with pytest.raises(InputError, match=message):
        write_dataset(dataset(tmp_path, [case(*row) for row in cases]))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_dataset_says_what_it_holds(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"must be a dataset folder with dataset.json, got \['a.tif'\]"):
        open_dataset(tmp_path)


def test_a_fault_in_the_list_is_named_by_line(tmp_path):
    write_dataset(dataset(tmp_path, [case("a", "B02", "training")]))
    (tmp_path / "datalist.json").write_text('{"training": [\n}')
    with pytest.raises(InputError, match="fault in line 2, column 1"):
        open_dataset(tmp_path)


def test_an_unknown_label_set_lists_those_there_are(tmp_path):
    (tmp_path / "labels" / "truth").mkdir(parents=True)
    with pytest.raises(InputError, match="must be one of: truth; got 'cdl'"):
        dataset(tmp_path, [case("a", "B02", "training")]).label_map("cdl", "a")


def test_image_and_label_map_must_have_one_size(tmp_path):
    data = dataset(tmp_path, [case("a", "B02", "training")])
    write_image(data.image_path("a"), np.zeros((2, 3, 4), np.uint16))
    write_label_map(data.label_path("truth", "a"), draw("..../...."))
    with pytest.raises(InputError, match=r"size of its image, \(3, 4\), got \(2, 4\)"):
        data.label_map("truth", "a", like=data.image("a"))
