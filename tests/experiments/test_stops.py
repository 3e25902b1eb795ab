"""Stops without a truth: curves whose turning points are drawn."""

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.experiments.stops import count_changes, stop_at_slope, stop_at_wave
from noisylabels.learning.robust.early_learning import EarlyLearningTrigger
from tests.cases import draw


def test_changes_count_each_labelled_class_alike_and_ignored_pixels_not():
    labels = [np.array([[0, 0, 0, 0, 1, 1, 2, 255]], np.uint8)]
    before, after = [np.zeros((1, 8), np.uint8)], [np.array([[1, 0, 0, 0, 1, 0, 2, 2]], np.uint8)]
    assert count_changes(before, after, labels) == pytest.approx((1 / 4 + 1 / 2 + 1) / 3)
    assert count_changes(after, after, labels) == 0
    assert np.isnan(count_changes(before, after, [np.full((1, 8), 255, np.uint8)]))
    assert count_changes([draw("....")], [draw("....")], [draw("....")]) == 0


@pytest.mark.parametrize(
    ("changes", "window", "look"),
    [
        ([0.4], 3, 0),
        ([0.9, 0.6, 0.3, 0.2, 0.1], 3, 4),  # it never rises
        ([0.9, 0.1, 0.5, 0.05], 1, 1),  # the first minimum, not the lowest
        ([0.9, 0.5, 0.1, 0.2, 0.1, 0.6, 0.9], 3, 4),  # means .9 .7 .5 .27 .13 .3: a wobble of one look does not stop it
        ([0.1, 0.2, 0.3], 1, 0),
    ],
)
def test_label_wave_stops_at_the_first_minimum_of_the_smoothed_changes(changes, window, look):
    assert stop_at_wave(changes, window=window) == look


@pytest.mark.parametrize(("changes", "window"), [([], 3), ([0.1], 0)])
def test_label_wave_without_looks_is_refused(changes, window):
    with pytest.raises(InputError) as fault:
        stop_at_wave(changes, window=window)
    got = f"got {len(changes)} and {window}. Give more."
    assert str(fault.value) == f"Label Wave must have at least one look and a window from 1, {got}"


def test_the_slope_stops_where_the_trigger_of_the_training_fires():
    fit = (0.8 * (1 - np.exp(-np.arange(20) / 2))).tolist()
    look = stop_at_slope(fit)
    trigger = EarlyLearningTrigger(2)
    fired = []
    for value in fit:
        trigger._confusion[:] = 0
        trigger._confusion[1, 1], trigger._confusion[0, 1] = int(10000 * value), 10000 - int(10000 * value)
        trigger._close()
        fired.append(1 in trigger())
    assert 3 < look < 19
    assert abs(fired.index(True) - look) <= 1  # the trigger's IoU is of whole pixels
    assert stop_at_slope([0.1, 0.1, 0.1]) == 2  # nothing is learnt: to the end
