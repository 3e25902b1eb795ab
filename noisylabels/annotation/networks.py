"""Networks of the desk: loaded once, applied to image files of whole fields."""

from pathlib import Path
from typing import TYPE_CHECKING

from noisylabels.data.arrays import Image
from noisylabels.data.hashes import Stamp, stamp_files
from noisylabels.data.images import read_image

if TYPE_CHECKING:
    from noisylabels.learning.models import Model


class Networks:
    """Networks that stay loaded while their weights stay the same."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str], tuple[tuple[Stamp, ...], Model]] = {}

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
    """Load a network onto the GPU if there is one; arguments and errors as in `Networks.load`."""
    import torch

    from noisylabels.learning.models import load_model

    return load_model(checkpoint, bundle=bundle, device="cuda" if torch.cuda.is_available() else "cpu")


def read_for_network(path: str | Path) -> Image:
    """Read the image of a whole field, (channel, row, column); of several focal planes the brightest value.

    A network sees the whole field whatever part of it is wanted: a quarter alone has another contrast, and other
    surroundings.
    """
    image = read_image(path)
    return image.max(axis=1) if image.ndim == 4 else image
