import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.metrics.events import Events
from evaluation.metrics.matching import assign, count_best, count_one_to_one
from evaluation.metrics.overlaps import Pairs, pair_boxes


def pairs_of(ious):
    """Pairs from a drawn matrix of IoU in hundredths."""
    table = np.array(ious)
    first, second = np.nonzero(table)
    return Pairs(first, second, table[first, second], np.full(len(first), 100))


def best_by_trying(table, step):
    """Most pairs, then most IoU, over all one-to-one choices: slow, from the definition."""
    able = np.where(table * 20 >= step * 100, table, 0)
    if able.shape[0] > able.shape[1]:
        able = able.T
    if not able.size:
        return 0, 0
    choices = itertools.permutations(range(able.shape[1]), able.shape[0])
    rows = np.arange(able.shape[0])
    return max((int((able[rows, list(c)] > 0).sum()), int(able[rows, list(c)].sum())) for c in choices)


MATRICES = st.tuples(st.integers(0, 5), st.integers(0, 5)).flatmap(
    lambda shape: st.lists(
        st.lists(st.sampled_from([0, 0, 0, 3, 5, 10, 30, 49, 50, 51, 80, 100]), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    ).map(lambda rows: np.array(rows, int).reshape(shape))
)


@settings(max_examples=200, deadline=None)
@given(table=MATRICES, step=st.integers(1, 20))
def test_the_assignment_is_the_best_of_all(table, step):
    pairs = pairs_of(table)
    chosen = pairs.select(assign(pairs, step=step))
    assert len(set(chosen.reference)) == len(set(chosen.prediction)) == len(chosen)
    assert (chosen.steps >= step).all()
    assert (len(chosen), int(chosen.intersection.sum())) == best_by_trying(table, step)


@settings(max_examples=100, deadline=None)
@given(table=MATRICES, step=st.integers(1, 20))
def test_large_groups_are_solved_sparsely_with_the_same_result(table, step):
    pairs = pairs_of(table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evaluation.metrics.matching.MOST_DENSE", 0)
        chosen = pairs.select(assign(pairs, step=step))
    assert len(set(chosen.reference)) == len(set(chosen.prediction)) == len(chosen)
    assert (len(chosen), int(chosen.intersection.sum())) == best_by_trying(table, step)


def test_a_chain_of_a_thousand_overlaps_is_one_pair_per_event():
    first, second = np.repeat(np.arange(1000), 2)[:-1], np.repeat(np.arange(1000), 2)[1:]
    chain = Pairs(first, second, np.full(1999, 2), np.full(1999, 8))
    assert count_one_to_one(chain, np.ones(1000, np.uint8), n_classes=2)[0][1, :6].tolist() == [1000] * 5 + [0]


@settings(max_examples=100, deadline=None)
@given(table=MATRICES)
def test_the_sweep_counts_what_each_assignment_finds(table):
    pairs = pairs_of(table)
    kinds = np.ones(len(table), np.uint8)
    counts, sums = count_one_to_one(pairs, kinds, n_classes=2)
    assert counts[1].tolist() == [best_by_trying(table, step)[0] for step in range(1, 20)]
    assert sums[1] == pytest.approx(best_by_trying(table, 10)[1] / 100)
    assert not counts[0].any()


@settings(max_examples=50, deadline=None)
@given(table=MATRICES)
def test_the_papers_mode_counts_the_best_overlap_of_each(table):
    counts = count_best(pairs_of(table), np.ones(len(table), np.uint8), n_classes=2)
    best = table.max(1, initial=0)
    assert counts[1].tolist() == [int(np.sum(best * 20 >= step * 100)) for step in range(1, 20)]


def test_one_prediction_over_two_events_serves_both_in_the_papers_mode_only():
    reference = Events.from_boxes([[0, 0, 4, 4], [0, 4, 4, 8]], [1, 1])
    prediction = Events.from_boxes([[0, 0, 4, 8]], [1])
    pairs = pair_boxes(reference, prediction)
    assert count_best(pairs, reference.class_index, n_classes=2)[1, 9] == 2
    assert count_one_to_one(pairs, reference.class_index, n_classes=2)[0][1, 9] == 1


def test_matlabs_example_boxes_give_precision_a_third_and_recall_a_half():
    # bboxPrecisionRecall's documentation, threshold 0.5; boxes are [column row width height].
    def events(boxes):
        return Events.from_boxes([[y, x, y + height, x + width] for x, y, width, height in boxes], [1] * len(boxes))

    truth = events([[2, 2, 10, 20], [80, 80, 30, 40]])
    found = events([[4, 4, 10, 20], [50, 50, 30, 10], [90, 90, 40, 50]])
    pairs = pair_boxes(truth, found)
    assert pairs.iou.round(4).tolist() == [0.5625, 0.2308]
    hits = count_one_to_one(pairs, truth.class_index, n_classes=2)[0][1, 9]
    assert (hits / len(found), hits / len(truth)) == (1 / 3, 1 / 2)
