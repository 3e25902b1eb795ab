"""Surrogates against the truth, on points small enough to count."""

import pandas as pd
import pytest

from noisylabels.experiments.paper.surrogates import SURROGATES, Surrogate, correlate, list_wrong, wrong_orders

SURROGATE = Surrogate("MeanIoU, corrected maps", "MeanIoU, truth")


def points_of(said, true, *, screens=None):
    names = {name: true for entry in SURROGATES for name in (entry.truth,)} | {entry.name: true for entry in SURROGATES}
    n = len(said)
    heads = {"screen": screens or ["seed 0"] * n, "method": [f"m{index}" for index in range(n)]}
    return pd.DataFrame(heads | names | {SURROGATE.name: said})


def test_one_method_is_no_pair_and_has_no_correlation():
    row = correlate(points_of([0.5], [0.4])).iloc[0]
    assert (row["n_pairs"], row["n_wrong"]) == (0, 0)
    assert pd.isna(row["pearson"])
    assert row["bias"] == pytest.approx(0.1)


def test_a_surrogate_that_is_undefined_everywhere_has_no_bias():
    row = correlate(points_of([float("nan")] * 2, [0.1, 0.2])).iloc[0]
    assert pd.isna(row["bias"])
    assert row["n_wrong"] == 0


def test_a_pair_in_another_order_is_wrong_and_a_tie_is_not():
    points = points_of([0.1, 0.3, 0.2], [0.1, 0.2, 0.2])
    assert wrong_orders(points, SURROGATE) == []
    points = points_of([0.1, 0.3, 0.2], [0.1, 0.2, 0.3])
    assert wrong_orders(points, SURROGATE) == [("seed 0", "m1", "m2")]
    listed = list_wrong(points)
    assert len(listed) == 1
    assert listed.iloc[0][["said", "true"]].tolist() == pytest.approx([0.1, -0.1])


def test_bias_correlation_and_spread_over_screens():
    points = points_of([0.2, 0.4, 0.5, 0.3], [0.1, 0.3, 0.1, -0.1], screens=["a", "a", "b", "b"])
    row = correlate(points).iloc[0]
    assert row["bias"] == pytest.approx(0.25)  # 0.1 in a, 0.4 in b
    assert (row["bias_least"], row["bias_largest"]) == pytest.approx((0.1, 0.4))
    assert (row["n_pairs"], row["n_wrong"]) == (2, 0)
    assert row["pearson"] == pytest.approx(pd.Series([0.2, 0.4, 0.5, 0.3]).corr(pd.Series([0.1, 0.3, 0.1, -0.1])))


def test_methods_of_two_screens_are_no_pair():
    assert wrong_orders(points_of([0.1, 0.2], [0.2, 0.1], screens=["a", "b"]), SURROGATE) == []
