"""Bins of appearance: how bright and how large what a pixel lies in looks; labels of one bin go wrong alike."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.transforms import MapTransform, NormalizeIntensity
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.learning.robust.forward import estimate_transitions

REACH_PX = 2
"""A pixel is as bright as the brightest within this distance, so that the rim of an event lies in the event's bin."""


class AppearanceBins:
    r"""Bins every pixel of an image by brightness and by size; both are seen, labelled or not.

    Brightness is the largest over channels of the image smoothed by a Gaussian of 1 px, and over the pixels around.
    Size is the scale at which the Laplacian, $-\sigma^2 \nabla^2 G_\sigma$, answers most (Lindeberg 1998,
    10.1023/A:1008045108935): a bright disc of radius r answers most at $\sigma = r / \sqrt 2$. The bin is
    size x (number of edges + 1) + brightness.

    Args:
        edges: Rising brightnesses between bins, in deviations of a channel normalised to mean 0 and deviation 1.
        sigmas: Rising scales in pixels, one per size; a single one makes no difference between sizes.

    Raises:
        InputError: If they do not rise, or there is no scale.

    Examples:
        >>> image = np.zeros((1, 30, 60), np.float32)
        >>> image[0, 14:16, 10:12] = image[0, 10:20, 40:50] = 9  # a small event, a large one
        >>> bins = AppearanceBins(edges=[1.0], sigmas=[1.5, 4.0])(image)
        >>> [int(bins[15, column]) for column in (10, 45)]  # both bright: 1; the large one in the second half of bins
        [1, 3]
    """

    def __init__(self, edges: Sequence[float], sigmas: Sequence[float] = (1.5, 4.0)) -> None:
        rising = all(np.all(np.diff(np.asarray(values, float)) > 0) for values in (edges, sigmas))
        if not rising or not len(sigmas) or min(sigmas) <= 0:
            msg = f"edges and sigmas must rise, sigmas above 0, got {list(edges)} and {list(sigmas)}. Sort them."
            raise InputError(msg)
        self.edges, self.sigmas = tuple(map(float, edges)), tuple(map(float, sigmas))

    @property
    def n_bins(self) -> int:
        """How many bins there are."""
        return (len(self.edges) + 1) * len(self.sigmas)

    def __call__(self, image: RealArray) -> NDArray[np.uint8]:
        """Bin the pixels of one image.

        Args:
            image: (channel, x, y), normalised. Not modified.

        Returns:
            (x, y) bin indices.
        """
        bright = np.searchsorted(self.edges, brightness_of(image), side="right")
        if len(self.sigmas) == 1:
            return bright.astype(np.uint8)
        sizes = np.argmax([_answer(image, sigma) for sigma in self.sigmas], axis=0)
        bins: NDArray[np.uint8] = (sizes * (len(self.edges) + 1) + bright).astype(np.uint8)
        return bins


def brightness_of(image: RealArray) -> NDArray[np.float32]:
    """Return the brightness of what each pixel lies in: (channel, x, y) to (x, y)."""
    smooth = ndi.gaussian_filter(np.asarray(image, np.float32), (0, 1, 1)).max(0)
    return _largest_around(smooth)


def normalised(image: RealArray) -> NDArray[np.float32]:
    """Scale every channel to mean 0 and deviation 1, as the bundles do, by the same transform."""
    scaled: NDArray[np.float32] = np.asarray(NormalizeIntensity(channel_wise=True)(np.asarray(image, np.float32)))
    return scaled


def _answer(image: RealArray, sigma: float) -> NDArray[np.float32]:
    spots = [-(sigma**2) * ndi.gaussian_laplace(np.asarray(channel, np.float32), sigma) for channel in image]
    return _largest_around(np.max(spots, axis=0))


def _largest_around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    largest: NDArray[np.float32] = ndi.maximum_filter(values, 2 * REACH_PX + 1)
    return largest


def count_by_appearance(
    trusted: Sequence[tuple[RealArray, NDArray[np.uint8], NDArray[np.uint8]]],
    *,
    n_classes: int,
    n_brightness: int = 4,
    sigmas: Sequence[float] = (1.5, 4.0),
) -> dict[str, list[Any]]:
    """Count on a small trusted set how labels go wrong, bin by bin of appearance.

    Brightnesses are cut so that the pixels of true events are spread evenly over the bins.

    Args:
        trusted: Images (channel, x, y) as they are, true label maps (x, y) and noisy ones.
        n_classes: Number of classes, background included.
        n_brightness: Number of bins of brightness.
        sigmas: Scales, as for `AppearanceBins`.

    Returns:
        What the preset `robust_appearance` asks for: `edges`, `sigmas` and `transitions`, (bin, class, class).

    Raises:
        InputError: If no trusted field has an event.
    """
    images, truths, noisy = ([part[side] for part in trusted] for side in range(3))
    if not any((truth > 0).any() for truth in truths):
        msg = f"The trusted fields must have events to count by, got none in {len(truths)}. Trust others."
        raise InputError(msg)
    scaled = [normalised(image) for image in images]
    bright = np.concatenate([brightness_of(image)[truth > 0] for image, truth in zip(scaled, truths, strict=True)])
    edges = np.unique(np.quantile(bright, np.arange(1, n_brightness) / n_brightness))
    bins = AppearanceBins(edges.tolist(), sigmas)
    table = estimate_transitions(
        *(np.concatenate([one.ravel() for one in maps]) for maps in (truths, noisy)),
        n_classes=n_classes,
        bins=np.concatenate([bins(image).ravel() for image in scaled]),
        n_bins=bins.n_bins,
    )
    return {"edges": edges.tolist(), "sigmas": list(sigmas), "transitions": table.tolist()}


class AppendBinsd(MapTransform):
    """Puts the bin of each pixel behind its label, as `ForwardCorrection` reads it.

    Args:
        keys: Labels, (1, x, y); they become (2, x, y).
        image_key: The image, normalised.
        edges: As for `AppearanceBins`.
        sigmas: As for `AppearanceBins`.
        n_bins: How many tables the loss has.

    Raises:
        InputError: If there are not as many tables as bins.
    """

    def __init__(
        self,
        keys: Sequence[Hashable] | Hashable,
        edges: Sequence[float],
        sigmas: Sequence[float],
        n_bins: int,
        image_key: str = "image",
    ) -> None:
        super().__init__(keys)
        self.bins = AppearanceBins(edges, sigmas)
        self.image_key = image_key
        if n_bins != self.bins.n_bins:
            msg = (
                f"transitions must have a table per bin, (edges + 1) x sigmas = {self.bins.n_bins}, got {n_bins}. "
                "Give edges, sigmas and transitions of one count."
            )
            raise InputError(msg)

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict[Hashable, torch.Tensor]:
        """Append the bins of one field."""
        result = dict(data)
        bins = torch.as_tensor(self.bins(np.asarray(result[self.image_key])))[None]
        for key in self.key_iterator(result):
            result[key] = torch.cat([torch.as_tensor(result[key]), bins.to(result[key].dtype)])
        return result


class DropBinsd(MapTransform):
    """Takes the bins off a batch again after the loss, (batch, 2, x, y), so that metrics see labels alone."""

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict[Hashable, torch.Tensor]:
        """Keep the first channel of a batch."""
        return {**data, **{key: data[key][:, :1] for key in self.key_iterator(dict(data))}}
