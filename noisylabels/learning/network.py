"""The paper's network: MONAI's UNet with max-pooling and a skip at full resolution."""

from monai.networks.blocks import Convolution
from monai.networks.layers.factories import Pool
from monai.networks.nets import UNet
from torch import nn


class PoolUNet(UNet):
    """MONAI's `UNet` in the topology of the original U-Net: convolve, then max-pool, n times.

    Stock `UNet` halves the image with strided convolutions, and does so first, so that its highest skip is at
    half resolution; events of 3 to 10 pixels suffer. Here there is a max-pooling between one level and the next:
    `channels=(16, 32, 64, 128), strides=(2, 2, 2)` gives three poolings and skips at 1/1, 1/2 and 1/4, as
    MATLAB's `unetLayers` with encoder depth 3, which the paper used. All arguments are those of `UNet`.

    Examples:
        >>> network = PoolUNet(2, 2, 3, channels=(8, 16, 32, 64), strides=(2, 2, 2))
        >>> sum(isinstance(module, nn.MaxPool2d) for module in network.modules())
        3
    """

    def _get_down_layer(self, in_channels: int, out_channels: int, strides: int, is_top: bool) -> nn.Module:
        block: nn.Module = super()._get_down_layer(in_channels, out_channels, 1, is_top)
        return block if is_top else nn.Sequential(self._pooling(strides), block)

    def _get_bottom_layer(self, in_channels: int, out_channels: int) -> nn.Module:
        stride = self.strides[-1]
        block: nn.Module = super()._get_down_layer(in_channels, out_channels, 1, False)
        return nn.Sequential(self._pooling(stride), block, self._upsampling(out_channels, stride))

    def _get_up_layer(self, in_channels: int, out_channels: int, strides: int, is_top: bool) -> nn.Module:
        layer: nn.Module = super()._get_up_layer(in_channels, out_channels, 1 if is_top else strides, is_top)
        return layer

    def _pooling(self, stride: int) -> nn.Module:
        pooling: nn.Module = Pool[Pool.MAX, self.dimensions](kernel_size=stride, stride=stride)
        return pooling

    def _upsampling(self, channels: int, stride: int) -> nn.Module:
        return Convolution(
            self.dimensions,
            channels,
            channels,
            strides=stride,
            kernel_size=self.up_kernel_size,
            act=self.act,
            norm=self.norm,
            dropout=self.dropout,
            bias=self.bias,
            is_transposed=True,
            adn_ordering=self.adn_ordering,
        )
