"""Networks: a bundle's network with its weights, applied to image files of whole fields."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.hashes import stamp_files
from noisylabels.data.images import read_image
from noisylabels.data.labels import LabelMap

if TYPE_CHECKING:
    from monai.bundle import ConfigParser

    from noisylabels.learning.launcher import Launch

Probabilities = NDArray[np.float32]


class Network:
    """A trained network that reads image files as its bundle does.

    The whole field is normalised and shown to the network, whatever part of it is wanted afterwards: a quarter alone
    has another contrast, and other surroundings.

    Args:
        bundle: Name or folder of the bundle.
        checkpoint: Its trained weights.

    Raises:
        FileNotFoundError: If there are no such weights.
        InputError: If the bundle is unknown or the weights do not fit it.
    """

    def __init__(self, bundle: str, checkpoint: str | Path) -> None:
        from noisylabels.learning.checkpoints import load_weights
        from noisylabels.learning.launcher import plan_prediction

        parser = _parser_of(plan_prediction(bundle, (), {"ckpt_path": str(checkpoint)}))
        self._network, self._device = parser.get_parsed_content("network"), parser.get_parsed_content("device")
        self._preprocessing: Callable[..., dict[str, NDArray[np.float32]]]
        self._preprocessing = parser.get_parsed_content("preprocessing")
        load_weights(self._network, checkpoint, map_location=self._device)
        self._network.eval()

    def probabilities(self, image: str | Path) -> Probabilities:
        """Compute the probability of every class at every pixel of an image file.

        Returns:
            (class, row, column) float32, each pixel summing to 1.
        """
        import torch

        fed = torch.as_tensor(self._preprocessing({"image": str(image)})["image"])
        with torch.inference_mode():
            chances = torch.softmax(self._network(fed[None].to(self._device)), dim=1)[0]
        return _without_padding(chances.cpu().numpy(), image)

    def label_map(self, image: str | Path) -> LabelMap:
        """Compute the most probable class at every pixel of an image file, (row, column) uint8."""
        likeliest: LabelMap = self.probabilities(image).argmax(axis=0).astype(np.uint8)
        return likeliest


class Networks:
    """Networks that stay loaded while their weights stay the same."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str], tuple[object, Network]] = {}

    def load(self, bundle: str, checkpoint: str | Path) -> Network:
        """Load a network, or return it if it is loaded already."""
        name = (bundle, str(checkpoint))
        path = Path(checkpoint)
        stamp = stamp_files([path]) if path.is_file() else ()
        if name not in self._loaded or self._loaded[name][0] != stamp:
            self._loaded[name] = (stamp, Network(bundle, checkpoint))
        return self._loaded[name][1]


def _parser_of(launch: "Launch") -> "ConfigParser":
    from monai.bundle import ConfigParser

    parser = ConfigParser(ConfigParser.load_config_files(launch.config_files))
    parser["bundle_root"] = str(launch.bundle)
    for key, value in launch.overrides.items():
        parser[key] = value
    return parser


def _without_padding(padded: Probabilities, image: str | Path) -> Probabilities:
    """Cut (class, x, y) of MONAI's padded order back to (class, row, column) of the image: the padding is symmetric."""
    rows, columns = read_image(image).shape[-2:]
    turned = padded.transpose(0, 2, 1)
    top, left = (turned.shape[1] - rows) // 2, (turned.shape[2] - columns) // 2
    return np.ascontiguousarray(turned[:, top : top + rows, left : left + columns])
