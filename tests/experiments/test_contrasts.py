"""Which arms are compared with which, on arms whose scores are written down."""

import numpy as np
import pytest

from evaluation.statistics.intervals import student_interval
from noisylabels.experiments.contrasts import (
    contrast_section,
    pair_clean,
    pair_gold,
    pair_methods,
    pair_noises,
    teacher_contrasts,
)
from noisylabels.experiments.curves import Arm
from noisylabels.experiments.declaration import Method


def arm(noise, dose, method, score, n_train=None):
    interval = student_interval(score, 0.0, df=4, n_clusters=5)
    return Arm(noise, dose, method, n_train, interval, np.full(5, score), np.full(2, score))


CLEAN = [arm("clean", 0.0, "gdl", 0.9), arm("clean", 0.0, "labels", 1.0), arm("clean", 0.0, "ce", 0.8)]
RANDOM = [arm("random", 0.5, "gdl", 0.85), arm("random", 0.5, "labels", 0.7), arm("random", 0.5, "ce", 0.2)]
DIM = [arm("dim", 0.5, "gdl", 0.6), arm("dim", 0.5, "labels", 0.7), arm("dim", 0.3, "gdl", 0.8)]
ARMS = [*CLEAN, *RANDOM, *DIM]
METHODS = {"gdl": Method(), "ce": Method()}


def name(pairs):
    return [((one.noise, one.dose, one.method), (other.noise, other.dose, other.method)) for one, other in pairs]


def test_noisy_arms_are_held_against_their_labels():
    found = {(c.arm.noise, c.arm.method): c.difference.estimate for c in teacher_contrasts(ARMS, margin=0.02)}
    assert found == pytest.approx({("random", "gdl"): 0.15, ("random", "ce"): -0.5, ("dim", "gdl"): -0.1})


def test_noisy_arms_are_held_against_the_clean_arm_of_their_method():
    pairs = name(pair_clean(ARMS))
    assert (("random", 0.5, "ce"), ("clean", 0.0, "ce")) in pairs
    assert len(pairs) == 4


def test_methods_are_held_against_the_first_on_the_same_labels():
    assert name(pair_methods(ARMS)) == [
        (("clean", 0.0, "ce"), ("clean", 0.0, "gdl")),
        (("random", 0.5, "ce"), ("random", 0.5, "gdl")),
    ]


def test_noises_are_held_against_each_other_at_the_same_dose_alone():
    assert name(pair_noises(ARMS)) == [(("dim", 0.5, "gdl"), ("random", 0.5, "gdl"))]


def test_what_sees_trusted_fields_is_held_against_as_many_alone():
    methods = METHODS | {
        "few": Method(trusted=2, use="alone"),
        "gold": Method(trusted=8, use="alone"),
        "mix": Method(trusted=8, use="mix"),
        "other mix": Method(trusted=4, use="mix"),  # four were not tried alone
    }
    clean = [arm("clean", 0.0, name, score) for name, score in (("few", 0.6), ("gold", 0.7), ("mix", 0.8))]
    noisy = [arm("random", 0.5, name, score) for name, score in (("mix", 0.75), ("other mix", 0.7), ("gold", 0.7))]
    assert name(pair_gold([*ARMS, *clean, *noisy], methods)) == [(("random", 0.5, "mix"), ("clean", 0.0, "gold"))]
    beside = [arm("voters", 1.0, name, score) for name, score in (("gold", 0.7), ("mix", 0.8))]  # as the real sets do
    assert name(pair_gold([*ARMS, *beside], methods)) == [(("voters", 1.0, "mix"), ("voters", 1.0, "gold"))]
    section = contrast_section([*ARMS, *clean, *noisy], [], margin=0.02, methods=methods)
    (row,) = next(table for table in section.items if table.name == "against_gold").rows
    assert row[4] == "gold"
    assert row[5].estimate == pytest.approx(0.05)


def test_sizes_of_the_training_set_are_not_mixed():
    few = arm("random", 0.5, "ce", 0.3, n_train=12)
    assert not pair_methods([*RANDOM[:1], few])
    assert not pair_noises([*RANDOM, arm("dim", 0.5, "ce", 0.3, n_train=12)])


def test_the_section_shows_each_comparison_that_there_is():
    section = contrast_section(ARMS, teacher_contrasts(ARMS, margin=0.02), margin=0.02, methods=METHODS)
    assert [table.name for table in section.items] == [
        "against_labels",
        "against_clean",
        "between_methods",
        "between_noises",
    ]
    between = section.items[-1]
    assert between.rows[0][:5] == ("dim", 0.5, "all", "gdl", "random")
    assert between.rows[0][5].estimate == pytest.approx(-0.25)
    assert contrast_section(CLEAN[:2], [], margin=0.02, methods=METHODS) is None
