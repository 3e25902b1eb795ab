import pytest

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
        "got none. "
        "Copy it from the instrument, or read them apart with --pattern."
    ]
