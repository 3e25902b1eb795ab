import pytest

from noisylabels.plates.pattern import compile_pattern
from noisylabels.plates.recognition import NONE, recognise


def test_a_folder_without_files_is_no_plate(tmp_path):
    left_out = []
    assert recognise(tmp_path, [], left_out) is None
    assert left_out == []


@pytest.mark.parametrize(
    ("name", "instrument"),
    [
        ("Plate1.JDCE", "ImageXpress Confocal HT.ai or Micro Confocal (MetaXpress Acquire, .jdce)"),
        ("ImageIndex.ColumbusIDX.xml", "Columbus (ImageIndex.ColumbusIDX.xml)"),
        ("experiment_descriptor.xml", "Olympus scanR (experiment_descriptor.xml)"),
        ("experiment_descriptor.dat", "Olympus scanR (experiment_descriptor.dat)"),
        ("vessel 12.icarch", "Incucyte (an archive, .icarch)"),
    ],
)
def test_a_plate_that_no_reader_takes_is_told_by_its_instrument(tmp_path, name, instrument):
    left_out = []
    assert recognise(tmp_path, ["notes.txt", name], left_out) == NONE
    assert left_out == [
        f"{tmp_path} must be of a format that is read here, got {instrument}. Export it as OME-Zarr or TIFF."
    ]


def test_images_without_their_index_are_told_and_are_no_plate(tmp_path):
    left_out = []
    assert recognise(tmp_path, ["r02c03f01p01-ch1sk1fk1fl1.tiff"], left_out) is None
    assert left_out == [
        f"{tmp_path} must hold the index of its 1 Harmony images (Index.idx.xml or Index.xml or Index.ref.xml), "
        "got none. Copy it from the instrument, or read them apart with --pattern "
        "'r{row}c{column}f{field}p{z}-ch{channel}sk{time}{any}.tiff'."
    ]


@pytest.mark.parametrize(
    ("name", "pattern", "found"),
    [
        (
            "IXMtest_A02_s1_w1051DAA7C-7042.tif",
            "{plate}_{well}_s{field}_w{channel}{any}.tif",
            {"plate": "IXMtest", "well": "A02", "field": "1", "channel": "1"},
        ),
        (
            "My plate_B07_w2.TIF",
            "{plate}_{well}_w{channel}{any}.tif",
            {"plate": "My plate", "well": "B07", "channel": "2"},
        ),
        (
            "AssayPlate_C03_T0001F002L01A01Z01C03.tif",
            "{plate}_{well}_T{time}F{field}L{any}A{any}Z{z}C{channel}.tif",
            {"plate": "AssayPlate", "well": "C03", "time": "0001", "field": "002", "z": "01", "channel": "03"},
        ),
    ],
)
def test_the_pattern_that_is_advised_reads_the_names(tmp_path, name, pattern, found):
    left_out = []
    recognise(tmp_path, [name], left_out)
    assert left_out[0].endswith(f"or read them apart with --pattern '{pattern}'.")
    assert compile_pattern(pattern).fullmatch(name).groupdict() == found
