import re

import numpy as np
import pytest
from scipy import stats

from evaluation.statistics.equivalence import assess_equivalence
from evaluation.statistics.intervals import (
    jackknife_interval,
    leave_clusters_out,
    student_interval,
    sum_by_cluster,
)
from noisylabels.data.errors import InputError


def recall(sums):
    with np.errstate(invalid="ignore"):
        return sums[..., 0] / sums.sum(-1)


def interval_of(counts, clusters=None, **options):
    total = np.asarray(counts, float).sum(0)
    left_out, alone = leave_clusters_out(counts, recall, clusters=clusters)
    return jackknife_interval(left_out, estimate=float(recall(total)), says=~np.isnan(alone), **options)


def test_no_fields_are_refused_in_one_sentence():
    message = "statistics must have at least one field, got none. Evaluate at least one field first."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        leave_clusters_out(np.zeros((0, 2)), recall)


def test_of_a_mean_it_is_the_t_interval():
    values = np.random.default_rng(0).normal(3, 2, 11)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    ours = jackknife_interval((values.sum() - values) / 10, estimate=values.mean(), level=0.9)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.error == pytest.approx(stats.sem(values))


def test_the_standard_error_is_that_of_a_loop_that_leaves_wells_out():
    counts = np.random.default_rng(1).integers(1, 9, (12, 2))
    wells = [f"w{place // 3}" for place in range(12)]
    without = [recall(counts[np.array(wells) != well].sum(0)) for well in ("w0", "w1", "w2", "w3")]
    interval = interval_of(counts, wells)
    assert interval.error == pytest.approx(np.sqrt(3 / 4 * np.sum((without - np.mean(without)) ** 2)))
    assert (interval.n_clusters, interval.df) == (4, 3)


def test_it_holds_the_truth_about_as_often_as_it_says_with_six_wells():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        chance = rng.beta(7, 3, 6)
        found = rng.binomial(40, chance)
        interval = interval_of(np.stack([found, 40 - found], 1))
        hits += interval.low <= 0.7 <= interval.high
    assert 0.93 <= hits / 1000 <= 0.975


def test_nothing_rests_on_one_well():
    """Of 12 wells one has the class: the bootstrap printed [+0.4, +0.4]."""
    alone = interval_of([[4, 6], *[[0, 0]] * 11])
    assert alone.estimate == 0.4
    assert np.isnan([alone.low, alone.high]).all()
    assert (alone.n_clusters, alone.n_undefined) == (12, 11)
    assert not alone.excludes(0)


@pytest.mark.parametrize(("n_with", "n_without", "there"), [(4, 1, False), (5, 1, True), (3, 0, True), (2, 0, False)])
def test_an_interval_needs_five_wells_that_say_something_or_three_that_all_do(n_with, n_without, there):
    counts = np.random.default_rng(3).integers(1, 9, (n_with, 2)).tolist() + [[0, 0]] * n_without
    interval = interval_of(counts)
    assert np.isfinite(interval.low) == there
    assert interval.n_undefined == n_without


def test_ends_stay_within_what_the_score_can_be():
    interval = interval_of([[9, 0], [8, 1], [9, 0]], bounds=(0, 1))
    assert interval.high == 1
    assert interval.low < interval.estimate


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_outside_0_to_1_is_refused(level):
    message = f"level must be in (0, 1), got {level}. For a 95 % interval write 0.95."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        student_interval(1, 0.1, df=2, n_clusters=3, level=level)


def test_a_cluster_name_per_field_is_demanded():
    message = "clusters must name one cluster per field, got 1 for 2 fields. Name each one's."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        sum_by_cluster([[1], [2]], ["a"])


def test_equivalence_is_two_one_sided_t_tests():
    differences = np.random.default_rng(0).normal(0.01, 0.05, 31)
    interval = student_interval(differences.mean(), stats.sem(differences), df=30, n_clusters=31)
    result = assess_equivalence(interval, margin=0.03)
    assert result.p_not_worse == pytest.approx(stats.ttest_1samp(differences, -0.03, alternative="greater").pvalue)
    assert result.p_not_better == pytest.approx(stats.ttest_1samp(differences, 0.03, alternative="less").pvalue)
    theirs = stats.ttest_1samp(differences, 0).confidence_interval(0.90)
    assert (result.low, result.high) == pytest.approx((theirs.low, theirs.high))
    assert result.equivalent == (theirs.low > -0.03 and theirs.high < 0.03)


def test_known_differences_need_no_t_test_and_those_without_an_interval_show_nothing():
    known = assess_equivalence(student_interval(0.2, 0.0, df=2, n_clusters=3), margin=0.1)
    assert (known.not_inferior, known.equivalent) == (True, False)
    open_ = assess_equivalence(jackknife_interval([0.1, 0.1], estimate=0.1), margin=0.5)
    assert (open_.not_inferior, open_.equivalent) == (False, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 0}, "margin must be above 0, got 0. Give the largest difference that would not matter."),
        ({"margin": 1, "alpha": 5}, "alpha must be in (0, 0.5), got 5. Usual is 0.05."),
    ],
    ids=["no margin", "alpha in percent"],
)
def test_bad_equivalence_questions_get_one_sentence(options, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        assess_equivalence(student_interval(0, 1, df=2, n_clusters=3), **options)
