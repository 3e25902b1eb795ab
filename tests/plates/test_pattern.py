import re

import numpy as np
import pytest
import tifffile

from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image
from noisylabels.plates import open_plate, open_plates
from noisylabels.plates.pattern import compile_pattern
from tests.plates.made_plates import picture, write_pattern_plate

PATTERN = "{plate}/{well}_f{field}_c{channel}.tif"


def raises(message):
    return pytest.raises(InputError, match=f"^{re.escape(message)}$")


def test_an_empty_folder_is_refused(tmp_path):
    message = f"{tmp_path} must hold files named as {PATTERN}, got no image. Try the pattern with --dry-run."
    with raises(message):
        open_plates(tmp_path, pattern=PATTERN)


def test_fields_are_keyed_by_their_names(tmp_path):
    plate = open_plate(write_pattern_plate(tmp_path), pattern=PATTERN)
    assert (plate.name, plate.channels) == ("P1", ("1", "2"))
    assert [field.id for field in plate.fields] == ["B07_f001", "B07_f002", "C03_f001", "C03_f002"]
    expected = np.stack([picture(3, 3, 2, 1), picture(3, 3, 2, 2)])
    assert np.array_equal(plate.field("C03_f002").read(), expected)
    assert np.array_equal(plate.field("C03_f002").read(channels=["2"]), expected[1:])


def test_a_missing_plane_shifts_no_other(tmp_path):
    write_pattern_plate(tmp_path)
    (tmp_path / "P1" / "B07_f1_c2.tif").unlink()
    plate = open_plate(tmp_path, pattern=PATTERN)
    first = plate.field("B07_f001")
    assert [(plane.channel, plane.z) for plane in first.missing] == [(1, 0)]
    assert np.array_equal(first.read(channels=["1"])[0], picture(2, 7, 1, 1))
    assert np.array_equal(plate.field("B07_f002").read()[1], picture(2, 7, 2, 2))
    with pytest.raises(InputError, match=r"^Field B07_f001 of plate P1 must have plane 0 of channel '2', "):
        first.read()


def test_rows_columns_planes_and_times_may_stand_apart(tmp_path):
    for z in (1, 2):
        tifffile.imwrite(tmp_path / f"r02c07f1z{z}t5.tif", picture(2, 7, 1, 0, z))
    plate = open_plate(tmp_path, pattern="r{row}c{column}f{field}z{z}t{time}.tif")
    (field,) = plate.fields
    assert (plate.name, field.id, field.times) == (tmp_path.name, "B07_f001", (5,))
    stack = field.read_stack()
    assert stack.shape == (1, 2, 6, 9)
    assert np.array_equal(field.read(z="max")[0], np.maximum(picture(2, 7, 1, 0, 1), picture(2, 7, 1, 0, 2)))
    assert np.array_equal(field.read(z=0)[0], picture(2, 7, 1, 0, 1))


def test_files_of_several_channels_need_no_channel_in_their_names(tmp_path):
    image = np.stack([picture(2, 7, 1, 1), picture(2, 7, 1, 2)])
    write_image(tmp_path / "B07_f1.ome.tif", image, channel_names=("DsRed", "pHluorin"), pixel_size_um=0.2152)
    stack = np.stack([image, image + 1], axis=1)
    write_image(tmp_path / "stack" / "B07_f1.ome.tif", stack, channel_names=("DsRed", "pHluorin"))
    plate = open_plate(tmp_path, pattern="{well}_f{field}.ome.tif")
    (field,) = plate.fields
    assert (field.channels, field.pixel_size_um) == (("DsRed", "pHluorin"), 0.2152)
    assert np.array_equal(field.read(), image)
    assert plate.problems == ("1 images do not follow the pattern, such as stack/B07_f1.ome.tif.",)
    (deep,) = open_plate(tmp_path / "stack", pattern="{well}_f{field}.ome.tif").fields
    assert np.array_equal(deep.read_stack(), stack)


def test_a_torn_first_file_does_not_hide_the_channels_of_the_others(tmp_path):
    image = np.stack([picture(2, 7, 1, 1), picture(2, 7, 1, 2)])
    for field in (1, 2):
        write_image(tmp_path / f"B07_f{field}.ome.tif", image, channel_names=("DsRed", "pHluorin"))
    torn = tmp_path / "B07_f1.ome.tif"
    torn.write_bytes(torn.read_bytes()[:100])
    plate = open_plate(tmp_path, pattern="{well}_f{field}.ome.tif")
    assert plate.channels == ("DsRed", "pHluorin")
    assert np.array_equal(plate.field("B07_f002").read(), image)


def test_a_channel_in_the_name_of_files_of_two_channels_is_refused(tmp_path):
    write_image(tmp_path / "B07_c1.ome.tif", np.stack([picture(2, 7, 1, 1), picture(2, 7, 1, 2)]))
    message = (
        "Files named with {channel} must hold one channel, got 2 in those of plate. Leave {channel} out of the pattern."
    )
    with raises(message.replace("plate.", f"{tmp_path.name}.")):
        open_plate(tmp_path, pattern="{well}_c{channel}.ome.tif")


def test_a_well_that_is_on_no_plate_is_told_and_the_rest_read(tmp_path):
    write_pattern_plate(tmp_path)
    tifffile.imwrite(tmp_path / "P1" / "Z99_f1_c1.tif", picture(1, 1, 1, 1))
    plate = open_plate(tmp_path, pattern=PATTERN)
    assert len(list(plate.fields)) == 4
    assert plate.problems == (
        "Z99_f1_c1.tif: A well must lie in A01..AF48, got 'Z99'. Correct its name in the file or index.",
    )


def test_a_field_named_twice_is_left_out(tmp_path):
    write_pattern_plate(tmp_path)
    tifffile.imwrite(tmp_path / "P1" / "B7_f1_c1.tif", picture(2, 7, 1, 9))
    plate = open_plate(tmp_path, pattern=PATTERN)
    assert [field.id for field in plate.fields] == ["B07_f002", "C03_f001", "C03_f002"]
    assert plate.problems == (
        "Field B07_f001 of plate P1 must list each plane once, got both B07_f1_c1.tif and B7_f1_c1.tif for one. "
        "Take one out; the field is left out.",
    )


def test_an_unknown_key_is_named():
    message = (
        "Keys of a pattern must be among plate, well, row, column, field, channel, z, time, any, got 'site' in "
        "'{well}_s{site}.tif'. Rename or use any."
    )
    with raises(message):
        compile_pattern("{well}_s{site}.tif")


def test_a_pattern_without_a_well_is_refused():
    with raises("A pattern must have {well}, or {row} and {column}, got 'f{field}.tif'. Add the well."):
        compile_pattern("f{field}.tif")


def test_a_truncated_file_is_one_sentence_and_its_neighbours_are_read(tmp_path):
    write_pattern_plate(tmp_path)
    torn = tmp_path / "P1" / "B07_f1_c1.tif"
    torn.write_bytes(torn.read_bytes()[:60])
    plate = open_plate(tmp_path, pattern=PATTERN)
    start = re.escape(f"{torn} must be a whole image file, but it cannot be decoded (")
    with pytest.raises(InputError, match=rf"^{start}.*\)\. Copy it again from its source\.$"):
        plate.field("B07_f001").read()
    assert np.array_equal(plate.field("B07_f002").read()[0], picture(2, 7, 2, 1))


def test_several_plates_in_one_folder(tmp_path):
    write_pattern_plate(tmp_path)
    (tmp_path / "P1").rename(tmp_path / "P2")
    write_pattern_plate(tmp_path)
    assert [plate.name for plate in open_plates(tmp_path, pattern=PATTERN)] == ["P1", "P2"]
    with raises(f"{tmp_path} must hold one plate, got 2 (P1, P2). Give the folder of one of them."):
        open_plate(tmp_path, pattern=PATTERN)
