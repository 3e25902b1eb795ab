"""A trained network made whole for other programs: raw counts in, class probabilities out."""

import torch
from torch import nn
from torch.nn import functional

from noisylabels.learning.folding import fold_batch_norms

DIVISOR = 8
"""Sides of images are padded to multiples of it by reflection, as in the bundles."""


class WholeNetwork(nn.Module):
    """Normalise each channel, pad, run the network, take the padding off, and give probabilities.

    It takes (batch, channel, row, column), the order of microscopy; the network inside is MONAI's and takes (batch,
    channel, x, y). Images are normalised one by one, over all of their pixels: give it whole fields, not tiles.

    Args:
        network: A bundle's network of two dimensions. Not modified; batch normalisations are folded.

    Examples:
        >>> whole = WholeNetwork(nn.Conv2d(2, 3, 1))
        >>> chances = whole(torch.rand(1, 2, 9, 13))
        >>> chances.shape, bool((chances.sum(dim=1) - 1).abs().max() < 1e-6)
        (torch.Size([1, 3, 9, 13]), True)
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = fold_batch_norms(network)
        self.eval()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the class probabilities.

        Args:
            image: (batch, channel, row, column) float32 counts; sides of 8 pixels and more.

        Returns:
            (batch, class, row, column) float32 that sum to 1.
        """
        rows, columns = image.shape[2], image.shape[3]
        mean = image.mean(dim=(2, 3), keepdim=True)
        spread = image.std(dim=(2, 3), keepdim=True, unbiased=False)
        ready = (image - mean) / torch.where(spread == 0, torch.ones_like(spread), spread)
        ready = ready.index_select(2, _reflected(rows, image.device)).index_select(3, _reflected(columns, image.device))
        logits = self.network(ready.transpose(2, 3)).transpose(2, 3)
        above, left = (-rows % 8) // 2, (-columns % 8) // 2
        return functional.softmax(logits[:, :, above : above + rows, left : left + columns], dim=1)


def _reflected(side: int, device: torch.device) -> torch.Tensor:
    """List the pixels of a side that is padded to a multiple of 8: the edge itself is not repeated."""
    lacking = -side % 8
    places = torch.arange(-(lacking // 2), side + lacking - lacking // 2, device=device)
    return side - 1 - (side - 1 - places.abs()).abs()
