"""MDL can start from CDL's weights, which the paper did not try."""

import json
from pathlib import Path

import torch

from noisylabels.learning import launcher
from noisylabels.learning.checkpoints import load
from tests.bundles.conftest import BUNDLES


def train(bundle: str, screen: Path, out: Path, **overrides: object) -> dict[str, torch.Tensor]:
    settings = {"dataset_dir": str(screen), "output_dir": str(out), "label_name": "cip", "num_epochs": 1}
    launcher.run(launcher.plan_training(bundle, (), settings | overrides))
    return load(out / "last.pt")["network"]


def test_training_starts_from_the_weights_named_by_init(screen: Path, tmp_path: Path) -> None:
    cdl = train("cdl", screen, tmp_path / "cdl", num_epochs=2)
    # With a learning rate of 0 nothing moves but the running means of batch norm.
    init = str(tmp_path / "cdl/last.pt")
    tuned = train("mdl", screen, tmp_path / "mdl", init=init, learning_rate=0.0)
    scratch = train("mdl", screen, tmp_path / "scratch", learning_rate=0.0)
    weights = [key for key in cdl if key.endswith("weight")]
    assert all(torch.equal(tuned[key], cdl[key]) for key in weights)
    assert not all(torch.equal(scratch[key], cdl[key]) for key in weights)


def test_a_run_folder_tells_what_was_run(screen: Path, tmp_path: Path) -> None:
    train("mdl", screen, tmp_path / "run", seed=7)
    record = json.loads((tmp_path / "run/run.json").read_text())
    assert record["bundle"] == "mdl"
    assert (record["network"]["_target_"], record["n_channels"], len(record["class_names"])) == ("UNet", 2, 3)
    assert " --seed 7" in record["command"]
    assert record["command"].startswith(f"python -m monai.bundle run --config_file {BUNDLES}/mdl/configs/train.yaml")
    assert set(record["versions"]) == {"noisylabels", "monai", "torch", "numpy"}
