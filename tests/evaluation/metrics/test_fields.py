import re
from dataclasses import fields as parts_of

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from evaluation.metrics.counts import ERRORS, STACKS, FieldKey
from evaluation.metrics.events import Events
from evaluation.metrics.fields import count_boxes, count_field, count_fields, examine_field
from evaluation.metrics.settings import EvaluationSettings
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA
from tests.cases import draw

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)
PAIRS = SHAPES.flatmap(lambda shape: arrays(np.uint8, (2, *shape), elements=st.sampled_from([0, 0, 0, 1, 2])))
N_REFERENCE, N_PREDICTION = ERRORS.index("n_reference"), ERRORS.index("n_prediction")


def test_an_empty_field_counts_background_only():
    counts = count_field(draw("... / ..."), draw("... / ..."), classes=ROSELLA)
    assert counts.confusion.tolist() == [[6, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert not counts.detection.any()
    assert not counts.errors.any()
    assert not counts.one_to_one.any()


@settings(max_examples=60, deadline=None)
@given(maps=PAIRS, overlap=st.sampled_from(["box", "mask"]))
def test_counts_add_up_and_engines_agree(maps, overlap):
    how = EvaluationSettings(overlap=overlap)
    counts = count_field(*maps, classes=ROSELLA, settings=how, fast=False)
    again = count_field(*maps, classes=ROSELLA, settings=how, fast=True)
    for name in STACKS:
        np.testing.assert_array_equal(getattr(counts, name), getattr(again, name))
    n_reference, n_prediction = counts.errors[1:, N_REFERENCE], counts.errors[1:, N_PREDICTION]
    hits, misses, spurious = counts.detection[1:, 1:], counts.detection[1:, 0], counts.detection[0, 1:]
    np.testing.assert_array_equal(hits.sum(1) + misses, n_reference)  # tp + fn
    np.testing.assert_array_equal(hits.sum(0) + spurious, n_prediction)  # tp + fp
    np.testing.assert_array_equal(np.diag(hits), counts.one_to_one[1:, 1])  # found at the IoU of 0.1
    assert (counts.one_to_one <= counts.paper).all()
    assert (np.diff(counts.paper, axis=1) <= 0).all()
    assert (np.diff(counts.one_to_one, axis=1) <= 0).all()
    assert (counts.iou_sum <= counts.one_to_one[:, 9]).all()
    assert (counts.iou_sum >= 0.5 * counts.one_to_one[:, 9]).all()


@settings(max_examples=60, deadline=None)
@given(
    maps=PAIRS,
    covered=st.sampled_from([0.0, 0.5]),
    complete=st.sampled_from([0.5, 1.0]),
    swollen=st.sampled_from([1.0, 2.0]),
    inside=st.sampled_from([0.25, 1.0]),
    found_iou=st.sampled_from([0.05, 0.5]),
)
def test_engines_agree_event_by_event_whatever_the_settings(maps, found_iou, **shares):
    how = EvaluationSettings(found_iou=found_iou, **shares)
    slow, fast = (examine_field(*maps, classes=ROSELLA, settings=how, fast=fast) for fast in (False, True))
    np.testing.assert_array_equal(slow[0].detection, fast[0].detection)
    for side in ("reference", "prediction"):
        one, other = (getattr(errors, side) for errors in (slow[1], fast[1]))
        assert list(one) == list(other)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name, strict=True)


@settings(max_examples=40, deadline=None)
@given(maps=PAIRS)
def test_swapping_the_maps_transposes_the_counts(maps):
    forth = count_field(maps[0], maps[1], classes=ROSELLA)
    back = count_field(maps[1], maps[0], classes=ROSELLA)
    np.testing.assert_array_equal(back.confusion, forth.confusion.T)
    np.testing.assert_array_equal(back.one_to_one, forth.one_to_one)
    np.testing.assert_allclose(back.iou_sum, forth.iou_sum)


def test_a_found_an_exchanged_a_missed_and_a_spurious_event():
    reference = draw("11...22...1")
    prediction = draw("11...11.2..")
    counts = count_field(reference, prediction, classes=ROSELLA)
    assert counts.detection.tolist() == [[0, 0, 1], [1, 1, 0], [0, 1, 0]]


def test_a_pair_of_its_own_class_goes_before_a_better_pair_of_another():
    reference = Events.from_boxes([[0, 0, 10, 10]], [1])
    prediction = Events.from_boxes([[0, 0, 10, 10], [0, 0, 10, 4]], [2, 1])
    counts = count_boxes(reference, prediction, classes=ROSELLA)
    assert counts.detection.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_a_prediction_mostly_in_ignored_pixels_is_dropped_and_one_mostly_outside_is_kept():
    ignore = EvaluationSettings(ignore_index=255)
    reference = np.array([[0, 255, 255, 255, 0, 0, 0]], np.uint8)
    inside, outside = np.array([[0, 1, 1, 1, 1, 0, 0]], np.uint8), np.array([[0, 0, 0, 1, 1, 1, 0]], np.uint8)
    spurious = [
        count_field(reference, one, classes=ROSELLA, settings=ignore).errors[1, ERRORS.index("spurious")]
        for one in (inside, outside)
    ]
    assert spurious == [0, 1]


def test_pixels_that_the_prediction_leaves_open_are_ignored_too_but_a_class_index_is_not():
    reference, prediction = np.array([[1, 1, 0]], np.uint8), np.array([[1, 255, 0]], np.uint8)
    counts = count_field(reference, prediction, classes=ROSELLA, settings=EvaluationSettings(ignore_index=255))
    assert counts.confusion.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert counts.errors[1].sum() == 2  # one event on either side, and no error
    as_class = count_field(reference, reference * 2, classes=ROSELLA, settings=EvaluationSettings(ignore_index=2))
    assert as_class.confusion.tolist() == [[1, 0, 0], [0, 0, 2], [0, 0, 0]]


def test_events_in_ignored_pixels_are_not_events():
    reference = np.array([[1, 0, 255, 255], [0, 0, 255, 255]], np.uint8)
    prediction = np.array([[1, 0, 2, 2], [0, 0, 0, 0]], np.uint8)
    counts = count_field(reference, prediction, classes=ROSELLA, settings=EvaluationSettings(ignore_index=255))
    assert counts.confusion.tolist() == [[3, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert counts.detection.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_inputs_are_not_modified():
    reference, prediction = draw("11.2 / 1..9"), draw("1..2 / 11..")
    before = reference.copy(), prediction.copy()
    count_field(reference, prediction, classes=ROSELLA, settings=EvaluationSettings(ignore_index=9, min_area_px=2))
    np.testing.assert_array_equal(before[0], reference)
    np.testing.assert_array_equal(before[1], prediction)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint16])
def test_the_integer_type_of_the_maps_does_not_matter(dtype):
    counts = count_field(draw("11.2").astype(dtype), draw("1..2").astype(dtype), classes=ROSELLA)
    assert counts.confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]


def test_many_fields_are_read_one_by_one():
    alive = []

    def read():
        for number in range(5):
            alive.append(number)
            yield FieldKey(f"f{number}", "CDL"), draw("11.2"), draw("1..2")

    table = count_fields(read(), classes=ROSELLA)
    assert (len(table), alive) == (5, list(range(5)))
    np.testing.assert_array_equal(
        table.confusion[3], count_field(draw("11.2"), draw("1..2"), classes=ROSELLA).confusion
    )


def test_errors_come_with_the_counts():
    counts, errors = examine_field(draw("11.2"), draw("1..."), classes=ROSELLA)
    np.testing.assert_array_equal(errors.count(n_classes=3), counts.errors)
    assert {part.name for part in parts_of(counts)} == set(STACKS)


@pytest.mark.parametrize(
    ("reference", "prediction", "message"),
    [
        (
            np.zeros((2, 2), int),
            np.zeros((2, 3), int),
            "Reference and prediction of field 'f1' must have one shape, got (2, 2) and (2, 3). "
            "Pair each prediction with its own reference.",
        ),
        (
            np.zeros((2, 2), int),
            np.full((2, 2), 3),
            "Values of prediction of field 'f1' must be class indices 0..2 (background, phagophore, autolysosome), "
            "got 3 in 4 pixels. Map or drop that class first.",
        ),
        (
            np.full((2, 2), -1),
            np.zeros((2, 2), int),
            "Values of reference of field 'f1' must be class indices 0..2 (background, phagophore, autolysosome), "
            "got -1 in 4 pixels. Map or drop that class first.",
        ),
    ],
    ids=["shapes differ", "class outside the table", "negative class"],
)
def test_bad_fields_are_refused_by_name(reference, prediction, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        count_fields([(FieldKey("f1", "CDL"), reference, prediction)], classes=ROSELLA)
