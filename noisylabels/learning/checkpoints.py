"""Weights on disk: written whole or not at all, read as tensors only, refused in one sentence when they do not fit.

Nothing of MONAI or Ignite is needed for it, so that a network is loaded sooner.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from noisylabels.data.atomic import replacing
from noisylabels.data.errors import InputError


def is_first_process() -> bool:
    """Return whether this process writes: always, except for the others of a `torchrun`."""
    return not (dist.is_available() and dist.is_initialized()) or dist.get_rank() == 0


def save(state: Mapping[str, object], path: str | Path) -> None:
    """Write a state, whole or not at all.

    Args:
        state: Tensors, numbers, texts and containers of them; nothing else can be read back.
        path: `*.pt`; replaced in one step.
    """
    with replacing(path) as temporary:
        torch.save(dict(state), temporary)


def load(path: str | Path, *, map_location: str | torch.device = "cpu") -> dict[str, Any]:
    """Read a state; code in the file is not run (`weights_only=True`).

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is not a checkpoint, or holds more than tensors, numbers and texts.
    """
    if not Path(path).is_file():
        msg = f"A checkpoint must exist, got {path}. Train first, or pass --ckpt_path."
        raise FileNotFoundError(msg)
    _refuse_damage(Path(path))
    try:
        state: dict[str, Any] = torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:
        msg = f"{path} must hold weights and nothing else, but it cannot be read ({type(error).__name__}). Train anew."
        raise InputError(msg) from error
    return state


def _refuse_damage(path: Path) -> None:
    """Compare every part of the file with its checksum: torch writes one for each and does not look at it."""
    if not zipfile.is_zipfile(path):
        return  # older than torch's present form; what it holds is still read as weights alone
    try:
        with zipfile.ZipFile(path) as parts:
            damaged = parts.testzip()
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        damaged = type(error).__name__
    if damaged is not None:
        msg = f"{path} must be as it was written, but its checksum fails ({damaged}): it is damaged. Copy it again."
        raise InputError(msg)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process left half-written in the folder of its weights; nobody else writes there."""
    for path in folder.glob(".writing-*"):
        if path.is_file():
            path.unlink(missing_ok=True)


def load_weights(network: torch.nn.Module, path: str | Path, *, map_location: str | torch.device = "cpu") -> None:
    """Load weights into a network: all of them, or none.

    Args:
        network: Its parameters are replaced.
        path: A state dictionary, as `model.pt` is, or a mapping with one under "model" or "network".
        map_location: Device to read to.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If the weights are those of another network.
    """
    state = load(path, map_location=map_location)
    for key in ("model", "network"):
        state = state[key] if isinstance(state.get(key), dict) else state
    inner = getattr(network, "module", network)
    refuse_other_network(inner, state, source=str(path))
    inner.load_state_dict(state)


def refuse_other_network(network: torch.nn.Module, state: Mapping[str, object], *, source: str) -> None:
    """Check that the weights are of this network.

    Raises:
        InputError: If names or shapes differ; the message gives the first difference.
    """
    own = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    other = {name: tuple(getattr(value, "shape", ())) for name, value in state.items()}
    wrong = [name for name in (*own, *other) if own.get(name) != other.get(name)]
    if not wrong:
        return
    had, got = own.get(wrong[0], "nothing"), other.get(wrong[0], "nothing")
    msg = (
        f"{source} must hold the weights of this network, got {got} for {wrong[0]} where it has {had}. Name the "
        "checkpoint of this network, or the network, n_channels and class_names that it was trained with."
    )
    raise InputError(msg)
