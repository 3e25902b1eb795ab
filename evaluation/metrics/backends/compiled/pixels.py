"""Counting pairs of class indices, eight pixels at a time."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

WORD = 8  # pixels looked at together: eight uint8 in one 64-bit word


@njit(cache=True, nogil=True)
def count_pixels(reference: NDArray[np.uint8], prediction: NDArray[np.uint8], n_classes: int) -> NDArray[np.int64]:
    """Count pairs of class indices; words in which both maps are all background are skipped.

    Args:
        reference: (pixel,) contiguous.
        prediction: (pixel,) contiguous, as long.
        n_classes: All values are below it.
    """
    # One histogram per place in a word: two neighbours of one class do not wait for each other's sum.
    lanes = np.zeros((WORD, n_classes * n_classes), np.int64)
    n_words = reference.size // WORD
    words = reference[: n_words * WORD].view(np.uint64)
    other = prediction[: n_words * WORD].view(np.uint64)
    for word in range(n_words):
        if words[word] | other[word]:
            for lane in range(WORD):
                pixel = word * WORD + lane
                lanes[lane, reference[pixel] * n_classes + prediction[pixel]] += 1
    for pixel in range(n_words * WORD, reference.size):
        lanes[0, reference[pixel] * n_classes + prediction[pixel]] += 1
    counts = lanes.sum(0)
    counts[0] += reference.size - counts.sum()
    return counts.reshape(n_classes, n_classes)
