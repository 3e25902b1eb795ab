"""A small grid, run for real: idempotent, resumable, shardable; the signs of the tiny experiment."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.events import label_events
from noisylabels.experiments.collection import collect
from noisylabels.experiments.curves import find_arm, score_arms
from noisylabels.experiments.reading import declare, read_declaration
from noisylabels.experiments.report import report
from noisylabels.experiments.runner import plan, run_grid
from noisylabels.experiments.toy import Toy, draw_toy, read_toy
from noisylabels.experiments.workspace import Workspace, noisy_labels, prepare_labels, training_ids
from noisylabels.parallel import Shard
from tests.running import run_command

GRID = {
    "name": "grid",
    "question": "Does it run?",
    "data": {"toy": {"fields": 12, "rows": 32, "columns": 40, "events": 4}},
    "noise": {"random": {"missed": {"rate": "$dose"}}},
    "grid": {"noise": ["random"], "dose": [0, 0.5], "method": ["gdl", "ce"]},
    "methods": {"gdl": {}, "ce": {"preset": ["robust_ce"]}},
    "overrides": {"num_epochs": 1, "network_def::channels": [4, 8], "network_def::strides": [1]},
    "validation": "noisy",
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid")
    declaration = declare(GRID)
    return declaration, folder, list(run_grid(declaration, folder))


def tables_of(declaration, folder):
    collect(plan(declaration, folder), folder)
    return {name: (folder / "tables" / f"{name}.csv").read_text() for name in ("fields", "events", "runs", "epochs")}


def test_toy_fields_are_discs_apart_and_the_same_every_time():
    image, label_map = draw_toy(Toy(rows=64, columns=64), 3)
    again, _ = draw_toy(Toy(rows=64, columns=64), 3)
    assert (image == again).all()
    assert len(label_events(label_map)[1]) == len(label_events((label_map > 0).astype("uint8"))[1])
    for index, channel in ((1, 1), (2, 0)):
        assert image[channel][label_map == index].mean() > image[channel][label_map == 0].mean() + 100


def test_a_grid_runs_and_a_second_start_has_nothing_to_do(done):
    declaration, folder, first = done
    assert [item.state for item in first] == ["done"] * 4
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/result.json")}
    assert list(run_grid(declaration, folder)) == []
    assert {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/result.json")} == before


def test_methods_share_their_corrupted_labels(done):
    _, folder, _ = done
    assert len([path for path in (folder / "labels").iterdir() if not path.name.startswith(".")]) == 2


def test_a_killed_grid_goes_on_and_ends_with_the_same_tables(done, tmp_path):
    declaration, folder, _ = done
    (tmp_path / "grid.yaml").write_text(json.dumps(GRID))
    words = [sys.executable, "-m", "noisylabels.cli", "experiment", "run", str(tmp_path / "grid.yaml")]
    process = subprocess.Popen([*words, "--out", str(tmp_path / "out")], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("out/runs/*/result.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    n_before = len(list(tmp_path.glob("out/runs/*/result.json")))
    assert 1 <= n_before < 4
    rest = list(run_grid(declaration, tmp_path / "out"))
    assert len(rest) == 4 - n_before
    assert tables_of(declaration, tmp_path / "out") == tables_of(declaration, folder)


def test_two_shards_end_with_the_same_tables_as_one(done, tmp_path):
    declaration, folder, _ = done
    halves = [list(run_grid(declaration, tmp_path, shard=Shard(i, 2))) for i in (1, 2)]
    assert sum(map(len, halves)) == 4
    assert tables_of(declaration, tmp_path) == tables_of(declaration, folder)


def test_a_failed_run_is_named_and_can_be_done_alone(tmp_path):
    broken = declare({**GRID, "overrides": {**GRID["overrides"], "learning_rate": "nonsense"}})
    items = list(run_grid(broken, tmp_path))
    assert [item.state for item in items] == ["failed"] * 4
    assert [item.state for item in plan(broken, tmp_path)] == ["failed"] * 4
    assert len(list(run_grid(broken, tmp_path, only_failed=True))) == 4


def test_a_budget_too_small_for_one_run_is_refused(done, tmp_path):
    from dataclasses import replace

    declaration, folder, _ = done
    poor = replace(declaration, max_hours=1e-9, grid={**declaration.grid, "dose": (0.0, 0.5, 0.9)})
    with pytest.raises(InputError, match=r"max_hours must allow at least one more run of about"):
        list(run_grid(poor, folder))


def test_a_test_field_without_truth_is_named(tmp_path):
    workspace = Workspace(tmp_path, declare(GRID))
    data = workspace.data()
    missing = data.ids("test")[0]
    data.label_path("truth", missing).unlink()
    with pytest.raises(InputError, match=f"got none for {missing}"):
        workspace.data()


def test_training_sets_are_nested_and_too_large_ones_are_refused(tmp_path):
    from dataclasses import replace

    declaration = declare(GRID)
    data = Workspace(tmp_path, declaration).data()
    run = plan(declaration, tmp_path)[0].run
    assert set(training_ids(data, replace(run, n_train=2))) < set(training_ids(data, replace(run, n_train=4)))
    with pytest.raises(InputError, match="n_train must be 1 to 6"):
        training_ids(data, replace(run, n_train=7))


def test_validation_labels_are_clean_or_noisy_as_declared_and_test_labels_are_never_written(tmp_path):
    from dataclasses import replace

    noisy = declare(GRID)
    clean, none = replace(noisy, validation="clean"), replace(noisy, validation="none")
    data = Workspace(tmp_path, noisy).data()
    run = next(item.run for item in plan(noisy, tmp_path) if item.run.dose)
    changed = {}
    for declaration in (noisy, clean, none):
        view = prepare_labels(Workspace(tmp_path, declaration), data, run)
        ids = view.ids("validation")
        changed[declaration.validation] = any(
            (view.label_map("train", i) != data.label_map("truth", i)).any() for i in ids
        )
        assert not any(view.label_path("train", i).exists() for i in view.ids("test"))
    assert changed == {"noisy": True, "clean": False, "none": False}


def test_labels_have_the_dose_that_is_declared(tmp_path):
    declaration = declare(GRID)
    data = Workspace(tmp_path, declaration).data()
    run = next(item.run for item in plan(declaration, tmp_path) if item.run.dose)
    n_true = n_kept = 0
    for case in data.ids("training"):
        truth, labels, log = noisy_labels(run, declaration, data, case)
        n_true += len(label_events(truth)[1])
        n_kept += len(label_events(labels)[1])
        assert len(log) == len(label_events(truth)[1]) - len(label_events(labels)[1])
    assert abs(n_kept - n_true / 2) <= len(data.ids("training"))


def test_the_report_names_the_command_of_every_cell(done):
    declaration, folder, items = done
    page = report(declaration, plan(declaration, folder), folder).read_text()
    commands = (folder / "tables" / "commands.csv").read_text()
    assert all(item.run_id in commands for item in items)
    assert commands.count("python -m monai.bundle run") == 8
    assert "<script" not in page


def test_the_commands_plan_and_run_from_a_file(tmp_path, capsys):
    file = tmp_path / "grid.yaml"
    file.write_text(json.dumps({**GRID, "grid": {**GRID["grid"], "method": ["gdl"], "dose": [0]}}))
    for words in (["plan", "--no-probe"], ["run"], ["collect"], ["report"]):
        assert run_command("experiment", words[0], file, "--out", tmp_path / "out", *words[1:]) == 0
    out = capsys.readouterr().out
    assert "1 runs, 0 done" in out
    assert "done" in out
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.slow
def test_the_signs_of_the_tiny_experiment(tmp_path):
    declaration = read_declaration("tiny")
    assert {item.state for item in run_grid(declaration, tmp_path)} == {"done"}
    arms = score_arms(collect(plan(declaration, tmp_path), tmp_path)["fields"])

    def score(noise, dose, method):
        return find_arm(arms, noise=noise, dose=dose, method=method).score.estimate

    assert score("random misses", 0.5, "gdl") - score("dim misses", 0.5, "gdl") > 0.15
    assert score("random misses", 0.5, "ce") < score("random misses", 0.5, "labels")
    assert score("random misses", 0.5, "labels") < score("random misses", 0.5, "gdl")
    assert abs(score("clean", 0, "gdl") - score("clean", 0, "ce")) < 0.03
    assert abs(score("shrunk", 1, "gdl") - score("shrunk", 1, "labels")) < 0.05
    # Labels of equal Dice: a network gets much further past the random ones.
    assert abs(score("random swaps", 0.3, "labels") - score("dim swaps", 0.3, "labels")) < 0.05
    assert score("random swaps", 0.3, "gdl") - score("dim swaps", 0.3, "gdl") > 0.1


@pytest.mark.parametrize("radius", [[3], [4, 3], [0, 3], [3, 16], 3])
def test_discs_of_the_toy_must_fit_a_field(radius):
    with pytest.raises(
        InputError, match="radius of the toy must be two rising numbers of pixels that fit a field, got"
    ):
        read_toy({"rows": 32, "columns": 40, "radius": radius})


def test_trusted_fields_are_used_as_declared(tmp_path):
    """With the truth looked at by epoch, which every view must then hold, that of the trusted fields alone too."""
    uses = {
        "mix": ["robust_trusted"],
        "transitions": ["robust_forward"],
        "appearance": ["robust_appearance"],
        "alone": [],
        "finetune": [],
        "correct": [],
    }
    methods = {use: {"preset": preset, "trusted": 2, "use": use} for use, preset in uses.items()}
    methods["marginal"] = {"preset": ["robust_ce"], "threshold": "marginal"}
    grid = {"noise": ["random"], "dose": [0.5], "method": list(methods)}
    content = {**GRID, "preset": ["sgd", "memorisation"], "methods": methods, "grid": grid}
    declaration = declare(content)
    items = list(run_grid(declaration, tmp_path))
    assert [item.state for item in items] == ["done"] * 7
    commands = {
        item.run.method: json.loads((tmp_path / "runs" / item.run_id / "result.json").read_text())["commands"]
        for item in items
    }
    assert {use: len(lines) for use, lines in commands.items()} == {
        "mix": 2, "transitions": 2, "appearance": 2, "alone": 2, "finetune": 3, "correct": 2, "marginal": 2,
    }  # fmt: skip
    assert "--num_epochs 2" in commands["alone"][0]  # 2 of the 6 training fields: a step an epoch instead of two
    assert all("--num_epochs 1" in line for line in commands["finetune"][:2])
    assert "--init" in commands["finetune"][1]
    assert "--threshold" in commands["marginal"][1]
    sources = [re.search(r"--dataset_dir (\S+)", line).group(1) for line in commands["correct"]]
    assert sources[0] == sources[1]  # trained and predicted where the noisy labels are channels
    pairs, data = open_dataset(Path(sources[0])), Workspace(tmp_path, declaration).data()
    run = next(item.run for item in items if item.run.method == "correct")
    for case_id in (*pairs.ids("training"), *data.ids("test")):
        noisy = noisy_labels(run, declaration, data, case_id)[1]
        assert np.array_equal(pairs.image(case_id)[2:] > 0, np.stack([noisy == 1, noisy == 2]))
    assert (len(pairs.ids("training")), pairs.ids("test")) == (2, data.ids("test"))


def test_small_sets_take_as_many_steps_where_that_is_declared(tmp_path):
    grid = {"noise": ["random"], "dose": [0.5], "method": ["gdl"], "n_train": [2, None]}
    declaration = declare({**GRID, "preset": ["sgd"], "grid": grid, "equal_steps": True})
    small, whole = list(run_grid(declaration, tmp_path))
    commands = [
        json.loads((tmp_path / "runs" / item.run_id / "result.json").read_text())["commands"][0]
        for item in (small, whole)
    ]
    assert (small.run.n_train, whole.run.n_train) == (2, None)
    assert "--num_epochs 2" in commands[0]  # in batches of 4, 2 fields are a step and 6 are two
    assert "--learning_rate_period 6" in commands[0]
    assert "--num_epochs 1" in commands[1]


def test_a_grid_learns_from_the_cips_own_labels(tmp_path):
    content = {
        **GRID,
        "data": {"simulate": {"fields": 8, "rows": 64, "columns": 80, "seed": 2, "split": [0.5, 0.25, 0.25]}},
        "noise": {"the CIP": "labels:cip"},
        "grid": {"noise": ["the CIP"], "dose": [1], "method": ["ce"]},
    }
    declaration = declare(content)
    assert [item.state for item in run_grid(declaration, tmp_path)] == ["done"]
    view = next(path for path in (tmp_path / "labels").iterdir() if (path / "dataset.json").is_file())
    data = Workspace(tmp_path, declaration).data()
    case = data.ids("training")[0]
    assert (view / "labels" / "train" / f"{case}.tif").read_bytes() != data.label_path("truth", case).read_bytes()
    assert plan(declaration, tmp_path)[0].state == "done"
