"""Plates of strangers: no name of an index becomes a path outside, nothing is written there, no program starts."""

import sys

import pytest

from noisylabels.cli import main
from tests.plates.made_plates import harmony_image, harmony_index, hash_tree, write_harmony_plate

LEADING_OUT = ("../../../outside", "/outside", "..", "a/../../outside", "C:\\outside", "$__import__('os')", "x" * 300)


@pytest.fixture
def starts(monkeypatch):
    """Programs that were started since."""
    seen, on = [], [True]
    sys.addaudithook(lambda event, _: seen.append(event) if on[0] and event in STARTING else None)
    yield seen
    on[0] = False


STARTING = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pty.spawn")


def call(*words):
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        return stop.code
    return 0


def outside(tmp_path):
    return {name: data for name, data in hash_tree(tmp_path).items() if not name.startswith("inside/")}


@pytest.mark.parametrize("name", LEADING_OUT)
def test_a_plate_name_stays_inside(tmp_path, starts, capsys, name):
    export = write_harmony_plate(tmp_path / "export")
    index = export / "Images" / "Index.xml"
    index.write_text(index.read_text(encoding="utf-8-sig").replace("<Name>P1</Name>", f"<Name>{name}</Name>"))
    before = outside(tmp_path)
    home = tmp_path / "inside"
    assert call("convert", export, home / "zarr") == 0
    assert call("screen", "run", export, home / "run", "--method", "threshold", "--workers", "0") == 0
    assert call("screen", "export", home / "run", home / "labels") == 0
    assert len(list((home / "zarr").iterdir())) == len(list((home / "labels").iterdir())) == 1
    assert outside(tmp_path) == before
    assert starts == []
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("../secret.tiff", "Paths of an index must stay inside"),
        ("/etc/passwd", "Paths of an index must stay inside"),
        ("https://host/a.tiff", "must be files, got the https address"),
        ("", "Paths of an index must stay inside"),
    ],
)
def test_an_image_of_the_index_stays_inside(tmp_path, starts, capsys, url, told):
    (tmp_path / "secret.tiff").write_bytes(b"")
    images = tmp_path / "export" / "Images"
    images.mkdir(parents=True)
    entry = harmony_image(2, 7, 1, 1, url=url or " ")
    (images / "Index.xml").write_text(harmony_index(entry, maps=""), encoding="utf-8")
    before = outside(tmp_path)
    assert call("screen", "run", images.parent, tmp_path / "inside", "--method", "threshold", "--workers", "0") == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert outside(tmp_path) == before
    assert starts == []


def test_xml_that_would_fill_the_memory_or_read_files_is_refused(tmp_path, capsys):
    images = tmp_path / "export" / "Images"
    images.mkdir(parents=True)
    head = "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"
    (images / "Index.xml").write_text(harmony_index(harmony_image(2, 7, 1, 1), head=head), encoding="utf-8")
    assert call("convert", images.parent, tmp_path / "inside") == 2
    assert "must not declare a document type or entities" in capsys.readouterr().err
    assert not (tmp_path / "inside").exists()
