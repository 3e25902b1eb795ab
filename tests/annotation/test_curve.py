"""How many more: what the curve says of counts that are known."""

import math

import numpy as np
import pytest

from noisylabels.annotation.curve import _kept, draw_curve

GROUPS = {name: name for name in "abcd"}


def counts(iou):
    """One field of two classes whose mean IoU is `iou`: 1000 pixels of each, wrong ones on both sides alike."""
    wrong = round(1000 * (1 - iou) / (1 + iou))
    return np.array([[1000 - wrong, wrong], [wrong, 1000 - wrong]])


def test_a_curve_that_grows_with_the_logarithm_is_read_off_exactly():
    trained = {n: dict.fromkeys(GROUPS, counts(0.4 + 0.1 * math.log(n))) for n in (2, 4, 8)}
    curve = draw_curve(trained, GROUPS, n_now=10)
    assert [point.n_fields for point in curve.points] == [2, 4, 8]
    assert [point.score for point in curve.points] == pytest.approx(
        [0.4 + 0.1 * math.log(n) for n in (2, 4, 8)], abs=1e-3
    )
    assert curve.next_ten.gain == pytest.approx(0.1 * math.log(2), abs=1e-3)
    assert curve.next_ten.low == pytest.approx(curve.next_ten.high)  # all groups agree
    assert not curve.stop
    assert curve.sentence == "The next 10 fields are expected to add 0.069 (0.069 to 0.069) to the mean IoU."


def test_a_flat_curve_says_stop_and_one_that_cannot_be_told_does_not():
    flat = {n: dict.fromkeys(GROUPS, counts(0.7)) for n in (2, 4, 8)}
    assert draw_curve(flat, GROUPS, n_now=10).stop
    assert draw_curve(flat, GROUPS, n_now=10).sentence.endswith("That is less than 0.01: you may stop.")
    two = {n: {"a": counts(0.7), "b": counts(0.7)} for n in (2, 4)}
    curve = draw_curve(two, GROUPS, n_now=10)
    assert (curve.next_ten.low, curve.stop) == (None, False)
    assert curve.sentence == "The next 10 fields are expected to add 0.000 to the mean IoU."


def test_groups_that_disagree_widen_the_interval_beyond_stopping():
    trained = {
        n: {name: counts(0.5 + slope * math.log(n)) for name, slope in zip("abcd", (-0.1, 0.1, -0.1, 0.1), strict=True)}
        for n in (2, 4, 8)
    }
    curve = draw_curve(trained, GROUPS, n_now=10)
    assert abs(curve.next_ten.gain) < 0.02
    assert curve.next_ten.low < -0.01 < 0.01 < curve.next_ten.high
    assert not curve.stop


def test_shares_are_nested_cut_no_group_and_leave_out_what_is_scored():
    groups = {f"{well}{field}": well for well in "abcdefgh" for field in (1, 2)}
    quarter, half, whole = (_kept(groups, ["a1", "a2"], share) for share in (0.25, 0.5, 1.0))
    assert set(quarter) < set(half) < set(whole) == {field for field in groups if groups[field] != "a"}
    assert {len(part) % 2 for part in (quarter, half, whole)} == {0}
