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
