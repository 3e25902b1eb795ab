"""Pixels that no loss may see."""

import torch
from torch import Tensor, nn

from noisylabels.data.labels import IGNORE_INDEX


class IgnoringLoss(nn.Module):
    """Any loss, blind to pixels labelled `IGNORE_INDEX`: there the prediction is replaced by a sure, right background.

    Args:
        loss: Takes logits (batch, class, x, y) and labels (batch, 1, x, y).

    Examples:
        >>> from noisylabels.learning.robust.pixel_losses import CrossEntropy
        >>> logits = torch.zeros(1, 2, 1, 2, requires_grad=True)
        >>> IgnoringLoss(CrossEntropy())(logits, torch.tensor([[[[255.0, 1.0]]]])).backward()
        >>> logits.grad[0, 0, 0].tolist()
        [0.0, 0.25]
    """

    SURE = 30.0

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss without the ignored pixels."""
        ignored = labels[:, :1] == IGNORE_INDEX
        if not ignored.any():
            return self.loss(logits, labels)
        sure = torch.full_like(logits, -self.SURE)
        sure[:, 0] = self.SURE
        return self.loss(torch.where(ignored, sure, logits), torch.where(ignored, 0, labels))
