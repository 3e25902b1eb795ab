"""A release: one version everywhere, packages that an index takes, and no licence that binds those who use it."""

import importlib.metadata
import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import noisylabels

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NOT_AT_RUN_TIME = {"test", "bench", "docs", "release"}
MAY_LACK = {"napari", "itk", "mlflow"}  # large: not part of the tests; BSD-3-Clause, Apache-2.0, Apache-2.0
SAID_ELSEWHERE = {"bioimageio-core": "MIT", "bioimageio-spec": "MIT"}  # in their LICENSE files, not in their metadata


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return folder


def test_one_version_stands_everywhere():
    assert PROJECT["version"] == noisylabels.__version__
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == noisylabels.__version__
    released = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == noisylabels.__version__
    for bundle in ("cdl", "mdl"):
        metadata = json.loads((ROOT / f"bundles/{bundle}/configs/metadata.json").read_text())
        assert metadata["version"] == noisylabels.__version__
        assert noisylabels.__version__ in metadata["changelog"]


def test_an_index_takes_wheel_and_sdist(packages):
    files = sorted(map(str, packages.iterdir()))
    assert len(files) == 2
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_both_packages_carry_the_licence_and_the_sdist_builds_the_wheel(packages):
    (wheel,), (sdist,) = packages.glob("*.whl"), packages.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "pyproject.toml", "bundles/cdl/configs/train.yaml", "noisylabels/cli.py"} <= names
    assert [name for name in names if name.startswith(("shared", ".venv", "demo/", "site/"))] == []


def collect_requirements(lines):
    """Collect what a list of requirements brings here, all the way down: installed names, and names that are not."""
    installed, lacking = set(), set()
    todo = [(requirement, extra) for requirement in map(Requirement, lines) for extra in ("", *requirement.extras)]
    seen = set()
    while todo:
        requirement, extra = todo.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen or name == "noisylabels":
            continue
        seen.add((name, extra))
        try:
            needs = [Requirement(line) for line in importlib.metadata.requires(name) or []]
        except importlib.metadata.PackageNotFoundError:
            lacking.add(name)
            continue
        installed.add(name)
        needed = [each for each in needs if each.marker is None or each.marker.evaluate({"extra": extra})]
        todo += [(each, inner) for each in needed for inner in ("", *each.extras)]
    return installed, lacking


def read_licence(name):
    """Read what a package's metadata says of its licence, in whatever way it says it."""
    about = importlib.metadata.metadata(name)
    first_line = (about.get("License") or "").strip().partition("\n")[0]
    said = [about.get("License-Expression") or "", first_line]
    said += [line for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    return " ".join(filter(None, said)) or SAID_ELSEWHERE.get(name, "")


def is_copyleft(licence):
    """Tell licences that bind whoever ships the program; weak ones that bind a file only (MPL) are not meant."""
    choices = re.split(r"\bOR\b", licence)
    return all(re.search(r"\b[AL]?GPL|General Public License", choice) for choice in choices)


def test_nothing_that_is_used_at_run_time_is_under_gpl_or_lgpl():
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for name in extras.keys() - NOT_AT_RUN_TIME for line in extras[name])]
    installed, lacking = collect_requirements(lines)
    assert len(installed) > 50
    assert lacking <= MAY_LACK
    licences = {name: read_licence(name) for name in installed}
    assert [name for name, licence in licences.items() if not licence] == []
    assert {name: licence for name, licence in licences.items() if is_copyleft(licence)} == {}


def test_what_counts_as_copyleft():
    assert is_copyleft("GPL-3.0-or-later")
    assert is_copyleft("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)")
    assert not is_copyleft("MIT OR GPL-2.0-only")
    assert not is_copyleft("BSD-3-Clause License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)")


def test_make_has_what_a_release_asks_for():
    makefile = (ROOT / "Makefile").read_text()
    for target, tool in {"release": "twine check --strict", "lowest": "--resolution lowest-direct"}.items():
        recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
        assert recipe
        assert tool in recipe[1]
