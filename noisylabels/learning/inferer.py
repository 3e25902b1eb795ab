"""The forward pass: mixed precision and memory layout in training, windows and folded weights in prediction."""

from collections.abc import Callable

import torch
from monai.inferers import SimpleInferer, SlidingWindowInferer
from torch import nn

from noisylabels.learning.folding import FoldedCopy


class FastInferer(SimpleInferer):
    """Run a network as the device likes it best; the logits come back as float32.

    MONAI's own mixed precision is for CUDA alone. This one is bfloat16 on any device that has it: its range is
    that of float32, so that no loss has to be scaled, and the loss itself is computed in float32.

    Args:
        amp: Compute in bfloat16 where that is safe (matrix products and convolutions).
        channels_last: Hand images over with neighbouring channels, the layout of fast convolutions.

    Examples:
        >>> FastInferer(amp=True)(torch.ones(1, 1, 2, 2), torch.nn.Conv2d(1, 1, 1)).dtype
        torch.float32
    """

    def __init__(self, amp: bool = False, channels_last: bool = False) -> None:
        super().__init__()
        self.amp = amp
        self.channels_last = channels_last

    def __call__(
        self, inputs: torch.Tensor, network: Callable[..., torch.Tensor], *args: object, **kwargs: object
    ) -> torch.Tensor:
        """Predict.

        Args:
            inputs: (batch, channel, x, y) images.
            network: The network.
            args: Further arguments of the network.
            kwargs: Further arguments of the network.

        Returns:
            (batch, class, x, y) float32 logits.
        """
        images = inputs.contiguous(memory_format=torch.channels_last) if self.channels_last else inputs
        with torch.autocast(inputs.device.type, dtype=torch.bfloat16, enabled=self.amp):
            logits = network(images, *args, **kwargs)
        return logits.float()


class FieldInferer(SlidingWindowInferer):
    """Predict fields of any size, whole where they are small enough, else window by window.

    Batch normalisations are folded into the convolutions (`noisylabels.learning.folding`), images are handed over with
    neighbouring channels. A field of more pixels than `whole_px` is cut into overlapping windows, whose logits are
    blended; away from the windows' edges they are those of the whole field.

    Args:
        whole_px: Most pixels of a field that is predicted whole: about 400 bytes of memory each.
        window: Sides of a window in pixels; multiples of 8.
        overlap: Share of a window that it has in common with the next.

    Examples:
        >>> FieldInferer(whole_px=16, window=8)(torch.ones(1, 1, 16, 16), torch.nn.Conv2d(1, 3, 1)).shape
        torch.Size([1, 3, 16, 16])
    """

    def __init__(self, whole_px: int = 2048 * 2048, window: int = 1024, overlap: float = 0.25) -> None:
        super().__init__(roi_size=(window, window), sw_batch_size=1, overlap=overlap, mode="gaussian")
        self.whole_px = whole_px
        self.window = window
        self._folded = FoldedCopy()

    def __call__(
        self, inputs: torch.Tensor, network: Callable[..., torch.Tensor], *args: object, **kwargs: object
    ) -> torch.Tensor:
        """Predict.

        Args:
            inputs: (batch, channel, x, y) images.
            network: The network.
            args: Further arguments of the network.
            kwargs: Further arguments of the network.

        Returns:
            (batch, class, x, y) float32 logits.
        """
        ready = self._folded.of(network) if isinstance(network, nn.Module) else network
        images = inputs.contiguous(memory_format=torch.channels_last)
        if inputs.shape[-2] * inputs.shape[-1] <= self.whole_px:
            return ready(images, *args, **kwargs)
        # A window wider than the field would be filled up with zeros, which are no background.
        self.roi_size = tuple(min(self.window, side) for side in inputs.shape[2:])
        logits: torch.Tensor = super().__call__(images, ready, *args, **kwargs)
        return logits
