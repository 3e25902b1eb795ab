import re

import numpy as np
import pytest

from evaluation.experts.experts import (
    CEILING,
    CONSENSUS,
    count_experts,
    find_consensus,
    summarise_agreement,
    summarise_experts,
)
from evaluation.metrics.counts import ERRORS
from evaluation.metrics.detection import ALL
from evaluation.metrics.events import Events
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA


def boxes(*columns, kind=1):
    """Boxes one row high and ten wide that begin at these columns."""
    return Events.from_boxes(np.array([[0, c, 1, c + 10] for c in columns]).reshape(-1, 4), [kind] * len(columns))


# Anna drew four events, Ben three of them, Carla two; the method finds the first and the fourth.
EXPERTS = {
    "anna": {"f0": boxes(), "f1": boxes(0, 20, 40, 60)},
    "ben": {"f0": boxes(), "f1": boxes(0, 20, 40)},
    "carla": {"f1": boxes(0, 20)},
}
METHODS = {"CDL": {"f0": boxes(), "f1": boxes(0, 60)}}


@pytest.fixture(scope="module")
def table():
    return count_experts(EXPERTS, METHODS, classes=ROSELLA, clusters={"f1": "B07"})


def test_each_pair_counts_on_the_fields_both_looked_at(table):
    pairs = set(zip(*(table.keys[name].tolist() for name in ("reference", "method", "field")), strict=True))
    assert ("anna", "CDL", "f0") in pairs
    assert ("carla", "CDL", "f0") not in pairs
    assert ("anna", "ben", "f1") in pairs
    assert ("ben", "anna", "f1") in pairs
    assert ("anna", "anna", "f1") not in pairs
    assert (CONSENSUS, "CDL", "f1") in pairs
    assert (CONSENSUS, "ben", "f1") not in pairs
    assert set(table.keys["cluster"].tolist()) == {"f0", "B07"}


def test_bands_are_averaged_over_experts_beside_the_ceiling(table):
    frame = summarise_experts(table)
    row = frame[(frame.method == "CDL") & (frame.class_name == "phagophore") & (frame.band == "any")]
    shares = [2 / 4, 1 / 3, 1 / 2]  # of anna's, ben's, carla's events
    for mode in ("paper", "one_to_one"):
        one = row[row["mode"] == mode].iloc[0]
        assert one["mean"] == pytest.approx(np.mean(shares))
        assert one["sd"] == pytest.approx(np.std(shares, ddof=1))
        assert one.n_experts == 3
        assert one.consensus == 1 / 3  # at least two experts drew three events
    ceiling = frame[(frame.method == CEILING) & (frame.class_name == "phagophore") & (frame.band == "any")].iloc[0]
    # Of anna's four ben has three and carla two; of ben's three all and two; of carla's two all, all.
    others = [np.mean([3 / 4, 2 / 4]), np.mean([1, 2 / 3]), 1]
    assert ceiling["mean"] == pytest.approx(np.mean(others))
    assert ceiling["sd"] == pytest.approx(np.std(others, ddof=1))
    assert np.isnan(ceiling.consensus)


def test_the_f1_of_expert_against_expert_is_symmetric(table):
    frame = summarise_agreement(table).set_index(["method", "class_name"])
    pairs = {"anna": [6 / 7, 4 / 6], "ben": [6 / 7, 4 / 5], "carla": [4 / 6, 4 / 5]}
    assert frame.loc[(CEILING, ALL), "mean"] == pytest.approx(np.mean([np.mean(values) for values in pairs.values()]))


def test_no_boxes_have_no_consensus():
    assert len(find_consensus([boxes(), boxes(), boxes()])) == 0


def test_the_consensus_needs_more_than_half_of_the_experts():
    drawn = [boxes(0, 20), boxes(2, 40), boxes(4), boxes(100)]
    assert find_consensus(drawn).boxes.tolist() == [[0, 2, 1, 12]]
    assert len(find_consensus(drawn, votes=1)) == 4
    assert len(find_consensus(drawn, votes=4)) == 0


def test_one_expert_drawing_an_event_twice_has_one_vote():
    twice = Events.from_boxes([[0, 0, 1, 10], [0, 0, 1, 10]], [1, 1])
    assert len(find_consensus([twice, boxes(), boxes()])) == 0


def test_boxes_of_other_classes_are_other_events():
    found = find_consensus([boxes(0), boxes(0, kind=2), boxes(0, kind=2)])
    assert found.class_index.tolist() == [2]


def test_a_method_called_as_an_expert_is_refused():
    message = "Experts, methods and 'consensus' must have different names, got anna twice. Rename it."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        count_experts(EXPERTS, {"anna": {"f1": boxes()}}, classes=ROSELLA)


def test_counts_add_up(table):
    for entry in range(len(table)):
        hits, detection = table.one_to_one[entry, :, 1], table.detection[entry]
        assert hits[1:].tolist() == np.diag(detection)[1:].tolist()
        n_reference = table.errors[entry, 1:, ERRORS.index("n_reference")]
        assert n_reference.tolist() == detection[1:].sum(1).tolist()
