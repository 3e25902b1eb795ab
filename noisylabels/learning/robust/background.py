"""Losses that do not believe the background: a missed event is a pixel labelled background."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from noisylabels.data.errors import InputError
from noisylabels.learning.robust.pixel_losses import log_probabilities, of_label


class BackgroundDiscountedCrossEntropy(nn.Module):
    """Cross-entropy in which background far from every labelled event counts `weight`, all else 1.

    The "only positive" idea of Foucart et al. (SNOW, 10.1117/12.2512916 and later work): a labelled event vouches
    for the background around it, while unlabelled regions may hold missed events.

    Args:
        weight: Of far background, in [0, 1]; 1 is plain cross-entropy.
        distance_px: Chebyshev distance to the nearest labelled event up to which background counts 1.

    Raises:
        InputError: If a value is outside its range.

    Examples:
        >>> labels = torch.zeros(1, 1, 1, 5)
        >>> labels[..., 0] = 1
        >>> BackgroundDiscountedCrossEntropy(weight=0.0, distance_px=1).weights(labels)
        tensor([[[1., 1., 0., 0., 0.]]])
    """

    def __init__(self, weight: float = 0.1, distance_px: int = 8) -> None:
        super().__init__()
        if not 0 <= weight <= 1 or distance_px < 0:
            msg = f"weight must be in [0, 1] and distance_px at least 0, got {weight} and {distance_px}. Try 0.1 and 8."
            raise InputError(msg)
        self.weight, self.distance_px = weight, distance_px

    def weights(self, labels: Tensor) -> Tensor:
        """Weight of each pixel.

        Args:
            labels: (batch, 1, x, y) class indices.

        Returns:
            (batch, x, y) float32.
        """
        events = (labels > 0).float()
        near = functional.max_pool2d(events, 2 * self.distance_px + 1, stride=1, padding=self.distance_px)
        return torch.where(near[:, 0] > 0, 1.0, self.weight)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Weighted average over pixels; the weights sum to at least one pixel."""
        weights = self.weights(labels)
        cost = -of_label(log_probabilities(logits), labels)
        return (weights * cost).sum() / weights.sum().clamp_min(1.0)
