"""Other people's folders become dataset folders."""

from pathlib import Path

import numpy as np
import pytest

from noisylabels import cip
from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ClassTable
from noisylabels.importing.folder import import_folder, read_groups
from tests.cases import draw
from tests.docs.pages import read_blocks, read_part, run_blocks

NUCLEUS = ClassTable(("background", "nucleus"))


def folder_of(tmp_path, n_images=6):
    for i in range(n_images):
        write_image(tmp_path / "raw" / f"n{i}.tif", np.full((1, 2, 3), i, np.uint8))
        write_label_map(tmp_path / "masks" / f"n{i}.png", draw("1../..."))
    return tmp_path / "raw", {"weak": tmp_path / "masks"}


def test_import_keeps_images_masks_and_groups_together(tmp_path):
    raw, labels = folder_of(tmp_path)
    groups = {f"n{i}": f"tile{i // 2}" for i in range(6)}
    data, _ = import_folder(
        raw, tmp_path / "out", classes=NUCLEUS, labels=labels, groups=groups, fractions=(0.5, 0.25, 0.25)
    )
    again = open_dataset(tmp_path / "out")
    assert again == data
    assert [again.image(f"n{i}")[0, 0, 0] for i in range(6)] == list(range(6))
    assert again.label_map("weak", "n3").tolist() == [[1, 0, 0], [0, 0, 0]]
    assert {row.group for row in again.cases if row.split == "test"} in ({"tile0"}, {"tile1"}, {"tile2"})


def test_import_refuses_a_folder_that_holds_something(tmp_path):
    raw, labels = folder_of(tmp_path)
    with pytest.raises(InputError, match="must be a new or empty folder"):
        import_folder(raw, raw, classes=NUCLEUS, labels=labels)


def test_an_image_without_a_label_map_is_for_prediction_and_said(tmp_path):
    raw, labels = folder_of(tmp_path)
    (tmp_path / "masks" / "n4.png").unlink()
    data, notes = import_folder(raw, tmp_path / "out", classes=NUCLEUS, labels=labels, fractions=(0.6, 0.4, 0))
    assert data.ids("test") == ["n4"]
    assert notes == [
        "weak: label maps, 0 = background, 1 = nucleus; 1 images without one (n4, ...) go to the test split"
    ]


def test_a_label_map_without_an_image_is_refused(tmp_path):
    raw, labels = folder_of(tmp_path)
    (raw / "n4.tif").unlink()
    with pytest.raises(FileNotFoundError) as fault:
        import_folder(raw, tmp_path / "out", labels=labels)
    assert str(fault.value) == (
        f"Label maps of {labels['weak']} must belong to images, got none for 1 (n4, ...). "
        "Add the image, or take the label map away."
    )
    assert not (tmp_path / "out").exists()


def test_object_numbers_become_one_class(tmp_path):
    raw, _ = folder_of(tmp_path, 3)
    for i in range(3):
        write_image(tmp_path / "objects" / f"n{i}.tif", np.array([[[0, 900, 7], [0, 0, 7]]], np.uint16))
    data, _ = import_folder(
        raw, tmp_path / "out", classes=NUCLEUS, labels={"truth": tmp_path / "objects"}, masks="objects"
    )
    assert data.label_map("truth", "n0").tolist() == [[0, 1, 1], [0, 0, 1]]


def test_groups_come_from_a_table_and_a_missing_column_is_named(tmp_path):
    (tmp_path / "index.csv").write_text("id,group\nn0,s1\n")
    assert read_groups(tmp_path / "index.csv", column="group") == {"n0": "s1"}
    with pytest.raises(InputError, match="must have the columns id and well, got id, group"):
        read_groups(tmp_path / "index.csv", column="well")


def test_channels_are_kept_in_the_order_wanted(tmp_path):
    for i in range(3):
        write_image(
            tmp_path / "raw" / f"n{i}.tif", np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 3), "u1")
        )
    names = ("DsRed", "pHluorin")
    data, _ = import_folder(
        tmp_path / "raw", tmp_path / "out", classes=NUCLEUS, labels={}, channel_names=names, keep=(2, 0)
    )
    assert data.channel_names == names
    assert data.image("n1")[:, 0, 0].tolist() == [2, 0]
    for wrong in ((0, 3), (1, 1)):
        with pytest.raises(
            InputError, match=r"must be different positions from 0 to 2, as .*n0.tif has 3 channels, got"
        ):
            import_folder(tmp_path / "raw", tmp_path / "other", classes=NUCLEUS, labels={}, keep=wrong)


def test_the_readme_runs(tmp_path, monkeypatch):
    readme = (Path(cip.__file__).parent / "README.md").read_text()
    (block,) = read_blocks(read_part(readme, "## Import"))
    assert block.language == "console"
    monkeypatch.chdir(tmp_path)
    assert run_blocks([block], source="noisylabels/cip/README.md") == len(block.text.splitlines())
    assert [len(open_dataset("mine").ids(split)) for split in ("training", "validation", "test")] == [2, 1, 1]
    mine, green = open_dataset("mine"), open_dataset("green")
    for name in green.ids():
        np.testing.assert_array_equal(green.image(name), mine.image(name)[1:])


def test_a_mixed_folder_is_described_whole(tmp_path):
    for name, n_channels in {"a": 1, "b": 2, "c": 2, "d": 3}.items():
        write_image(tmp_path / "raw" / f"{name}.tif", np.zeros((n_channels, 4, 5), np.uint16))
    with pytest.raises(InputError) as fault:
        import_folder(tmp_path / "raw", tmp_path / "out", classes=NUCLEUS, labels={})
    assert str(fault.value) == (
        f"{tmp_path}/raw/b.tif must have 1 channels, as a.tif has; the folder holds 1 in a.tif; 2 in b.tif and 1 more; "
        "3 in d.tif. Sort them into folders and import each alone."
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("planes", "shape"), [("max", (2, 4, 5)), ("middle", (2, 4, 5)), ("stack", (2, 3, 4, 5))])
def test_focal_planes_are_projected_or_kept(tmp_path, planes, shape):
    stack = np.random.default_rng(1).integers(0, 900, (2, 3, 4, 5)).astype(np.uint16)
    write_image(tmp_path / "raw" / "a.ome.tif", stack)
    data, _ = import_folder(
        tmp_path / "raw", tmp_path / "out", classes=NUCLEUS, labels={}, fractions=(1, 0, 0), planes=planes
    )
    expected = {"max": np.maximum.reduce([stack[:, z] for z in range(3)]), "middle": stack[:, 1], "stack": stack}
    assert data.image("a").shape == shape
    np.testing.assert_array_equal(data.image("a"), expected[planes])


def test_a_single_file_is_a_folder_of_one(tmp_path):
    write_image(tmp_path / "a.tif", np.full((1, 4, 5), 7, np.uint16))
    data, _ = import_folder(tmp_path / "a.tif", tmp_path / "out", fractions=(1, 0, 0))
    assert data.ids() == ["a"]
    assert data.image("a").max() == 7
