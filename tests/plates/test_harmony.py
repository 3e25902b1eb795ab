import re

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.plates import open_plate
from noisylabels.plates.harmony import read_profile
from tests.plates.made_plates import (
    HARMONY_V5,
    HARMONY_V7,
    harmony_image,
    harmony_index,
    picture,
    write_harmony_plate,
)


def index_of(folder, images, **options):
    folder.mkdir(exist_ok=True)
    (folder / "Index.idx.xml").write_text(harmony_index(images, **options), encoding="utf-8-sig")
    return folder


@pytest.mark.parametrize("namespace", [HARMONY_V5, HARMONY_V7], ids=["V5", "V7"])
def test_both_ways_of_describing_channels_give_the_same_plate(tmp_path, namespace):
    plate = open_plate(write_harmony_plate(tmp_path / "export", namespace=namespace))
    assert (plate.name, plate.shape, plate.channels) == ("P1", (8, 12), ("pHluorin", "DsRed"))
    assert [field.id for field in plate.fields] == ["B07_f001", "B07_f002", "C03_f001", "C03_f002"]
    assert next(plate.fields).pixel_size_um == pytest.approx(0.2152)
    image = plate.field("C03_f002").read(channels=["DsRed", "pHluorin"])
    assert np.array_equal(image, np.stack([picture(3, 3, 2, 2), picture(3, 3, 2, 1)]))


def test_a_lost_file_is_missing_in_its_own_field_only(tmp_path):
    write_harmony_plate(tmp_path / "export")
    lost = tmp_path / "export" / "Images" / "r02c07f01p01-ch1sk1fk1fl1.tiff"
    lost.unlink()
    plate = open_plate(tmp_path / "export")
    assert [[plane.path for plane in field.missing] for field in plate.fields] == [[lost], [], [], []]
    assert np.array_equal(plate.field("B07_f002").read()[0], picture(2, 7, 2, 1))
    assert np.array_equal(plate.field("B07_f001").read(channels=["DsRed"])[0], picture(2, 7, 1, 2))


def test_a_plane_that_the_instrument_marks_bad_is_missing(tmp_path):
    write_harmony_plate(tmp_path / "export")
    index = tmp_path / "export" / "Images" / "Index.xml"
    text = index.read_text(encoding="utf-8-sig")
    start = text.index("r03c03f02p01-ch1")
    place = text.rindex("<State>Ok</State>", 0, start)
    index.write_text(text[:place] + "<State>Error</State>" + text[place + len("<State>Ok</State>") :])
    plate = open_plate(tmp_path / "export")
    assert [len(field.missing) for field in plate.fields] == [0, 0, 0, 1]


def test_another_namespace_is_refused(tmp_path):
    index_of(tmp_path / "p", harmony_image(1, 1, 1, 1), namespace="http://example.org/other")
    message = (
        f"{tmp_path / 'p' / 'Index.idx.xml'} must have a namespace that ends in HarmonyV1..V7, got "
        "http://example.org/other. Export it from Harmony again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_plate(tmp_path / "p")


def test_entities_are_not_expanded(tmp_path):
    bomb = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>"
    index_of(tmp_path / "p", harmony_image(1, 1, 1, 1, url="&b;"), head=bomb)
    path = tmp_path / "p" / "Index.idx.xml"
    message = f"{path} must not declare a document type or entities, but it does. Do not trust this file."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_plate(tmp_path / "p")


@pytest.mark.parametrize("url", ["../../secret.tiff", "/etc/passwd", "C:\\secret.tiff", "a/../../b.tiff", ""])
def test_no_path_leaves_the_plate(tmp_path, url):
    images = harmony_image(1, 1, 1, 1) + harmony_image(1, 1, 2, 1).replace(
        "<URL>r01c01f02p01-ch1sk1fk1fl1.tiff</URL>", f"<URL>{url}</URL>"
    )
    plate = open_plate(index_of(tmp_path / "p", images))
    assert [field.id for field in plate.fields] == ["A01_f001"]
    assert plate.problems == (
        f"Paths of an index must stay inside {tmp_path / 'p'}, got {url!r}. Do not trust this index.",
    )


def test_a_well_off_the_plate_and_a_broken_entry_are_told_and_the_rest_read(tmp_path):
    images = harmony_image(26, 99, 1, 1) + harmony_image(1, 1, 1, 1).replace("<FieldID>1<", "<FieldID>one<")
    plate = open_plate(index_of(tmp_path / "p", images + harmony_image(2, 7, 1, 1)))
    assert [field.id for field in plate.fields] == ["B07_f001"]
    assert plate.problems == (
        "A well must lie in A01..AF48, got row 26, column 99. Correct its name in the file or index.",
        "Image '0101K1F1P1R1' of the index must number row, column, field, plane: 'one' is no number. Left out.",
    )


def test_a_duplicated_field_is_left_out_but_the_same_entry_twice_is_harmless(tmp_path):
    folder = write_harmony_plate(tmp_path / "export")
    index = folder / "Images" / "Index.xml"
    text = index.read_text(encoding="utf-8-sig")
    again = harmony_image(2, 7, 1, 1, url="r02c07f02p01-ch1sk1fk1fl1.tiff") + harmony_image(3, 3, 1, 1)
    index.write_text(text.replace("</Images>", again + "</Images>"))
    plate = open_plate(folder)
    assert [field.id for field in plate.fields] == ["B07_f002", "C03_f001", "C03_f002"]
    assert plate.problems == (
        "Field B07_f001 of plate P1 must list each plane once, got both r02c07f01p01-ch1sk1fk1fl1.tiff and "
        "r02c07f02p01-ch1sk1fk1fl1.tiff for one. Take one out; the field is left out.",
    )


def test_a_torn_index_is_refused(tmp_path):
    folder = index_of(tmp_path / "p", harmony_image(1, 1, 1, 1))
    index = folder / "Index.idx.xml"
    index.write_bytes(index.read_bytes()[:300])
    with pytest.raises(InputError, match=rf"^{re.escape(str(index))} must be well-formed XML, but it is not \("):
        open_plate(folder)


def test_channels_of_equal_names_are_told_apart(tmp_path):
    images = "".join(harmony_image(1, 1, 1, c, extra="<ChannelName>GFP</ChannelName>") for c in (1, 2))
    plate = open_plate(index_of(tmp_path / "p", images))
    assert plate.channels == ("GFP (1)", "GFP (2)")


def test_a_profile_is_read_from_text_that_is_not_json():
    flat = "{Background: {Character: Null, Mean: NaN, Profile: {Type: Identity}, Quality: 0.25}, Channel: 2}"
    assert read_profile(flat) is None
    both = (
        "{Background: {Character: Null, Profile: {Type: Identity}}, "
        "Foreground: {Profile: {Coefficients: [[9.0]], Dims: [2, 2], Type: Polynomial}}}"
    )
    assert read_profile(both) is None
    text = (
        "{Background: {NonFlatness: {Random: INF}, Profile: {Coefficients: [[1.2], [0.1, -0.2]], Dims: [2, 2], "
        "Origin: [0.5, 0.5], Scale: [0.5, 0.5], Type: Polynomial}}, Channel: 1}"
    )
    assert read_profile(text) == ((1.2,), (0.1, -0.2))
