"""Several processes, accumulated gradients, mixed precision, memory layout, compilation: the same training."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from noisylabels.learning import launcher
from noisylabels.learning.checkpoints import load
from tests.bundles.conftest import BUNDLES


def train(screen: Path, out: Path, **overrides: object) -> dict[str, torch.Tensor]:
    """Train with plain gradient descent: Adam divides by gradients, and makes much of rounding."""
    settings = {"dataset_dir": str(screen), "output_dir": str(out), "num_epochs": 1}
    launcher.run(launcher.plan_training("cdl", ("sgd",), settings | overrides))
    return load(out / "last.pt")["network"]


def distance(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    return max((one[key].float() - other[key].float()).abs().max().item() for key in one)


def train_in_two(screen: Path, *, n_epochs: int, presets: Sequence[Path] = ()) -> dict:
    """Train in two processes in `run`, or continue there."""
    configs = [BUNDLES / f"cdl/configs/{name}.yaml" for name in ("train", "sgd", "multi_gpu_train")]
    files = str([str(path) for path in (*configs, *presets)])
    words = ["--config_file", files, "--bundle_root", str(BUNDLES / "cdl"), "--dataset_dir", str(screen)]
    words += ["--num_epochs", str(n_epochs), "--schedule_epochs", "2", "--restart_on_change", "False"]
    words += ["--batch_size", "1", "--output_dir", "run", "--ckpt_dir", "run"]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run([*torchrun, "-m", "monai.bundle", "run", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return load(Path("run/last.pt"))


def test_two_processes_train_one_network(screen: Path, tmp_path: Path, elsewhere: Path) -> None:
    together = train_in_two(screen, n_epochs=1)
    assert not [key for key in load(elsewhere / "run/model.pt") if key.startswith("module.")]
    assert together["trainer"] == {"epoch": 1, "iteration": 3}  # 6 fields: 3 steps of 1 field in each of 2 processes
    assert len(json.loads((elsewhere / "run/metrics.json").read_text())) == 1
    # Same fields per step, in the same order: the same training but for batch norm, which sees each process's share.
    alone = train(screen, tmp_path / "alone", batch_size=2, schedule_epochs=2)
    assert 0 < distance(together["network"], alone) < 1


LIST_THREADS = """
+{when}:
- "$open('{when}' + os.environ['RANK'], 'w').writelines(open('/proc/self/task/' + one + '/comm').read()
    for one in os.listdir('/proc/self/task'))"
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="the names of threads are read as Linux gives them")
def test_no_thread_of_the_group_is_left_that_could_outlive_the_interpreter(screen: Path, elsewhere: Path) -> None:
    # One of Gloo's threads that does now and then aborts a process that has done its work.
    listing = elsewhere / "listing.yaml"
    listing.write_text(LIST_THREADS.format(when="initialize") + LIST_THREADS.format(when="finalize"))
    train_in_two(screen, n_epochs=1, presets=[listing])
    assert [("gloo" in Path(f"initialize{rank}").read_text()) for rank in (0, 1)] == [True, True]
    assert [("gloo" in Path(f"finalize{rank}").read_text()) for rank in (0, 1)] == [False, False]


def test_two_processes_started_again_end_with_the_same_weights(
    screen: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each validates its own share, and yet all must agree on whether the file is of this training.
    train_in_two(screen, n_epochs=1)
    continued = train_in_two(screen, n_epochs=2)
    metrics = (elsewhere / "run/metrics.json").read_text()
    (elsewhere / "at once").mkdir()
    monkeypatch.chdir(elsewhere / "at once")
    at_once = train_in_two(screen, n_epochs=2)
    assert distance(continued["network"], at_once["network"]) == 0
    assert continued["trainer"] == at_once["trainer"] == {"epoch": 2, "iteration": 6}
    assert metrics == Path("run/metrics.json").read_text()


def test_accumulated_gradients_are_those_of_the_whole_batch(screen: Path, tmp_path: Path) -> None:
    # Without batch norm, whose statistics are per forward pass, two halves are the whole.
    norm = {"network_def::norm": "INSTANCE", "num_epochs": 1}
    whole = train(screen, tmp_path / "whole", batch_size=2, **norm)
    halves = train(screen, tmp_path / "halves", batch_size=1, accumulation_steps=2, **norm)
    ones = train(screen, tmp_path / "ones", batch_size=1, **norm)
    assert distance(whole, halves) < 1e-5 < distance(whole, ones)


@pytest.mark.parametrize(
    ("setting", "nearest", "farthest"),
    [({"channels_last": False}, 0, 1e-3), ({"amp": True}, 1e-6, 0.5)],
    ids=["memory layout", "bfloat16"],
)
def test_how_it_is_computed_changes_rounding_only(
    screen: Path, tmp_path: Path, setting: dict, nearest: float, farthest: float
) -> None:
    assert nearest <= distance(train(screen, tmp_path / "a"), train(screen, tmp_path / "b", **setting)) < farthest


@pytest.mark.parametrize("other", [{"train::dataset::track_meta": True}, {"train::dataset::keep_mib": 0}])
def test_carrying_no_metadata_and_keeping_fields_changes_no_bit(screen: Path, tmp_path: Path, other: dict) -> None:
    plain, costly = train(screen, tmp_path / "plain"), train(screen, tmp_path / "costly", **other)
    assert all(torch.equal(plain[name], costly[name]) for name in plain)


def test_compilation_can_be_switched_on(screen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the switch arrives, and that checkpoints keep their names; compiling itself is PyTorch's."""
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda network, **_: compiled.append(network) or network)
    train(screen, tmp_path / "run", compile=True)
    assert len(compiled) == 1


def test_fields_are_read_when_needed_and_not_kept(screen: Path) -> None:
    """4,000 two-channel fields are 11 GB as float32: the dataset holds paths."""
    from noisylabels.learning.data import FieldDataset
    from noisylabels.learning.datalist import read_images

    dataset = FieldDataset(read_images(screen), transform=lambda field: field)
    assert all(isinstance(value, str) for field in dataset.data for value in field.values())
    (screen / "images/f0.ome.tif").unlink()
    assert dataset[0]["id"] == "f0"
