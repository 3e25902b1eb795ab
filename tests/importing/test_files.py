"""Folders as people keep them."""

import unicodedata

import numpy as np
import pytest
import tifffile

from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image
from noisylabels.importing.folder import import_folder
from noisylabels.importing.pairing import pair_masks

ALL = (1, 0, 0)


def field(path, value=1, shape=(1, 4, 5)):
    write_image(path, np.full(shape, value, np.uint8))


def test_an_empty_folder_says_what_it_wants(tmp_path):
    (tmp_path / "raw").mkdir()
    with pytest.raises(FileNotFoundError, match=r"must hold files that end in \.tif, .*, got nothing. Check the path"):
        import_folder(tmp_path / "raw", tmp_path / "out")


def test_what_other_systems_leave_behind_is_passed_over(tmp_path):
    field(tmp_path / "raw" / "a.tif")
    for name in ("._a.tif", ".DS_Store", "Thumbs.db"):
        (tmp_path / "raw" / name).write_bytes(b"x")
    assert import_folder(tmp_path / "raw", tmp_path / "out", fractions=ALL).dataset.ids() == ["a"]


def test_sub_folders_are_groups(tmp_path):
    for day in ("day1", "day2"):
        for name in ("a", "b"):
            field(tmp_path / "raw" / day / f"{name}.tif")
    data, _ = import_folder(tmp_path / "raw", tmp_path / "out", fractions=(0.5, 0.5, 0))
    assert {case.group: case.split for case in data.cases}.keys() == {"day1", "day2"}
    assert sorted(data.ids()) == ["day1_a", "day1_b", "day2_a", "day2_b"]
    assert len(data.ids("training")) == 2


def test_one_file_a_channel_is_one_image(tmp_path):
    for name in ("img0", "img1", "img2"):
        for channel in (1, 2):
            field(tmp_path / "raw" / f"{name}_ch{channel}.tif", value=10 * channel)
    data, notes = import_folder(tmp_path / "raw", tmp_path / "out", fractions=ALL)
    assert sorted(data.ids()) == ["img0", "img1", "img2"]
    assert data.image("img1")[:, 0, 0].tolist() == [10, 20]
    assert data.channel_names == ("ch1", "ch2")
    assert notes == ["one file a channel: img0_ch1.tif, img0_ch2.tif are the channels of one image"]


def test_numbers_alone_are_no_channels(tmp_path):
    for name in ("a_1", "a_2", "b_1", "b_2"):
        field(tmp_path / "raw" / f"{name}.tif")
    assert len(import_folder(tmp_path / "raw", tmp_path / "out", fractions=ALL).dataset.ids()) == 4


def test_a_name_from_macos_is_the_same_name(tmp_path):
    field(tmp_path / "raw" / "Zoë.tif")
    field(tmp_path / "masks" / f"{unicodedata.normalize('NFD', 'Zoë')}.tif", value=0)
    data, _ = import_folder(tmp_path / "raw", tmp_path / "out", labels={"own": tmp_path / "masks"}, fractions=ALL)
    assert data.label_path("own", "Zoë").is_file()


def test_names_that_differ_in_suffix_only_are_refused(tmp_path):
    field(tmp_path / "raw" / "a.tif")
    field(tmp_path / "raw" / "A.tiff")
    with pytest.raises(InputError, match=r"must differ in more than case and suffix, got A.tiff, a.tif. Rename one"):
        import_folder(tmp_path / "raw", tmp_path / "out")


@pytest.mark.parametrize(
    ("ending", "tool", "content"),
    [
        ("_cp_masks.png", "Cellpose", "objects"),
        ("_mask.tif", "masks", "unknown"),
        ("_Simple Segmentation.tif", "ilastik (pixels)", "ilastik"),
        ("_Object Identities.tif", "ilastik (objects)", "objects"),
        (".tif", "label maps", "unknown"),
    ],
)
def test_label_maps_are_known_by_their_program(tmp_path, ending, tool, content):
    field(tmp_path / f"dna-0{ending}")
    pairs = pair_masks(tmp_path, ["dna-0", "dna-1"], (".tif", ".png"))
    assert pairs.paths == {"dna-0": tmp_path / f"dna-0{ending}"}
    assert (pairs.tool, pairs.content, pairs.without_mask) == (tool, content, ["dna-1"])


def test_cellposes_pickles_are_not_read(tmp_path):
    (tmp_path / "a_seg.npy").write_bytes(b"\x80\x04")
    with pytest.raises(InputError, match=r"must be images, got Cellpose's a_seg.npy, which holds code. Save the masks"):
        pair_masks(tmp_path, ["a"], (".tif",))


def test_names_that_do_not_fit_are_both_shown(tmp_path):
    field(tmp_path / "x1.tif")
    with pytest.raises(InputError) as fault:
        pair_masks(tmp_path, ["a"], (".tif",))
    assert str(fault.value) == (
        f"Label maps of {tmp_path} must be named as their images, got x1 for the images a. "
        "Name them alike; endings such as _mask or _cp_masks may follow."
    )


def test_names_and_pixel_size_that_files_carry_are_kept(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((2, 4, 5), np.uint16), imagej=True, resolution=(5, 5),
        metadata={"axes": "CYX", "unit": "um", "Labels": ["red", "green"]},
    )  # fmt: skip
    data, notes = import_folder(tmp_path / "a.tif", tmp_path / "out", fractions=ALL)
    assert data.channel_names == ("red", "green")
    assert data.pixel_size_um == pytest.approx(0.2)
    assert notes == []
    _, notes = import_folder(tmp_path / "a.tif", tmp_path / "other", channel_names=("DsRed", "pHluorin"), fractions=ALL)
    assert notes == [
        "the files name their channels otherwise: red is taken for DsRed, green is taken for pHluorin. "
        "Check the order (--keep)"
    ]


def test_an_empty_group_is_a_group_of_its_own(tmp_path):
    for name in "abcd":
        field(tmp_path / "raw" / f"{name}.tif")
    groups = {"a": "w1", "b": "w1", "c": "", "d": ""}
    data, _ = import_folder(tmp_path / "raw", tmp_path / "out", groups=groups, fractions=ALL)
    assert {case.id: case.group for case in data.cases} == {"a": "w1", "b": "w1", "c": "c", "d": "d"}
