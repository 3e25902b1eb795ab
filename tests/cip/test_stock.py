"""Stock pipelines find drawn objects, and err where their rule says."""

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage import filters

from noisylabels.cip.stock import STOCK, StockSettings, segment_stock
from noisylabels.data.errors import InputError


def discs(*brightness, background=100.0, noise=2.0):
    """Discs of radius 7 in a row, one for each brightness, and the map of their numbers."""
    rows, columns = np.mgrid[:40, : 40 * len(brightness)]
    plane = np.random.default_rng(0).normal(background, noise, rows.shape)
    numbers = np.zeros(rows.shape, int)
    for place, height in enumerate(brightness):
        inside = np.hypot(rows - 20, columns - 20 - 40 * place) <= 7
        plane[inside] += height
        numbers[inside] = place + 1
    return plane, numbers


def found(mask, numbers):
    """Which discs are covered by more than half."""
    return [bool(mask[numbers == number].mean() > 0.5) for number in range(1, numbers.max() + 1)]


@pytest.mark.parametrize("name", STOCK)
def test_an_empty_and_a_constant_image_have_no_foreground(name):
    assert segment_stock(np.zeros((0, 5)), STOCK[name]).shape == (0, 5)
    assert segment_stock(np.full((2, 30, 40), 500.0), STOCK[name]).tolist() == np.zeros((30, 40), int).tolist()


@pytest.mark.parametrize("name", [name for name in STOCK if name != "fixed"])
def test_equal_discs_are_found_and_little_else(name):
    plane, numbers = discs(300, 300, 300, background=20)
    mask = segment_stock(plane, STOCK[name]) == 1
    assert found(mask, numbers) == [True, True, True]
    assert ndi.label(mask, np.ones((3, 3)))[1] == 3


@pytest.mark.parametrize(
    ("name", "sees_the_dim"), [("brightest", False), ("otsu", False), ("local", True), ("dog", True)]
)
def test_one_bright_object_hides_the_others_from_a_rule_of_the_whole_image(name, sees_the_dim):
    plane, numbers = discs(150, 150, 4000)
    assert found(segment_stock(plane, STOCK[name]) == 1, numbers) == [sees_the_dim, sees_the_dim, True]


@pytest.mark.parametrize(
    ("rule", "threshold"),
    [("otsu", filters.threshold_otsu), ("li", filters.threshold_li), ("triangle", filters.threshold_triangle)],
)
def test_a_threshold_is_scikit_images(rule, threshold):
    plane, _ = discs(300, 80)
    chosen = StockSettings(rule, rule, sigma_px=0, at_least_px=1)
    np.testing.assert_array_equal(segment_stock(plane, chosen) == 1, plane > threshold(plane))


def test_a_fixed_threshold_is_in_counts():
    plane, numbers = discs(300, 80, noise=0)
    mask = segment_stock(plane, StockSettings("mine", "fixed", level=250, sigma_px=0)) == 1
    np.testing.assert_array_equal(mask, numbers == 1)


def test_each_channel_is_a_class_and_the_higher_one_has_the_pixel():
    first, numbers = discs(300, 0, 300)
    second, others = discs(0, 300, 400)
    label_map = segment_stock(np.stack([first, second]), STOCK["otsu"])
    assert [np.bincount(label_map[numbers == number]).argmax() for number in (1, 3)] == [1, 2]
    assert np.bincount(label_map[others == 2]).argmax() == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": 0}, "got 0, 1.0, 51 and 30. Correct the setting."),
        ({"window_px": 1}, "got 1.0, 1.0, 1 and 30. Correct the setting."),
        ({"rule": "brightest", "level": 25}, "level of brightest must be a share below 1, got 25. A quarter is 0.25."),
    ],
)
def test_numbers_out_of_range_are_one_sentence(settings, message):
    with pytest.raises(InputError) as fault:
        StockSettings(**settings)
    assert str(fault.value).endswith(message)


def test_an_image_with_planes_is_refused():
    with pytest.raises(InputError, match=r"must be \(channel, row, column\), got shape \(1, 3, 4, 5\)"):
        segment_stock(np.zeros((1, 3, 4, 5)), STOCK["otsu"])
