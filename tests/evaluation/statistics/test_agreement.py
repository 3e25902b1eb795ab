import re

import numpy as np
import pytest

from evaluation.statistics.agreement import correlate_raters, krippendorff_alpha, limits_of_agreement, weighted_kappa
from noisylabels.data.errors import InputError

# Shrout & Fleiss 1979, table 2: six targets, four judges; ICC(2,1) = .29, ICC(3,1) = .71 in their table 4.
SHROUT = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])

# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section C: four observers, twelve units.
NAN = np.nan
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T


def test_no_images_have_no_agreement():
    assert np.isnan(correlate_raters(np.zeros((0, 2))).absolute)
    assert np.isnan(krippendorff_alpha(np.full((3, 2), np.nan)))
    assert np.isnan(weighted_kappa([], []))
    assert np.isnan(limits_of_agreement([], [])["bias"])


def test_icc_gives_the_values_of_shrout_and_fleiss():
    result = correlate_raters(SHROUT)
    assert round(result.absolute, 2) == 0.29
    assert round(result.consistency, 2) == 0.71


def test_severity_lowers_absolute_agreement_alone():
    lenient = np.column_stack([np.arange(6), np.arange(6) + 3])
    result = correlate_raters(lenient)
    assert result.consistency == pytest.approx(1)
    assert result.absolute < 0.5


def test_images_that_a_rater_did_not_see_are_left_out_of_the_icc():
    scores = np.vstack([SHROUT.astype(float), [1, np.nan, 1, 1]])
    assert correlate_raters(scores) == correlate_raters(SHROUT)


@pytest.mark.parametrize(("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_gives_krippendorffs_own_values(scale, alpha):
    assert round(krippendorff_alpha(KRIPPENDORFF, scale=scale), 3) == alpha


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_kappa_equals_scikit_learns(weights):
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(0)
    first = rng.integers(1, 11, 40)
    second = np.clip(first + rng.integers(-2, 3, 40), 1, 10)
    expected = cohen_kappa_score(first, second, labels=range(1, 11), weights=None if weights == "none" else weights)
    assert weighted_kappa(first, second, weights=weights) == pytest.approx(expected)


def test_kappa_leaves_out_what_one_rater_did_not_see():
    assert weighted_kappa([1, 2, 3, np.nan], [1, 2, 3, 9]) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: krippendorff_alpha([[1, 1]], scale="ratio"),
            "scale must be 'nominal', 'ordinal' or 'interval', got 'ratio'. Scores from 1 to 10 are ordinal.",
        ),
        (
            lambda: weighted_kappa([1], [1], weights="cubic"),
            "weights must be 'none', 'linear' or 'quadratic', got 'cubic'. Quadratic is usual for scores.",
        ),
        (
            lambda: weighted_kappa([1], [1, 2]),
            "Scores of two raters must be equally many, got 1 and 2. Pair them by image.",
        ),
    ],
    ids=["scale", "weights", "lengths"],
)
def test_bad_questions_get_one_sentence(call, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        call()


def test_limits_of_agreement_follow_the_definition():
    limits = limits_of_agreement([10, 20, 30], [12, 20, 34])
    assert limits["bias"] == 2
    assert limits["high"] == pytest.approx(2 + 1.96 * 2)
    assert np.isnan(limits_of_agreement([1], [3])["low"])
