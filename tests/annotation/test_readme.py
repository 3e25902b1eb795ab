"""Every block of this room's README runs, in order, and every command it names exists."""

import re
import shlex
from pathlib import Path

import pytest

import annotation
from noisylabels.cli import main
from tests.annotation.desks import make_dataset

README = Path(annotation.__file__).with_name("README.md").read_text()


def test_every_block_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    make_dataset(tmp_path / "data", 6)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert {kind for kind, _ in blocks} == {"console", "python"}
    for kind, text in blocks:
        if kind == "python":
            exec(compile(text, "annotation/README.md", "exec"), {})
        else:
            for line in text.strip().splitlines():
                run_command(line)
    capsys.readouterr()
    assert (tmp_path / "corrected/datalist.json").is_file()
    assert (tmp_path / "ratings/ratings.csv").is_file()


def run_command(line):
    dollar, program, *words = shlex.split(line)
    assert (dollar, program) == ("$", "noisylabels")
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 0, line


def test_the_files_and_tests_that_the_readme_names_exist():
    room = Path(annotation.__file__).parent
    named = re.findall(r"`(\w+)`", README.split("## Files")[1])
    assert {path.stem for path in room.glob("*.py")} - {"__init__", "cli"} == {name for name in named if name != "web"}
    assert "test_blindness.py" in README
    assert (Path(__file__).parent / "test_blindness.py").is_file()
