import re

import numpy as np
import pandas as pd
import pytest

from evaluation.metrics.counts import CountTable, FieldKey
from evaluation.metrics.detection import (
    ALL,
    score_detection,
    tabulate_bands,
    tabulate_errors,
    tabulate_event_confusion,
    tabulate_panoptic,
    tabulate_thresholds,
)
from evaluation.metrics.events import Events
from evaluation.metrics.fields import count_boxes, count_field
from evaluation.metrics.settings import EvaluationSettings
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA
from tests.cases import draw

# Boxes one row high. Phagophores: [0, 10) is found with IoU 0.4, [20, 30) with 1, [40, 50) missed, and
# [60, 64) and [64, 68) are both covered by one box, with IoU 0.5 each. One spurious autolysosome.
REFERENCE = Events.from_boxes(
    [[0, 0, 1, 10], [0, 20, 1, 30], [0, 40, 1, 50], [0, 60, 1, 64], [0, 64, 1, 68]], [1, 1, 1, 1, 1]
)
PREDICTION = Events.from_boxes([[0, 0, 1, 4], [0, 20, 1, 30], [0, 60, 1, 68], [0, 90, 1, 95]], [1, 1, 1, 2])


@pytest.fixture(scope="module")
def table():
    counts = count_boxes(REFERENCE, PREDICTION, classes=ROSELLA)
    return CountTable.stack([(FieldKey("f1", "CDL", "expert"), counts)], classes=ROSELLA)


def test_no_field_gives_empty_tables():
    empty = CountTable.empty(ROSELLA)
    for tabulate in (tabulate_thresholds, tabulate_bands, tabulate_panoptic, tabulate_errors):
        assert len(tabulate(empty)) == 0
    assert tabulate_event_confusion(empty) == {}


def test_nothing_to_detect_is_undefined_not_perfect():
    assert all(np.isnan(value) for value in score_detection(0, 0, 0).values())


def test_the_papers_bands_stand_beside_one_to_one(table):
    frame = tabulate_bands(table)
    found = {(row.class_name, row.mode, row.band): (row.n_found, row.share) for row in frame.itertuples(index=False)}
    paper = [found["phagophore", "paper", band] for band in ("[0.1, 0.5)", "[0.5, 1]", "any")]
    one_to_one = [found["phagophore", "one_to_one", band] for band in ("[0.1, 0.5)", "[0.5, 1]", "any")]
    assert paper == [(1, 1 / 5), (3, 3 / 5), (4, 4 / 5)]
    assert one_to_one == [(1, 1 / 5), (2, 2 / 5), (3, 3 / 5)]
    assert np.isnan(found["autolysosome", "paper", "any"][1])


def test_thresholds_are_scored_from_low_to_high(table):
    frame = tabulate_thresholds(table).set_index(["class_name", "mode", "iou"])
    row = frame.loc["phagophore", "one_to_one", 0.5]
    assert (row.n_found, row.recall, row.precision) == (2, 2 / 5, 2 / 3)
    assert row.f1 == 2 * 2 / (5 + 3)
    assert row.accuracy == 2 / (5 + 3 - 2)
    assert frame.loc["phagophore", "one_to_one", 0.4].n_found == 3
    assert frame.loc["phagophore", "paper", 0.5].recall == 3 / 5
    assert np.isnan(frame.loc["phagophore", "paper", 0.5].precision)
    assert frame.loc[ALL, "one_to_one", 0.5].precision == 2 / 4


def test_panoptic_quality_is_its_two_factors(table):
    row = tabulate_panoptic(table).set_index("class_name").loc["phagophore"]
    assert row.SQ == (1 + 0.5) / 2
    assert row.RQ == 2 * 2 / (5 + 3)
    assert pytest.approx(row.SQ * row.RQ) == row.PQ


def test_monai_gives_the_same_panoptic_quality():
    import torch
    from monai.metrics import PanopticQualityMetric

    reference = draw("1111.11. / 1111.11. / ........ / 111..111")
    prediction = draw("111..11. / 111..11. / .......1 / 111.....")
    counts = count_field(reference, prediction, classes=ROSELLA, settings=EvaluationSettings(overlap="mask"))
    table = CountTable.stack([(FieldKey("f1", "CDL"), counts)], classes=ROSELLA)
    ours = tabulate_panoptic(table).set_index("class_name").loc["phagophore"]

    from evaluation.metrics.events import find_events

    def both(label_map):  # MONAI wants (batch, instance and class, row, column)
        events = find_events(label_map)
        return torch.from_numpy(np.stack([events.instances, label_map.astype(np.int32)])[None].astype(np.int64))

    metric = PanopticQualityMetric(num_classes=1, metric_name=["PQ", "SQ", "RQ"], match_iou_threshold=0.5)
    metric(both(prediction), both(reference))
    theirs = [float(value) for value in metric.aggregate()]
    assert pytest.approx(theirs, abs=1e-5) == [ours.PQ, ours.SQ, ours.RQ]


def test_the_event_confusion_names_what_is_missed_and_spurious(table):
    expected = pd.DataFrame(
        [[3, 0, 2], [0, 0, 0], [0, 1, 0]],
        index=["phagophore", "autolysosome", "spurious"],
        columns=["phagophore", "autolysosome", "missed"],
    )
    pd.testing.assert_frame_equal(tabulate_event_confusion(table)["expert", "CDL"], expected)


def test_errors_are_shares_of_the_events_that_can_have_them(table):
    frame = tabulate_errors(table).set_index(["class_name", "kind"])
    assert frame.loc["phagophore", "missed"].to_dict() == {
        "reference": "expert",
        "method": "CDL",
        "n_events": 5,
        "n_errors": 1,
        "rate": 1 / 5,
    }
    assert frame.loc["phagophore", "incomplete"].n_errors == 1
    assert frame.loc["phagophore", "merged"].rate == 1 / 3
    assert frame.loc["autolysosome", "spurious"].rate == 1
    assert frame.loc[ALL, "spurious"].rate == 1 / 4
    assert np.isnan(frame.loc["autolysosome", "missed"].rate)


def test_an_edge_that_was_not_counted_is_refused(table):
    message = "A band edge must be one of 0.05, 0.1, ..., 0.95, got 0.33. Those thresholds were counted."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        tabulate_bands(table, edges=(0.1, 0.33))
