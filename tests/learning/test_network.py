import pytest
import torch
from torch import nn

from noisylabels.learning.network import PoolUNet


def shapes_of(network: nn.Module, kind: type[nn.Module], image: torch.Tensor) -> list[tuple[int, ...]]:
    """The sizes that modules of one kind get, in the order in which they run."""
    seen: list[tuple[int, ...]] = []
    hooks = [
        module.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape[2:])))
        for module in network.modules()
        if isinstance(module, kind)
    ]
    network(image)
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize("res_units", [0, 2])
def test_the_image_is_pooled_three_times_and_skipped_at_full_half_and_quarter_size(res_units: int) -> None:
    network = PoolUNet(2, 2, 3, channels=(4, 8, 16, 32), strides=(2, 2, 2), num_res_units=res_units, norm="BATCH")
    image = torch.zeros(1, 2, 16, 24)
    assert network(image).shape == (1, 3, 16, 24)
    assert shapes_of(network, nn.MaxPool2d, image) == [(16, 24), (8, 12), (4, 6)]
    from monai.networks.layers import SkipConnection

    assert shapes_of(network, SkipConnection, image) == [(16, 24), (8, 12), (4, 6)]
    assert not [m for m in network.modules() if type(m) is nn.Conv2d and m.stride != (1, 1)]


def test_it_can_be_scripted() -> None:
    network = PoolUNet(2, 1, 2, channels=(4, 8, 16), strides=(2, 2), num_res_units=2).eval()
    image = torch.randn(1, 1, 8, 12)
    with torch.no_grad():
        assert torch.equal(torch.jit.script(network)(image), network(image))


def test_pooling_can_be_by_three() -> None:
    network = PoolUNet(2, 1, 2, channels=(4, 8), strides=(3,))
    assert network(torch.zeros(1, 1, 9, 6)).shape == (1, 2, 9, 6)
