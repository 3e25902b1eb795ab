"""Every block of the CIP's chapter is run as a reader would copy it."""

import re
from pathlib import Path

import pytest

import imaging
from imaging.cip import LCSB
from noisylabels.cli import main


def test_the_readme_runs(tmp_path, monkeypatch):
    readme = (Path(imaging.__file__).parent / "README.md").read_text()
    section = re.search(r"^## CIP$(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL).group(1)
    blocks = re.findall(r"```(python|console)\n(.*?)```", section, re.DOTALL)
    assert [kind for kind, _ in blocks] == ["python", "console"]
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks[0][1], "imaging/README.md", "exec"), {})
    for line in blocks[1][1].splitlines():
        with pytest.raises(SystemExit) as ended:
            main(line.split()[1:])
        assert ended.value.code == 0, line
    assert {path.name for path in (tmp_path / "fields/labels").iterdir()} >= {"cip", "mended", "phases_cip"}


def test_documented_settings_exist():
    """Settings that docs/cip.md names as section.key are settings."""
    text = (Path(imaging.__file__).parent.parent / "docs" / "cip.md").read_text()
    sections = {section for section in vars(LCSB) if section != "name"}
    named = [m for m in re.findall(r"`(\w+)\.(\w+)`", text) if m[0] in sections]
    assert len(named) > 5
    for section, key in named:
        assert hasattr(getattr(LCSB, section), key), f"{section}.{key}"
