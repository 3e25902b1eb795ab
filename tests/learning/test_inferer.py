"""Prediction gives the labels of the network as it was trained, whole or window by window."""

import pytest
import torch
from monai.networks.nets import UNet
from torch import nn

from noisylabels.learning.folding import fold_batch_norms
from noisylabels.learning.inferer import FieldInferer
from noisylabels.learning.network import PoolUNet


def with_statistics(network: nn.Module) -> nn.Module:
    """Running means of 0 and 1 would hide a wrong fold."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 2)
    return network.eval()


@pytest.mark.parametrize(
    "network",
    [
        lambda: UNet(2, 2, 3, (4, 4, 8, 8), (1, 2, 2), num_res_units=2, norm="BATCH"),
        lambda: UNet(2, 2, 3, (4, 8), (2,), num_res_units=0, norm="BATCH", adn_ordering="AN"),
        lambda: UNet(2, 2, 3, (4, 8), (2,), num_res_units=1, norm="INSTANCE", dropout=0.2),
        lambda: PoolUNet(2, 2, 3, channels=(4, 8, 8), strides=(2, 2), num_res_units=2, norm="BATCH"),
    ],
)
def test_a_folded_network_gives_equal_labels(network) -> None:
    torch.manual_seed(0)
    trained = with_statistics(network())
    images = torch.randn(2, 2, 32, 40)
    with torch.inference_mode():
        expected, found = trained(images), FieldInferer()(images, trained)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(found.argmax(1), expected.argmax(1))


def test_batch_norms_before_an_activation_are_folded_and_the_network_is_not_changed() -> None:
    torch.manual_seed(0)
    trained = with_statistics(UNet(2, 2, 3, (4, 4, 8), (1, 2), num_res_units=2, norm="BATCH"))
    before = {key: value.clone() for key, value in trained.state_dict().items()}
    left = [part for part in fold_batch_norms(trained).modules() if isinstance(part, nn.BatchNorm2d)]
    assert left == []
    assert all(torch.equal(value, before[key]) for key, value in trained.state_dict().items())


def test_new_weights_are_folded_anew() -> None:
    torch.manual_seed(0)
    network, inferer, images = nn.Conv2d(1, 2, 1).eval(), FieldInferer(), torch.randn(1, 1, 8, 8)
    with torch.no_grad():
        first = inferer(images, network)
        network.load_state_dict({key: value + 1 for key, value in network.state_dict().items()})
        second = inferer(images, network)
        assert not torch.equal(first, second)
        assert torch.equal(second, network(images))


def test_windows_give_what_the_whole_field_gives_away_from_their_edges() -> None:
    torch.manual_seed(0)
    network = with_statistics(UNet(2, 1, 3, (4, 8), (2,), num_res_units=1, norm="BATCH"))
    image = torch.randn(1, 1, 32, 144)
    with torch.inference_mode():
        whole = FieldInferer()(image, network)
        parts = FieldInferer(whole_px=32 * 100, window=64, overlap=0.25)(image, network)
    edges = [0, 48, 64, 80, 112, 144]  # windows start at 0, 48 and 80 and are 64 wide
    columns = [i for i in range(144) if all(abs(i - edge) > 12 for edge in edges[1:5])]
    assert len(columns) > 40
    torch.testing.assert_close(parts[..., columns], whole[..., columns], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(parts, whole, rtol=1e-4, atol=1e-4), "or else nothing was cut"
