"""Every block of the CIP's chapter is run as a reader would copy it."""

import re
from pathlib import Path

from noisylabels import cip
from noisylabels.cip import LCSB
from tests.docs.pages import read_blocks, read_part, run_blocks


def test_the_readme_runs(tmp_path, monkeypatch):
    readme = (Path(cip.__file__).parent / "README.md").read_text()
    blocks = read_blocks(read_part(readme, "## CIP"))
    assert [block.language for block in blocks] == ["python", "console"]
    monkeypatch.chdir(tmp_path)
    assert run_blocks(blocks, source="noisylabels/cip/README.md") == len(blocks[1].text.splitlines())
    assert {path.name for path in (tmp_path / "fields/labels").iterdir()} >= {"cip", "mended", "phases_cip"}


def test_documented_settings_exist():
    """Settings that docs/cip.md names as section.key are settings."""
    text = (Path(cip.__file__).parents[2] / "docs" / "cip.md").read_text()
    sections = {section for section in vars(LCSB) if section != "name"}
    named = [m for m in re.findall(r"`(\w+)\.(\w+)`", text) if m[0] in sections]
    assert len(named) > 5
    for section, key in named:
        assert hasattr(getattr(LCSB, section), key), f"{section}.{key}"
