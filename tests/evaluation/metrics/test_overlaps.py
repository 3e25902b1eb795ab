import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from evaluation.metrics.events import Events, find_events
from evaluation.metrics.overlaps import _candidates, pair_boxes, pair_masks
from tests.cases import draw

NO_BOXES = Events.from_boxes(np.zeros((0, 4), int), [])
CORNERS = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 9), st.integers(1, 9))
BOXES = st.lists(CORNERS.map(lambda c: (c[0], c[1], c[0] + c[2], c[1] + c[3])), max_size=12)


PAIRS_OF_MAPS = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14).flatmap(
    lambda shape: arrays(np.uint8, (2, *shape), elements=st.sampled_from([0, 0, 1, 2]))
)


def events_of(boxes):
    return Events.from_boxes(np.array(boxes, int).reshape(-1, 4), np.ones(len(boxes), int))


def pixels_of(box):
    return {(row, column) for row in range(box[0], box[2]) for column in range(box[1], box[3])}


def test_no_boxes_make_no_pairs():
    some = events_of([(0, 0, 2, 2)])
    assert (
        len(pair_boxes(NO_BOXES, NO_BOXES)) == len(pair_boxes(NO_BOXES, some)) == len(pair_boxes(some, NO_BOXES)) == 0
    )


def test_matlabs_documented_ratio_is_2500_of_30000():
    # bboxOverlapRatio([150 80 100 100], [200 130 150 150]) = 0.0833; MATLAB's box is [column row width height].
    pairs = pair_boxes(events_of([(80, 150, 180, 250)]), events_of([(130, 200, 280, 350)]))
    assert (pairs.intersection.tolist(), pairs.union.tolist()) == ([2500], [30000])
    assert pairs.iou.round(4).tolist() == [0.0833]


def test_boxes_that_only_touch_do_not_overlap():
    assert len(pair_boxes(events_of([(0, 0, 2, 2)]), events_of([(2, 0, 4, 2), (0, 2, 2, 4)]))) == 0


@settings(max_examples=100, deadline=None)
@given(first=BOXES, second=BOXES)
def test_overlaps_of_boxes_are_shared_pixels(first, second):
    expected = []
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            shared = pixels_of(one) & pixels_of(other)
            if shared:
                expected.append((i, j, len(shared), len(pixels_of(one) | pixels_of(other))))
    pairs = pair_boxes(events_of(first), events_of(second))
    found = zip(pairs.reference, pairs.prediction, pairs.intersection, pairs.union, strict=True)
    assert list(found) == expected


WAYS = {
    "compiled loop": {"MANY_PAIRS": 10**9},
    "all at once": {"MANY_PAIRS": 0},
    "sorted, in blocks": {"MANY_PAIRS": 0, "FEW_PAIRS": 0, "BLOCK_PAIRS": 7},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("whole", [True, False], ids=["whole pixels", "between pixels"])
def test_every_way_to_pair_boxes_finds_the_same(way, whole, monkeypatch):
    for name, value in way.items():
        monkeypatch.setattr(f"evaluation.metrics.overlaps.{name}", value)
    rng = np.random.default_rng(0)
    for _ in range(40):
        drawn = []
        for n in rng.integers(1, 25, 2):
            corners, sizes = (
                rng.uniform(-20, 60, (n, 2)),
                np.exp(rng.uniform(0, 4.5, (n, 2))),
            )  # some a hundred times larger
            boxes = np.hstack([corners, corners + sizes])
            boxes = np.hstack([np.floor(corners), np.floor(corners) + np.ceil(sizes)]).astype(int) if whole else boxes
            drawn.append(Events.from_boxes(boxes, np.ones(n, int)))
        one, other = (events.boxes[axis] for events, axis in zip(drawn, ((slice(None), None), (None,)), strict=True))
        sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
        first, second = np.nonzero((sides > 0).all(-1))
        pairs = pair_boxes(*drawn)
        assert (pairs.reference.tolist(), pairs.prediction.tolist()) == (first.tolist(), second.tolist())
        np.testing.assert_allclose(pairs.intersection, sides[first, second].prod(-1))


def test_one_event_across_the_field_does_not_make_all_others_candidates():
    """30 s and 11 GB for twenty thousand boxes, when a tall box widened the search for all."""
    corners = np.indices((100, 100)).reshape(2, -1).T * 12
    boxes = np.vstack([np.hstack([corners, corners + 3]), [[0, 3, 1200, 5]]])
    looked_at = sum(len(first) for first, _ in _candidates(boxes, boxes))
    assert looked_at < 40 * len(boxes)


def test_boxes_between_pixels_are_measured_too():
    pairs = pair_boxes(events_of([(0, 0, 2, 2)]), Events.from_boxes([[0.5, 0.0, 2.5, 2.0]], [1]))
    assert pairs.iou.tolist() == [0.6]


def test_overlaps_of_events_are_shared_pixels():
    reference = find_events(draw("11.22 / 11.22 / 11..."))
    prediction = find_events(draw("1..11 / 1..11 / 122.."))
    pairs = pair_masks(reference, prediction)
    assert pairs.reference.tolist() == [0, 0, 1]
    assert pairs.prediction.tolist() == [0, 2, 1]
    assert pairs.intersection.tolist() == [3, 1, 4]
    assert pairs.union.tolist() == [6, 7, 4]


@settings(max_examples=60, deadline=None)
@given(maps=PAIRS_OF_MAPS)
def test_both_engines_pair_the_events_that_share_pixels(maps):
    one, other = find_events(maps[0]), find_events(maps[1])
    expected = []
    for i, j in np.ndindex(len(one), len(other)):
        first, second = one.instances == i + 1, other.instances == j + 1
        if (first & second).any():
            expected.append((i, j, (first & second).sum(), (first | second).sum()))
    for fast in (False, True):
        pairs = pair_masks(one, other, fast=fast)
        assert list(zip(pairs.reference, pairs.prediction, pairs.intersection, pairs.union, strict=True)) == expected


def test_whole_twentieths_round_down_and_exact_ones_stay():
    pairs = pair_boxes(
        events_of([(0, 0, 1, 10)]), events_of([(0, 9, 1, 10), (0, 5, 1, 10), (0, 0, 1, 10), (0, 0, 1, 7)])
    )
    assert pairs.iou.tolist() == [0.1, 0.5, 1.0, 0.7]
    assert pairs.steps.tolist() == [2, 10, 20, 14]
