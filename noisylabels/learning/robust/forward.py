"""Forward correction: teach the network the truth through a model of how labels go wrong."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from noisylabels.data.errors import InputError
from noisylabels.learning.robust.pixel_losses import log_probabilities


class ForwardCorrection(nn.Module):
    """-log sum_a p(a) T[a, label]: cross-entropy of the *noisy* label, the network's p being of the true class.

    Patrini et al., CVPR 2017, arXiv 1609.03683. T[a, b] is the probability that a pixel of true class a is labelled
    b, counted on a small trusted set (Hendrycks et al. 2018, arXiv 1802.05300: `estimate_transitions`). With
    several matrices, one per bin of some feature (dim, bright), labels carry the bin index as second channel.

    Args:
        transitions: (class, class) or (bin, class, class) rows that sum to 1.

    Raises:
        InputError: If a row does not sum to 1 or an entry is negative.

    Examples:
        >>> identity = ForwardCorrection([[1.0, 0.0], [0.0, 1.0]])
        >>> round(identity(torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4)).item(), 4)  # cross-entropy: log 2
        0.6931
    """

    log_transitions: Tensor

    def __init__(self, transitions: Sequence[Sequence[float]] | NDArray[np.floating]) -> None:
        super().__init__()
        table = np.asarray(transitions, np.float64)
        check_transitions(table)
        # A transition of probability 0 would make one wrong label cost infinity.
        floor = torch.finfo(torch.float32).tiny
        bins = torch.as_tensor(table.reshape(-1, *table.shape[-2:]), dtype=torch.float32)
        self.register_buffer("log_transitions", bins.clamp_min(floor).log(), persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Average over pixels.

        Args:
            logits: (batch, class, x, y).
            labels: (batch, 1, x, y) noisy class indices, or (batch, 2, x, y) with the bin index second.
        """
        noisy = labels[:, 0].long()
        bins = labels[:, 1].long() if labels.shape[1] > 1 else torch.zeros_like(noisy)
        # A config names a loss and moves only the network to a GPU.
        columns = self.log_transitions.to(logits.device)[bins, :, noisy].movedim(-1, 1)
        return -torch.logsumexp(log_probabilities(logits) + columns, dim=1).mean()


def check_transitions(table: NDArray[np.floating]) -> None:
    """Check that a transition table is one.

    Args:
        table: (..., class, class) probabilities.

    Raises:
        InputError: If it is not square, has negative entries or a row that does not sum to 1.
    """
    if table.ndim not in (2, 3) or table.shape[-1] != table.shape[-2]:
        msg = f"transitions must be ([bin,] class, class), got shape {table.shape}. Give one row per true class."
        raise InputError(msg)
    sums = table.sum(-1)
    if (table < 0).any() or not np.allclose(sums, 1, atol=1e-6):
        got = sums.round(4).tolist()
        msg = f"Rows of transitions must be probabilities that sum to 1, got sums {got}. Normalise the rows."
        raise InputError(msg)


def estimate_transitions(
    reference: NDArray[np.uint8],
    noisy: NDArray[np.uint8],
    *,
    n_classes: int,
    bins: NDArray[np.integer] | None = None,
    n_bins: int = 1,
    smoothing: float = 1.0,
) -> NDArray[np.float64]:
    """Count how labels go wrong on a small trusted set.

    Args:
        reference: Trusted class indices, any shape.
        noisy: Noisy class indices of the same pixels.
        n_classes: Number of classes.
        bins: Bin index of each pixel, for one matrix per bin.
        n_bins: Number of bins.
        smoothing: Pixels added to the right label of each class, so that a class that never occurs is taken as clean.

    Returns:
        (class, class) row-normalised counts, or (bin, class, class) when bins are given.

    Raises:
        InputError: If the shapes differ.

    Examples:
        >>> reference, noisy = np.array([0, 0, 1, 1], np.uint8), np.array([0, 0, 0, 1], np.uint8)
        >>> estimate_transitions(reference, noisy, n_classes=2, smoothing=0)
        array([[1. , 0. ],
               [0.5, 0.5]])
    """
    if reference.shape != noisy.shape:
        msg = f"reference and noisy must be of one shape, got {reference.shape} and {noisy.shape}. Pair the label maps."
        raise InputError(msg)
    bin_of = np.zeros(reference.shape, np.int64) if bins is None else bins.astype(np.int64)
    code = (bin_of * n_classes + reference) * n_classes + noisy
    found = np.bincount(code.ravel(), minlength=n_bins * n_classes**2).reshape(n_bins, n_classes, n_classes)
    counts = found + smoothing * np.eye(n_classes)
    table = counts / np.maximum(counts.sum(-1, keepdims=True), np.finfo(float).tiny)
    return table[0] if bins is None else table
