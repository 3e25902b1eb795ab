import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluation.experts.preferences import compare_ratings, compare_subsets
from evaluation.experts.ratings import parse_ratings, read_ratings, score_table
from evaluation.statistics.adjustment import adjust_holm
from evaluation.statistics.effects import (
    cliffs_delta,
    cliffs_delta_interval,
    hodges_lehmann,
    hodges_lehmann_interval,
    mean_interval,
    rank_biserial,
)
from evaluation.statistics.rank_tests import (
    compare_distributions,
    mann_whitney_p,
    matlab_ks_p,
    sign_flip_p,
    signed_rank_p,
)
from noisylabels.data.errors import InputError

SCORES = st.lists(st.integers(-4, 4), min_size=1, max_size=9)


def sheet(scores, subsets=None):
    """(rater, image, method) -> score, as rows of text."""
    return [
        {
            "rater": rater,
            "image": image,
            "method": method,
            "score": str(score),
            "subset": (subsets or {}).get(image, ""),
        }
        for (rater, image, method), score in scores.items()
    ]


def rate(n_images=20, shift=2, raters="AB", seed=0):
    rng = np.random.default_rng(seed)
    scores = {}
    for image in range(n_images):
        quality = rng.normal(5, 1.5)
        for rater in raters:
            for method, gain in (("CIP", 0), ("CDL", shift)):
                scores[rater, f"f{image}", method] = int(np.clip(round(quality + gain + rng.normal()), 1, 10))
    return scores


def test_no_ratings_are_refused():
    message = "rating sheet must have at least one rating, got none. Export the ratings first."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        parse_ratings([])


def test_matlab_ks_gives_octaves_regression_value_on_examgrades():
    # GNU Octave's kstest2 on MATLAB's examgrades: D = 0.15 of 120 against 120
    assert matlab_ks_p(0.15, 120, 120) == pytest.approx(0.1222791870137312, abs=1e-15)


def test_matlab_ks_gives_the_documented_example():
    assert matlab_ks_p(0.28, 50, 50) == pytest.approx(0.0317, abs=5e-5)


def test_exact_ks_reaches_the_papers_smallest_p_value_and_matlabs_cannot():
    first, second = np.arange(20), np.arange(20) + 100
    assert compare_distributions(first, second).p == pytest.approx(2 / 137846528820, rel=1e-6)  # 2 / C(40, 20)
    assert compare_distributions(first, second, method="matlab").p == pytest.approx(5.5e-10, rel=0.01)


def test_ks_of_nothing_is_nan():
    assert np.isnan(compare_distributions([], [1]).p)


def test_an_unknown_ks_method_is_refused():
    message = "method must be 'exact' or 'matlab', got 'asymptotic'. The default is exact."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        compare_distributions([1], [2], method="asymptotic")


def every_sign(values):
    """Brute force: the share of sign patterns with a sum at least as far from 0."""
    sums = [
        abs(sum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(values))
    ]
    return np.mean([total >= abs(sum(values)) - 1e-9 for total in sums])


@settings(max_examples=60, deadline=None)
@given(SCORES)
def test_sign_flips_equal_every_pattern_tried(differences):
    assert sign_flip_p(differences) == pytest.approx(every_sign(differences), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(SCORES)
def test_signed_ranks_equal_every_pattern_tried_with_ties_and_zeros(differences):
    from scipy.stats import rankdata

    ranks = rankdata(np.abs(differences)) * np.sign(differences)  # Pratt: zeros are ranked, then dropped
    assert signed_rank_p(differences) == pytest.approx(every_sign(ranks), abs=1e-12)


def test_signed_ranks_without_ties_equal_scipys_exact_test():
    from scipy.stats import wilcoxon

    differences = np.random.default_rng(0).normal(0.4, 1, 23)
    assert signed_rank_p(differences) == pytest.approx(wilcoxon(differences, method="exact").pvalue, rel=1e-9)


def test_signed_ranks_of_very_many_differences_equal_scipys_normal_tail():
    from scipy.stats import wilcoxon

    differences = np.random.default_rng(0).normal(0.01, 1, 1200)
    expected = wilcoxon(differences, method="asymptotic", zero_method="pratt").pvalue
    assert signed_rank_p(differences) == pytest.approx(expected, rel=1e-9)


def test_sign_flips_of_fractions_are_exact_up_to_twenty_and_drawn_beyond():
    values = [0.5, 1.25, -0.25, 2]
    assert sign_flip_p(values) == pytest.approx(every_sign(values))
    many = np.random.default_rng(1).normal(0.3, 1, 25)
    drawn = sign_flip_p(many, rng=np.random.default_rng(0))
    scaled = np.round(many * 1000).astype(int)
    assert drawn == pytest.approx(sign_flip_p(scaled), abs=0.005)
    with pytest.raises(InputError, match="rng must be given for 25 differences"):
        sign_flip_p(many)


@pytest.mark.parametrize("test", [signed_rank_p, sign_flip_p])
def test_no_differences_have_no_p_value_and_zeros_have_one(test):
    assert np.isnan(test([]))
    assert test([0, 0, 0]) == 1


def test_mann_whitney_of_equal_scores_is_one():
    assert mann_whitney_p([5, 5], [5, 5]) == 1
    assert np.isnan(mann_whitney_p([], [1]))


def test_holm_follows_the_definition_and_ignores_undefined_tests():
    p = [0.04, 0.01, np.nan, 0.03, 0.9]
    # sorted: .01 x 4, .03 x 3, .04 x 2 (raised to .09), .9 x 1
    np.testing.assert_allclose(adjust_holm(p), [0.09, 0.04, np.nan, 0.09, 0.9])
    assert adjust_holm([]).size == 0


@settings(max_examples=60, deadline=None)
@given(SCORES)
def test_hodges_lehmann_is_the_median_of_all_pairwise_means(differences):
    n = len(differences)
    means = [(differences[i] + differences[j]) / 2 for i in range(n) for j in range(i, n)]
    assert hodges_lehmann(differences) == np.median(means)


@settings(max_examples=60, deadline=None)
@given(SCORES, SCORES)
def test_cliffs_delta_counts_wins_and_losses(first, second):
    wins = sum(b > a for a in first for b in second)
    losses = sum(b < a for a in first for b in second)
    assert cliffs_delta(first, second) == pytest.approx((wins - losses) / (len(first) * len(second)))


def test_effects_of_nothing_are_nan_or_refused():
    assert np.isnan(hodges_lehmann([]))
    assert np.isnan(cliffs_delta([], [1]))
    assert np.isnan(rank_biserial([0, 0]))
    for effect in (hodges_lehmann_interval, mean_interval, lambda none: cliffs_delta_interval(none, none)):
        with pytest.raises(InputError, match="at least one image, got none"):
            effect([])


def test_the_shift_has_the_interval_of_a_signed_rank_test_that_is_tried_out():
    """A shift is inside if Wilcoxon's test of the differences less that shift is not below 5 %."""
    values = np.random.default_rng(0).normal(1, 2, 11)
    interval = hodges_lehmann_interval(values)
    for end, outwards in ((interval.low, -1), (interval.high, 1)):
        assert stats.wilcoxon(values - (end + outwards * 1e-6), mode="exact").pvalue < 0.05
        assert stats.wilcoxon(values - (end - outwards * 1e-6), mode="exact").pvalue >= 0.05


def test_five_images_have_no_interval_of_a_shift_at_95_percent():
    assert np.isnan(hodges_lehmann_interval([1, 2, 3, 4, 5]).low)
    assert hodges_lehmann_interval([1, 2, 3, 4, 5, 6]).low == 1
    assert 0 < hodges_lehmann_interval(np.arange(120.0)).low < 59.5


def test_the_interval_of_cliffs_delta_leaves_images_out_one_by_one():
    first, second = np.array([[3, 5, 4, 6, 2, 7], [4, 5, 6, 8, 2, 6]])
    left_out = [cliffs_delta(np.delete(first, place), np.delete(second, place)) for place in range(6)]
    interval = cliffs_delta_interval(first, second)
    assert interval.error == pytest.approx(np.sqrt(5 / 6 * np.sum((left_out - np.mean(left_out)) ** 2)))
    assert interval.df == 5


def test_means_of_three_raters_are_tied_where_they_are_equal():
    """5 + 6 + 8 and 8 + 6 + 5 thirds differ by one unit in the last place where the means are summed as floats."""
    rng = np.random.default_rng(0)
    scores = {}
    for image in range(14):
        drawn = rng.integers(1, 11, (2, 3))
        for rater, (cip, cdl) in zip("ABC", drawn.T.tolist(), strict=True):
            scores[rater, f"f{image}", "CIP"], scores[rater, f"f{image}", "CDL"] = cip, cdl
    everybody = compare_ratings(parse_ratings(sheet(scores)))[-1]
    sums = {m: np.array([sum(scores[r, f"f{i}", m] for r in "ABC") for i in range(14)]) for m in ("CIP", "CDL")}
    whole = sums["CDL"] - sums["CIP"]
    assert everybody.signed_rank_p == signed_rank_p(whole)
    assert everybody.biserial == rank_biserial(whole)
    assert everybody.ks.p == compare_distributions(sums["CIP"], sums["CDL"]).p
    jittered = whole / 3 + rng.choice([-1e-16, 0, 1e-16], 14)
    assert signed_rank_p(jittered) == signed_rank_p(whole)


def test_raters_who_saw_different_images_are_averaged_in_whole_numbers():
    scores = {(r, i, m): s for r, i, m, s in [("A", "f1", "CIP", 3), ("B", "f1", "CIP", 4), ("A", "f2", "CIP", 5)]}
    assert parse_ratings(sheet(scores)).totals(method="CIP") == ({"f1": 7, "f2": 10}, 2)


def test_a_sheet_tells_all_its_faults_at_once_one_line_each():
    rows = sheet({("A", "f1", "CIP"): 0, ("A", "f1", "CDL"): 11, ("B", "f1", "CIP"): 5, ("", "f2", "CDL"): 3})
    rows += [rows[2], {**rows[0], "image": "f3", "score": "7.5"}]
    message = """rating sheet has 8 faults:
row 2: score must be a whole number from 1 to 10, got '0'
row 3: score must be a whole number from 1 to 10, got '11'
row 5: rater must not be empty
row 7: score must be a whole number from 1 to 10, got '7.5'
rater 'B', image 'f1': 'CIP' must be rated once, got 2 times
rater 'B', image 'f1': 'CDL' must be rated, got no score
rater '', image 'f2': 'CIP' must be rated, got no score
rater 'A', image 'f3': 'CDL' must be rated, got no score
Correct them and read the sheet again."""
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        parse_ratings(rows)


def test_very_many_faults_are_counted():
    with pytest.raises(InputError, match=r"rating sheet has 60 faults:(\nrow .*){50}\n\.\.\. and 10 more\nCorrect"):
        parse_ratings(sheet({("A", f"f{i}", "CIP"): 99 for i in range(60)}))


def test_a_sheet_without_a_column_names_it(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text("rater,image,score\nA,f1,3\n")
    message = f"{path} must have the columns rater, image, method, score, got rater, image, score. Add method."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_ratings(path)
    with pytest.raises(FileNotFoundError, match="must be a sheet"):
        read_ratings(tmp_path / "none.csv")
    path.write_text("rater,image,method,score\n")
    with pytest.raises(InputError, match="must have at least one row below its head, got none"):
        read_ratings(path)


def test_a_sheet_of_the_desk_is_read(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text(
        "rater,subset,image,method,score,block,side\nA,s1,f1,CIP,3,main,left\nA,s1,f1,CDL,8,main,right\n",
        encoding="utf-8-sig",
    )
    ratings = read_ratings(path)
    assert (ratings.raters, ratings.methods, ratings.score.tolist()) == (["A"], ["CIP", "CDL"], [3, 8])


def test_a_clear_preference_is_found_for_every_rater_and_all():
    found = compare_ratings(parse_ratings(sheet(rate())))
    assert [(one.rater, one.n) for one in found] == [("A", 20), ("B", 20), ("all raters", 20)]
    assert all(one.p_holm < 0.01 and one.shift.low > 0 and one.delta.low > 0 for one in found)
    assert all(one.p_holm >= one.signed_rank_p for one in found)


def test_preferences_follow_from_scores_counted_by_eye():
    scores = {("A", "f1", "CIP"): 3, ("A", "f1", "CDL"): 5, ("A", "f2", "CIP"): 4, ("A", "f2", "CDL"): 8}
    (one,) = compare_ratings(parse_ratings(sheet(scores)))
    assert (one.mean_baseline, one.mean_method, one.shift.estimate, one.delta.estimate) == (3.5, 6.5, 3, 1)
    assert (one.signed_rank_p, one.sign_flip_p, one.ks.statistic) == (0.5, 0.5, 1)


def test_signs_are_flipped_by_image_with_all_raters_together():
    scores = {}
    for image, gain in enumerate([1, 1, 1, -1]):
        for rater in "ABCD":  # four raters who all say the same are one opinion per image, not four
            scores[rater, f"f{image}", "CIP"], scores[rater, f"f{image}", "CDL"] = 5, 5 + gain
    everybody = compare_ratings(parse_ratings(sheet(scores)))[-1]
    assert everybody.sign_flip_p == every_sign([4, 4, 4, -4]) == 0.625


def test_one_method_or_an_unknown_one_is_refused():
    ratings = parse_ratings(sheet(rate()))
    message = "methods must be at least two of CIP, CDL, got CIP, MDL. Baseline first."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        compare_ratings(ratings, methods=["CIP", "MDL"])


def test_an_effect_of_the_data_set_is_found():
    scores, subsets = rate(24), {f"f{i}": "easy" if i < 12 else "hard" for i in range(24)}
    harder = {key: max(1, score - 3) if int(key[1][1:]) >= 12 else score for key, score in scores.items()}
    p = compare_subsets(parse_ratings(sheet(harder, subsets)))
    assert set(p) == {"CIP", "CDL", "CDL − CIP"}
    assert p["CIP"] < 0.01
    assert compare_subsets(parse_ratings(sheet(scores))) == {}


def test_scores_are_laid_out_by_image_and_rater():
    ratings = parse_ratings(sheet({("A", "f1", "CIP"): 3, ("B", "f2", "CIP"): 4}))
    np.testing.assert_array_equal(score_table(ratings, method="CIP"), [[3, np.nan], [np.nan, 4]])
