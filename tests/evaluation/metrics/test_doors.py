"""Whatever is handed to a public function, it counts rightly or says in one sentence what must hold."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from evaluation.experts.consensus import staple, vote
from evaluation.metrics.boundary import count_boundaries, disk_offsets, find_boundaries
from evaluation.metrics.events import Events, find_events
from evaluation.metrics.fields import count_field
from evaluation.metrics.monai_metrics import BoundaryF1Metric
from evaluation.metrics.overlaps import pair_masks
from evaluation.metrics.pixels import count_pixels
from evaluation.screens.screens import disagree
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA

STRANGE = (-1, 3, 40, 200, 255, 256, 257, 65_535)


def anything(shapes):
    """Arrays of any dtype with right and strange values, of any shape, empty ones too."""
    whole = st.sampled_from([0, 1, 2, *STRANGE])
    kinds = [
        arrays(np.int64, shapes, elements=whole),
        arrays(np.uint8, shapes, elements=st.sampled_from([0, 1, 2, 255])),
        arrays(np.uint8, shapes, elements=st.integers(0, 2)),
        arrays(np.uint16, shapes, elements=st.sampled_from([0, 1, 2, 256, 65_535])),
        arrays(np.int8, shapes, elements=st.integers(-1, 2)),
        arrays(bool, shapes),
        arrays(np.float32, shapes, elements=st.sampled_from([0.0, 1.0, 0.5, np.nan])),
    ]
    return st.one_of(kinds)


ANYTHING = anything(array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=7))
SAME = st.shared(st.tuples(st.integers(0, 7), st.integers(0, 9)), key="shape")
PAIR = st.tuples(anything(SAME), anything(SAME))

FUNCTIONS = {
    "pixels": lambda one, other, fast: count_pixels(one, other, n_classes=3, fast=fast),
    "pixels, ignored": lambda one, other, fast: count_pixels(one, other, n_classes=3, ignore_index=255, fast=fast),
    "boundaries": lambda one, other, fast: count_boundaries(one, other, n_classes=3, tolerance_px=1.5, fast=fast),
    "boundaries, ignored": lambda one, other, fast: count_boundaries(
        one, other, n_classes=3, tolerance_px=1.5, ignore_index=255, fast=fast
    ),
    "marks": lambda one, _, fast: find_boundaries(one, fast=fast),
    "events": lambda one, _, fast: np.column_stack([(found := find_events(one, fast=fast)).boxes, found.area_px]),
    "pairs": lambda one, other, fast: (
        pair_masks(find_events(one, fast=fast), find_events(other, fast=fast), fast=fast).intersection
    ),
    "field": lambda one, other, fast: count_field(one, other, classes=ROSELLA, fast=fast).errors,
    "vote": lambda one, other, _: vote([one, other]),
    "disagreement": lambda one, other, _: disagree(one, other, n_classes=3),
}


def outcome(function, one, other, *, fast):
    try:
        return np.asarray(function(one, other, fast))
    except InputError as error:
        return re.sub(r"(reference|prediction) of field|reference|prediction|label map", "map", str(error))


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@settings(max_examples=60, deadline=None)
@given(pair=st.one_of(PAIR, st.tuples(ANYTHING, ANYTHING)))
def test_numba_and_numpy_give_the_same_counts_or_the_same_sentence(function, pair):
    fast, slow = (outcome(function, *pair, fast=fast) for fast in (True, False))
    assert type(fast) is type(slow)
    np.testing.assert_array_equal(fast, slow)
    if isinstance(fast, np.ndarray) and function is FUNCTIONS["pixels"]:
        assert fast.sum() == pair[0].size


@pytest.mark.parametrize("value", STRANGE)
def test_a_strange_value_is_named_and_never_wrapped(value):
    clean, strange = np.zeros((2, 3), np.int64), np.array([[0, value, 0], [0, 0, 0]])
    message = f"Values of prediction must be class indices 0..2, got {value} in 1 pixels. Map or drop that class first."
    for count in (FUNCTIONS["pixels"], FUNCTIONS["boundaries"]):
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            count(clean, strange, None)
    metric = BoundaryF1Metric(n_classes=3)
    with pytest.raises(InputError, match=f"^{re.escape(message.replace('prediction', 'y_pred'))}$"):
        metric(y_pred=torch.from_numpy(strange)[None, None], y=torch.from_numpy(clean)[None, None])


def test_a_vote_does_not_wrap_256_to_the_background():
    maps = [np.array([[0, 256]]), np.array([[0, 256]])]
    for fuse in (vote, staple):
        with pytest.raises(
            InputError, match=r"^Values of label map must be class indices 0\.\.254, got 256 in 1 pixels\."
        ):
            fuse(maps)


def test_boxes_of_no_class_no_size_and_tolerances_that_are_no_distance_are_refused():
    for wrong in ([256], [0], [-1], [1.0], [float("nan")]):
        with pytest.raises(InputError, match=r"^Class indices of events must be whole numbers in 1\.\.254"):
            Events.from_boxes([[0, 0, 2, 2]], wrong)
    with pytest.raises(InputError, match=r"^A box must have row_min < row_max"):
        Events.from_boxes([[0, 0, np.nan, 2]], [1])
    for wrong in (np.nan, -1, np.inf):
        with pytest.raises(InputError, match=r"^tolerance_px must be in 0\.\.1000"):
            disk_offsets(wrong)
