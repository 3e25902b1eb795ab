"""A network for prediction alone: batch normalisation folded into the convolutions before it."""

import copy

import torch
from monai.networks.blocks import Convolution
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Return a copy of a network whose batch normalisations are part of its convolutions.

    In prediction a batch normalisation is a fixed scale and shift of each channel, and so is folded exactly, up to
    rounding, into a convolution that comes right before it, as in MONAI's `Convolution` blocks. Others are kept.

    Args:
        network: Not modified; taken as in `eval()`.

    Returns:
        A copy in `eval()`.

    Examples:
        >>> block = Convolution(2, 1, 4, norm="batch").eval()
        >>> folded = fold_batch_norms(block)
        >>> sum(isinstance(part, nn.BatchNorm2d) for part in folded.modules())
        0
        >>> image = torch.rand(1, 1, 8, 8)
        >>> torch.allclose(folded(image), block(image), atol=1e-6)
        True
    """
    folded = copy.deepcopy(network).eval()
    for block in folded.modules():
        if isinstance(block, Convolution):
            _fold_block(block)
    return folded


def _fold_block(block: Convolution) -> None:
    names = list(dict(block.named_children()))
    parts = list(dict(block.adn.named_children())) if names[:2] == ["conv", "adn"] else []
    if parts[:1] != ["N"]:  # activation or dropout first: nothing to fold
        return
    convolution, norm = block.conv, block.adn.N
    if isinstance(convolution, CONVOLUTIONS) and isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d):
        transposed = isinstance(convolution, nn.ConvTranspose2d | nn.ConvTranspose3d)
        block.conv = fuse_conv_bn_eval(convolution, norm, transpose=transposed)
        block.adn.N = nn.Identity()


class FoldedCopy:
    """Keep the folded copy of a network, and make it anew when its weights change."""

    def __init__(self) -> None:
        self._of: tuple[int, ...] = ()
        self._folded: nn.Module | None = None

    def of(self, network: nn.Module) -> nn.Module:
        """Return the folded copy of a network in `eval()`; the network itself while it trains."""
        if network.training:
            return network
        parts = (*network.parameters(), *network.buffers())
        state = (id(network), *(part._version for part in parts), *(part.data_ptr() for part in parts))
        if self._folded is None or state != self._of:
            self._of, self._folded = state, fold_batch_norms(network)
            self._folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self._folded
