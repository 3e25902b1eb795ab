"""A user's own files never take the place of ours, and what is missing is one sentence."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from noisylabels.cli import COMMANDS
from tests.bundles.small_screen import write_screen
from tests.docs.pages import ROOT, read_blocks

OWN = ("imaging.py", "evaluation.py", "experiments/__init__.py", "noise.py", "data.py", "annotation.py", "screening.py")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A user's folder with modules that are named as rooms of ours are or were."""
    for name in OWN:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("raise RuntimeError('the wrong module')\n")
    monkeypatch.chdir(tmp_path)
    write_screen(tmp_path / "screen")
    return tmp_path


def run(*words, **more):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, env=environment, **more
    )


@pytest.mark.slow
def test_the_bundle_lines_of_the_front_page_work_beside_a_users_own_modules(folder):
    lines = [
        line
        for block in read_blocks((ROOT / "README.md").read_text())
        if block.language == "bash"
        for line in block.text.splitlines()
    ]
    assert len(lines) == 2
    for line in lines:
        words = shlex.split(line.replace("bundles/", f"{ROOT}/bundles/"))
        more = ["--num_epochs", "1"] if "train.yaml" in line else []
        done = run(*words[1:], *more)
        assert done.returncode == 0, done.stderr[-2000:]
    assert list((folder / "screen" / "labels" / "cdl").glob("*.tif"))


def test_the_console_script_works_beside_a_users_own_modules(folder):
    script = "import sys; from noisylabels.cli import main; main(sys.argv[1:])"
    shutil.copytree(folder / "screen" / "labels" / "cip", folder / "screen" / "labels" / "truth")
    done = run("-P", "-c", script, "evaluate", "screen", "--methods", "cip", "--out", "out", "--resamples", "20")
    assert done.returncode == 0, done.stderr
    assert (folder / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("module", "words", "pip"),
    [
        ("starlette", ("annotate", "serve", "project.desk"), "web"),
        ("distributed", ("experiment", "run", "tiny", "--scheduler", "tcp://127.0.0.1:9"), "distributed"),
    ],
)
def test_a_missing_extra_is_one_sentence_with_the_line_of_pip(folder, module, words, pip):
    block = f"import sys; sys.modules[{module!r}] = None; from noisylabels.cli import main; main(sys.argv[1:])"
    done = run("-P", "-c", block, *words)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"pip install 'noisylabels[{pip}]'" in done.stderr


def test_help_loads_nothing_heavy():
    heavy = ("torch", "monai", "pandas", "matplotlib", "zarr", "scipy", "skimage")
    for name in COMMANDS:
        code = f"import sys; from noisylabels.cli import find_app; find_app({name!r}); print(*sys.modules)"
        loaded = set(run("-P", "-c", code).stdout.split())
        assert not loaded & set(heavy), name


def test_the_package_runs_as_a_module(tmp_path):
    done = run("-m", "noisylabels", "--version", cwd=tmp_path)
    assert done.stdout.strip() == __import__("noisylabels").__version__
    assert Path(ROOT / "noisylabels" / "__main__.py").is_file()
