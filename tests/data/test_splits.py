"""Splits that never cut a group."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisylabels.data.errors import InputError
from noisylabels.data.splits import SPLITS, split_groups

PAPER = (0.85, 0.1, 0.05)


def test_a_hundred_single_groups_fall_into_the_papers_shares():
    splits = split_groups([f"field {i}" for i in range(100)], PAPER, seed=3)
    assert [splits.count(split) for split in SPLITS] == [85, 10, 5]


@given(st.lists(st.integers(0, 12), min_size=20, max_size=60).filter(lambda g: len(set(g)) > 3), st.integers(0, 9))
def test_a_group_is_never_cut_and_no_split_is_empty(groups, seed):
    names = [f"B{group:02d}" for group in groups]
    splits = split_groups(names, PAPER, seed=seed)
    assert len({(name, split) for name, split in zip(names, splits, strict=True)}) == len(set(names))
    assert set(splits) == set(SPLITS)


def test_the_order_of_the_cases_does_not_matter():
    groups = [f"B{i % 9:02d}" for i in range(50)]
    order = np.random.default_rng(0).permutation(50)
    straight = split_groups(groups, PAPER, seed=1)
    shuffled = split_groups([groups[i] for i in order], PAPER, seed=1)
    assert [straight[i] for i in order] == shuffled


def test_another_seed_gives_another_split():
    groups = [str(i) for i in range(40)]
    assert split_groups(groups, PAPER, seed=0) != split_groups(groups, PAPER, seed=1)


@pytest.mark.parametrize("fractions", [(0.5, 0.1, 0.1), (1.2, -0.1, -0.1)])
def test_fractions_must_sum_to_one(fractions):
    with pytest.raises(InputError, match="sum to 1"):
        split_groups(["a", "b", "c"], fractions, seed=0)


def test_too_few_groups_are_refused():
    with pytest.raises(InputError, match="at least 3 groups to split, got 2"):
        split_groups(["a", "a", "b"], PAPER, seed=0)


def test_a_split_of_fraction_zero_stays_empty():
    assert set(split_groups(["a", "b", "c"], (0.5, 0.5, 0.0), seed=0)) == {"training", "validation"}
