"""The wheel carries what an installation needs, and nothing that only builds it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import noisylabels

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_bundles_pages_and_declarations_are_in_it(installed):
    for path in (
        "noisylabels/bundles/cdl/configs/train.yaml",
        "noisylabels/bundles/mdl/configs/metadata.json",
        "noisylabels/bundles/cdl/models/model.pt",
        "noisylabels/bundles/cdl/models/run.json",
        "noisylabels/bundles/mdl/models/model.pt",
        "noisylabels/bundles/mdl/models/nuclei/model.pt",
        "noisylabels/annotation/web/dist/correct.html",
        "noisylabels/annotation/schema.sql",
        "evaluation/report/page.html.j2",
        "noisylabels/experiments/declared/tiny.yaml",
        "noisylabels/py.typed",
    ):
        assert (installed / path).is_file(), path


def test_two_names_alone_come_into_site_packages(installed):
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"noisylabels", "evaluation"}


def test_every_command_tells_its_options_from_it(installed, tmp_path):
    code = (
        "import sys, io, contextlib\n"
        "from noisylabels.cli import COMMANDS, main\n"
        "for name in COMMANDS:\n"
        "    with contextlib.redirect_stdout(io.StringIO()) as said:\n"
        "        try: main([name, '--help'])\n"
        "        except SystemExit as stop: assert not stop.code, name\n"
        "    assert 'Usage: noisylabels' in said.getvalue(), name\n"
        "print(len(COMMANDS), sys.modules['noisylabels'].__file__)"
    )
    environment = {"PYTHONPATH": str(installed), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    number, file = done.stdout.split()
    assert int(number) > 15
    assert Path(file).is_relative_to(installed)


def test_nothing_that_only_builds_or_tests_is_in_it(installed):
    strangers = [path for path in installed.rglob("*") if path.suffix == ".ts" or "node_modules" in path.parts]
    assert strangers == []
    assert not (installed / "tests").exists()
    assert not (installed / "benchmarks").exists()


def test_the_command_and_the_bundles_work_from_it_in_any_folder(installed, tmp_path):
    code = (
        "import noisylabels, sys; from noisylabels.learning.launch import find_bundle; "
        "print(noisylabels.__file__); print(find_bundle('cdl')); from noisylabels.cli import main; main(['--version'])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(installed), "PATH": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    package, bundle, version = done.stdout.splitlines()
    assert Path(package).is_relative_to(installed)
    assert Path(bundle).is_relative_to(installed)
    assert version == noisylabels.__version__
