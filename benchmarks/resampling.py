"""How fast intervals and permutation tests are, beside a plain loop over resamples and the physical floor.

Run: python -m benchmarks.resampling [fields] [--json FILE]. Mean IoU and mean boundary F1 of two methods, three
classes, 10,000 swaps, and the jackknife over all fields. The loop recomputes both scores from the per-field counts of
every swap, as is usual; it is timed on 200 swaps and scaled. The floor is one matrix product of weights and counts.
"""

import time

import numpy as np

from benchmarks.ratios import Ratio, hand_over, option_parser
from evaluation.metrics.pixels import score_all
from evaluation.statistics.intervals import leave_clusters_out
from evaluation.statistics.permutation import permute_pairs

N_RESAMPLES, N_LOOPED, N_CLASSES = 10_000, 200, 3


def draw_counts(n_fields, rng):
    """(field, method, 11): a confusion matrix, the field's boundary F1, and 1."""
    confusion = rng.integers(0, 20_000, (n_fields, 2, N_CLASSES**2))
    boundary = np.stack([rng.random((n_fields, 2)), np.ones((n_fields, 2))], axis=-1)
    return np.concatenate([confusion, boundary], axis=-1)


def score(sums):
    confusion = sums[..., :9].reshape(*sums.shape[:-1], N_CLASSES, N_CLASSES)
    return np.stack([score_all(confusion)["MeanIoU"], sums[..., 9] / sums[..., 10]], axis=-1)


def loop(counts, rng, n):
    for _ in range(n):
        swap = rng.integers(2, size=len(counts)).astype(bool)
        np.diff(score(np.where(swap[:, None, None], counts[:, ::-1], counts).sum(0)), axis=0)


def clock(function, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def main():
    parser = option_parser(__doc__)
    parser.add_argument("fields", nargs="?", type=int, default=306)
    options = parser.parse_args()
    n_fields = options.fields
    rng = np.random.default_rng(0)
    counts = draw_counts(n_fields, rng)
    weights, flat = rng.random((N_RESAMPLES, n_fields)), counts.reshape(n_fields, -1)
    floor = clock(lambda: weights @ flat)
    jackknife = clock(lambda: leave_clusters_out(counts, score))
    swaps = clock(lambda: permute_pairs(counts[:, 0], counts[:, 1], score, n_resamples=N_RESAMPLES, rng=rng))
    looped = clock(lambda: loop(counts, rng, N_LOOPED)) * N_RESAMPLES / N_LOOPED
    what = f"{n_fields} fields, two scores of two methods"
    below = (floor, "product of weights and counts")
    permutations = Ratio(f"{N_RESAMPLES} permutations of {what}", swaps, "s", "cpu", looped, "plain loop", *below)
    hand_over([permutations, Ratio(f"jackknife of {what}", jackknife, "s", "cpu", None, "")], options.json)


if __name__ == "__main__":
    main()
