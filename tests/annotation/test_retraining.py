"""Which fields are left out to score a retrained network, and how sure the difference is."""

import numpy as np
import pytest

from noisylabels.annotation.retraining import jackknife, plan_folds, score


def test_the_random_stratum_decides_when_it_has_two_groups_and_leaves_two():
    groups = {"a1": "a", "a2": "a", "b": "b", "c": "c", "d": "d"}
    assert plan_folds(groups, {"a1", "c"}) == ([["a1", "a2", "c"]], "random stratum")
    assert plan_folds(groups, {"a1"})[1] == plan_folds(groups, {"a1", "b", "c"})[1] == "left-out fields"


def test_without_it_every_group_is_left_out_once_and_none_is_cut():
    groups = {f"{well}{field}": well for well in "abcdefg" for field in (1, 2)}
    folds, _ = plan_folds(groups, set())
    assert sorted(field for fold in folds for field in fold) == sorted(groups)
    assert len(folds) == 3
    for fold in folds:
        assert not {groups[field] for field in fold} & {groups[field] for field in groups if field not in fold}
    assert plan_folds({"a1": "a", "a2": "a"}, set()) == plan_folds({}, set()) == ([], "left-out fields")


def test_the_jackknife_of_a_mean_is_students_interval():
    """Leaving one out of a plain mean gives the textbook interval of a mean."""
    from scipy.stats import t

    values = {"a": 1.0, "b": 4.0, "c": 2.0, "d": 7.0}
    low, high = jackknife(lambda kept: float(np.mean([values[name] for name in kept])), {name: name for name in values})
    sample = np.array(list(values.values()))
    half = t.ppf(0.975, 3) * sample.std(ddof=1) / 2
    assert (low, high) == pytest.approx((sample.mean() - half, sample.mean() + half))
    assert jackknife(len, {"a": "a", "b": "b"}) == (None, None)


def test_a_score_pools_pixels_and_names_what_it_cannot_tell():
    half, whole = np.array([[8, 2], [2, 4]]), np.array([[10, 0], [0, 6]])
    empty = np.array([[16, 0], [0, 0]])
    groups = {"a": "a", "b": "b", "c": "c"}
    found = score(dict.fromkeys(groups, half), dict.fromkeys(groups, whole), groups, "left-out fields")
    assert (found.before, found.after) == (pytest.approx((8 / 12 + 4 / 8) / 2), 1.0)
    assert found.low == found.high == pytest.approx(found.after - found.before)
    assert score({}, {"a": empty}, {"a": "a"}, "left-out fields").after == 1.0  # a class that is nowhere is left out
    assert score({}, {"a": empty}, {"a": "a"}, "left-out fields").before is None
    assert score({"a": half}, {"a": whole}, {"a": "a"}, "x").low is None
