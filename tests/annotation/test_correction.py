"""The simulated person of `benchmarks/correction.py`: what she mends, with which hand, and how long it takes."""

import numpy as np
import pytest

from benchmarks.correction import Person, best_disc, events_of, overlap


def field_with(*boxes):
    label_map = np.zeros((40, 60), np.uint8)
    for index, row, column, height, width in boxes:
        label_map[row : row + height, column : column + width] = index
    return label_map


def test_an_empty_field_and_one_that_is_right_need_no_stroke():
    person = Person()
    for label_map in (field_with(), field_with((1, 5, 5, 4, 4), (2, 20, 20, 8, 8))):
        assert list(person.strokes(label_map, label_map)) == []
        assert person.seconds == pytest.approx(1.35 * len(events_of(label_map)))


def test_what_is_no_event_is_filled_with_background_and_another_class_with_the_right_one():
    shown = field_with((1, 5, 5, 4, 4), (1, 20, 20, 8, 8))
    truth = field_with((2, 20, 20, 8, 8))
    person = Person()
    strokes = list(person.strokes(shown, truth))
    assert [tool for _, tool, _ in strokes] == ["fill", "fill"]
    assert np.array_equal(strokes[-1][0], truth)
    look, click, press = 2 * 1.35, 1.35 + 1.10 + 0.20, 0.28
    assert [seconds for *_, seconds in strokes] == pytest.approx([look + press + click, press + click])


def test_a_round_event_is_dabbed_and_a_long_one_is_outlined():
    truth = field_with((1, 5, 5, 5, 5), (2, 30, 10, 4, 40))
    person = Person()
    strokes = list(person.strokes(field_with(), truth))
    assert [tool for _, tool, _ in strokes] == ["brush", "lasso"]
    for index, event in events_of(truth):
        assert overlap(strokes[-1][0] == index, event) >= 0.7
    straight = 2 * (3 + 39) * 920 / 340 * 2.54 / 96  # at least: the outline runs half a pixel outside of the centres
    assert strokes[1][2] > 0.28 + 2.65 + 4 * 0.9 + 0.16 * straight


def test_the_best_disc_of_a_disc_is_itself():
    rows, columns = np.indices((40, 60))
    disc = (rows - 12) ** 2 + (columns - 30) ** 2 <= 5.5**2
    diameter, found = best_disc(disc)
    assert diameter == 11
    assert np.array_equal(found, disc)
