"""`noisylabels experiment`: a mistake in what is given is one sentence and exit code 2, and nothing is trained."""

import json
from pathlib import Path

import pytest

from noisylabels.experiments.grid import list_runs
from noisylabels.experiments.reading import declare, read_declaration
from noisylabels.experiments.runner import plan
from noisylabels.experiments.toy import Toy, write_toy
from tests.experiments.test_runner import GRID
from tests.running import run_command

SHARED = Path("../shared/data")


def refused(capsys, *words):
    """Call the command line, and give the one sentence it refuses with."""
    assert run_command("experiment", *words) == 2
    told = capsys.readouterr()
    assert told.err.startswith("noisylabels: ")
    assert told.err.count("\n") == 1
    assert told.out == ""
    return told.err.removeprefix("noisylabels: ").rstrip()


def written(tmp_path, **keys):
    file = tmp_path / "grid.yaml"
    file.write_text(json.dumps({**GRID, **keys}))
    return file


@pytest.mark.parametrize("command", ["plan", "run", "collect", "report"])
def test_an_unknown_factor_is_refused(tmp_path, capsys, command):
    file = written(tmp_path, grid={**GRID["grid"], "loss": ["dice"]})
    assert refused(capsys, command, file, "--out", tmp_path / "out") == (
        f"Factors in the grid of {file} must be among noise, dose, method, n_train, got 'loss'. Remove or rename it."
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["plan", "run", "collect", "report"])
def test_a_grid_of_no_runs_is_refused(tmp_path, capsys, command):
    file = written(tmp_path, grid={**GRID["grid"], "method": []})
    assert refused(capsys, command, file, "--out", tmp_path / "out") == (
        f"Every factor in the grid of {file} must have a level, got none for method. A grid of 0 runs shows nothing."
    )


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_test_field_without_truth_is_refused(tmp_path, capsys, command):
    data = write_toy(tmp_path / "screen", Toy(fields=8, rows=32, columns=32, events=2))
    missing = data.ids("test")[0]
    data.label_path("truth", missing).unlink()
    file = written(tmp_path, data={"folder": "screen"})
    assert refused(capsys, command, file, "--out", tmp_path / "out") == (
        f"Every test field must have a truth in {tmp_path / 'screen' / 'labels' / 'truth'}, got none for {missing}. "
        "Add it."
    )
    assert not (tmp_path / "out").exists()


def test_a_budget_too_small_for_one_run_is_refused(tmp_path, capsys):
    first = plan(declare(GRID), tmp_path / "out")[0]
    result = tmp_path / "out" / "runs" / first.run_id / "result.json"
    result.parent.mkdir(parents=True)
    result.write_text('{"seconds": 720}')  # what a run takes
    file = written(tmp_path, max_hours=0.1)
    assert refused(capsys, "run", file, "--out", tmp_path / "out") == (
        "max_hours must allow at least one more run of about 720 s, got 0.1 h, of which 0 s are spent. "
        "Raise it and start again: what is done is kept."
    )
    assert [path.name for path in (tmp_path / "out" / "runs").iterdir()] == [first.run_id]


def test_a_budget_of_nothing_is_refused(tmp_path, capsys):
    file = written(tmp_path, max_hours=0)
    assert refused(capsys, "run", file, "--out", tmp_path / "out") == (
        f"max_hours of {file} must be above 0, got 0. Give hours of compute."
    )


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "a/b", ""])
def test_a_shard_that_is_none_is_refused(tmp_path, capsys, shard):
    assert refused(capsys, "run", written(tmp_path), "--out", tmp_path / "out", "--shard", shard) == (
        f"A shard must be i/n with i in 1..n, got {shard!r}. For the first of 20 write 1/20."
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("real_nuclei", f"{SHARED}/dsb2018_nuclei/index.csv must be a path that can be used, got: No such file"),
        (
            "real_experts",
            f"{SHARED}/multirater_cfos/images must be a folder of images or an image file, but it",
        ),
    ],
)
def test_real_images_that_are_not_there_are_named(tmp_path, capsys, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    assert refused(capsys, "plan", name, "--out", "out", "--data", SHARED).startswith(message)
    assert not list(tmp_path.rglob("*.json"))


def test_real_images_of_no_folder_are_asked_for(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refused(capsys, "plan", "real_u2os", "--out", "out") == (
        "The images of out/data must lie in a folder that is named, got none. Add --data FOLDER."
    )


def test_a_declaration_that_is_not_there_is_refused(capsys):
    assert refused(capsys, "plan", "tinny").startswith("A declaration must be a YAML file or one of boundary, ")


def test_the_table_of_shipped_declarations_is_true():
    folder = Path(__file__).parents[2] / "noisylabels" / "experiments" / "declared"
    told = {}
    for line in (folder / "README.md").read_text().splitlines():
        if line.startswith("| [`"):
            name, *numbers = (cell.strip() for cell in line.split("|")[1:4])
            told[name.split("`")[1]] = numbers
    declared = {path.stem: read_declaration(path) for path in folder.glob("*.yaml")}
    assert told == {name: [str(len(list_runs(one))), f"{one.max_hours:g} h"] for name, one in declared.items()}


def test_every_shipped_declaration_is_told_of():
    folder = Path(__file__).parents[2] / "noisylabels" / "experiments" / "declared"
    text = (folder / "README.md").read_text()
    words = " ".join(text.split())
    for path in folder.glob("*.yaml"):
        assert f"\n## {path.stem}\n" in text
        assert " ".join(read_declaration(path).question.split()) in words
