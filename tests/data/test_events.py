"""Label maps to events."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label as skimage_label

from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable, find_small_events, label_events
from tests.cases import draw


def test_small_events_are_found_by_class_and_never_the_background():
    label_map = draw("11.2/...2/1.12/.1..")
    np.testing.assert_array_equal(find_small_events(label_map, 1), np.zeros((4, 4), bool))
    np.testing.assert_array_equal(find_small_events(label_map, 3), draw("11../..../..../....") > 0)
    np.testing.assert_array_equal(find_small_events(label_map, 9), label_map > 0)
    assert not find_small_events(np.zeros((2, 3), np.uint8), 9).any()


def test_a_background_only_map_has_no_event():
    instances, classes = label_events(draw("..../...."))
    assert instances.max() == 0
    assert len(classes) == 0


def test_diagonal_neighbours_of_one_class_are_one_event_and_classes_stay_apart():
    instances, classes = label_events(draw("1..2/.12./2..."))
    assert instances.tolist() == [[1, 0, 0, 2], [0, 1, 2, 0], [3, 0, 0, 0]]
    assert classes.tolist() == [1, 2, 2]


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3)))
def test_events_are_the_components_that_scikit_image_finds(label_map):
    instances, classes = label_events(label_map)
    theirs = skimage_label(label_map, connectivity=2)
    pairs = np.unique(np.stack([instances.ravel(), theirs.ravel()]), axis=1)
    assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]
    assert all((label_map[instances == event + 1] == index).all() for event, index in enumerate(classes))


def test_more_than_65535_events_keep_their_own_numbers():
    label_map = np.zeros((600, 600), np.uint8)
    label_map[::2, ::2] = 1
    instances, classes = label_events(label_map)
    assert len(classes) == 300 * 300 == instances.max()


def test_columns_of_an_event_table_are_equally_long():
    with pytest.raises(InputError, match="equally long"):
        EventTable({"event": np.arange(2), "area_px": np.arange(3)})


def test_selecting_and_joining_leave_the_table_as_it_was():
    table = EventTable({"event": np.array([1, 2, 3])})
    joined = table.joined(missed=np.array([True, False, True]))
    assert joined.select(joined["missed"])["event"].tolist() == [1, 3]
    assert list(table) == ["event"]
    assert len(table) == 3
    assert joined.to_pandas().shape == (3, 2)


def test_a_table_without_columns_is_empty():
    assert len(EventTable({})) == 0
