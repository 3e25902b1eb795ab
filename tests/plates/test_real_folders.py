"""The real plate folders beside the checkout, each against what is counted in its index and listing by other means."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from noisylabels.plates import open_plate, open_plates
from tests.plates.made_plates import SHARED

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not SHARED.is_dir(), reason="left out: needs the real plates of ../shared/data/hcs_plates"),
]

FOLDERS = {
    "cv8000_2c_3w_4f_4z": "cv8000",
    "imagexpress_exported": "imagexpress",
    "ome_zarr_hcs_v04": "omezarr",
    "opera_flex_synthetic": "flex",
    "operetta_sonata_1well_2fields": "harmony",
    "phenix_harmony_v1_v7_index_only": "harmony",
    "phenix_harmony_v5": "harmony",
}


def hashes(folder):
    return {path: hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*") if path.is_file()}


def missing_names(plate):
    return [[plane.path.name for plane in field.missing] for field in plate.fields]


def test_every_folder_beside_the_checkout_is_read():
    found = {folder.name for folder in SHARED.iterdir() if folder.is_dir()}
    assert found == set(FOLDERS)
    for name, kind in FOLDERS.items():
        assert {plate.format for plate in open_plates(SHARED / name)} == {kind}


@pytest.mark.parametrize("name", FOLDERS)
def test_reading_leaves_every_file_as_it_was(name):
    before = hashes(SHARED / name)
    for plate in open_plates(SHARED / name):
        for field in plate.fields:
            if not field.missing:
                field.read_stack()
    assert hashes(SHARED / name) == before


def test_operetta_two_fields_with_pixel_size_and_positions():
    plate = open_plate(SHARED / "operetta_sonata_1well_2fields")
    assert plate.name == "Test_Sample_BALL"
    assert plate.shape == (16, 24)
    assert [field.id for field in plate.fields] == ["C03_f001", "C03_f002"]
    first, second = plate.fields
    assert first.pixel_size_um == pytest.approx(1.19595, abs=1e-4)
    # PositionY points up in the index: +645.8 um is above the middle, so a negative distance down.
    assert first.position_um == pytest.approx((-645.814, -645.814))
    assert second.position_um == pytest.approx((-645.814, 645.814))
    folder = SHARED / "operetta_sonata_1well_2fields" / "tests" / "operetta_plate" / "Images"
    expected = tifffile.imread(folder / "r03c03f02p01-ch1sk1fk1fl1.tiff")
    assert np.array_equal(second.read(), expected[None])
    # Its background profile begins with 1.1282; its foreground profile, which is not meant, with 1.0698.
    assert plate.illumination["Fluorescein (FITC)"][0] == (1.1282,)


def test_phenix_of_six_channels_with_two_shipped_names_the_four_missing_files():
    plate = open_plate(SHARED / "phenix_harmony_v5")
    assert missing_names(plate) == [[f"r01c01f01p01-ch{channel}sk1fk1fl1.tiff" for channel in (1, 2, 3, 6)]]
    (field,) = plate.fields
    image = field.read(channels=["Alexa 568", "Alexa 488"])
    folder = SHARED / "phenix_harmony_v5" / "tests" / "data" / "Version5" / "images"
    expected = [tifffile.imread(folder / f"r01c01f01p01-ch{channel}sk1fk1fl1.tiff") for channel in (5, 4)]
    assert np.array_equal(image, np.stack(expected))


def test_index_only_exports_of_harmony_1_and_7_name_every_file():
    plates = open_plates(SHARED / "phenix_harmony_v1_v7_index_only")
    for plate, index in zip(plates, ("Version7/images/Index.xml", "Version1/images/Index.idx.xml"), strict=True):
        text = (SHARED / "phenix_harmony_v1_v7_index_only" / "tests" / "data" / index).read_text(encoding="utf-8-sig")
        assert missing_names(plate) == [re.findall("<URL>(.*?)</URL>", text)]
    seventh = plates[0]
    assert seventh.channels == (
        *("Alexa 488", "Alexa 568", "Alexa 488 Em 650", "405ex, 570-630-em)"),
        *("Alexa 647", "HOECHST 33342", "Brightfield"),
    )
    assert set(seventh.illumination) == {"Alexa 488", "Alexa 488 Em 650", "HOECHST 33342"}


def test_imagexpress_with_channels_at_some_times_names_what_is_not_there():
    whole, mixed = open_plates(SHARED / "imagexpress_exported")
    (only,) = whole.fields
    assert (only.id, only.channels, only.missing) == ("B02_f001", ("DAPI",), ())
    assert [field.id for field in mixed.fields] == ["B02_f001", "B02_f002", "B03_f001", "B03_f002"]
    # 6 times x 4 wavelengths are declared, 2 times x 2 wavelengths were shipped.
    assert [len(field.missing) for field in mixed.fields] == [24 - 4] * 4
    names = [str(Path(*plane.path.parts[-2:])) for plane in next(mixed.fields).missing]
    assert names[:3] == [
        "TimePoint_1/9987_B02_s1_w3.TIF",
        "TimePoint_1/9987_B02_s1_w4.TIF",
        "TimePoint_2/9987_B02_s1_w3.TIF",
    ]
    image = mixed.field("B03_f002").read(channels=["FITC"], time=2)
    expected = tifffile.imread(mixed.folder / "TimePoint_2" / "9987_B03_s2_w2.TIF")
    assert np.array_equal(image, expected[None])
    assert only.pixel_size_um == pytest.approx(1.3672)


def test_cv8000_of_three_wells_four_fields_four_planes():
    plate = open_plate(SHARED / "cv8000_2c_3w_4f_4z")
    assert [well.position.name for well in plate.wells] == ["D08", "E03", "F08"]
    assert [len(well.fields) for well in plate.wells] == [4, 4, 4]
    assert plate.channels == ("BP445/45", "BP525/50")
    assert all(field.missing == () for field in plate.fields)
    field = plate.field("E03_f002")
    assert field.pixel_size_um == 0.325
    assert field.read_stack().shape == (2, 4, 2000, 2000)
    (name,) = plate.folder.glob("*_E03_T0001F002L01A02Z03C02.tif")
    assert np.array_equal(field.read(channels=["BP525/50"], z=2), tifffile.imread(name)[None])


def test_omezarr_0_4_without_chunks_says_so():
    plate = open_plate(SHARED / "ome_zarr_hcs_v04")
    (field,) = plate.fields
    assert (field.id, field.channels, field.pixel_size_um) == ("B03_f000", ("DAPI",), 0.1625)
    assert [plane.path for plane in field.missing] == [plate.folder / "B" / "03" / "0" / "0"]


def test_flex_planes_run_channel_fastest():
    plate = open_plate(SHARED / "opera_flex_synthetic")
    assert [field.id for field in plate.fields] == ["B03_f001", "B03_f002", "B04_f001", "B04_f002"]
    assert plate.shape == (16, 24)
    field = plate.field("B04_f002")
    pages = tifffile.imread(plate.folder / "002004002.flex", key=range(10))
    assert np.array_equal(field.read_stack(channels=["Exp2Cam2"])[0], pages[1::2])
    assert field.pixel_size_um == pytest.approx(0.2152)
