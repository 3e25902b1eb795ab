"""Every block of the rooms' READMEs runs, in order."""

import pytest

from tests.docs.pages import ROOT, read_blocks, run_blocks


@pytest.mark.parametrize("readme", ["noisylabels/plates/README.md", "noisylabels/screening/README.md"])
def test_every_block_of_the_readme_runs(readme, tmp_path, monkeypatch):
    blocks = read_blocks((ROOT / readme).read_text())
    assert {block.language for block in blocks} == {"console", "python"}
    commands = [line for block in blocks if block.language == "console" for line in block.text.splitlines()]
    assert all(command.startswith("$ noisylabels ") for command in commands)
    monkeypatch.chdir(tmp_path)
    assert run_blocks(blocks, source=readme) == len(commands)
