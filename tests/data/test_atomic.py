"""Files are whole or absent."""

import pytest

from noisylabels.data.atomic import replacing, write_text


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.ome.tif"
    write_text(path, "old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.ome.tif"]


def test_the_temporary_file_has_the_suffixes_that_writers_look_at(tmp_path):
    with replacing(tmp_path / "deep" / "a.nii.gz") as temporary:
        assert temporary.name.endswith(".nii.gz")
        temporary.write_bytes(b"whole")
    assert (tmp_path / "deep" / "a.nii.gz").read_bytes() == b"whole"


def test_a_new_file_has_the_permissions_of_any_other(tmp_path):
    write_text(tmp_path / "ours", "")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode
