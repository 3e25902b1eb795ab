"""Every block of the rooms' READMEs runs, in order."""

import re
import shlex
from pathlib import Path

import pytest

from noisylabels.cli import main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("readme", ["imaging/plates/README.md", "screening/README.md"])
def test_every_block_of_the_readme_runs(readme, tmp_path, monkeypatch):
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / readme).read_text(), re.MULTILINE | re.DOTALL)
    assert {kind for kind, _ in blocks} == {"console", "python"}
    monkeypatch.chdir(tmp_path)
    for kind, text in blocks:
        if kind == "python":
            exec(compile(text, readme, "exec"), {})
        else:
            for line in text.strip().splitlines():
                run_command(line)


def run_command(line):
    dollar, program, *words = shlex.split(line)
    assert (dollar, program) == ("$", "noisylabels")
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 0
