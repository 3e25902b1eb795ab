"""The law that ties the rooms: corrupt with a log, evaluate noisy against clean, and get the logged counts back."""

import numpy as np
import pytest

from evaluation.metrics.counts import ERRORS
from evaluation.metrics.fields import examine_field
from evaluation.metrics.settings import EvaluationSettings
from noisylabels.data.labels import ROSELLA
from noisylabels.noise.model import NoiseModel

EXACT = EvaluationSettings(complete=1)  # one lost pixel makes an event incomplete
KINDS = {
    "missed": {"rate": 0.2},
    "misclassified": {"rate": 0.2},
    "incomplete": {"rate": 0.3},
    "spurious": {"rate": 0.2},
}


def field_of_discs(seed, *, n_events, apart):
    """Discs of two classes; at random places, many in contact, or apart on a grid."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((120, 160))
    label_map = np.zeros((120, 160), np.uint8)
    grid = rng.permutation([(20 * r + 10, 20 * c + 10) for r in range(6) for c in range(8)])
    for number in range(n_events):
        row, column = grid[number] + rng.uniform(-2, 2, 2) if apart else rng.uniform(0, (120, 160))
        label_map[(rows - row) ** 2 + (columns - column) ** 2 <= rng.uniform(1.5, 6) ** 2] = rng.integers(1, 3)
    return label_map


def corrupt(clean, kinds, seed):
    noisy, log, _ = NoiseModel.from_dict({**kinds, "seed": seed}).apply(clean, image_id="f1")
    counts, errors = examine_field(clean, noisy, classes=ROSELLA, settings=EXACT)
    return log, {name: counts.errors[:, column] for column, name in enumerate(ERRORS)}, errors


def logged(log, kind):
    column = "noisy_class_index" if kind == "spurious" else "class_index"
    return np.bincount(log[column][log["kind"] == kind], minlength=len(ROSELLA))


def test_a_field_without_events_has_nothing_to_corrupt():
    log, counts, _ = corrupt(np.zeros((30, 40), np.uint8), KINDS, seed=0)
    assert len(log) == 0
    assert not any(column.any() for column in counts.values())


@pytest.mark.parametrize("seed", range(12))
def test_events_apart_give_back_exactly_the_logged_counts(seed):
    log, counts, _ = corrupt(field_of_discs(seed, n_events=40, apart=True), KINDS, seed)
    assert len(log) > 10
    for kind in KINDS:
        np.testing.assert_array_equal(counts[kind], logged(log, kind), err_msg=kind)
    assert not counts["split"].any()
    assert not counts["merged"].any()


@pytest.mark.parametrize("seed", range(12))
def test_events_in_contact_give_back_the_logged_events(seed):
    log, counts, errors = corrupt(field_of_discs(seed, n_events=60, apart=False), KINDS, seed)
    for kind in ("missed", "misclassified", "spurious"):
        np.testing.assert_array_equal(counts[kind], logged(log, kind), err_msg=kind)
    # An event that takes the class of one it touches draws back by a pixel, so that the two do not merge; the log has
    # that as a smaller area, the evaluation as an incomplete event.
    shrunk = (log["kind"] == "incomplete") | (
        (log["kind"] == "misclassified") & (log["noisy_area_px"] < log["area_px"])
    )
    found = errors.reference["event"][errors.reference["incomplete"]]
    assert found.tolist() == sorted(set(log["event"][shrunk].tolist()))


@pytest.mark.parametrize("seed", range(6))
def test_split_events_give_back_the_logged_counts(seed):
    log, counts, _ = corrupt(field_of_discs(seed, n_events=40, apart=True), {"split": {"rate": 0.3}}, seed)
    assert len(log) > 3
    np.testing.assert_array_equal(counts["split"], logged(log, "split"))


@pytest.mark.parametrize("seed", range(6))
def test_merged_events_are_the_groups_the_log_joins(seed):
    clean = field_of_discs(seed, n_events=60, apart=False)
    log, counts, _ = corrupt(clean, {"merged": {"rate": 0.5}}, seed)
    assert len(log) > 0
    groups = []
    for event, partner in zip(log["event"].tolist(), log["partner"].tolist(), strict=True):
        joined = [group for group in groups if group & {event, partner}]
        groups = [group for group in groups if group not in joined] + [set.union({event, partner}, *joined)]
    assert counts["merged"].sum() == len(groups)
    assert not counts["missed"].any()
    assert not counts["spurious"].any()
