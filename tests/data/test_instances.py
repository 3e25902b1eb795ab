"""Touching objects told apart: drawn discs, waists, and what must stay whole."""

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.events import label_events
from noisylabels.data.instances import open_gaps, read_instance_map, split_touching, write_instance_map


def discs(*centres, radius=9, size=(40, 60)):
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.stack([(rows - row) ** 2 + (columns - column) ** 2 <= radius**2 for row, column in centres])


def test_nothing_in_nothing_out():
    instances, classes = split_touching(np.zeros((5, 7), np.uint8))
    assert instances.shape == (5, 7)
    assert not instances.any()
    assert classes.tolist() == []


def test_two_touching_discs_are_two_and_each_is_nearly_its_disc():
    drawn = discs((15, 15), (18, 31))
    blob = drawn.any(0).astype(np.uint8)
    assert label_events(blob)[1].tolist() == [1]
    instances, classes = split_touching(blob)
    assert classes.tolist() == [1, 1]
    assert np.array_equal(instances > 0, blob > 0)
    for place, disc in enumerate(drawn, 1):
        found = instances == place
        assert (found & disc).sum() / (found | disc).sum() > 0.95


def test_an_ellipse_and_a_cut_disc_stay_whole():
    rows, columns = np.mgrid[:40, :60]
    ellipse = ((rows - 20) / 7) ** 2 + ((columns - 30) / 20) ** 2 <= 1
    assert split_touching(ellipse.astype(np.uint8))[1].tolist() == [1]
    assert split_touching(discs((0, 12))[0].astype(np.uint8))[1].tolist() == [1]


def test_classes_stay_apart_and_keep_their_index():
    label_map = np.zeros((40, 60), np.uint8)
    first, second = discs((15, 15), (15, 34))
    label_map[second], label_map[first] = 1, 2
    label_map[39, 59] = 1  # one pixel is an object
    instances, classes = split_touching(label_map)
    assert classes.tolist() == [1, 1, 2]
    assert [int(label_map[instances == place].min()) for place in (1, 2, 3)] == [1, 1, 2]


def test_a_deeper_dip_can_be_asked_for():
    blob = discs((15, 15), (15, 28)).any(0).astype(np.uint8)
    assert [len(split_touching(blob, least_dip=dip)[1]) for dip in (0.5, 6.0)] == [2, 1]
    with pytest.raises(InputError, match="must be above 0 pixels, got 0"):
        split_touching(blob, least_dip=0)


def test_maps_are_read_as_written_with_more_objects_than_sixteen_bits_hold(tmp_path):
    few, many = np.array([[0, 1, 2]], np.int32), np.array([[0, 70_000, 2]], np.int32)
    for instances in (few, many):
        write_instance_map(tmp_path / "deep" / "f.tif", instances)
        assert np.array_equal(read_instance_map(tmp_path / "deep" / "f.tif", like=(1, 3)), instances)
    with pytest.raises(InputError, match="must hold object numbers from 0 of 2 x 3 pixels, got"):
        read_instance_map(tmp_path / "deep" / "f.tif", like=(2, 3))


def test_no_gap_opens_where_there_is_no_object():
    nothing = np.zeros((4, 6), np.uint8)
    assert np.array_equal(open_gaps(nothing, nothing.astype(np.int32)), nothing)


def test_gaps_open_at_pixels_with_another_object_beside_them_and_nowhere_else():
    rng = np.random.default_rng(5)
    instances = np.kron(rng.integers(0, 4, (6, 8)), np.ones((3, 3), int)).astype(np.int32)
    label_map = np.where(instances > 0, 1 + instances % 2, 0).astype(np.uint8)
    expected = label_map.copy()
    for row, column in np.ndindex(label_map.shape):
        beside = instances[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        if ((beside > 0) & (beside != instances[row, column])).any():
            expected[row, column] = 0
    found = open_gaps(label_map, instances)
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected)


def test_gaps_need_maps_of_one_size():
    with pytest.raises(InputError, match=r"must have the size of its label map, \(2, 3\), got \(3, 2\)"):
        open_gaps(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.int32))
