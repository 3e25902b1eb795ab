"""A slow copy of the network that learns beside it: steadier, and later to be fooled."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from ignite.engine import Engine
from torch import Tensor, nn
from torch.nn import functional

from noisylabels.data.errors import InputError


class EMATeacher:
    """An exponential moving average of a network's weights.

    Tarvainen and Valpola, NeurIPS 2017, arXiv 1703.01780. Buffers (batch-norm statistics) are copied, not averaged.

    Args:
        network: The student; its weights are read, never changed.
        decay: Share of the old average kept at each step, in [0, 1).

    Raises:
        InputError: If decay is outside [0, 1).

    Examples:
        >>> student = nn.Conv2d(1, 2, 1)
        >>> teacher = EMATeacher(student, decay=0.5)
        >>> with torch.no_grad():
        ...     _ = student.bias.copy_(teacher.network.bias + 2)
        >>> before = teacher.network.bias.clone()
        >>> teacher.update()
        >>> (teacher.network.bias - before).round(decimals=3).tolist()
        [1.0, 1.0]
    """

    def __init__(self, network: nn.Module, decay: float = 0.99) -> None:
        if not 0 <= decay < 1:
            msg = f"decay must be in [0, 1), got {decay}. Try 0.99 for some hundred steps an epoch."
            raise InputError(msg)
        self.student, self.decay = network, decay
        self.network = copy.deepcopy(network).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self) -> None:
        """Move the average one step towards the student."""
        for mean, weight in zip(self.network.parameters(), self.student.parameters(), strict=True):
            mean.lerp_(weight.to(mean.device), 1 - self.decay)
        for kept, value in zip(self.network.buffers(), self.student.buffers(), strict=True):
            kept.copy_(value)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Predict class probabilities, (batch, class, x, y), in evaluation mode."""
        self.network.to(images.device)
        return functional.softmax(self.network(images).float(), dim=1)

    def state_dict(self) -> dict[str, object]:
        """Return the average's weights, for an exact resume."""
        state: dict[str, Any] = self.network.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Restore the average where it was."""
        self.network.load_state_dict(state)


class Follow:
    """A handler that lets any component with `attach` follow a trainer: configs list handlers as dicts.

    Args:
        component: Has `attach(engine)`.
    """

    def __init__(self, component: Any) -> None:
        self.component = component

    def attach(self, engine: Engine) -> None:
        """Attach the component."""
        self.component.attach(engine)
