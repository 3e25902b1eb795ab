"""Networks of the desk: loaded once, applied to image files of whole fields."""

import os
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from noisylabels.data.arrays import Image
from noisylabels.data.hashes import Stamp, stamp_files
from noisylabels.data.images import read_image
from noisylabels.data.labels import LabelMap

if TYPE_CHECKING:
    from noisylabels.learning.models import Model


MOST_KEPT = 16
"""Label maps of fields that are kept: somebody who predicts region after region asks for one field again and again."""


class Networks:
    """Networks that stay loaded while their weights stay the same, and the last label maps that they made."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str], tuple[tuple[Stamp, ...], Model]] = {}
        self._made: OrderedDict[tuple[str, tuple[Stamp, ...]], LabelMap] = OrderedDict()

    def predict(self, bundle: str, checkpoint: str | Path, image: str | Path) -> LabelMap:
        """Predict the label map of an image file; at once if both files are as they were when it was made last.

        Returns:
            (row, column) uint8 class indices of the whole field.

        Raises:
            FileNotFoundError: If there is no such file.
            InputError: If the bundle is unknown, the weights do not fit it, or the image not the network.
        """
        network = self.load(bundle, checkpoint)
        key = (bundle, stamp_files([Path(checkpoint), Path(image)]))
        if key not in self._made:
            self._made[key] = network.predict(read_for_network(image))
            while len(self._made) > MOST_KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]

    def load(self, bundle: str, checkpoint: str | Path) -> "Model":
        """Load a network, or return it if it is loaded already.

        Raises:
            FileNotFoundError: If there are no such weights.
            InputError: If the bundle is unknown or the weights do not fit it.
        """
        name, path = (bundle, str(checkpoint)), Path(checkpoint)
        stamp = stamp_files([path]) if path.is_file() else ()
        if name not in self._loaded or self._loaded[name][0] != stamp:
            self._loaded[name] = (stamp, load_network(bundle, checkpoint))
        return self._loaded[name][1]


def load_network(bundle: str, checkpoint: str | Path) -> "Model":
    """Load a network onto the GPU if there is one; arguments and errors as in `Networks.load`.

    It takes half of the cores, at least one: server, browser and colleagues are at work beside it, and threads that
    wait for each other on busy cores are several times slower than one alone.
    """
    import torch

    from noisylabels.learning.models import load_model

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
    return load_model(checkpoint, bundle=bundle, device="cuda" if torch.cuda.is_available() else "cpu")


def read_for_network(path: str | Path) -> Image:
    """Read the image of a whole field, (channel, row, column); of several focal planes the brightest value.

    A network sees the whole field whatever part of it is wanted: a quarter alone has another contrast, and other
    surroundings.
    """
    image = read_image(path)
    return image.max(axis=1) if image.ndim == 4 else image
