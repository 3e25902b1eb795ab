import os
import re
import shutil

import numpy as np
import pytest
import tifffile

from noisylabels.data.errors import InputError
from noisylabels.plates import open_plate, open_plates
from tests.plates.made_plates import picture, write_harmony_plate, write_pattern_plate

CV8000 = "http://www.yokogawa.co.jp/BTS/BTSSchema/1.0"


def refuse(message, kind=InputError):
    return pytest.raises(kind, match=f"^{re.escape(message)}$")


def write_cv8000(folder, *, kind="IMG", text="a.tif", namespace=CV8000, row=2):
    folder.mkdir(parents=True)
    tifffile.imwrite(folder / "a.tif", picture(2, 7, 1, 1))
    place = f"b:Row='{row}' b:Column='7' b:FieldIndex='1' b:ZIndex='1' b:TimePoint='1'"
    first = f"<b:MeasurementRecord b:Type='IMG' {place} b:Ch='1'>a.tif</b:MeasurementRecord>"
    second = f"<b:MeasurementRecord b:Type='{kind}' {place} b:Ch='2'>{text}</b:MeasurementRecord>"
    (folder / "MeasurementData.mlf").write_text(f"<b:M xmlns:b='{namespace}'>{first}{second}</b:M>")
    return folder


def write_imagexpress(folder, names=("P_A01_s1_w1.TIF",)):
    (folder / "TimePoint_1").mkdir(parents=True)
    lines = ['"HTSInfoFile", Version 1.0', '"TimePoints", 1', '"XWells", 2', '"YWells", 1']
    lines += ['"WellsSelection1", TRUE, FALSE', '"Sites", TRUE', '"XSites", 2', '"YSites", 1']
    lines += ['"SiteSelection1", TRUE, FALSE', '"Waves", TRUE', '"NWavelengths", 2', '"WaveName1", "DAPI"']
    (folder / "P.HTD").write_bytes("\r\n".join([*lines, '"WaveName2", "\xb5m"', '"EndFile"']).encode("latin-1"))
    for name in names:
        tifffile.imwrite(folder / "TimePoint_1" / name, picture(1, 1, 1, 1))
    return folder


def test_a_folder_without_a_plate_is_refused(tmp_path):
    message = (
        f"{tmp_path} must hold a plate (omezarr, harmony, cv8000, imagexpress, flex), got none of them. "
        "For plain TIFF files give --pattern, such as '{plate}/{well}_f{field}_c{channel}.tif'."
    )
    with refuse(message):
        open_plates(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with refuse(
        f"{tmp_path / 'x'} must be a plate's folder, but it does not exist. Check the path.", FileNotFoundError
    ):
        open_plates(tmp_path / "x")


def test_a_file_is_no_plate(tmp_path):
    (tmp_path / "x").write_text("")
    with refuse(f"{tmp_path / 'x'} must be a plate's folder, got a file. Give the folder that holds it."):
        open_plates(tmp_path / "x")


def test_an_unreadable_folder_is_one_sentence(tmp_path):
    write_harmony_plate(tmp_path / "export")
    (tmp_path / "export").chmod(0)
    as_root = os.geteuid() == 0
    if as_root:
        os.seteuid(65534)  # root reads everything; nobody does not
    try:
        message = f"{tmp_path / 'export'} must be readable, but permission is denied. Ask its owner for read access."
        with refuse(message, PermissionError):
            open_plates(tmp_path / "export")
    finally:
        if as_root:
            os.seteuid(0)
        (tmp_path / "export").chmod(0o755)


def test_a_screen_of_several_formats_is_found_at_any_depth(tmp_path):
    write_harmony_plate(tmp_path / "a" / "b" / "export")
    write_cv8000(tmp_path / "measurement")
    write_imagexpress(tmp_path / "c" / "9987")
    write_pattern_plate(tmp_path / "other")
    found = open_plates(tmp_path)
    assert [(plate.name, plate.format) for plate in found] == [
        ("9987", "imagexpress"),
        ("P1", "harmony"),
        ("measurement", "cv8000"),
    ]


def test_plates_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for name in ("first", "second"):
        write_harmony_plate(tmp_path / name)
        shutil.move(tmp_path / name / "Images", tmp_path / name / f"Images_{name}")
    plates = open_plates(tmp_path)
    assert [plate.name for plate in plates] == ["P1 first", "P1 second"]
    assert {field.plate for field in plates[1].fields} == {"P1 second"}


def test_a_plane_that_failed_on_the_yokogawa_is_missing(tmp_path):
    (field,) = open_plate(write_cv8000(tmp_path / "m", kind="ERR", text="camera: timeout")).fields
    assert [(plane.channel, plane.path.name) for plane in field.missing] == [(1, "(plane failed on the instrument)")]
    assert np.array_equal(field.read(channels=["1"])[0], picture(2, 7, 1, 1))


def test_paths_namespaces_and_wells_of_a_yokogawa_index_are_checked(tmp_path):
    plate = open_plate(write_cv8000(tmp_path / "path", text="../a.tif"))
    message = f"Paths of an index must stay inside {tmp_path / 'path'}, got '../a.tif'. Do not trust this index."
    assert plate.problems == (message,)
    with pytest.raises(InputError, match=rf" must have the namespace {CV8000}, got \{{x\}}MeasurementRecord\. Export"):
        open_plate(write_cv8000(tmp_path / "namespace", namespace="x"))
    with pytest.raises(InputError, match=r"must hold at least one field of a plate, got none .A well must lie in"):
        open_plate(write_cv8000(tmp_path / "well", row=99))


def test_imagexpress_names_missing_waves_and_skips_thumbnails(tmp_path):
    names = ("P_A01_s1_w1.TIF", "P_A01_s1_w1_thumb.TIF", "P_A01_s1_w7.TIF", "P_Z99_s1_w1.TIF")
    plate = open_plate(write_imagexpress(tmp_path / "plate", names))
    (field,) = plate.fields
    assert plate.channels == ("DAPI", "\xb5m")
    assert [plane.path.name for plane in field.missing] == ["P_A01_s1_w2.TIF"]
    assert plate.problems == (
        "TimePoint_1/P_A01_s1_w7.TIF: A wavelength must be one of the .HTD's 2, got w7. The file is left out.",
        "TimePoint_1/P_Z99_s1_w1.TIF: A well must lie in A01..AF48, got 'Z99'. Correct its name in the file or index.",
    )


def test_a_guid_in_the_name_does_no_harm(tmp_path):
    name = "P_A01_s1_w11D3F4A5B-1111-2222-3333-444455556666.tif"
    plate = open_plate(write_imagexpress(tmp_path / "plate", (name,)))
    (field,) = plate.fields
    assert [plane.channel for plane in field.planes] == [0]


def test_another_htd_file_is_refused(tmp_path):
    (write_imagexpress(tmp_path / "plate") / "P.HTD").write_text("hello, world")
    with pytest.raises(
        InputError, match=r"must begin with HTSInfoFile, as MetaXpress writes(?: it)?, got 'hello, world'"
    ):
        open_plate(tmp_path / "plate")


def test_unknown_names_are_answered_with_the_known_ones(tmp_path):
    plate = open_plate(write_harmony_plate(tmp_path / "export"))
    field = next(plate.fields)
    with refuse("Channels of plate P1 must be among pHluorin, DsRed, got GFP. Name them as the plate does."):
        field.read(channels=["GFP"])
    with pytest.raises(InputError, match=r"^The time point of field B07_f001 must be one of \[0\], got 3\."):
        field.read(time=3)
    with refuse("z must be max, middle, stack or a plane 0..0, got 7. Choose one of them."):
        field.read(z=7)
    with pytest.raises(InputError, match=r"^A field of plate P1 must be .* B07_f001, got 'A01_f1'\."):
        plate.field("A01_f1")
