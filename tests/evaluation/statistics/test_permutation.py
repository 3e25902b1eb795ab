import itertools
import re

import numpy as np
import pytest

from evaluation.statistics.permutation import permute_pairs
from noisylabels.data.errors import InputError


def recall(sums):
    with np.errstate(invalid="ignore"):
        return sums[..., 0] / sums.sum(-1)


def several(sums):
    """Recall of two classes, counted in columns 0, 1 and 2, 3."""
    return np.stack([recall(sums[..., :2]), recall(sums[..., 2:])], axis=-1)


def test_exact_permutation_equals_every_swap_tried_by_hand():
    first, second = np.array([[9, 1], [7, 3], [6, 6], [2, 0]]), np.array([[5, 5], [8, 2], [3, 9], [1, 1]])
    observed = abs(recall(first.sum(0)) - recall(second.sum(0)))
    hits = 0
    for swaps in itertools.product([False, True], repeat=4):
        one = np.where(np.array(swaps)[:, None], second, first).sum(0)
        other = np.where(np.array(swaps)[:, None], first, second).sum(0)
        hits += abs(recall(one) - recall(other)) >= observed - 1e-12
    test = permute_pairs(first, second, recall, rng=np.random.default_rng(0))
    assert test.p == hits / 16
    assert test.p_family == test.p
    assert test.floor == 2 / 16


def test_the_family_is_adjusted_as_westfall_and_young_say():
    """Step-down max-T over all swaps, in a loop: the largest against both scores, the smaller against itself alone."""
    rng = np.random.default_rng(2)
    first, second = rng.integers(2, 9, (7, 4)), rng.integers(2, 9, (7, 4)) + np.array([0, 4, 0, 0])
    draws = []
    for swaps in itertools.product([False, True], repeat=7):
        one, other = (
            np.where(np.array(swaps)[:, None], second, first),
            np.where(np.array(swaps)[:, None], first, second),
        )
        draws.append(np.abs(several(one.sum(0)) - several(other.sum(0))))
    draws = np.array(draws) / np.sqrt(np.mean(np.square(draws), axis=0))
    observed = draws[0]
    large, small = np.argsort(-observed)
    expected = np.zeros(2)
    expected[large] = np.mean(draws.max(1) >= observed[large] - 1e-9)
    expected[small] = max(expected[large], np.mean(draws[:, small] >= observed[small] - 1e-9))
    test = permute_pairs(first, second, several, rng=rng)
    np.testing.assert_allclose(test.p_family, expected)
    assert (test.p_family >= test.p).all()


def test_a_score_repeated_28_times_costs_nothing():
    rng = np.random.default_rng(4)
    first, second = rng.integers(5, 9, (6, 2)) * [[4, 1]], rng.integers(5, 9, (6, 2))
    test = permute_pairs(first, second, lambda sums: np.stack([recall(sums)] * 28, axis=-1), rng=rng)
    assert test.p.tolist() == test.p_family.tolist() == [2 / 64] * 28  # Holm would say 0.875


def test_random_permutation_agrees_with_the_exact_one():
    rng = np.random.default_rng(5)
    first, second = rng.integers(0, 20, (12, 2)), rng.integers(0, 20, (12, 2))
    exact = permute_pairs(first, second, recall, n_resamples=2**12, rng=rng)
    drawn = permute_pairs(first, second, recall, n_resamples=4000, rng=rng)
    assert abs(exact.p - drawn.p) < 0.03
    assert exact.p != drawn.p
    assert drawn.floor == 2 / 2**12


def test_blocks_do_not_change_the_draws(monkeypatch):
    counts = np.random.default_rng(1).integers(1, 9, (2, 9, 2))
    whole = permute_pairs(*counts, recall, n_resamples=100, rng=np.random.default_rng(3))
    monkeypatch.setattr("evaluation.statistics.permutation.BLOCK_ELEMENTS", 100)
    assert permute_pairs(*counts, recall, n_resamples=100, rng=np.random.default_rng(3)).p == whole.p


def test_equal_methods_have_p_1():
    counts = np.random.default_rng(1).integers(1, 9, (6, 2))
    assert permute_pairs(counts, counts, recall, rng=np.random.default_rng(0)).p == 1


def test_an_undefined_difference_has_no_p_value():
    test = permute_pairs([[0, 0]], [[1, 1]], recall, rng=np.random.default_rng(0))
    assert np.isnan([test.p, test.p_family]).all()


def test_a_swap_that_leaves_the_score_undefined_counts_as_extreme():
    """The class is found by one method in one well: swapped away, nothing is left to score."""
    test = permute_pairs([[5, 0]] + [[0, 0]] * 7, [[0, 0]] * 7 + [[5, 5]], recall, rng=np.random.default_rng(0))
    assert test.p == 1
    assert test.floor == 0.5  # two wells say anything


def test_paired_statistics_of_different_fields_are_refused():
    message = "Paired statistics must have one shape, got (1, 2) and (2, 2). Evaluate the same fields."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        permute_pairs([[1, 1]], [[1, 1], [1, 1]], recall, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match=r"^n_resamples must be at least 1, got 0\."):
        permute_pairs([[1, 1]], [[1, 1]], recall, n_resamples=0, rng=np.random.default_rng(0))
