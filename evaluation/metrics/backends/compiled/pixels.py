"""Counting pairs of class indices, eight pixels at a time."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

WORD = 8  # pixels looked at together: eight uint8 in one 64-bit word


@njit(cache=True, nogil=True)
def count_pixels(
    reference: NDArray[np.uint8], prediction: NDArray[np.uint8], n_classes: int
) -> tuple[NDArray[np.int64], bool]:
    """Count pairs of class indices; words in which both maps are all background are skipped.

    Args:
        reference: (pixel,) contiguous.
        prediction: (pixel,) contiguous, as long.
        n_classes: C.

    Returns:
        (C, C) counts, and whether all values are below C: what is not was counted beside them.
    """
    # One histogram per place in a word: two neighbours of one class do not wait for each other's sum.
    width = n_classes + 1
    lanes = np.zeros((WORD, width * width), np.int64)
    n_words = reference.size // WORD
    words = reference[: n_words * WORD].view(np.uint64)
    other = prediction[: n_words * WORD].view(np.uint64)
    for word in range(n_words):
        if words[word] | other[word]:
            for lane in range(WORD):
                pixel = word * WORD + lane
                lanes[lane, min(reference[pixel], n_classes) * width + min(prediction[pixel], n_classes)] += 1
    for pixel in range(n_words * WORD, reference.size):
        lanes[0, min(reference[pixel], n_classes) * width + min(prediction[pixel], n_classes)] += 1
    counts = lanes.sum(0)
    counts[0] += reference.size - counts.sum()
    table = counts.reshape(width, width)[:n_classes, :n_classes].copy()
    return table, table.sum() == reference.size
