import re
from pathlib import Path

import pytest
import torch
from torch import nn

from noisylabels.data.errors import InputError
from noisylabels.learning import checkpoints
from noisylabels.learning.checkpoints import load, load_weights, save


def test_weights_come_back_as_they_were(tmp_path: Path) -> None:
    network, other = nn.Linear(2, 3), nn.Linear(2, 3)
    save(network.state_dict(), tmp_path / "model.pt")
    load_weights(other, tmp_path / "model.pt")
    assert torch.equal(other.weight, network.weight)
    save({"model": nn.Linear(2, 3).state_dict()}, tmp_path / "nested.pt")
    load_weights(other, tmp_path / "nested.pt")
    assert not torch.equal(other.weight, network.weight)


def test_weights_of_another_network_are_refused_and_nothing_is_loaded(tmp_path: Path) -> None:
    network = nn.Linear(2, 3)
    before = network.weight.clone()
    save(nn.Linear(4, 3).state_dict(), tmp_path / "model.pt")
    message = (
        f"{tmp_path}/model.pt must hold the weights of this network, got (3, 4) for weight where it has (3, 2). Name "
        "the checkpoint of this network, or the network, n_channels and class_names that it was trained with."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_weights(network, tmp_path / "model.pt")
    assert torch.equal(network.weight, before)


class Dangerous:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("was_run"),))


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Dangerous()}, tmp_path / "model.pt")
    with pytest.raises(InputError, match="must hold weights and nothing else"):
        load(tmp_path / "model.pt")
    assert not (tmp_path / "was_run").exists()


def test_a_missing_checkpoint_is_told(tmp_path: Path) -> None:
    message = f"A checkpoint must exist, got {tmp_path}/model.pt. Train first, or pass --ckpt_path."
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        load(tmp_path / "model.pt")


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save({"a": torch.ones(1)}, tmp_path / "last.pt")

    def die(state: object, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints.torch, "save", die)
    with pytest.raises(KeyboardInterrupt):
        save({"a": torch.zeros(1)}, tmp_path / "last.pt")
    assert torch.equal(load(tmp_path / "last.pt")["a"], torch.ones(1))
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]
