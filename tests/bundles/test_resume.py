"""A training killed at any moment and started again ends with the same bytes as one that was not."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from noisylabels.data.errors import InputError
from noisylabels.learning import launcher
from noisylabels.learning.checkpoints import load
from noisylabels.learning.resume import ExactResume

N_EPOCHS = 5


def train(bundle: Path, screen: Path, out: Path, presets: tuple[str, ...] = (), **overrides: object) -> None:
    settings = {
        "dataset_dir": str(screen),
        "output_dir": str(out),
        "num_epochs": N_EPOCHS,
        "label_name": "cip",
        "batch_size": 4,
    }
    launcher.run(launcher.plan_training(str(bundle), presets, settings | overrides))


def assert_same_run(one: Path, other: Path) -> None:
    for name in ("model.pt", "last.pt"):
        first, second = load(one / name), load(other / name)
        weights = (first["network"], second["network"]) if name == "last.pt" else (first, second)
        assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert first["best"] == second["best"]
    torch.testing.assert_close(first["states"], second["states"], rtol=0, atol=0)
    moments = [state["optimizer"]["state"] for state in (first, second)]
    torch.testing.assert_close(moments[0], moments[1], rtol=0, atol=0)
    assert json.loads((one / "metrics.json").read_text()) == json.loads((other / "metrics.json").read_text())


def test_a_training_killed_by_the_system_ends_with_the_same_weights(bundle: Path, screen: Path, tmp_path: Path) -> None:
    words = ["train", str(bundle), "--dataset_dir", str(screen), "--output_dir", str(tmp_path / "killed")]
    words += ["--num_epochs", str(N_EPOCHS), "--label_name", "cip", "--batch_size", "4"]
    code = f"import torch; torch.set_num_threads(1)\nfrom noisylabels.cli import main; main({words!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    metrics = tmp_path / "killed" / "metrics.json"
    give_up = time.monotonic() + 300
    while not (metrics.is_file() and len(json.loads(metrics.read_text())) >= 2) and time.monotonic() < give_up:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len(json.loads(metrics.read_text())) < N_EPOCHS
    train(bundle, screen, tmp_path / "killed")
    train(bundle, screen, tmp_path / "unbroken")
    assert_same_run(tmp_path / "killed", tmp_path / "unbroken")


def read_steps(folder: Path) -> list[tuple[str, int]]:
    """List what TensorBoard was told: each tag with its step, file by file."""
    events = (event for path in folder.glob("events.*") for event in EventFileLoader(str(path)).Load())
    return [(value.tag, event.step) for event in events for value in event.summary.value]


class Killed(BaseException):
    """Stands for the process being gone at that point."""


@pytest.mark.parametrize("moment", ["before the state is saved", "in the middle of an epoch"])
def test_it_does_not_matter_when_the_kill_falls(
    screen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    from tests.bundles.conftest import BUNDLES

    bundle = BUNDLES / "cdl"
    every = {"train::handlers::3::iteration_log": 1}  # the loss of every iteration
    original = ExactResume.save

    def die_at_epoch_3(self: ExactResume, engine: object) -> None:
        if engine.state.epoch == 3:  # model.pt and metrics.json of epoch 3 are written, last.pt is of epoch 2
            raise Killed
        original(self, engine)

    def die_at_iteration_6(self: object, engine: object) -> None:
        if engine.state.iteration == 6:
            raise Killed

    with monkeypatch.context() as patch:
        if moment == "before the state is saved":
            patch.setattr(ExactResume, "save", die_at_epoch_3)
        else:
            patch.setattr("noisylabels.learning.divergence.StopOnDivergence.__call__", die_at_iteration_6)
        with pytest.raises(Killed):
            train(bundle, screen, tmp_path / "killed", **every)
    assert load(tmp_path / "killed" / "last.pt")["trainer"]["epoch"] == 2
    train(bundle, screen, tmp_path / "killed", **every)
    train(bundle, screen, tmp_path / "unbroken", **every)
    assert_same_run(tmp_path / "killed", tmp_path / "unbroken")
    logged = read_steps(tmp_path / "killed")
    assert len(set(logged)) == len(logged), "a step must be logged once"
    assert sorted(logged) == sorted(read_steps(tmp_path / "unbroken"))
    assert {("loss", 10), ("val_mean_iou", 5), ("validation field 1", 5)} <= set(logged)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_neither_workers_nor_a_restart_change_the_weights(screen: Path, tmp_path: Path, dropout: float) -> None:
    """With dropout too, which draws from the generator that a data loader draws from when it starts."""
    from tests.bundles.conftest import BUNDLES

    network = {"_target_": "UNet", "spatial_dims": 2, "in_channels": 2, "out_channels": 3, "dropout": dropout}
    own = {"network_def": {**network, "channels": [4, 8], "strides": [2]}}
    train(BUNDLES / "cdl", screen, tmp_path / "alone", num_epochs=2, **own)
    train(BUNDLES / "cdl", screen, tmp_path / "two", num_epochs=2, num_workers=2, **own)
    assert_same_run(tmp_path / "alone", tmp_path / "two")
    train(BUNDLES / "cdl", screen, tmp_path / "stopped", num_epochs=1, schedule_epochs=2, num_workers=2, **own)
    train(BUNDLES / "cdl", screen, tmp_path / "stopped", num_epochs=2, num_workers=2, **own)
    assert_same_run(tmp_path / "alone", tmp_path / "stopped")


def test_another_seed_changes_them(screen: Path, tmp_path: Path) -> None:
    from tests.bundles.conftest import BUNDLES

    train(BUNDLES / "cdl", screen, tmp_path / "zero", num_epochs=1)
    train(BUNDLES / "cdl", screen, tmp_path / "one", num_epochs=1, seed=1)
    with pytest.raises(AssertionError):
        assert_same_run(tmp_path / "zero", tmp_path / "one")


def test_a_finished_run_is_left_as_it_is_and_can_be_prolonged(screen: Path, tmp_path: Path) -> None:
    from tests.bundles.conftest import BUNDLES

    train(BUNDLES / "cdl", screen, tmp_path / "run", num_epochs=2, schedule_epochs=4)
    before = (tmp_path / "run" / "last.pt").read_bytes()
    train(BUNDLES / "cdl", screen, tmp_path / "run", num_epochs=2, schedule_epochs=4)
    assert (tmp_path / "run" / "last.pt").read_bytes() == before
    train(BUNDLES / "cdl", screen, tmp_path / "run", num_epochs=4)
    train(BUNDLES / "cdl", screen, tmp_path / "whole", num_epochs=4)
    assert_same_run(tmp_path / "run", tmp_path / "whole")


def test_the_default_recipe_can_be_prolonged_and_says_what_that_means(
    screen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its rate falls to 0 at the end of the run: a longer one goes on where the longer schedule stands by then."""
    from tests.bundles.conftest import BUNDLES

    train(BUNDLES / "cdl", screen, tmp_path / "run", num_epochs=2)
    first = load(tmp_path / "run" / "last.pt")
    train(BUNDLES / "cdl", screen, tmp_path / "run", num_epochs=4)
    assert "The schedule is longer than that of " in capsys.readouterr().out
    second = load(tmp_path / "run" / "last.pt")
    assert [state["trainer"]["epoch"] for state in (first, second)] == [2, 4]
    assert [state["lr_scheduler"]["t_total"] for state in (first, second)] == [4, 8]
    assert second["lr_scheduler"]["_last_lr"] == [0.0]
    assert any(not torch.equal(first["network"][key], second["network"][key]) for key in first["network"])
    with pytest.raises(InputError, match=r"^lr_scheduler t_total must be 8 to continue .*, got 6\. "):
        train(BUNDLES / "cdl", screen, tmp_path / "run", num_epochs=3)


@pytest.mark.parametrize(
    ("preset", "setting"),
    [("robust_teacher", {"correction_start": 2}), ("robust_early", {}), ("robust_coteaching", {})],
)
def test_what_a_learning_scheme_remembers_is_continued_too(
    screen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str, setting: dict
) -> None:
    from tests.bundles.conftest import BUNDLES

    def die_at_iteration_6(self: object, engine: object) -> None:
        if engine.state.iteration == 6:
            raise Killed

    settings = {"presets": (preset,), "num_epochs": 4, **setting}
    with monkeypatch.context() as patch:
        patch.setattr("noisylabels.learning.divergence.StopOnDivergence.__call__", die_at_iteration_6)
        with pytest.raises(Killed):
            train(BUNDLES / "cdl", screen, tmp_path / "killed", **settings)
    train(BUNDLES / "cdl", screen, tmp_path / "killed", **settings)
    train(BUNDLES / "cdl", screen, tmp_path / "unbroken", **settings)
    assert_same_run(tmp_path / "killed", tmp_path / "unbroken")
    assert load(tmp_path / "killed" / "last.pt")["states"]
