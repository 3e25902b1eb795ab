import itertools
import re

import numpy as np
import pytest

from evaluation.statistics.equivalence import tost, tost_resampled
from evaluation.statistics.resampling import bootstrap, bootstrap_scores, interval_of, permute_pairs, sum_by_cluster
from noisylabels.data.errors import InputError


def recall(sums):
    with np.errstate(invalid="ignore"):
        return sums[:, 0] / sums.sum(1)


def test_no_fields_are_refused_in_one_sentence():
    message = "statistics must have at least one field, got none. Evaluate at least one field first."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        bootstrap(np.zeros((0, 2)), recall, rng=np.random.default_rng(0))


def test_resampled_scores_equal_a_loop_over_the_same_draws():
    counts = np.random.default_rng(1).integers(0, 9, (7, 2))
    scores = bootstrap_scores(counts, recall, n_resamples=50, rng=np.random.default_rng(2))
    drawn = np.random.default_rng(2).integers(7, size=(50, 7))
    expected = [counts[rows, 0].sum() / counts[rows].sum() for rows in drawn]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)


def test_quarters_of_one_field_are_resampled_together():
    quarters = np.array([[4, 0]] * 4 + [[0, 4]] * 4)
    fields = ["a"] * 4 + ["b"] * 4
    scores = bootstrap_scores(quarters, recall, clusters=fields, n_resamples=200, rng=np.random.default_rng(0))
    assert set(scores) == {0.0, 0.5, 1.0}


def test_blocks_do_not_change_the_resamples(monkeypatch):
    counts = np.random.default_rng(1).integers(0, 9, (5, 2))
    whole = bootstrap_scores(counts, recall, n_resamples=40, rng=np.random.default_rng(3))
    monkeypatch.setattr("evaluation.statistics.resampling.BLOCK_ELEMENTS", 35)
    np.testing.assert_array_equal(bootstrap_scores(counts, recall, n_resamples=40, rng=np.random.default_rng(3)), whole)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        counts = np.stack([rng.binomial(20, 0.7, 60), np.zeros(60)], 1)
        counts[:, 1] = 20 - counts[:, 0]
        interval = bootstrap(counts, recall, n_resamples=400, rng=rng)
        hits += interval.low <= 0.7 <= interval.high
    assert 0.90 <= hits / 200 <= 0.98


def test_undefined_resamples_are_counted_and_left_out():
    interval = bootstrap([[0, 0], [3, 1]], recall, n_resamples=400, rng=np.random.default_rng(0))
    assert (interval.low, interval.high) == (0.75, 0.75)
    assert 60 < interval.n_undefined < 140  # one quarter of the draws holds the empty field twice


def test_all_undefined_resamples_give_nan_not_a_warning():
    interval = bootstrap([[0, 0]], recall, n_resamples=9, rng=np.random.default_rng(0))
    assert np.isnan(interval.low)
    assert interval.n_undefined == 9
    assert not interval.excludes(0)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_outside_0_to_1_is_refused(level):
    message = f"level must be in (0, 1), got {level}. For a 95 % interval write 0.95."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        interval_of([1.0], estimate=1, level=level, n_clusters=1)


def test_exact_permutation_equals_every_swap_tried_by_hand():
    first, second = np.array([[9, 1], [7, 3], [6, 6], [2, 0]]), np.array([[5, 5], [8, 2], [3, 9], [1, 1]])
    observed = abs(recall(first.sum(0)[None])[0] - recall(second.sum(0)[None])[0])
    hits = 0
    for swaps in itertools.product([False, True], repeat=4):
        one = np.where(np.array(swaps)[:, None], second, first).sum(0)
        other = np.where(np.array(swaps)[:, None], first, second).sum(0)
        hits += abs(recall(one[None])[0] - recall(other[None])[0]) >= observed - 1e-12
    assert permute_pairs(first, second, recall, rng=np.random.default_rng(0)) == hits / 16


def test_random_permutation_agrees_with_the_exact_one():
    rng = np.random.default_rng(5)
    first, second = rng.integers(0, 20, (12, 2)), rng.integers(0, 20, (12, 2))
    exact = permute_pairs(first, second, recall, n_resamples=2**12, rng=rng)
    drawn = permute_pairs(first, second, recall, n_resamples=4000, rng=rng)
    assert abs(exact - drawn) < 0.03
    assert exact != drawn


def test_equal_methods_have_p_1():
    counts = np.random.default_rng(1).integers(1, 9, (6, 2))
    assert permute_pairs(counts, counts, recall, rng=np.random.default_rng(0)) == 1


def test_an_undefined_difference_has_no_p_value():
    assert np.isnan(permute_pairs([[0, 0]], [[1, 1]], recall, rng=np.random.default_rng(0)))


def test_paired_statistics_of_different_fields_are_refused():
    message = "Paired statistics must have one shape, got (1, 2) and (2, 2). Evaluate the same fields."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        permute_pairs([[1, 1]], [[1, 1], [1, 1]], recall, rng=np.random.default_rng(0))


def test_a_cluster_name_per_field_is_demanded():
    message = "clusters must name one cluster per field, got 1 for 2 fields. Name each one's."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        sum_by_cluster([[1], [2]], ["a"])


def test_tost_is_two_one_sided_t_tests():
    from scipy import stats

    differences = np.random.default_rng(0).normal(0.01, 0.05, 31)
    result = tost(differences, margin=0.03)
    assert result.p_not_worse == pytest.approx(stats.ttest_1samp(differences, -0.03, alternative="greater").pvalue)
    assert result.p_not_better == pytest.approx(stats.ttest_1samp(differences, 0.03, alternative="less").pvalue)
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.90)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))
    assert result.equivalent == (interval.low > -0.03 and interval.high < 0.03)


def test_constant_differences_need_no_t_test():
    assert tost([0.2, 0.2, 0.2], margin=0.1).not_inferior
    assert not tost([0.2, 0.2, 0.2], margin=0.1).equivalent


def test_pooled_equivalence_reads_the_interval():
    assert not tost_resampled(np.linspace(-0.1, 0.02, 501), estimate=-0.04, margin=0.05).not_inferior
    assert tost_resampled(np.linspace(-0.04, 0.2, 501), estimate=0.08, margin=0.05).not_inferior


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: tost([1, np.nan], margin=1),
            "differences must have at least 2 defined values, got 1. Evaluate more fields.",
        ),
        (
            lambda: tost([1, 2], margin=0),
            "margin must be above 0, got 0. Give the largest difference that would not matter.",
        ),
        (lambda: tost([1, 2], margin=1, alpha=5), "alpha must be in (0, 0.5), got 5. Usual is 0.05."),
        (
            lambda: tost_resampled([np.nan], estimate=0, margin=1),
            "scores must have at least one defined resample, got none. Evaluate fields in which the classes occur.",
        ),
    ],
    ids=["one value", "no margin", "alpha in percent", "nothing defined"],
)
def test_bad_equivalence_questions_get_one_sentence(call, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        call()
