"""OME-Zarr plates behind an address, served from this machine: the same pixels, tables and plates as from a folder."""

import pickle
import re
import threading
from collections import deque
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.plates import open_plate, write_plate
from noisylabels.plates.remote import RemoteFolder, address_of
from tests.plates.made_plates import hash_tree, write_harmony_plate
from tests.running import run_command

pytest.importorskip("aiohttp", reason="left out: addresses need noisylabels[remote]")


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that lists no folder and counts what it is asked for."""

    asked: ClassVar = deque()

    def log_message(self, *_):
        pass

    def list_directory(self, _):
        self.send_error(404)

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("served")
    write_plate(home / "P1.ome.zarr", open_plate(write_harmony_plate(home / "export")))
    return home


@pytest.fixture(scope="module")
def server(folder):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_every_pixel_is_the_same(folder, server):
    here, there = open_plate(folder / "P1.ome.zarr"), open_plate(f"{server}/P1.ome.zarr/")
    assert (there.name, there.channels, there.shape) == (here.name, here.channels, here.shape)
    assert [field.id for field in there.fields] == [field.id for field in here.fields]
    for near, far in zip(here.fields, there.fields, strict=True):
        assert far.pixel_size_um == near.pixel_size_um
        assert (far.read_stack() == near.read_stack()).all()
        sent = pickle.loads(pickle.dumps(far))
        assert sent == far
        assert (sent.read(channels=far.channels[:1]) == near.read(channels=far.channels[:1])).all()


def test_chunks_are_asked_for_once_though_read_and_hashed(server):
    field = next(open_plate(f"{server}/P1.ome.zarr").fields)
    Quiet.asked.clear()
    field.read()
    first = field.hash_input()
    chunks = [path for path in Quiet.asked if "/c/" in path]
    assert len(chunks) == len(set(chunks)) == 2
    assert first == next(open_plate(f"{server}/P1.ome.zarr").fields).hash_input()


def test_pixels_behind_a_time_axis_are_asked_for_time_by_time(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    from noisylabels.plates.omezarr_writer import finish_plate, write_field

    plate = open_plate(write_harmony_plate(tmp_path / "export"))
    first = next(plate.fields)
    stack = np.arange(3 * 2 * 6 * 8, dtype=np.uint16).reshape(3, 2, 1, 6, 8)
    write_field(tmp_path / "t.ome.zarr", first, stack, channels=["a", "b"])
    finish_plate(tmp_path / "t.ome.zarr", plate, [first])
    memory = fsspec.filesystem("memory")
    memory.put(str(tmp_path / "t.ome.zarr"), "/bucket/t.ome.zarr", recursive=True)
    (field,) = open_plate("memory://bucket/t.ome.zarr").fields
    assert field.times == (0, 1, 2)
    for time in field.times:
        assert (field.read_stack(time=time) == stack[time]).all()
    assert len({field.hash_input(time=time) for time in field.times}) == 3
    memory.rm("/bucket", recursive=True)


def test_commands_take_an_address(folder, server, tmp_path, capsys):
    assert run_command("convert", f"{server}/P1.ome.zarr", tmp_path / "near", "--json") == 0
    (near,) = (path for path in (tmp_path / "near").iterdir())
    assert [field.read().tobytes() for field in open_plate(near).fields] == [
        field.read().tobytes() for field in open_plate(folder / "P1.ome.zarr").fields
    ]
    words = ("--method", "threshold", "--workers", "0")
    assert run_command("screen", "run", folder / "P1.ome.zarr", tmp_path / "local", *words) == 0
    capsys.readouterr()
    for _ in range(2):
        assert run_command("screen", "run", f"{server}/P1.ome.zarr", tmp_path / "run", *words) == 0
        done = capsys.readouterr().out
        assert " done, 0 failed, 0 missing, 0 stale" in done
    written, local = (
        {name: data for name, data in hash_tree(tmp_path / run).items() if name.endswith(".tif")}
        for run in ("run", "local")
    )
    assert written == local
    assert run_command("screen", "status", tmp_path / "run") == 0


def refuse(message):
    return pytest.raises(InputError, match=f"^{re.escape(message)}")


def test_what_cannot_be_read_is_one_sentence(server, folder):
    nothing = f"{server}/nothing.zarr must be an OME-Zarr plate, the one format read from an address."
    with refuse(nothing):
        open_plate(f"{server}/nothing.zarr")
    with refuse("http://127.0.0.1:9/P1.zarr must be an address that can be read, got: Cannot connect to host"):
        open_plate("http://127.0.0.1:9/P1.zarr")
    with refuse("nonsense://P1.zarr must be an address that can be read, got: Protocol not known: nonsense"):
        open_plate("nonsense://P1.zarr")
    chunks = folder / "torn.ome.zarr"
    write_plate(chunks, open_plate(folder / "P1.ome.zarr"))
    field = next(open_plate(f"{server}/torn.ome.zarr").fields)
    for path in chunks.rglob("0/c/*/0/0"):
        path.unlink()
    with refuse(f"{field.folder}/0 must hold pixels, got metadata only."):
        field.read()


def test_a_missing_package_is_one_sentence(monkeypatch):
    import fsspec

    def lacks(_):
        msg = "Install s3fs to access S3"
        raise ImportError(msg)

    monkeypatch.setattr(fsspec, "url_to_fs", lacks)
    with refuse(
        "s3://bucket/P1.zarr must be read through fsspec, got an installation without what it needs. pip install"
    ):
        open_plate("s3://bucket/P1.zarr")


def test_an_index_leads_nowhere_else(server):
    with refuse("Paths of an index must stay inside"):
        from noisylabels.plates.gathering import inside

        inside(RemoteFolder(server), "../../secret")
    assert address_of("C:/plates") is None
    assert address_of("plates/a:/b") is None
