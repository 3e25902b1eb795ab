"""What the README of the room tells a newcomer to type works."""

import re
from pathlib import Path

import numpy as np
import pytest

from noisylabels.cli import main
from noisylabels.noise.kinds import KINDS
from noisylabels.noise.presets import PRESETS
from tests.noise.test_commands import MODEL, folder  # noqa: F401 - a fixture

README = (Path(__file__).parents[2] / "noisylabels/noise/README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_every_python_block_runs(code, capsys):
    exec(compile(code, "README", "exec"), {})
    assert "missed" in capsys.readouterr().out


def test_every_command_runs(folder, monkeypatch):  # noqa: F811 - the fixture
    monkeypatch.chdir(folder.parent)
    Path("model.yaml").write_text(MODEL, encoding="utf-8")
    words = [line.split("#")[0].split()[1:] for block in blocks("bash") for line in block.splitlines() if line.strip()]
    assert len(words) == 5
    cip = folder / "labels/cip"
    cip.mkdir()
    for path in (folder / "labels/truth").glob("*.tif"):
        (cip / path.name).write_bytes(path.read_bytes())
    for command in words:
        with pytest.raises(SystemExit) as left:
            main([*command, *(["--resamples", "3"] if command[0] == "calibrate" else [])])
        assert left.value.code == 0, command


def test_every_kind_and_preset_is_described():
    assert [name for name in KINDS if f"| `{name}` |" not in README] == []
    assert [name for name in PRESETS if name not in README] == []
    assert np.array_equal(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE), list(KINDS))
