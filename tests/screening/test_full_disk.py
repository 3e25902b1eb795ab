"""A disk that fills while a run is measured, exported or converted: one sentence, and nothing half-written."""

import json
import math
import shutil

import pytest

from noisylabels.data.disk import DiskFullError, is_disk_full, writing
from tests.disks import fill, small_disk
from tests.plates.made_plates import hash_tree
from tests.running import run_command
from tests.screening.faults import PATTERN, leftovers, random_pictures, write_plate

BLOCK = 4096
HDF5 = "can't write data (errno = 28, error message = 'No space left on device')"
SENTENCE = "noisylabels: The disk of {} must have room, but it is full. Free some and run the same command again: {}.\n"


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    return write_plate(tmp_path_factory.mktemp("input") / "plate", random_pictures(2, 3, (96, 128)))


@pytest.fixture(scope="module")
def run_folder(plate, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    call("screen", "run", plate.folder, folder, "--pattern", PATTERN, "--method", "threshold", "--workers", "0")
    return folder


def call(*words):
    return run_command(*words)


def json_files(folder):
    return [path for path in folder.rglob("*.json") if not path.name.startswith(".writing-")]


def test_an_error_that_only_quotes_the_system_is_known():
    with (
        pytest.raises(DiskFullError, match=r"^The disk of run must have room, but it is full\. Free some"),
        writing("run"),
    ):
        raise RuntimeError(HDF5)
    with pytest.raises(ValueError, match=r"^can't write"), writing("run"):
        raise ValueError(HDF5)
    assert not is_disk_full(KeyError("No space left on device"))


@pytest.mark.parametrize("free", [0, 60_000])
def test_measure(run_folder, capsys, free):
    with small_disk() as disk:
        shutil.copytree(run_folder, disk / "run")
        target = disk / "run" / "measurements"
        assert call("screen", "measure", disk / "run") == 0
        before = hash_tree(target)
        capsys.readouterr()
        fill(disk, free=free)
        assert call("screen", "measure", disk / "run", "--cytomining") == 2
        assert capsys.readouterr().err == SENTENCE.format(target, "what was measured before is kept")
        assert hash_tree(target) == before
        assert leftovers(disk) == []
        (disk / "ballast").unlink()
        assert call("screen", "measure", disk / "run", "--cytomining") == 0
        assert {name: before[name] for name in before if "parquet" in str(name)}.items() <= hash_tree(target).items()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7])
@pytest.mark.parametrize("command", ["convert", "export"])
def test_convert_and_export_take_up_where_they_stopped(plate, run_folder, tmp_path, capsys, command, share):
    def write(target):
        if command == "export":
            return call("screen", "export", run_folder, target)
        return call("convert", plate.folder, target, "--pattern", PATTERN)

    assert write(tmp_path / "whole") == 0
    size = sum(BLOCK * math.ceil(len(data) / BLOCK) for data in hash_tree(tmp_path / "whole").values())
    with small_disk(free=int(share * size)) as disk:
        target = disk / "plates"
        capsys.readouterr()
        assert write(target) == 2
        told = capsys.readouterr().err
        assert told in {
            SENTENCE.format(place, "it takes up where this stopped") for place in (target, target / "plate.ome.zarr")
        }
        assert leftovers(disk) == []
        for path in json_files(disk):
            assert isinstance(json.loads(path.read_bytes()), dict)
        (disk / "ballast").unlink()
        assert write(target) == 0
        assert hash_tree(target) == hash_tree(tmp_path / "whole")
