"""How often each test finds a preference that is there: 20 images rated twice, scores 1 to 10, 5 % level.

Run: python -m benchmarks.rating_power [draws]. The image effect has an SD of 1.5, a rater's noise one of 1. The KS test
(the paper's) ignores the pairing; the paired tests do not.
"""

import sys

import numpy as np

from evaluation.statistics.rank_tests import compare_distributions, mann_whitney_p, sign_flip_p, signed_rank_p

N_IMAGES, IMAGE_SD, NOISE_SD, LEVEL = 20, 1.5, 1.0, 0.05
TESTS = {
    "KS exact": lambda before, after: compare_distributions(before, after).p,
    "KS matlab": lambda before, after: compare_distributions(before, after, method="matlab").p,
    "Mann-Whitney": mann_whitney_p,
    "Wilcoxon (Pratt)": lambda before, after: signed_rank_p(after - before),
    "sign flips": lambda before, after: sign_flip_p(after - before),
}


def rate(shift, rng):
    quality = rng.normal(5.5, IMAGE_SD, N_IMAGES)
    scores = quality + rng.normal(0, NOISE_SD, (2, N_IMAGES)) + [[0], [shift]]
    return np.clip(np.round(scores), 1, 10)


def measure_power(shift, n_draws, rng):
    drawn = [rate(shift, rng) for _ in range(n_draws)]
    return {name: np.mean([test(*scores) < LEVEL for scores in drawn]) for name, test in TESTS.items()}


def main(n_draws=1000):
    rng = np.random.default_rng(0)
    print("true shift  " + "  ".join(f"{name:>16}" for name in TESTS))
    for shift in (0, 0.5, 1.0, 1.5):
        power = measure_power(shift, n_draws, rng)
        print(f"{shift:>10}  " + "  ".join(f"{power[name]:>16.3f}" for name in TESTS))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
