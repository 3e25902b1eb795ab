import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from evaluation.metrics.events import Events, find_events
from noisylabels.data.errors import InputError
from tests.cases import draw

ENGINES = pytest.mark.parametrize("fast", [False, True], ids=["numpy", "numba"])
SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=25)
MAPS = SHAPES.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 1, 1, 2, 5])))


@ENGINES
def test_an_empty_field_has_no_events(fast):
    events = find_events(draw("... / ..."), fast=fast)
    assert len(events) == 0
    assert events.boxes.shape == (0, 4)
    assert not events.instances.any()


@ENGINES
def test_events_are_found_as_by_eye(fast):
    events = find_events(draw("11..1 / 11.2. / ..1.2 / 1...2"), fast=fast)
    assert events.class_index.tolist() == [1, 1, 1, 2]
    assert events.area_px.tolist() == [5, 1, 1, 3]
    assert events.boxes.tolist() == [[0, 0, 3, 3], [0, 4, 1, 5], [3, 0, 4, 1], [1, 3, 4, 5]]
    np.testing.assert_array_equal(events.instances, draw("11..2 / 11.4. / ..1.4 / 3...4"))


@settings(max_examples=150, deadline=None)
@given(label_map=MAPS, widen=st.booleans())
def test_both_engines_find_the_same_events(label_map, widen):
    label_map = np.repeat(label_map, 5, axis=1) if widen else label_map
    slow, fast = find_events(label_map, fast=False), find_events(label_map, fast=True)
    for name in ("class_index", "area_px", "boxes", "instances"):
        np.testing.assert_array_equal(getattr(slow, name), getattr(fast, name), strict=True)


@settings(max_examples=30, deadline=None)
@given(label_map=MAPS)
def test_scikit_image_finds_the_same_boxes_and_areas(label_map):
    from skimage.measure import label, regionprops

    events = find_events(label_map)
    expected = [
        (index, region.area, region.bbox)
        for index in (1, 2, 5)
        for region in (regionprops(label(label_map == index, connectivity=2)) if label_map.size else [])
    ]
    found = zip(events.class_index, events.area_px, map(tuple, events.boxes.tolist()), strict=True)
    assert sorted(found) == sorted(expected)


@ENGINES
def test_more_events_than_sixteen_bits_can_number(fast):
    label_map = np.zeros((600, 600), np.uint8)
    label_map[::2, ::2] = 1
    events = find_events(label_map, fast=fast)
    assert len(events) == events.instances.max() == 90_000


@ENGINES
def test_small_events_and_events_on_the_frame_can_be_left_out(fast):
    label_map = draw("1.... / ..1.. / ..1.. / ....2 / .1...")
    assert find_events(label_map, min_area_px=2, fast=fast).boxes.tolist() == [[1, 2, 3, 3]]
    inner = find_events(label_map, drop_border=True, fast=fast)
    assert inner.boxes.tolist() == [[1, 2, 3, 3]]
    np.testing.assert_array_equal(inner.instances, draw("..... / ..1.. / ..1.. / ..... / ....."))


def test_a_box_without_area_is_refused():
    message = (
        "A box must have row_min < row_max and column_min < column_max, got [3, 3, 3, 5]. "
        "Boxes are half-open: the box of one pixel (r, c) is (r, c, r + 1, c + 1)."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Events.from_boxes([[0, 0, 1, 1], [3, 3, 3, 5]], [1, 1])
