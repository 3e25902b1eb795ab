"""What a GPU must not change: exact resume, the reach of the losses, and what a network says."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from noisylabels.data.dataset import open_dataset
from noisylabels.data.images import read_image, read_label_map
from noisylabels.learning import launcher
from noisylabels.screening.methods import loaded, method_of
from tests.bundles.conftest import BUNDLES
from tests.bundles.test_resume import Killed, assert_same_run, train
from tests.learning.robust.test_losses import LOSSES
from tests.learning.robust.test_presets import PRESETS

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize(
    ("name", "presets", "settings"),
    [
        ("cdl", (), {}),
        ("mdl", (), {}),
        ("cdl", ("robust_teacher",), {"correction_start": 2}),
        ("cdl", ("resident",), {}),
    ],
    ids=["cdl", "mdl", "teacher", "resident"],
)
def test_a_killed_training_ends_with_the_same_bytes(
    screen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, presets: tuple[str, ...], settings: dict
) -> None:
    settings = {"num_workers": 0, **settings}

    def die_at_iteration_6(self: object, engine: object) -> None:
        if engine.state.iteration == 6:
            raise Killed

    torch.cuda.reset_peak_memory_stats()
    with monkeypatch.context() as patch:
        patch.setattr("noisylabels.learning.divergence.StopOnDivergence.__call__", die_at_iteration_6)
        with pytest.raises(Killed):
            train(BUNDLES / name, screen, tmp_path / "killed", presets, **settings)
    assert torch.cuda.max_memory_allocated() > 2**20  # it was the GPU that computed
    train(BUNDLES / name, screen, tmp_path / "killed", presets, **settings)
    train(BUNDLES / name, screen, tmp_path / "unbroken", presets, **settings)
    assert_same_run(tmp_path / "killed", tmp_path / "unbroken")


def test_workers_do_not_change_the_weights(screen: Path, tmp_path: Path) -> None:
    train(BUNDLES / "cdl", screen, tmp_path / "alone", num_epochs=2, num_workers=0)
    train(BUNDLES / "cdl", screen, tmp_path / "two", num_epochs=2, num_workers=2)
    assert_same_run(tmp_path / "alone", tmp_path / "two")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_trains_and_predicts(screen: Path, tmp_path: Path, preset: str) -> None:
    shutil.copytree(screen / "labels/cip", screen / "labels/truth")
    trusted = {"trusted_ids": open_dataset(screen).ids("training")[:2]} if preset == "robust_trusted" else {}
    train(BUNDLES / "cdl", screen, tmp_path / "run", (preset, "memorisation"), num_epochs=2, num_workers=0, **trusted)
    settings = {"dataset_dir": str(screen), "split": "test", "ckpt_path": str(tmp_path / "run/last.pt")}
    marginal = ("marginal",) if preset == "robust_ce" else ()
    launcher.run(launcher.plan_prediction("cdl", marginal, settings | {"output_dir": str(tmp_path / "out")}))
    assert len(list((tmp_path / "out").glob("*.tif"))) == 2


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_losses_and_gradients_are_finite_at_the_ends_of_the_range(name: str, dtype: torch.dtype) -> None:
    labels = torch.tensor([0.0, 1.0, 2.0], device="cuda").expand(1, 1, 1, 3)
    for winner in range(3):
        logits = torch.full((1, 3, 1, 3), -200.0, device="cuda", dtype=dtype)
        logits[:, winner] = 200.0
        logits.requires_grad_()
        loss = LOSSES[name](logits, labels)  # as a config names it: nobody moves a loss to a GPU
        loss.backward()
        assert bool(torch.isfinite(loss))
        assert bool(torch.isfinite(logits.grad).all())


def test_a_network_says_the_same_on_both(screen: Path, tmp_path: Path) -> None:
    train(BUNDLES / "cdl", screen, tmp_path / "run", num_workers=0)
    maps = {}
    for device in ("cpu", "cuda"):
        settings = {"dataset_dir": str(screen), "ckpt_path": str(tmp_path / "run/model.pt"), "split": "test"}
        settings |= {"output_dir": str(tmp_path / device), "device": f"$torch.device('{device}')"}
        launcher.run(launcher.plan_prediction("cdl", (), settings))
        maps[device] = [read_label_map(path) for path in sorted((tmp_path / device).glob("*.tif"))]
    assert len(maps["cpu"]) == 2
    for one, other in zip(maps["cpu"], maps["cuda"], strict=True):
        assert (one != other).mean() < 0.01  # float32 on both: ties alone may fall the other way
    assert all(set(np.unique(one)) > {0} for one in maps["cpu"])


def test_a_plate_is_labelled_as_on_the_processor(screen: Path, tmp_path: Path) -> None:
    train(BUNDLES / "cdl", screen, tmp_path / "run", num_workers=0)
    image = read_image(screen / "images/f8.ome.tif")
    said = {"kind": "bundle", "folder": str(BUNDLES / "cdl"), "checkpoint": str(tmp_path / "run/model.pt")}
    on_cpu = loaded(method_of(said | {"device": "cpu"}), "cpu")([image])[0]
    torch.cuda.reset_peak_memory_stats()
    on_gpu = loaded(method_of(said | {"device": "cuda"}), "cuda")([image])[0]
    assert torch.cuda.max_memory_allocated() > 2**20
    assert set(np.unique(on_cpu)) > {0}
    assert (np.asarray(on_cpu) != np.asarray(on_gpu)).mean() < 0.01
