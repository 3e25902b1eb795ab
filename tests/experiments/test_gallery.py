"""The pictures of the gallery are drawn from what the code does."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from docs.gallery import KINDS, draw_field, draw_kinds, draw_plate, strike
from noisylabels.noise import kinds

EVENT = np.pad(np.ones((8, 8)) - np.eye(8) * [1, 0, 0, 0, 0, 0, 0, 1], 4)  # no box: two corners are cut
CLEAN = np.kron([[0, 1, 0, 2], [2, 0, 1, 0]], EVENT).astype(np.uint8)


def test_every_error_kind_is_shown():
    assert list(KINDS) == list(kinds.KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_each_setting_is_strong_enough_to_be_seen(name):
    before = CLEAN.copy()
    noisy = strike(CLEAN, name, KINDS[name])
    assert (noisy != CLEAN).any() or name == "merged"  # events of one class lie too far apart here
    np.testing.assert_array_equal(CLEAN, before)


def test_neighbours_are_merged():
    near = np.zeros((20, 40), np.uint8)
    near[6:14, 4:12] = near[6:14, 15:23] = 1
    assert (strike(near, "merged", {**KINDS["merged"], "rate": 1.0}) > 0).sum() > (near > 0).sum()


def test_the_pictures_are_drawn_whole(tmp_path):
    draw_field(tmp_path / "field.png", rows=64, columns=80)
    draw_kinds(tmp_path / "kinds.png")
    for name in ("field", "kinds"):
        with Image.open(tmp_path / f"{name}.png") as picture:
            picture.load()
            assert len(np.unique(np.asarray(picture).reshape(-1, picture.size[0]))) > 2, name


def test_the_plate_is_drawn_whole(tmp_path):
    draw_plate(tmp_path / "plate.svg", rows=64, columns=80, n_wells=8)
    text = (tmp_path / "plate.svg").read_text()
    pictures = [base64.b64decode(found) for found in re.findall(r"base64,([^\"]+)", text)]
    assert len(pictures) == 2  # the plate and the scale of its colours
    for content in pictures:
        with Image.open(io.BytesIO(content)) as picture:
            colours = np.asarray(picture.convert("RGBA")).reshape(-1, 4)
        assert len(np.unique(colours, axis=0)) > 2
    assert "treated column by column" in text
