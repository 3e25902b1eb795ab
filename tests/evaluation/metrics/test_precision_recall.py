"""Precision and recall over the probability of events: scikit-learn's definition, drawn cases, and tables that lie."""

import numpy as np
import pytest

from evaluation.metrics.events import find_events
from evaluation.metrics.precision_recall import (
    curves_of,
    find_probabilities,
    pair_events,
    tabulate_average_precision,
    trace_curve,
)
from evaluation.metrics.settings import EvaluationSettings
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable

BOX = ("row_min", "column_min", "row_max", "column_max")
MASK = EvaluationSettings(overlap="mask")


def table_of(events, probability):
    columns = dict(zip(BOX, events.boxes.T, strict=True)) | {"area_px": events.area_px}
    return EventTable({"class_index": events.class_index, **columns, "probability": np.asarray(probability, float)})


def test_without_events_there_is_no_average():
    curve = trace_curve([], [], 0)
    assert len(curve.recall) == len(curve.precision) == 0
    assert np.isnan(curve.average_precision)
    assert trace_curve([], [], 3).average_precision == 0


@pytest.mark.parametrize("seed", range(4))
def test_the_average_is_that_of_scikit_learn_times_the_share_that_was_found(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    probability = rng.integers(0, 12, 60) / 12  # ties
    paired = rng.random(60) < probability
    n_reference = int(paired.sum()) + 7  # seven that nobody predicted
    curve = trace_curve(probability, paired, n_reference)
    share = paired.sum() / n_reference
    assert curve.average_precision == pytest.approx(metrics.average_precision_score(paired, probability) * share)
    precision, recall, thresholds = metrics.precision_recall_curve(paired, probability)
    places = np.searchsorted(thresholds, curve.probability)
    np.testing.assert_allclose(curve.precision, precision[places])
    np.testing.assert_allclose(curve.recall, recall[places] * share)


def test_a_second_event_on_one_of_the_reference_has_no_partner():
    reference, prediction = np.zeros((8, 12), np.uint8), np.zeros((8, 12), np.uint8)
    reference[1:5, 1:9] = 1
    prediction[1:5, 1:6] = 1  # IoU 20/32
    prediction[1:5, 7:9] = 1
    prediction[6:8, 0:2] = 2
    one, other = find_events(reference), find_events(prediction)
    found = pair_events(one, other, settings=MASK)
    assert [side.tolist() for side in found] == [[True], [True, False, False]]


def test_an_event_that_is_cut_keeps_its_probability():
    label_map = np.array([[1, 1, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0], [2, 2, 0, 0, 0, 0]], np.uint8)
    whole = find_events(label_map)
    cut = label_map.copy()
    cut[:, :2] = 0  # ignored there
    found = find_probabilities(whole, find_events(cut), table_of(whole, [0.9, 0.7, 0.5]), source="x")
    assert found.tolist() == [0.7]


def test_the_table_of_another_label_map_is_refused():
    label_map = np.array([[1, 1, 0, 1]], np.uint8)
    other = find_events(np.array([[1, 1, 0, 2]], np.uint8))
    with pytest.raises(InputError) as told:
        find_probabilities(
            find_events(label_map), find_events(label_map), table_of(other, [0.5, 0.5]), source="cdl of f1"
        )
    assert str(told.value) == (
        "events.csv must hold the events of cdl of f1, got those of another label map. Predict again, or delete it."
    )


def test_fields_without_probabilities_do_not_count():
    n = 5
    events = EventTable(
        {
            "method": np.full(n, "CDL", object),
            "side": np.array(["reference", "reference", "prediction", "prediction", "reference"], object),
            "class_index": np.ones(n, np.uint8),
            "probability": np.array([np.nan, np.nan, 0.4, 0.9, np.nan]),
            "paired": np.array([1, 0, 1, 0, -1], np.int8),
        }
    )
    (row,) = tabulate_average_precision(events, ["nucleus"], ["CDL"]).to_dict("records")
    assert row == {
        "class_name": "nucleus",
        "method": "CDL",
        "n_reference": 2,
        "n_prediction": 2,
        "average_precision": 0.25,  # recall rises by one half where one in two is right
    }
    assert curves_of(events.select(events["paired"] < 0), ["nucleus"], ["CDL"]) == {}
