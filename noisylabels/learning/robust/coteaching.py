"""Co-teaching: two networks, each learning from the pixels whose labels surprise the other least."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines.utils import IterationEvents
from monai.utils.enums import CommonKeys
from torch import Tensor, nn

from noisylabels.data.errors import InputError
from noisylabels.learning.robust.pixel_losses import log_probabilities, of_label


class CoTeaching:
    """Train a second network beside a trainer's own, each on what surprises the other least: an `iteration_update`.

    Han et al., NeurIPS 2018, arXiv 1804.06872, per pixel. The smallest losses are chosen *within each labelled class*,
    as the paper's were in balanced classes: a tenth of all pixels would be all of the events, which are one or two in
    a hundred. It needs labels whose errors are random: dim events that are missed for being dim *are* the large losses.

    Args:
        network: The trainer's network; the second starts as a copy with re-drawn weights.
        optimizer: The trainer's optimizer; the second network has one of the same class, and at each step the same
            rate, momentum and weight decay, whatever the schedule makes of them.
        forget: Share of each labelled class left out once fully ramped, in [0, 1).
        ramp_epochs: Epochs over which that share grows from 0; at least 1.

    Raises:
        InputError: If forget or ramp_epochs is outside its range.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        forget: float = 0.1,
        ramp_epochs: int = 5,
        seed: int = 1,
    ) -> None:
        if not 0 <= forget < 1 or ramp_epochs < 1:
            msg = f"forget must be in [0, 1) and ramp_epochs at least 1, got {forget}, {ramp_epochs}. Try 0.1 and 5."
            raise InputError(msg)
        self.peer = redrawn(network, seed=seed)
        self.optimizer = twin(optimizer, dict(zip(network.parameters(), self.peer.parameters(), strict=True)))
        self.forget, self.ramp_epochs = forget, ramp_epochs

    def __call__(self, engine: Engine, batchdata: object) -> dict[str, Any]:
        """Train both networks on one batch."""
        images, labels = engine.prepare_batch(batchdata, engine.state.device, engine.non_blocking)
        share = self.forget * min(1.0, engine.state.epoch / self.ramp_epochs)
        self.peer.to(images.device).train()
        engine.network.train()
        ours, theirs = engine.inferer(images, engine.network), engine.inferer(images, self.peer)
        cost, peer_cost = pixel_cost(ours, labels), pixel_cost(theirs, labels)
        loss = cost[smallest_by_class(peer_cost, labels[:, 0], 1 - share)].mean()
        peer_loss = peer_cost[smallest_by_class(cost, labels[:, 0], 1 - share)].mean()
        follow(self.optimizer, engine.optimizer)
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
        """Return the second network and its optimizer, for an exact resume."""
        return {"peer": self.peer.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the second network where it was."""
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


def twin(optimizer: torch.optim.Optimizer, peer_of: dict[nn.Parameter, nn.Parameter]) -> torch.optim.Optimizer:
    """Make an optimizer of the same class and settings for the second network's parameters."""
    groups = [
        {**_settings(group), "params": [peer_of[parameter] for parameter in group["params"]]}
        for group in optimizer.param_groups
    ]
    # The groups carry all settings; some classes take fewer than they keep (AdamW's decoupled_weight_decay).
    make: Callable[..., torch.optim.Optimizer] = type(optimizer)
    return make(groups, lr=optimizer.defaults["lr"])


def follow(optimizer: torch.optim.Optimizer, leader: torch.optim.Optimizer) -> None:
    """Copy the leader's rate, momentum and weight decay of this moment, group by group."""
    for group, leading in zip(optimizer.param_groups, leader.param_groups, strict=True):
        group.update(_settings(leading))


def _settings(group: dict[str, object]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name != "params"}


def smallest_by_class(cost: Tensor, labels: Tensor, share: float) -> Tensor:
    """Mark, within each labelled class, the given share of pixels with the smallest cost over the batch.

    Args:
        cost: Of each pixel, any shape.
        labels: Its class index, of the same shape.
        share: In [0, 1]; of each class at least one pixel is kept.

    Returns:
        Booleans of that shape.

    Examples:
        >>> smallest_by_class(torch.tensor([0.1, 0.3, 5.0, 9.0]), torch.tensor([0, 0, 1, 1]), 0.5)
        tensor([ True, False,  True, False])
    """
    kept = torch.zeros_like(cost, dtype=torch.bool)
    for index in labels.unique():
        members = labels == index
        own = cost.detach()[members]
        chosen = torch.zeros_like(own, dtype=torch.bool)
        chosen[own.argsort(stable=True)[: max(1, round(share * own.numel()))]] = True
        kept[members] = chosen
    return kept
