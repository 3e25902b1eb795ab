"""Red and green masks, drawn so that the answer can be counted by eye."""

import numpy as np
import pytest

from noisylabels.cip.components import drop_border, grouped_quantile, keep_sizes
from noisylabels.cip.settings import GreenSpots, RedSpots
from noisylabels.cip.spots import (
    fill_small_spots,
    find_big_red_spots,
    find_green_spots,
    find_red_spots,
    find_small_red_spots,
    split_big_spots,
    watershed_lines,
)


def blobs(shape, *spots):
    """Gaussian spots of (plane, row, column, sigma in px, height) on a ground of 0."""
    at = np.indices(shape)[1:]
    image = np.zeros(shape, np.float32)
    for plane, row, column, sigma, height in spots:
        squared = (at[0][plane] - row) ** 2 + (at[1][plane] - column) ** 2
        image[plane] += (height * np.exp(-squared / (2 * sigma**2))).astype(np.float32)
    return image


@pytest.mark.parametrize("shape", [(1, 60, 80), (5, 60, 80)])
def test_nothing_is_found_in_an_even_field(shape):
    even = np.full(shape, 3000, np.float32)
    assert not find_red_spots(even, RedSpots()).any()
    assert not find_green_spots(even, GreenSpots()).any()


def test_small_red_spots_are_found_above_the_threshold_only():
    red = blobs((1, 60, 80), (0, 30, 20, 2, 3000), (0, 30, 60, 2, 300))
    found = find_small_red_spots(red, RedSpots())
    assert found[0, 30, 20]
    assert not found[0, :, 40:].any()


def square(size, *corner):
    image = np.zeros((1, 60, 80), np.float32)
    image[0, corner[0] : corner[0] + size, corner[1] : corner[1] + size] = 5000
    return image


@pytest.mark.parametrize(
    ("small_px", "filled"),
    [(0, True), (90, True), (91, False)],
    ids=["no small parts", "a tenth", "above a tenth"],
)
def test_a_large_object_is_filled_in_unless_small_parts_cover_a_tenth_of_it(small_px, filled):
    red = square(30, 15, 20)
    small = np.zeros(red.shape, bool)
    small[0, 15:45, 20:50].flat[:small_px] = True
    result = fill_small_spots(red, small, RedSpots())
    assert result.sum() == (900 if filled else small_px)


def test_objects_too_small_to_fill_are_left_out():
    assert not fill_small_spots(square(22, 15, 20), np.zeros((1, 60, 80), bool), RedSpots()).any()
    assert fill_small_spots(square(23, 15, 20), np.zeros((1, 60, 80), bool), RedSpots()).sum() == 529


def test_big_spots_at_the_border_are_dropped():
    red = blobs((1, 60, 80), (0, 30, 40, 8, 9000), (0, 2, 10, 8, 9000))
    found = find_big_red_spots(red, RedSpots())
    assert found[0, 30, 40]
    assert not found[0, :20, :25].any()


def test_a_clump_is_cut_between_its_two_small_spots():
    small = np.zeros((1, 9, 13), bool)
    small[0, 4, [2, 10]] = True
    clump = np.zeros_like(small)
    clump[0, 2:7, 1:12] = True
    split = split_big_spots(small, clump, RedSpots(at_least_voxels=1))
    left, right = split[0, :, :6], split[0, :, 7:]
    assert not (split & ~clump).any()
    assert (split[0, 4, 2], split[0, 4, 10]) == (True, True)
    assert split.sum() == clump.sum() - 5
    assert left.any()
    assert right.any()


def test_no_line_without_two_seeds():
    seeds = np.zeros((1, 5, 5), bool)
    assert not watershed_lines(seeds).any()
    seeds[0, 2, 2] = True
    assert not watershed_lines(seeds).any()


def test_lines_separate_the_zones_of_random_seeds():
    seeds = np.random.default_rng(0).random((3, 30, 40)) > 0.995
    lines = watershed_lines(seeds)
    zones, n_zones = _components(~lines)
    _, n_seeds = _components(seeds)
    assert n_seeds > 5
    assert not (lines & seeds).any()
    assert n_zones >= n_seeds
    for zone in range(1, n_zones + 1):
        assert _components(seeds & (zones == zone))[1] <= 1


def _components(mask):
    from scipy import ndimage as ndi

    return ndi.label(mask, np.ones((3, 3, 3)))


def test_green_spots_need_ten_voxels():
    green = blobs((1, 60, 80), (0, 30, 20, 2.5, 8000))
    assert find_green_spots(green, GreenSpots()).sum() >= 10
    dot = np.zeros((1, 60, 80), np.float32)
    dot[0, 30, 20] = 9000
    raw = find_green_spots(dot, GreenSpots(at_least_voxels=0))
    assert 0 < raw.sum() < 10
    assert not find_green_spots(dot, GreenSpots()).any()


def test_sizes_and_border_count_in_three_dimensions():
    mask = np.zeros((3, 5, 5), bool)
    mask[:, 2, 2] = True
    mask[1, 0, 4] = True
    assert keep_sizes(mask, at_least=3).sum() == 3
    assert keep_sizes(mask, at_most=2).sum() == 1
    assert drop_border(mask).sum() == 3
    assert drop_border(np.ones((1, 1, 1), bool)).sum() == 0


@pytest.mark.parametrize("quantile", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_grouped_quantiles_equal_numpys_group_by_group(quantile):
    rng = np.random.default_rng(1)
    groups, values = rng.integers(0, 12, 100), rng.random(100)
    result = grouped_quantile(values, groups, count=15, quantile=quantile)
    expected = [np.quantile(values[groups == g], quantile) if (groups == g).any() else np.nan for g in range(16)]
    assert np.allclose(result, expected, equal_nan=True)
    assert np.isnan(grouped_quantile(np.empty(0), np.empty(0, int), count=2, quantile=quantile)).all()
