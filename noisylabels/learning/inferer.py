"""The forward pass of training: mixed precision and memory layout in one place, on any device."""

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import SimpleInferer


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
        self, inputs: torch.Tensor, network: Callable[..., torch.Tensor], *args: Any, **kwargs: Any
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
