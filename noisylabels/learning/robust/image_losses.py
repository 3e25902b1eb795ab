"""Losses over whole images: noise-robust Dice and the T-loss."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from noisylabels.data.errors import InputError


def residuals(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities, one-hot labels and their difference, each (batch, class, pixel) float32."""
    probabilities = functional.softmax(logits.float(), dim=1).flatten(2)
    one_hot = functional.one_hot(labels.long()[:, 0], logits.shape[1]).movedim(-1, 1).flatten(2).float()
    return probabilities, one_hot, one_hot - probabilities


class NoiseRobustDice(nn.Module):
    """Compute sum |p - y|^gamma / (sum p + sum y + smooth) per class over the whole batch, averaged over classes.

    Wang et al. 2020, 10.1109/TMI.2020.3000314 (COPLE-Net), with the denominator of the authors' code (PyMIC). The sums
    run over all images of a batch: per image, a class that is absent would cost about 1 however rarely it is predicted.
    It needs batches in which every class occurs, and a Dice-like learning rate; it does not bring back missed events.

    Args:
        gamma: In [1, 2].
        smooth: Added to the denominator, so that a class absent from both costs 0; the authors' value.

    Raises:
        InputError: If gamma is outside [1, 2].

    Examples:
        >>> labels = torch.zeros(1, 1, 4, 4)
        >>> NoiseRobustDice()(torch.tensor([9.0, -9.0]).view(1, 2, 1, 1).expand(1, 2, 4, 4), labels).item() < 1e-4
        True
    """

    def __init__(self, gamma: float = 1.5, smooth: float = 1e-5) -> None:
        super().__init__()
        if not 1 <= gamma <= 2:
            msg = f"gamma must be in [1, 2], got {gamma}. The authors use 1.5."
            raise InputError(msg)
        self.gamma, self.smooth = gamma, smooth

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Average the ratio over classes."""
        p, y, difference = residuals(logits, labels)
        numerator = difference.abs().pow(self.gamma).sum((0, 2))
        return (numerator / (p.sum((0, 2)) + y.sum((0, 2)) + self.smooth)).mean()


class TLoss(nn.Module):
    """Compute the negative log-likelihood of an image's residuals under a Student t distribution.

    Gonzalez-Jimenez et al., MICCAI 2023, 10.1007/978-3-031-43898-1_68, with unit scale. All residuals of an image
    stand inside one logarithm, so a *whole image* with bad labels counts less; an error that every image shares is
    not discounted. Divided by the number of residuals, so that learning rates carry over between image sizes.
    Published with nu learnt beside the weights, by Adam at 0.01: the preset `robust_tloss` does both. It needs images
    whose labels are *unequally* bad. It is published for one class of events: of two it may leave one behind.

    Args:
        degrees_of_freedom: Where nu starts; positive.
        learn: Let training change nu. The optimizer must then be given this loss's parameters, and the
            resume its state.

    Raises:
        InputError: If the degrees of freedom are not positive.

    Examples:
        >>> loss = TLoss(degrees_of_freedom=1.0)
        >>> right = loss(torch.tensor([9.0, -9.0]).view(1, 2, 1, 1).expand(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))
        >>> wrong = loss(torch.tensor([-9.0, 9.0]).view(1, 2, 1, 1).expand(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))
        >>> bool(right < wrong)
        True
    """

    def __init__(self, degrees_of_freedom: float = 1.0, *, learn: bool = False) -> None:
        super().__init__()
        if degrees_of_freedom <= 0:
            msg = f"degrees_of_freedom must be positive, got {degrees_of_freedom}. The authors start at 1."
            raise InputError(msg)
        self.log_nu = nn.Parameter(torch.tensor(math.log(degrees_of_freedom)), requires_grad=learn)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Average the likelihood per residual over images."""
        squares = residuals(logits, labels)[2].square().sum((1, 2))
        size = logits[0].numel()
        nu = self.log_nu.exp()
        constant = torch.lgamma(nu / 2) - torch.lgamma((nu + size) / 2) + size / 2 * torch.log(math.pi * nu)
        return ((constant + (nu + size) / 2 * torch.log1p(squares / nu)) / size).mean()
