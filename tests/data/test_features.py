"""Features of events, counted by eye or compared with scikit-image."""

import re

import numpy as np
import pytest
from skimage.measure import regionprops

from noisylabels.data.errors import InputError
from noisylabels.data.events import label_events, measure_events
from tests.cases import draw
from tests.noise.fields import crowded_field


def measure(label_map, image=None, **more):
    return measure_events(*label_events(label_map), image, **more)


def test_a_background_only_map_gives_an_empty_table_with_all_columns():
    empty = measure(draw("..../...."), np.zeros((2, 2, 4)), channel_names=("pHluorin", "DsRed"))
    full = measure(draw("11../11.."), np.zeros((2, 2, 4)), channel_names=("pHluorin", "DsRed"))
    assert len(empty) == 0
    assert list(empty) == list(full)
    assert {"mean_pHluorin", "max_DsRed", "contrast_DsRed", "brightness", "contrast", "solidity"} <= set(full)


def test_places_and_sizes_counted_by_eye():
    table = measure(draw("...... / .11... / .11.2. / ......"))
    assert table["area_px"].tolist() == [4, 1]
    assert [table[side].tolist() for side in ("row_min", "column_min", "row_max", "column_max")] == [
        [1, 2], [1, 4], [3, 3], [3, 5],
    ]  # fmt: skip
    assert table["border_distance_px"].tolist() == [1, 1]
    assert table["crowding"].tolist() == [1, 1]
    assert table["solidity"].tolist() == [1, 1]


def test_geometry_and_intensity_are_those_of_scikit_image():
    label_map, image = crowded_field(2)
    instances, classes = label_events(label_map)
    table = measure_events(instances, classes, image)
    theirs = regionprops(instances, np.moveaxis(image, 0, -1))
    assert np.array_equal(table["area_px"], [prop.area for prop in theirs])
    assert np.allclose(np.stack([table["centroid_row"], table["centroid_column"]], 1), [p.centroid for p in theirs])
    boxes = np.stack([table[side] for side in ("row_min", "column_min", "row_max", "column_max")], 1)
    assert np.array_equal(boxes, [prop.bbox for prop in theirs])
    assert np.allclose(table["mean_1"], [prop.intensity_mean[1] for prop in theirs])
    assert np.allclose(table["max_0"], [prop.intensity_max[0] for prop in theirs])


def test_contrast_is_in_robust_deviations_of_the_ring():
    label_map = np.zeros((15, 15), np.uint8)
    label_map[7, 7] = 1
    image = np.random.default_rng(0).normal(10, 2, (1, 15, 15))
    image[0, 7, 7] = 25
    table = measure(label_map, image)
    ring = image[0][(np.hypot(*(np.indices((15, 15)) - 7)) <= 5) & (label_map == 0)]
    level = np.median(ring)
    spread = 1.4826 * np.median(np.abs(ring - level))
    assert table["contrast_0"][0] == pytest.approx((25 - level) / spread)


def test_flat_surroundings_do_not_make_contrast_infinite():
    label_map = draw("..... / .1.2. / .....")
    image = np.where(label_map > 0, 5.0, 1.0)[None]
    assert measure(label_map, image)["contrast"].tolist() == [4.0, 4.0]


def test_costly_features_are_left_out_unless_wanted():
    label_map, image = crowded_field(2)
    assert "contrast" not in measure(label_map, image, wanted=())
    assert "contrast" in measure(label_map, image, wanted=("contrast",))
    assert "solidity" not in measure(label_map, image, wanted=("contrast",))


def test_an_image_of_another_size_is_refused():
    message = "An image must be (channel, 2, 4) as its label map, got (2, 4, 2). Pair them."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        measure(draw("..../...."), np.zeros((2, 4, 2)))
