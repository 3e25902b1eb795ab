"""The first image of a folder beside what a network expects: told before anything heavy is imported."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from noisylabels.data.errors import InputError
from noisylabels.data.image_metadata import read_metadata
from noisylabels.data.images import read_image
from noisylabels.learning.channels import read_names, refuse_other_order, say_taken
from noisylabels.learning.datalist import read_images


def match_channels(dataset_dir: str | Path, expected: Sequence[str], *, split: str = "all") -> str:
    """Check that the first image has the channels that a network expects, and say which is taken for which.

    Names come from dataset.json, or else from the file; a folder whose channels have the expected names needs no word.

    Args:
        dataset_dir: A dataset folder, or any folder of images.
        expected: Names of the channels of the network, in order.
        split: Which fields are predicted.

    Returns:
        Which channel is taken for which, where the names differ or are not known; else nothing.

    Raises:
        FileNotFoundError: If there is no image.
        InputError: If the image has another number of channels, or the same ones in another order.
    """
    path = Path(read_images(dataset_dir, split=split)[0]["image"])
    n_channels = len(read_image(path))
    names = read_names(dataset_dir)[0] or list(read_metadata(path, n_channels=n_channels).channel_names)
    if n_channels != len(expected):
        place = quote(str(dataset_dir))
        keep = ",".join(str(number) for number in range(len(expected)))
        wanted = f"{len(expected)} channel{'s' * (len(expected) > 1)} ({', '.join(expected)})"
        got = f"{n_channels} ({', '.join(names)})" if names else str(n_channels)
        msg = (
            f"Images must have {wanted}, got {got} in {path}. Choose some, counted from 0: "
            f"noisylabels import {place} CHOSEN --keep {keep}; then predict CHOSEN."
        )
        raise InputError(msg)
    refuse_other_order(names, expected, dataset=dataset_dir)
    return say_taken(names or [f"channel {place + 1}" for place in range(n_channels)], expected)
