"""Contacts of drawn maps, beside a loop over all pixels and their neighbours."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from noisylabels.data.events import label_events
from noisylabels.data.footprints import Footprints
from noisylabels.noise.canvas import Canvas, largest_piece
from noisylabels.noise.contacts import keep_apart, pixels_in_contact

LABEL_MAPS = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=7), elements=st.integers(0, 3))
MAPS = arrays(np.int32, array_shapes(min_dims=2, max_dims=2, max_side=7), elements=st.integers(0, 4))


def neighbours(shape, row, column):
    steps = product((-1, 0, 1), repeat=2)
    places = [(row + down, column + right) for down, right in steps if (down, right) != (0, 0)]
    return [(i, j) for i, j in places if 0 <= i < shape[0] and 0 <= j < shape[1]]


def rivals(instances, class_of, row, column):
    """Give the other events of the same class that touch a pixel."""
    own = instances[row, column]
    around = {int(instances[place]) for place in neighbours(instances.shape, row, column)} - {0, int(own)}
    return [other for other in around if own and class_of[other] == class_of[own]]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (2, 3)])
def test_a_map_without_events_has_no_contacts(shape):
    assert not pixels_in_contact(np.zeros(shape, np.int32)).any()
    assert pixels_in_contact(np.zeros(shape, np.int32)).shape == shape


@settings(deadline=None)
@given(MAPS)
def test_pixels_in_contact_are_those_with_another_event_around_them(instances):
    expected = np.zeros(instances.shape, bool)
    for place in np.ndindex(instances.shape):
        around = {int(instances[other]) for other in neighbours(instances.shape, *place)} - {0, int(instances[place])}
        expected[place] = instances[place] > 0 and bool(around)
    assert np.array_equal(pixels_in_contact(instances), expected)


@settings(deadline=None)
@given(LABEL_MAPS, st.data())
def test_the_changed_event_or_the_later_of_two_gives_way_and_no_other_pixel_does(label_map, data):
    instances, classes = label_events(label_map)
    class_of = np.append(np.uint8(0), classes)
    ids = st.integers(1, len(classes)) if len(classes) else st.nothing()
    changed = data.draw(st.dictionaries(ids, st.integers(1, 3)))
    class_of[list(changed)] = list(changed.values())
    canvas = Canvas(instances, instances.copy(), class_of, Footprints.of(instances, len(classes)).boxes)
    lost = {
        place
        for place in np.ndindex(instances.shape)
        for other in rivals(instances, class_of, *place)
        if gives_way(int(instances[place]), other, changed)
    }
    losers = {int(instances[place]) for place in lost}
    keep_apart(canvas, np.array(sorted(changed), np.int32))
    for place in np.ndindex(instances.shape):
        owner, before = int(canvas.owner[place]), int(instances[place])
        # What is left of an event that lost pixels is its largest piece alone.
        allowed = {0} if place in lost else {0, before} if before in losers else {before}
        assert owner in allowed
    for loser in losers:
        left = np.array([[place not in lost for place in row] for row in places_of(instances.shape)], bool)
        assert np.array_equal(canvas.owner == loser, largest_piece((instances == loser) & left))


def places_of(shape):
    return [[(row, column) for column in range(shape[1])] for row in range(shape[0])]


def gives_way(own, other, changed):
    if own in changed and other in changed:
        return own > other
    return own in changed
