"""Co-teaching: two networks, each learning from the pixels whose labels surprise the other least."""

import copy
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines.utils import IterationEvents
from monai.utils.enums import CommonKeys
from torch import Tensor, nn

from noisylabels.data.errors import InputError
from noisylabels.learning.robust.pixel_losses import log_probabilities, of_label


class CoTeaching:
    """The step of a trainer (`iteration_update`) that trains a second network beside the trainer's own.

    Han et al., NeurIPS 2018, arXiv 1804.06872, per pixel. Kept for parity with other toolkits: independent
    replications did not find it better than cross-entropy.

    Args:
        network: The trainer's network; the second starts as a copy with re-drawn weights.
        learning_rate: Of the second network's plain SGD with momentum 0.9.
        forget: Share of pixels left out once fully ramped, in [0, 1).
        ramp_epochs: Epochs over which that share grows from 0; at least 1.

    Raises:
        InputError: If forget or ramp_epochs is outside its range.
    """

    def __init__(
        self, network: nn.Module, learning_rate: float, forget: float = 0.1, ramp_epochs: int = 5, seed: int = 1
    ) -> None:
        if not 0 <= forget < 1 or ramp_epochs < 1:
            msg = f"forget must be in [0, 1) and ramp_epochs at least 1, got {forget}, {ramp_epochs}. Try 0.1 and 5."
            raise InputError(msg)
        self.peer = redrawn(network, seed=seed)
        self.optimizer = torch.optim.SGD(self.peer.parameters(), learning_rate, momentum=0.9)
        self.forget, self.ramp_epochs = forget, ramp_epochs

    def __call__(self, engine: Engine, batchdata: Any) -> dict[str, Any]:
        """Train both networks on one batch."""
        images, labels = engine.prepare_batch(batchdata, engine.state.device, engine.non_blocking)
        share = self.forget * min(1.0, engine.state.epoch / self.ramp_epochs)
        self.peer.to(images.device).train()
        engine.network.train()
        ours, theirs = engine.inferer(images, engine.network), self.peer(images)
        cost, peer_cost = pixel_cost(ours, labels), pixel_cost(theirs, labels)
        loss = mean_where(cost, smallest(peer_cost, 1 - share))
        peer_loss = mean_where(peer_cost, smallest(cost, 1 - share))
        for optimizer, value in ((engine.optimizer, loss), (self.optimizer, peer_loss)):
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            optimizer.step()
        engine.state.output = {
            CommonKeys.IMAGE: images,
            CommonKeys.LABEL: labels,
            CommonKeys.PRED: ours.detach(),
            CommonKeys.LOSS: loss.detach(),
        }
        for event in (
            IterationEvents.FORWARD_COMPLETED,
            IterationEvents.LOSS_COMPLETED,
            IterationEvents.MODEL_COMPLETED,
        ):
            engine.fire_event(event)
        output: dict[str, Any] = engine.state.output
        return output

    def state_dict(self) -> dict[str, Any]:
        """Give the second network and its optimizer, for an exact resume."""
        return {"peer": self.peer.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the second network where it was."""
        self.peer.load_state_dict(state["peer"])
        self.optimizer.load_state_dict(state["optimizer"])


def redrawn(network: nn.Module, *, seed: int) -> nn.Module:
    """Copy a network and draw its weights anew, leaving the global random state as it was."""
    peer = copy.deepcopy(network)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for module in peer.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
    return peer


def pixel_cost(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each pixel, (batch, x, y)."""
    return -of_label(log_probabilities(logits), labels)


def smallest(cost: Tensor, share: float) -> Tensor:
    """Mark the given share of pixels with the smallest cost over the batch.

    Examples:
        >>> smallest(torch.tensor([3.0, 1.0, 2.0, 4.0]), 0.5)
        tensor([False,  True,  True, False])
    """
    n_kept = max(1, round(share * cost.numel()))
    kept = torch.zeros(cost.numel(), dtype=torch.bool, device=cost.device)
    kept[cost.detach().flatten().argsort(stable=True)[:n_kept]] = True
    return kept.view_as(cost)


def mean_where(cost: Tensor, mask: Tensor) -> Tensor:
    """Average the cost over marked pixels."""
    return cost[mask].mean()
