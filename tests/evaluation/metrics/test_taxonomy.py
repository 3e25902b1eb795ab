import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from evaluation.metrics.counts import ERRORS
from evaluation.metrics.events import find_events
from evaluation.metrics.overlaps import pair_masks
from evaluation.metrics.settings import EvaluationSettings
from evaluation.metrics.taxonomy import classify_errors
from tests.cases import draw

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=16)
PAIRS = SHAPES.flatmap(lambda shape: arrays(np.uint8, (2, *shape), elements=st.integers(0, 3)))


def classify(reference, prediction, **how):
    one, other = find_events(reference), find_events(prediction)
    return classify_errors(one, other, pair_masks(one, other), settings=EvaluationSettings(**how))


def test_an_empty_field_has_no_errors():
    errors = classify(draw("..."), draw("..."))
    assert len(errors.reference) == len(errors.prediction) == 0
    np.testing.assert_array_equal(errors.count(n_classes=3), np.zeros((3, len(ERRORS))))


CASES = {
    "found": ("111.", "111.", {}),
    "missed": ("111.", "....", {"missed": 1}),
    "misclassified": ("111.", "222.", {"misclassified": 1}),
    "incomplete": ("111.", "1...", {"incomplete": 1}),
    "half is complete by default": ("11..", "1...", {}),
    "misclassified and incomplete": ("111.", "2...", {"misclassified": 1, "incomplete": 1}),
    "mostly another class": ("111.", "122.", {"misclassified": 1}),
    "a tie is its own class": ("11..", "12..", {}),
    "swollen is not an error of the taxonomy": ("1...", "1111", {}),
    "split": ("11111", "11.11", {"split": 1}),
    "a piece of another class does not split": ("11111", "11.22", {"incomplete": 1}),
    "a piece mostly outside does not split": ("1111... / ....... / 1......", "11.1111 / ....... / 1......", {}),
}


def test_an_event_is_swollen_above_twice_its_area_and_by_its_own_class_only():
    assert classify(draw("11.. / ...."), draw("1111 / 1...")).reference["swollen"].tolist() == [True]
    assert classify(draw("11.. / ...."), draw("1111 / ....")).reference["swollen"].tolist() == [False]
    assert classify(draw("1... / ...."), draw(".... / .111")).reference["swollen"].tolist() == [False]  # missed
    assert classify(draw("11.. / ...."), draw("1122 / .222")).reference["swollen"].tolist() == [False]


@pytest.mark.parametrize(("reference", "prediction", "kinds"), CASES.values(), ids=CASES)
def test_errors_are_named_as_by_eye(reference, prediction, kinds):
    errors = classify(draw(reference), draw(prediction))
    found = {kind: int(errors.reference[kind].sum()) for kind in ("missed", "misclassified", "incomplete", "split")}
    assert {kind: number for kind, number in found.items() if number} == kinds


def test_spurious_and_merged_events_are_named_by_their_own_class():
    errors = classify(draw("11.11.... / ........."), draw("11111..22 / ........."))
    counts = errors.count(n_classes=3)
    assert dict(zip(ERRORS, counts[1].tolist(), strict=True)) == {
        "n_reference": 2,
        "n_prediction": 1,
        "missed": 0,
        "misclassified": 0,
        "incomplete": 0,
        "swollen": 2,
        "spurious": 0,
        "split": 0,
        "merged": 1,
    }
    assert counts[2, ERRORS.index("spurious")] == counts[2, ERRORS.index("n_prediction")] == 1


def test_every_lost_pixel_counts_when_asked():
    reference, prediction = draw("1111 / 1111"), draw("1111 / 111.")
    assert not classify(reference, prediction).reference["incomplete"][0]
    assert classify(reference, prediction, complete=1).reference["incomplete"][0]


def test_a_brush_of_pixels_can_be_called_missed():
    reference, prediction = draw("11111 / 11111"), draw("1.... / .....")
    assert not classify(reference, prediction).reference["missed"][0]
    assert classify(reference, prediction, covered=0.1).reference["missed"][0]


@settings(max_examples=80, deadline=None)
@given(maps=PAIRS)
def test_covered_pixels_are_those_of_the_label_maps(maps):
    reference, prediction = maps
    errors = classify(reference, prediction)
    instances = find_events(reference).instances
    for row, event in enumerate(errors.reference["event"]):
        inside = prediction[instances == event]
        assert errors.reference["covered_px"][row] == np.sum(inside > 0)
        assert errors.reference["own_px"][row] == np.sum(inside == errors.reference["class_index"][row])
        assert errors.reference["missed"][row] == (not inside.any())


@settings(max_examples=80, deadline=None)
@given(maps=PAIRS)
def test_laws_of_the_error_counts(maps):
    reference, prediction = maps
    forth = classify(reference, prediction).count(n_classes=4)
    back = classify(prediction, reference).count(n_classes=4)
    place = {name: column for column, name in enumerate(ERRORS)}
    for one, other in [("n_reference", "n_prediction"), ("missed", "spurious"), ("split", "merged")]:
        np.testing.assert_array_equal(forth[:, place[one]], back[:, place[other]])
        np.testing.assert_array_equal(forth[:, place[other]], back[:, place[one]])
    same = classify(reference, reference, complete=1).count(n_classes=4)
    assert not same[:, 2:].any()
