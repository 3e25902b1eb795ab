import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from noisylabels.data.images import write_image
from noisylabels.plates import open_plate
from noisylabels.plates import write_plate as convert_plate
from noisylabels.plates.omezarr_labels import list_labels, read_labels
from tests.docs.pages import ROOT

RUNNING = ROOT / "docs" / "running"


def read_project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read_torch_version():
    (version,) = [
        line.split("=")[1].strip() for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("TORCH")
    ]
    return version


def read_instructions():
    """Instructions of the Dockerfile as (word, arguments), continued lines joined."""
    text = (RUNNING / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def test_the_container_is_slim_debian_of_a_named_release():
    bases = [words for name, words in read_instructions() if name == "FROM"]
    assert bases == ["debian:trixie-slim"]


def test_the_container_does_not_run_as_root():
    users = [words for name, words in read_instructions() if name == "USER"]
    assert users == ["screener"]
    made = [words for name, words in read_instructions() if name == "RUN" and "useradd" in words]
    assert len(made) == 1
    assert " screener " in made[0]


def test_the_container_takes_the_tested_torch_for_cpus_before_the_package():
    installs = [words for name, words in read_instructions() if name == "RUN" and "pip install" in words]
    assert len(installs) == 2
    assert all(f"torch=={read_torch_version()}" in words and "--no-cache-dir" in words for words in installs)
    assert "https://download.pytorch.org/whl/cpu" in installs[0]


def test_the_container_copies_what_the_wheel_is_built_from():
    copied = {word for name, words in read_instructions() if name == "COPY" for word in words.split()[:-1]}
    assert copied == {"pyproject.toml", "README.md", "LICENSE", "noisylabels", "evaluation", "bundles"}
    assert all((ROOT / name).exists() for name in copied)


def test_the_container_leaves_no_package_lists():
    for name, words in read_instructions():
        if name == "RUN" and "apt-get install" in words:
            assert "--no-install-recommends" in words
            assert "rm -rf /var/lib/apt/lists/*" in words


def test_the_container_is_the_command():
    entries = [words for name, words in read_instructions() if name == "ENTRYPOINT"]
    assert entries == ['["noisylabels"]']
    assert "noisylabels" in read_project()["scripts"]


def test_pixi_asks_for_what_the_project_asks_for():
    pixi, project = tomllib.loads((RUNNING / "pixi.toml").read_text()), read_project()
    assert pixi["workspace"]["name"] == project["name"]
    assert pixi["dependencies"]["python"] == project["requires-python"]
    assert pixi["pypi-dependencies"]["torch"] == f"=={read_torch_version()}"
    package = pixi["pypi-dependencies"]["noisylabels"]
    assert (RUNNING / package["path"]).resolve() == ROOT
    assert set(package["extras"]) <= set(project["optional-dependencies"])


def write_plate(folder):
    """Two wells of one field, one event in each."""
    rng = np.random.default_rng(3)
    folder.mkdir()
    for well in ("B07", "C03"):
        picture = rng.normal(200, 5, (40, 56))
        picture[10:15, 10:15] += 300
        tifffile.imwrite(folder / f"{well}_f1_c1.tif", picture.astype(np.uint16))


@pytest.mark.skipif(shutil.which("snakemake") is None, reason="needs Snakemake: pip install snakemake")
def test_snakemake_shards_a_plate_and_measures_it(tmp_path):
    write_plate(tmp_path / "my plate")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "noisylabels"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m noisylabels.cli "$@"\n')
    command.chmod(0o755)
    places = os.pathsep.join([str(command.parent), os.environ["PATH"]])
    settings = ["plate=my plate", "run=run", "shards=2", "method=threshold"]
    pattern = "pattern={well}_f{field}_c{channel}.tif"
    subprocess.run(
        ["snakemake", "-s", RUNNING / "Snakefile", "--cores", "1", "--config", *settings, pattern],
        cwd=tmp_path,
        env={**os.environ, "PATH": places, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        check=True,
    )
    wells = pd.read_csv(tmp_path / "run" / "measurements" / "wells.csv")
    assert wells["well"].tolist() == ["B07", "C03"]
    assert wells["per_field_event"].tolist() == [1, 1]
    assert sorted(path.name for path in Path(tmp_path / "run.shards").iterdir()) == ["1.done", "2.done"]


@pytest.fixture
def fractal(monkeypatch):
    """The task package, made importable for this test only."""
    tools = pytest.importorskip("fractal_task_tools", reason="left out: needs fractal-task-tools")
    monkeypatch.syspath_prepend(RUNNING / "fractal")
    yield tools
    for name in [name for name in sys.modules if name.partition(".")[0] == "noisylabels_fractal"]:
        del sys.modules[name]


@pytest.mark.filterwarnings("ignore:This module is experimental")  # the tool's own use of pydantic 2.11
def test_the_manifest_of_fractal_is_what_its_tool_makes_of_the_task(fractal):
    from fractal_task_tools._create_manifest import create_manifest

    made = create_manifest(raw_package_name="noisylabels-fractal", task_list_path="task_list")
    written = json.loads((RUNNING / "fractal/noisylabels_fractal/__FRACTAL_MANIFEST__.json").read_text())
    assert made == written


@pytest.mark.usefixtures("fractal")
def test_fractal_calls_the_task_with_a_file_of_arguments(tmp_path):
    picture = np.random.default_rng(3).normal(200, 5, (1, 40, 56))
    picture[0, 10:15, 10:15] += 300
    write_image(tmp_path / "raw" / "B07_f1.tif", picture.astype(np.uint16))
    convert_plate(tmp_path / "P1.ome.zarr", open_plate(tmp_path / "raw", pattern="{well}_f{field}.tif"))
    image = tmp_path / "P1.ome.zarr" / "B" / "07" / "1"
    task = RUNNING / "fractal" / "noisylabels_fractal" / "label_events.py"
    (tmp_path / "args.json").write_text(json.dumps({"zarr_url": str(image), "preset": "li"}))
    for number in (1, 2):  # a task that is run again keeps what is there
        words = [sys.executable, task, "--args-json", tmp_path / "args.json", "--out-json", tmp_path / f"{number}.json"]
        subprocess.run(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
        assert json.loads((tmp_path / f"{number}.json").read_text()) is None
    assert list_labels(image) == ["events"]
    label_map = read_labels(image, "events")
    assert (label_map[10:15, 10:15] == 1).all()
    assert label_map.sum() < 60
