import json

import numpy as np

from noisylabels.plates import open_plate
from tests.plates.made_plates import hash_tree, write_harmony_plate, write_pattern_plate
from tests.running import run_command

PATTERN = "{plate}/{well}_f{field}_c{channel}.tif"


def test_a_dry_run_prints_the_plate_map_and_writes_nothing(tmp_path, capsys):
    write_pattern_plate(tmp_path)
    (tmp_path / "P1" / "C03_f2_c1.tif").unlink()
    before = hash_tree(tmp_path)
    assert run_command("convert", tmp_path, "--pattern", PATTERN, "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "plate P1 (pattern): 2 wells, 4 fields, 2 channels (1, 2), pixel unknown um"
    assert lines[1].split() == [f"{column:02d}" for column in range(1, 13)]
    assert lines[3].split() == ["B", *"......2....."]
    assert lines[4].split() == ["C", ".", ".", "2!", *"........."]
    assert lines[-2:] == ["1 planes are missing:", f"  C03_f002: {tmp_path}/P1/(no such file)"]
    assert hash_tree(tmp_path) == before


def test_plates_are_converted_and_told_in_json(tmp_path, capsys):
    write_harmony_plate(tmp_path / "export")
    assert run_command("convert", tmp_path / "export", tmp_path / "out", "--json", "--channels", "DsRed") == 0
    report = json.loads(capsys.readouterr().out)
    assert report == {"plate": "P1", "folder": str(tmp_path / "out" / "P1.ome.zarr"), "fields": 4, "problems": []}
    source = open_plate(tmp_path / "export").field("C03_f001")
    converted = open_plate(tmp_path / "out").field("C03_f001")
    assert np.array_equal(source.read(channels=["DsRed"]), converted.read())


def test_a_field_that_cannot_be_read_ends_with_code_3(tmp_path, capsys):
    write_harmony_plate(tmp_path / "export")
    torn = tmp_path / "export" / "Images" / "r02c07f01p01-ch1sk1fk1fl1.tiff"
    torn.write_bytes(torn.read_bytes()[:50])
    assert run_command("convert", tmp_path / "export", tmp_path / "out") == 3
    out = capsys.readouterr().out
    assert out.startswith(f"P1: 3 fields -> {tmp_path / 'out' / 'P1.ome.zarr'}\n  {torn} must be a whole image file")


def test_a_mistake_is_one_sentence_and_code_2(tmp_path, capsys):
    write_pattern_plate(tmp_path)
    assert run_command("convert", tmp_path, tmp_path / "out", "--pattern", "{well}_s{site}.tif") == 2
    told = capsys.readouterr().err
    assert told.startswith("noisylabels: Keys of a pattern must be among plate, well, ")
    assert told.count("\n") == 1
    assert run_command("convert", tmp_path, "--pattern", PATTERN) == 2
    assert "A folder to write to must be given, got none." in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
