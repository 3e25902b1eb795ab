"""The root command."""

import subprocess
import sys

import pytest

from noisylabels import __version__
from noisylabels.cli import COMMANDS, main
from noisylabels.commands.options import counting


def run(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    captured = capsys.readouterr()
    return stop.value.code, captured.out, captured.err


def test_help_lists_every_command(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(f"  {name} " in out for name in COMMANDS)


def test_help_loads_nothing_heavy():
    heavy = "{'torch', 'monai', 'pandas', 'matplotlib', 'skimage', 'numpy', 'scipy'}"
    code = f"import sys, noisylabels.cli as c; c._overview(); print(sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version_is_printed(capsys):
    assert run(capsys, "--version") == (0, f"{__version__}\n", "")


def test_a_mistyped_command_gets_one_sentence_with_the_closest_name(capsys):
    code, out, err = run(capsys, "simulat")
    assert code == 2
    assert out == ""
    assert err.endswith("got 'simulat'. Did you mean simulate?\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_answers_help(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert "Usage: noisylabels" in out


def test_progress_off_a_terminal_is_a_line_now_and_then(monkeypatch, capsys):
    moments = iter([0.0, 10.0, 31.0, 31.0, 40.0, 62.0, 62.0])
    monkeypatch.setattr("noisylabels.data.progress.monotonic", lambda: next(moments))
    with counting("fields", 9) as advance:
        for _ in range(4):
            advance()
    assert capsys.readouterr() == ("", "fields: 2 of 9\nfields: 4 of 9\n")
