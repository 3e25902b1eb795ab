import re

import numpy as np
import pytest
import tifffile

from noisylabels.data.errors import InputError
from noisylabels.plates import open_plate
from tests.plates.made_plates import picture, write_flex

NAMES = ["Exp1Cam1", "Exp2Cam2"] * 2


def pages(field=1):
    return [picture(2, 3, field, channel, z).astype(np.uint8) for z in (0, 1) for channel in (1, 2)]


def test_factors_and_stray_signs(tmp_path):
    write_flex(tmp_path / "002003001.flex", pages(), NAMES, well=(2, 3), factors=[1, 2.5, 1, 1])
    plate = open_plate(tmp_path)
    assert (plate.name, plate.shape, plate.channels) == ("P1", (16, 24), ("Exp1Cam1", "Exp2Cam2"))
    (field,) = plate.fields
    stack = field.read_stack()
    assert np.array_equal(stack[0, 1], pages()[2])
    assert np.array_equal(stack[1, 0], pages()[1] * 2.5)
    assert np.array_equal(stack[1, 1], pages()[3])


def test_names_that_are_no_place_are_told(tmp_path):
    for name in ("002003001.flex", "099099001.flex", "overview.flex"):
        write_flex(tmp_path / name, pages(), NAMES, well=(2, 3))
    plate = open_plate(tmp_path)
    assert [field.id for field in plate.fields] == ["B03_f001"]
    assert plate.problems == (
        "099099001.flex: A well must lie in A01..AF48, got row 99, column 99. Correct its name in the file or index.",
        "overview.flex must be named RRRCCCFFF.flex (row, column, field). It is left out.",
    )


def test_a_file_of_another_well_is_refused(tmp_path):
    write_flex(tmp_path / "002003001.flex", pages(), NAMES, well=(5, 5))
    (field,) = open_plate(tmp_path).fields
    message = f"{tmp_path / '002003001.flex'} must be of the well in its name, got E05 in its XML. Rename the file."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        field.read()


def test_lurawave_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "002003001.flex"
    write_flex(path, pages(), NAMES, well=(2, 3))
    with tifffile.TiffFile(path) as file:
        place = file.pages[0].tags[259].valueoffset
    data = bytearray(path.read_bytes())
    data[place : place + 2] = (65535).to_bytes(2, "little")
    path.write_bytes(data)
    message = (
        f"{path} must not be LuraWave-compressed, but it is, and its decoder is proprietary. "
        "Convert the plate with Bio-Formats (bfconvert) on a computer that has the decoder's licence."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_plate(tmp_path)


def test_a_page_too_few_is_refused(tmp_path):
    write_flex(tmp_path / "002003001.flex", pages()[:3], NAMES, well=(2, 3))
    message = (
        f"{tmp_path / '002003001.flex'} must have one Array in its XML per page, got 4 for 3 pages. Copy it again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_plate(tmp_path)


def test_a_truncated_file_is_one_sentence(tmp_path):
    path = tmp_path / "002003001.flex"
    write_flex(path, pages(), NAMES, well=(2, 3))
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match=rf"^{re.escape(str(path))} must be a whole \.flex file, but it cannot be"):
        open_plate(tmp_path)
