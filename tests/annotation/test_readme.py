"""Every block of this room's README runs, in order, and every command it names exists."""

import re
from pathlib import Path

import noisylabels.annotation
from tests.annotation.desks import make_dataset
from tests.docs.pages import read_blocks, run_blocks

README = Path(noisylabels.annotation.__file__).with_name("README.md").read_text()


def test_every_block_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    make_dataset(tmp_path / "data", 6)
    monkeypatch.chdir(tmp_path)
    blocks = read_blocks(README)
    assert {block.language for block in blocks} == {"console", "python"}
    commands = [line for block in blocks if block.language == "console" for line in block.text.splitlines()]
    assert all(command.startswith("$ noisylabels ") for command in commands)
    assert run_blocks(blocks, source="noisylabels/annotation/README.md") == len(commands)
    capsys.readouterr()
    assert (tmp_path / "corrected/datalist.json").is_file()
    assert (tmp_path / "ratings/ratings.csv").is_file()


def test_the_files_and_tests_that_the_readme_names_exist():
    room = Path(noisylabels.annotation.__file__).parent
    named = re.findall(r"`(\w+)`", README.split("## Files")[1])
    assert {path.stem for path in room.glob("*.py")} - {"__init__", "cli"} == {name for name in named if name != "web"}
    assert "test_blindness.py" in README
    assert (Path(__file__).parent / "test_blindness.py").is_file()
