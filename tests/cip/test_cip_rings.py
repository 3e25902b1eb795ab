"""Low pH and autophagosomes: dips and rings, drawn."""

import numpy as np
import pytest

from noisylabels.cip.acidity import find_low_ph, ratio_image
from noisylabels.cip.autophagosomes import (
    fill_single_holes,
    find_circle_rings,
    find_hole_rings,
    validate_autophagosomes,
)
from noisylabels.cip.circles import find_circles
from noisylabels.cip.settings import Acidity, AutophagosomeShape, CircleRings, HoleRings

SHAPE = (1, 64, 80)


def disc(row, column, radius, shape=SHAPE):
    at = np.indices(shape)
    return np.hypot(at[1] - row, at[2] - column) <= radius


def test_ratio_of_nothing_is_nothing():
    dark = np.zeros(SHAPE, np.float32)
    assert not ratio_image(dark, dark, Acidity()).any()


def test_ratio_where_red_is_zero_takes_the_quantiles_of_the_defined_ratios():
    red, green = np.full((1, 9, 90), 10, np.float32), np.full((1, 9, 90), 30, np.float32)
    red[..., :30] = 0
    green[..., :15] = 0
    ratio = ratio_image(red, green, Acidity())
    assert np.isfinite(ratio).all()
    assert ratio[0, 4, 80] == pytest.approx(3)
    defined = ratio[..., 28:]  # the kernel reaches two pixels further than red does
    assert ratio[0, 4, 5] == pytest.approx(np.quantile(defined, 0.01))
    assert ratio[0, 4, 22] == pytest.approx(np.quantile(defined, 0.99))
    assert ratio[0, 4, 5] < ratio[0, 4, 22]


@pytest.mark.parametrize(
    ("radius", "dip", "ring_green", "found"),
    [(7, 2.0, 100, True), (7, 1.4, 100, False), (4, 2.0, 100, False), (7, 2.0, 14, False)],
    ids=["acid", "too shallow", "too small", "no bright ring"],
)
def test_low_ph_is_a_deep_wide_dip_with_a_bright_green_ring(radius, dip, ring_green, found):
    inside = disc(30, 40, radius)
    ratio = np.where(inside, 2.5 - dip, 2.5).astype(np.float32)
    green = np.where(inside, 10, ring_green).astype(np.float32)
    mask = find_low_ph(ratio, green, Acidity())
    assert np.array_equal(mask, inside) if found else not mask.any()


def ring_mask(hole_radius):
    return (disc(30, 40, 12) & ~disc(30, 40, hole_radius))[0]


@pytest.mark.parametrize(
    ("mask", "found"),
    [
        (np.zeros(SHAPE[1:], bool), False),
        (ring_mask(8), True),
        (ring_mask(2), False),
        (ring_mask(-1), False),
        (ring_mask(8) & ~disc(30, 50, 3)[0], False),
        (disc(30, 40, 13)[0] & ~disc(30, 34, 4)[0] & ~disc(30, 46, 4)[0], False),
    ],
    ids=["empty", "ring", "hole of 13 px", "no hole", "open ring", "two holes"],
)
def test_only_a_single_hole_of_plausible_size_makes_a_ring(mask, found):
    filled = fill_single_holes(mask, HoleRings())
    assert filled.any() == found
    if found:
        assert filled[30, 40]
        assert not (filled & ~disc(30, 40, 12)[0]).any()


@pytest.mark.parametrize("n_planes", [1, 3])
def test_a_ring_of_contrast_is_filled_in_the_planes_where_it_shows(n_planes):
    # The cutoff is in cycles over the frame, so the frame has the paper's size.
    frame = (1, 512, 680)
    contrast = np.zeros((n_planes, *frame[1:]), np.float32)
    contrast[: min(2, n_planes)] = (disc(30, 40, 12, frame) & ~disc(30, 40, 8, frame)) * 3000.0
    found = find_hole_rings(contrast, HoleRings())
    assert found[0, 30, 40]
    if n_planes == 3:
        assert found[1, 30, 40]
        assert not found[2].any()


@pytest.mark.parametrize("radius", [4, 8, 15, 25])
def test_circles_are_found_at_their_centre_and_radius(radius):
    at = np.indices((90, 100))
    soft = np.clip(radius + 0.5 - np.hypot(at[0] - 44, at[1] - 52), 0, 1)
    circles = find_circles(soft, CircleRings())
    assert abs(circles.rows[0] - 44) <= 1
    assert abs(circles.columns[0] - 52) <= 1
    assert circles.radii_px[0] == pytest.approx(radius, abs=1)
    assert circles.scores[0] > 0.9


def test_no_circle_in_an_even_plane():
    assert len(find_circles(np.ones((20, 30)), CircleRings())) == 0


@pytest.mark.parametrize(("red_counts", "found"), [(200, True), (400, False)])
def test_circle_rings_must_be_dim_in_red(red_counts, found):
    at = np.indices(SHAPE)
    ring = np.exp(-((np.hypot(at[1] - 30, at[2] - 40) - 7) ** 2) / 8)
    green = (200 + 400 * ring).astype(np.float32)
    red = np.full(SHAPE, red_counts, np.float32)
    mask = find_circle_rings(green, red, np.zeros(SHAPE, bool), CircleRings())
    assert mask[0, 30, 40] == found


def validate(candidate, *, inside_ratio=2.0, inside_red=500.0):
    # The middle of the thickened candidate (all but its 5 px rim) reaches to radius 11.
    ratio = np.where(disc(30, 40, 12), inside_ratio, 2.0).astype(np.float32)
    spots = disc(50, 20, 4)
    red = np.where(spots, 300, np.where(candidate, inside_red, 100)).astype(np.float32)
    return validate_autophagosomes(candidate, ratio, red, spots, AutophagosomeShape())


@pytest.mark.parametrize("inside_ratio", [2.0, 2.0 / 0.96])
def test_a_round_reddish_candidate_is_an_autophagosome(inside_ratio):
    candidate = disc(30, 40, 7)
    assert np.array_equal(validate(candidate, inside_ratio=inside_ratio), candidate)


@pytest.mark.parametrize(
    ("candidate", "options"),
    [
        (np.zeros(SHAPE, bool), {}),
        (disc(30, 40, 3), {}),
        (np.pad(np.ones((1, 2, 40), bool), ((0, 0), (30, 32), (20, 20))), {}),
        (disc(30, 40, 7), {"inside_red": 200.0}),
        (disc(30, 40, 7), {"inside_ratio": 2.0 / 0.94}),
    ],
    ids=["none", "29 voxels", "a line", "less red than the red objects", "rim more acid than the middle"],
)
def test_other_candidates_are_not(candidate, options):
    assert not validate(candidate, **options).any()
