"""Losses over single pixels that trust a surprising label less than cross-entropy does.

All take logits (batch, class, x, y) and labels (batch, 1, x, y) and are written with log-softmax, so that they
stay finite where probabilities underflow.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from noisylabels.data.errors import InputError

LOG_ZERO = math.log(1e-4)
"""The logarithm of a zero label, as the authors of symmetric cross-entropy clip it."""


def log_probabilities(logits: Tensor) -> Tensor:
    """Log-softmax over the classes, in float32 whatever the network computes in.

    Args:
        logits: (batch, class, x, y).

    Returns:
        (batch, class, x, y) float32.
    """
    return functional.log_softmax(logits.float(), dim=1)


def of_label(values: Tensor, labels: Tensor) -> Tensor:
    """Pick each pixel's value for its own label.

    Args:
        values: (batch, class, x, y).
        labels: (batch, 1, x, y) class indices of any number type.

    Returns:
        (batch, x, y).
    """
    return values.gather(1, labels.long()[:, :1])[:, 0]


class CrossEntropy(nn.Module):
    """Plain cross-entropy: the control that random misses defeat.

    Under random omission of more than half of the events the most probable label of a true event's pixel is
    background, and cross-entropy with argmax follows the majority (Nordström et al. 2022, arXiv 2304.04116).

    Examples:
        >>> loss = CrossEntropy()(torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))
        >>> round(loss.item(), 4)  # log 2
        0.6931
    """

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Average -log p(label) over pixels."""
        return -of_label(log_probabilities(logits), labels).mean()


class GeneralizedCrossEntropy(nn.Module):
    """Compute (1 - p^q) / q: cross-entropy for q -> 0, mean absolute error for q = 1.

    Zhang and Sabuncu, NeurIPS 2018, arXiv 1805.07836. Its gradient is that of cross-entropy times p^q, next to nothing
    where an event is not learnt yet: from scratch it finds no event. It needs a warm start (`WarmStart`, as the preset
    `robust_gce`). A negative control: where events are *missed* the majority that it trusts is the background.

    Args:
        q: In (0, 1].

    Raises:
        InputError: If q is outside (0, 1].

    Examples:
        >>> loss = GeneralizedCrossEntropy(q=1.0)(torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))
        >>> loss.item()  # 1 - 1/2
        0.5
    """

    def __init__(self, q: float = 0.7) -> None:
        super().__init__()
        if not 0 < q <= 1:
            msg = f"q must be in (0, 1], got {q}. The authors use 0.7."
            raise InputError(msg)
        self.q = q

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Average (1 - p(label)^q) / q over pixels."""
        log_p = of_label(log_probabilities(logits), labels)
        return (-torch.expm1(self.q * log_p) / self.q).mean()


class SymmetricCrossEntropy(nn.Module):
    """Compute alpha * cross-entropy + beta * reverse cross-entropy, the log of a zero label taken as `log_zero`.

    Wang et al., ICCV 2019, arXiv 1908.06112. With one-hot labels the reverse term is -log_zero * (1 - p(label)). The
    authors' code clips labels at 1e-4, which makes log 0 = -9.21. The reverse term outweighs cross-entropy many times
    and holds back what is rare: it needs a warm start (`WarmStart`, as the preset `robust_sce`).

    Args:
        alpha: Weight of cross-entropy, at least 0.
        beta: Weight of the reverse term, at least 0.
        log_zero: Stands for log 0; negative.

    Raises:
        InputError: If a weight is negative or log_zero is not.

    Examples:
        >>> loss = SymmetricCrossEntropy(alpha=0.0, beta=1.0)(torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))
        >>> round(loss.item(), 3)  # 9.21 * (1 - 1/2)
        4.605
    """

    def __init__(self, alpha: float = 0.1, beta: float = 1.0, log_zero: float = LOG_ZERO) -> None:
        super().__init__()
        if alpha < 0 or beta < 0 or log_zero >= 0:
            got = f"{alpha}, {beta}, {log_zero}"
            msg = f"alpha and beta must be at least 0 and log_zero negative, got {got}. The authors use 0.1, 1, -9.21."
            raise InputError(msg)
        self.alpha, self.beta, self.log_zero = alpha, beta, log_zero

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Average the weighted sum over pixels."""
        log_p = of_label(log_probabilities(logits), labels)
        reverse = self.log_zero * torch.expm1(log_p)
        return (-self.alpha * log_p + self.beta * reverse).mean()
