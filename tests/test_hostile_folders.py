"""Folders of a stranger: each ends with one sentence and exit code 2, no file outside, and no process started.

A plate whose name leads elsewhere is read under a safe name.
"""

import contextlib
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from noisylabels.cli import main
from tests.bundles.conftest import BUNDLES
from tests.bundles.small_screen import write_screen
from tests.plates.made_plates import harmony_image, harmony_index, hash_tree, write_harmony_plate
from tests.running import run_command

STARTED: list[str] = []
WRITTEN: list[str] = []
CODE = "$__import__('os').system('touch ran') or 'x'"


@pytest.fixture(scope="module", autouse=True)
def _watch() -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen"):
            STARTED.append(f"{event} {arguments}")
        elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            WRITTEN.append(str(arguments[0]))

    sys.addaudithook(hook)


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command in an empty folder and give its one sentence."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)

    def run(*words: str) -> str:
        capsys.readouterr()
        started, written = len(STARTED), len(WRITTEN)
        with pytest.raises(SystemExit) as exit_:
            main(list(words))
        said = capsys.readouterr()
        assert exit_.value.code == 2, said
        assert STARTED[started:] == []
        assert [path for path in WRITTEN[written:] if not path.endswith(".pyc") and "/dev/" not in path] == []
        assert list(home.iterdir()) == []
        (line,) = said.err.strip().splitlines()
        return line.removeprefix("noisylabels: ")

    return run


@pytest.fixture
def screen(tmp_path: Path) -> Path:
    return write_screen(tmp_path / "screen", splits=("training", "training", "validation"), size=(16, 24))


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("key", ["class_names", "channel_names"])
def test_a_dataset_whose_names_are_code(screen: Path, refused: Callable[..., str], key: str) -> None:
    edit(screen / "dataset.json", **{key: ["background", CODE]})
    line = refused("train", "cdl", "--dataset_dir", str(screen), "--label_name", "cip")
    assert line.startswith(f"{key} of {screen}/dataset.json must be plain text without $ @ % :, got ")


@pytest.mark.parametrize("name", ["../../../X", "/X", "a/b", "..", CODE, "a\x00b"])
def test_a_dataset_whose_ids_lead_elsewhere(screen: Path, refused: Callable[..., str], name: str) -> None:
    lists = json.loads((screen / "datalist.json").read_text())
    lists["training"][0]["id"] = name
    (screen / "datalist.json").write_text(json.dumps(lists))
    for command in (["train", "cdl", "--label_name", "cip"], ["predict", "cdl"]):
        line = refused(*command, "--dataset_dir", str(screen))
        assert line.startswith(f"Ids of {screen}/datalist.json must be plain names (no path, ")


def test_a_folder_whose_name_is_code(tmp_path: Path, refused: Callable[..., str]) -> None:
    line = refused("train", "cdl", "--dataset_dir", CODE)
    assert line.startswith("dataset_dir must be a path that begins with no $ @ %, got ")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"n_channels": CODE}, "n_channels of {} must be a whole number from 1 on, got "),
        ({"class_names": ["background", CODE]}, "class_names of {} must be plain text without $ @ % :, got "),
        ({"network": {"_target_": "UNet", "norm": CODE}}, "The network of {} must be plain text without $ @ % :, got "),
        ({"network": {"_target_": "subprocess.run", "args": "ls"}}, "The network of {} must be one of "),
        ({"network": {"_target_": "UNet", "act": {"_target_": "os.system"}}}, "The network of {} must be one of "),
        ({"bundle": "../evil"}, "Names of bundles of {} must be plain names "),
    ],
)
def test_a_model_whose_record_is_code(
    screen: Path, tmp_path: Path, refused: Callable[..., str], changes: dict[str, object], sentence: str
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.pt").write_bytes(b"weights")
    record = {"bundle": "cdl", "network": {"_target_": "UNet"}, "n_channels": 2, "class_names": [], "channel_names": []}
    (model / "run.json").write_text(json.dumps(record | changes))
    line = refused("predict", "cdl", "--dataset_dir", str(screen), "--ckpt_path", str(model / "model.pt"))
    assert line.startswith(sentence.format(model / "run.json"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("configs/extra.yaml", "a: $from os import system as max\nb: $max('touch ran')"),
        ("configs/extra.yaml", "transform: $os.system"),
        ("configs/extra.yaml", "run: {_target_: ConfigWorkflow, config_file: other.yaml}"),
        ("configs/extra.yaml", "load: {_target_: LoadImaged, reader: NumpyReader, allow_pickle: true}"),
        ("configs/EXTRA.YAML", "run: $eval('1')"),
        ("configs/deep/extra.json", '{"run": "$eval(1)"}'),
        ("configs/logging.conf", "[handler_a]\nclass=StreamHandler\nargs=(__import__('os').system('touch ran'),)"),
        ("scripts/net.py", "import os"),
    ],
)
def test_a_bundle_that_is_code(screen: Path, tmp_path: Path, refused: Callable[..., str], name: str, text: str) -> None:
    ignored = shutil.ignore_patterns("models", "eval")
    bundle = Path(shutil.copytree(BUNDLES / "mdl", tmp_path / "stranger", ignore=ignored))
    (bundle / name).parent.mkdir(parents=True, exist_ok=True)
    (bundle / name).write_text(text)
    for command in ("train", "predict"):
        line = refused(command, str(bundle), "--dataset_dir", str(screen))
        assert line.startswith(f"{bundle} must name nothing outside the allow-list, got ")
        assert line.endswith("and pass --trust if you know who wrote it.")


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("UPDATE field SET name = ?", "../../../X"),
        ("UPDATE field SET case_id = ?", "/etc/passwd"),
        ("UPDATE field SET parent = ?", "a/../../X"),
        ("UPDATE person SET name = ?", "../X"),
    ],
)
def test_an_annotation_project_whose_names_lead_elsewhere(
    screen: Path, tmp_path: Path, refused: Callable[..., str], change: str, value: str
) -> None:
    project = tmp_path / "stranger.desk"
    assert run_command("annotate", "create", project, screen) == 0
    with contextlib.closing(sqlite3.connect(project)) as file, file:
        file.execute(f"{change} WHERE id = 1", (value,))
    for command in (["export", str(project), "out"], ["status", str(project)], ["invite", str(project), "A"]):
        line = refused("annotate", *command)
        assert line.startswith(f"Names of fields and people of {project} must be plain names (no path, ")


def test_an_annotation_project_that_is_something_else(tmp_path: Path, refused: Callable[..., str]) -> None:
    project = tmp_path / "stranger.desk"
    project.write_bytes(b"SQLite format 3\0" + bytes(200))
    line = refused("annotate", "status", str(project))
    assert line.startswith(f"{project} must be a project file of noisylabels annotate, got something else ")


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
    return run_command(*words)


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
