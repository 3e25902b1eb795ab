"""The plan of a study: counted against the paper's design, and against the laws of any design."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noisylabels.annotation.allocation import StudySettings, plan_trials
from tests.annotation.desks import refused

RATERS = ["anna", "ben", "cleo", "dan"]
IMAGES = [f"f{number}" for number in range(60)]


def plan(images=IMAGES, raters=RATERS, seed=0, **options):
    return plan_trials(images, raters, StudySettings(**options), rng=np.random.default_rng(seed))


def of(trials, rater, block="main"):
    return [trial for trial in trials if trial.rater == rater and trial.block == block]


def test_the_papers_design():
    trials = plan()
    main = [trial for trial in trials if trial.block == "main"]
    assert len(main) == 80
    assert len({trial.image for trial in main}) == 40
    assert set(Counter(trial.image for trial in main).values()) == {2}
    assert Counter(trial.rater for trial in main) == dict.fromkeys(RATERS, 20)
    subsets = {frozenset(trial.image for trial in of(trials, rater)) for rater in RATERS}
    assert sorted(map(len, subsets)) == [20, 20]
    assert not frozenset.intersection(*subsets)


def test_each_method_is_left_as_often_as_right_for_every_rater():
    trials = plan()
    for rater in RATERS:
        assert Counter(trial.left for trial in of(trials, rater)) == {"cip": 10, "cdl": 10}
        assert Counter(trial.left for trial in of(trials, rater, "repeat")) == {"cip": 1, "cdl": 1}


def test_two_raters_of_an_image_see_it_the_other_way_round():
    lefts = {}
    for trial in plan():
        if trial.block == "main":
            lefts.setdefault(trial.image, set()).add(trial.left)
    assert set(map(frozenset, lefts.values())) == {frozenset(("cip", "cdl"))}


def test_training_comes_first_and_its_images_never_count():
    trials = plan()
    trained = {trial.image for trial in trials if trial.block == "training"}
    assert len(trained) == 3
    assert not trained & {trial.image for trial in trials if trial.block != "training"}
    for rater in RATERS:
        assert [trial.number for trial in of(trials, rater, "training")] == [1, 2, 3]


def test_a_repeat_is_hidden_far_behind_and_turned_round():
    for seed in range(20):
        trials = plan(seed=seed, repeat_share=0.3)
        for rater in RATERS:
            first = {trial.image: trial for trial in of(trials, rater)}
            repeats = of(trials, rater, "repeat")
            assert len({trial.image for trial in repeats}) == len(repeats) == 6
            for again in repeats:
                assert again.number - first[again.image].number > 5
                assert (again.left, again.right) == (first[again.image].right, first[again.image].left)


def test_the_same_seed_draws_the_same_plan_and_another_another():
    assert plan(seed=1) == plan(seed=1)
    assert plan(seed=1) != plan(seed=2)


def test_position_tells_nothing_of_the_side():
    """Over many plans, each position shows either method on the left about half of the time."""
    left = np.array([[trial.left == "cdl" for trial in of(plan(seed=seed), "anna")] for seed in range(200)]).mean(
        axis=0
    )
    assert np.abs(left - 0.5).max() < 5 * np.sqrt(0.25 / 200)


@settings(max_examples=60, deadline=None)
@given(
    n_subsets=st.integers(1, 3),
    per_subset=st.integers(1, 3),
    size=st.integers(1, 7),
    n_training=st.integers(0, 3),
    repeat_share=st.floats(0, 1),
    seed=st.integers(0, 999),
)
def test_any_design_keeps_the_laws(n_subsets, per_subset, size, n_training, repeat_share, seed):
    raters = [f"r{number}" for number in range(n_subsets * per_subset)]
    design = {"n_images": size * n_subsets, "n_subsets": n_subsets, "n_training": n_training}
    trials = plan(raters=raters, seed=seed, repeat_share=repeat_share, **design)
    for rater in raters:
        own = [trial for trial in trials if trial.rater == rater]
        assert [trial.number for trial in own] == list(range(1, len(own) + 1))
        assert len(of(trials, rater)) == len({trial.image for trial in of(trials, rater)}) == size
        assert len(of(trials, rater, "training")) == n_training
        assert len(of(trials, rater, "repeat")) <= round(repeat_share * size)
        for block in ("training", "main"):
            lefts = Counter(trial.left for trial in of(trials, rater, block))
            assert abs(lefts["cip"] - lefts["cdl"]) <= 1
        assert all({trial.left, trial.right} == {"cip", "cdl"} for trial in own)
    seen = Counter(trial.image for trial in trials if trial.block == "main")
    assert set(seen.values()) == {per_subset}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"images": []}, "A study must have 43 images with label maps of both methods (3 for training), got 0."),
        (
            {"images": IMAGES[:42]},
            "A study must have 43 images with label maps of both methods (3 for training), got 42.",
        ),
        ({"raters": []}, "Raters must be different people, a multiple of the 2 subsets, got []."),
        ({"raters": ["a", "b", "c"]}, "Raters must be different people, a multiple of the 2 subsets"),
        ({"raters": ["a", "a"]}, "Raters must be different people, a multiple of the 2 subsets"),
        ({"n_images": 41}, "n_images must be a multiple of n_subsets, got 41 and 2."),
        ({"methods": ("cip", "cip")}, "methods must be two different label sets, got ('cip', 'cip')."),
        ({"repeat_share": 10}, "n_training and repeat_gap must not be negative and repeat_share in [0, 1]"),
    ],
)
def test_a_design_that_does_not_fit_is_refused(options, sentence):
    with refused(sentence):
        plan(**options)
