"""Names that become files."""

import json

import pytest

from noisylabels.data.dataset import Case, Dataset, open_dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.ids import check_name, image_id, safe_name
from noisylabels.data.labels import ROSELLA

HOSTILE = ("", ".", "..", "../../../X", "/etc/passwd", "a/b", "a\\b", "C:a", "$__import__('os')", "@net", "%x",
           ".hidden", "a\0b", "a\nb", " a", "a ", "x" * 201, 7, None)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_what_could_lead_elsewhere_is_refused(name):
    with pytest.raises(InputError) as fault:
        check_name(name, what="Ids", source="list.json")
    assert str(fault.value) == (
        "Ids of list.json must be plain names (no path, no leading . $ @ %, at most 200 bytes), "
        f"got {name!r}. Rename it."
    )


@pytest.mark.parametrize("name", ["B07_f3", "Zoë 3", "a.b-c", "дом", "x" * 200, "day 1_a"])
def test_ordinary_names_pass(name):
    assert check_name(name, what="Ids") == name


@pytest.mark.parametrize("name", [name for name in HOSTILE if isinstance(name, str)], ids=repr)
def test_a_made_name_is_always_safe(name):
    assert check_name(safe_name(name).lstrip("$@%") or "_", what="Names")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("A.OME.TIF", "A"),
        ("a/b/c.ome.tiff", "c"),
        ("x.nii.gz", "x"),
        ("v1.2.png", "v1.2"),
        ("raw", "raw"),
        (".tif", ".tif"),
    ],
)
def test_a_file_names_its_image(file, name):
    assert image_id(file) == name


@pytest.mark.parametrize("name", ["../../../X", "a/b", "/tmp/X"])
def test_an_id_of_a_list_never_leaves_the_dataset(tmp_path, name):
    good = Dataset(tmp_path, ROSELLA, ("DsRed",), None, (Case("a", "a", "training", "images/a.ome.tif"),))
    write_dataset(good)
    path = tmp_path / "datalist.json"
    lists = json.loads(path.read_text())
    lists["training"][0]["id"] = name
    path.write_text(json.dumps(lists))
    with pytest.raises(InputError, match=r"^Ids of .*datalist\.json must be plain names"):
        open_dataset(tmp_path)
    with pytest.raises(InputError, match=r"^Names of label sets must be plain names"):
        good.label_path(name, "a")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"training": {"image": "a.tif"}}, "training of {path} must be a list, got dict. Make the list anew."),
        ({"training": ["a.tif"]},
         "Entries of {path} must be objects that name an image, got a.tif. Make the list anew."),
        ({"training": [{"image": 7}]},
         "Entries of {path} must be objects that name an image, got {{'image': 7}}. Make the list anew."),
    ],
    ids=["no list", "no object", "no path"],
)  # fmt: skip
def test_a_list_of_other_types_is_one_sentence(tmp_path, content, message):
    write_dataset(Dataset(tmp_path, ROSELLA, ("DsRed",)))
    path = tmp_path / "datalist.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError) as fault:
        open_dataset(tmp_path)
    assert str(fault.value) == message.format(path=path)
