"""The loops that numba compiles: the same integers as the numpy path, at memory speed.

Imported through `evaluation.engine` only, since importing numba costs time and it may be absent.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

WORD = 8  # pixels looked at together: eight uint8 in one 64-bit word
BLOCK = 8  # words looked at together: one cache line


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
    n_blocks = reference.size // (BLOCK * WORD)
    words = reference[: n_blocks * BLOCK * WORD].view(np.uint64)
    other = prediction[: n_blocks * BLOCK * WORD].view(np.uint64)
    for block in range(0, n_blocks * BLOCK, BLOCK):
        seen = np.uint64(0)
        for word in range(block, block + BLOCK):
            seen |= words[word] | other[word]
        if seen:
            for word in range(block, block + BLOCK):
                if words[word] | other[word]:
                    for lane in range(WORD):
                        pixel = word * WORD + lane
                        lanes[lane, reference[pixel] * n_classes + prediction[pixel]] += 1
    for pixel in range(n_blocks * BLOCK * WORD, reference.size):
        lanes[0, reference[pixel] * n_classes + prediction[pixel]] += 1
    counts = lanes.sum(0)
    counts[0] += reference.size - counts.sum()
    return counts.reshape(n_classes, n_classes)


@njit(cache=True, nogil=True)
def probe(
    edges: NDArray[np.uint8], other: NDArray[np.uint8], offsets: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Count boundary pixels per class index + 1, and those with a like one in `other` at one of the offsets.

    Args:
        edges: (pixel,) class index + 1 on boundary pixels, 0 elsewhere; the margin holds every offset.
        other: (pixel,) the same of the other map.
        offsets: (offset,) distances in the flat arrays, nearest first.
        n_classes: All values are at most this.
    """
    counts = np.zeros((n_classes + 1, 2), np.int64)
    n_words = edges.size // WORD
    words = edges[: n_words * WORD].view(np.uint64)
    for word in range(n_words + 1):
        if word < n_words and not words[word]:
            continue
        for pixel in range(word * WORD, min(word * WORD + WORD, edges.size)):
            kind = edges[pixel]
            if kind:
                counts[kind, 0] += 1
                for offset in offsets:
                    if other[pixel + offset] == kind:
                        counts[kind, 1] += 1
                        break
    return counts
