"""Every command of the front page and of the experiments' page is run, at a size that takes seconds."""

import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from noisylabels.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
EXPERIMENTS = (ROOT / "noisylabels" / "experiments" / "README.md").read_text()
SMALLER = {"--fields 30": "--fields 8 --rows 128 --columns 160"}


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def lines(text, language):
    return [line for block in blocks(text, language) for line in block.splitlines()]


def run(line):
    for large, small in SMALLER.items():
        line = line.replace(large, small)
    words = shlex.split(line)
    if "train" in words[:2] or "train.yaml" in line:
        words += ["--num_epochs", "1"]
    if words[0] == "noisylabels":
        with pytest.raises(SystemExit) as stop:
            main(words[1:])
        return stop.value.code or 0
    bundles = [word.replace("bundles/", f"{ROOT}/bundles/") for word in words[1:]]
    return subprocess.run([sys.executable, *bundles], check=False, capture_output=True).returncode


def test_the_commands_of_the_front_page_run_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = lines(README, "console")[:6] + lines(README, "bash") + lines(README, "console")[6:]
    assert len(commands) >= 11
    for command in commands:
        assert run(command) == 0, command
    assert (tmp_path / "evaluation" / "report.html").is_file()
    assert (tmp_path / "survey" / "report.html").is_file()


def test_the_demo_is_what_the_front_page_says():
    from noisylabels.commands.demo import demo
    from noisylabels.experiments.demo import list_steps

    n_fields = inspect.signature(demo).parameters["fields"].default
    shown = [shlex.split(line)[1:] for line in lines(README, "console")[:6]]
    steps = list_steps(Path("demo"), fields=n_fields, seed=1, workers=2)
    assert [words[0] for words in steps] == [words[0] for words in shown]
    for words, step in zip(shown, steps, strict=True):
        flat = [word.removeprefix("demo/") for word in step]
        assert set(words) <= set(flat), words


def test_the_two_commands_of_the_first_screen_are_targets_of_the_makefile():
    first_screen = README.splitlines()[:20]
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert any(line.startswith(f"    make {target} ") for line in first_screen)
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_page_that_the_front_page_points_at_is_there():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_commands_of_the_experiments_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grid.yaml").write_text(blocks(EXPERIMENTS, "yaml")[0])
    for command in lines(EXPERIMENTS, "console"):
        assert run(command) == 0, command
    assert (tmp_path / "experiments-grid" / "report.html").is_file()


def test_every_shipped_declaration_is_named_on_the_experiments_page():
    for path in (ROOT / "noisylabels" / "experiments" / "declared").glob("*.yaml"):
        assert f"`{path.stem}`" in EXPERIMENTS


def test_every_command_is_named_on_some_page():
    pages = "\n".join(path.read_text() for path in ROOT.glob("**/README.md") if "node_modules" not in path.parts)
    assert [name for name in COMMANDS if f"noisylabels {name}" not in pages and f"`{name}`" not in pages] == []
