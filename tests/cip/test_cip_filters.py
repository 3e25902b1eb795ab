"""Filters of the CIP against slow, literal versions of their definitions."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from noisylabels.cip.discs import dilate_disc, erode_disc, exact_disc, octagon_half_lengths, open_disc, white_tophat
from noisylabels.cip.filters import butterworth_highpass, difference_of_gaussians, laplacian_of_gaussian, smooth
from tests.cases import draw


def sampled_gaussian(size_px, sigma_px):
    at = np.arange(size_px) - (size_px - 1) / 2
    kernel = np.exp(-(at[:, None] ** 2 + at[None, :] ** 2) / (2 * sigma_px**2))
    return kernel / kernel.sum()


def correlate_literally(plane, kernel):
    """Sum over the kernel of weight x pixel, the kernel's element (size + 1) // 2 (counted from 1) on the pixel."""
    before = [(side + 1) // 2 - 1 for side in kernel.shape]
    after = [side - 1 - first for side, first in zip(kernel.shape, before, strict=True)]
    padded = np.pad(plane, list(zip(before, after, strict=True)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return np.einsum("rckl,kl->rc", windows, kernel)


@pytest.fixture
def plane():
    return np.random.default_rng(3).random((31, 44)).astype(np.float32)


@pytest.mark.parametrize(("sigma_px", "size_px"), [(1.0, 20), (7.0, 20), (6.0, 25), (2.0, 5), (1.0, 1)])
def test_smoothing_is_the_literal_correlation_with_a_cut_gaussian(plane, sigma_px, size_px):
    expected = correlate_literally(plane.astype(float), sampled_gaussian(size_px, sigma_px))
    assert np.allclose(smooth(plane[None], sigma_px=sigma_px, size_px=size_px)[0], expected, atol=2e-6)


def test_an_even_kernel_moves_a_point_by_half_a_pixel_towards_the_origin():
    point = np.zeros((1, 41, 41), np.float32)
    point[0, 20, 20] = 1
    assert np.allclose(ndi.center_of_mass(smooth(point, sigma_px=1, size_px=20)[0]), 19.5, atol=1e-5)
    assert np.allclose(ndi.center_of_mass(smooth(point, sigma_px=1, size_px=21)[0]), 20.0, atol=1e-5)


def test_difference_of_gaussians_subtracts_the_wide_blur(plane):
    expected = correlate_literally(plane.astype(float), sampled_gaussian(20, 1.0) - sampled_gaussian(20, 7.0))
    result = difference_of_gaussians(plane[None], narrow_px=1, wide_px=7, size_px=20)
    assert np.allclose(result[0], expected, atol=2e-6)


def test_laplacian_of_gaussian_is_the_literal_second_derivative_of_the_gaussian(plane):
    at = np.arange(20) - 9.5
    squared = at[:, None] ** 2 + at[None, :] ** 2
    kernel = sampled_gaussian(20, 1.0) * (squared - 2)
    kernel -= kernel.mean()
    expected = correlate_literally(plane.astype(float), kernel)
    assert np.allclose(laplacian_of_gaussian(plane[None], sigma_px=1, size_px=20)[0], expected, atol=1e-5)


@pytest.mark.parametrize(("cycles", "kept"), [(0, 0.0), (5, 0.5**10 / (1 + 0.5**10)), (10, 0.5), (20, 1024 / 1025)])
def test_butterworth_passes_a_wave_by_the_formula(cycles, kept):
    wave = np.cos(2 * np.pi * cycles * np.arange(64) / 64).astype(np.float32)
    stack = np.broadcast_to(wave, (1, 48, 64))
    assert np.allclose(butterworth_highpass(stack, cutoff_cycles=10, order=5), kept * stack, atol=1e-6)


def literal_disc(radius_px):
    """The disc as a set of pixels: a point dilated by the four lines, or the exact disc when small."""
    if radius_px <= 4:
        return exact_disc(radius_px)
    straight, diagonal = octagon_half_lengths(radius_px)
    disc = np.zeros((2 * radius_px + 1,) * 2, bool)
    disc[radius_px, radius_px] = True
    line, slope = np.ones((1, 2 * straight + 1), bool), np.eye(2 * diagonal + 1, dtype=bool)
    for element in (line, line.T, slope, slope[::-1]):
        disc = ndi.binary_dilation(disc, element)
    return disc


@pytest.mark.parametrize("radius_px", [1, 2, 3, 5, 9, 15, 25])
def test_erosion_is_the_minimum_over_the_disc(radius_px):
    plane = np.random.default_rng(radius_px).random((23, 61)).astype(np.float32)
    expected = ndi.minimum_filter(plane, footprint=literal_disc(radius_px), mode="constant", cval=np.inf)
    assert np.array_equal(erode_disc(plane, radius_px), expected)
    assert np.array_equal(dilate_disc(plane, radius_px), -erode_disc(-plane, radius_px))


@pytest.mark.parametrize("radius_px", [5, 15, 25])
def test_the_octagon_is_a_disc_within_a_tenth_and_half_a_pixel(radius_px):
    disc = literal_disc(radius_px)
    at = np.arange(-radius_px, radius_px + 1)
    distance = np.hypot(at[:, None], at[None, :])
    assert disc[radius_px].all()
    assert disc[distance <= radius_px - 1].all()
    assert not disc[distance > 1.1 * radius_px + 0.5].any()


def test_opening_a_drawn_mask_keeps_what_holds_the_disc():
    mask = draw("1...... / ...1... / ..111.. / ...1..1") > 0
    opened = open_disc(mask, 1)
    # Beyond the border nothing is eroded, so the lone pixel in the corner has neighbours that are missing, not empty.
    assert np.array_equal(opened, draw("....... / ...1... / ..111.. / ...1...") > 0)


def test_tophat_of_nothing_is_nothing_and_of_a_spot_is_the_spot():
    flat = np.full((2, 9, 9), 5, np.float32)
    assert not white_tophat(flat, 3).any()
    spot = flat.copy()
    spot[1, 4, 4] = 8
    assert np.array_equal(white_tophat(spot, 3), spot - 5)
