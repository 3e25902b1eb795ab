"""How fast intervals and permutation tests are, beside a plain loop over resamples and the physical floor.

Run: python -m benchmarks.resampling [fields] [--json FILE]. Mean IoU and mean boundary F1 of two methods, three
classes, 10,000 resamples. The loop recomputes both scores from the per-field counts of every resample, as is usual; it
is timed on 200 resamples and scaled. The floor is one matrix product of weights and counts.
"""

import time

import numpy as np

from benchmarks.ratios import Ratio, hand_over, option_parser
from evaluation.metrics.pixels import score_all
from evaluation.statistics.resampling import bootstrap_scores, permute_pairs

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
    return [score(counts[rng.integers(len(counts), size=len(counts))].sum(0)) for _ in range(n)]


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
    ours = clock(lambda: bootstrap_scores(counts, score, n_resamples=N_RESAMPLES, rng=rng))
    swaps = clock(lambda: permute_pairs(counts[:, 0], counts[:, 1], score, n_resamples=N_RESAMPLES, rng=rng))
    looped = clock(lambda: loop(counts, rng, N_LOOPED)) * N_RESAMPLES / N_LOOPED
    what = f"{N_RESAMPLES} resamples of {n_fields} fields, two scores of two methods"
    below = (floor, "product of weights and counts")
    bootstrap = Ratio(f"{what}: bootstrap", ours, "s", "cpu", looped, "plain loop", *below)
    hand_over([bootstrap, Ratio(f"{what}: permutations", swaps, "s", "cpu", None, "", *below)], options.json)


if __name__ == "__main__":
    main()
