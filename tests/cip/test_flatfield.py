"""Illumination: drawn and taken out."""

import numpy as np
import pytest

from noisylabels.cip.flatfield import correct_flatfield, polynomial_profile
from noisylabels.data.errors import InputError

STRONG = [
    [1.3708],
    [-0.3709, -0.2522],
    [-1.9677, 0.0603, -2.7414],
    [0.4256, 0.1765, 0.6162, 0.0444],
    [-0.5242, 0.1835, 1.4438, 0.2333, 1.4528],
]
"""A profile from a real microscope's index file: bright in the middle, dark in the corners."""


def test_a_real_profile_has_mean_one_and_dark_corners():
    profile = polynomial_profile(STRONG, (52, 68))
    assert profile.mean() == pytest.approx(1, abs=1e-6)
    assert 1.1 < profile[26, 34] < 1.45
    assert profile[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 0.8


def test_the_terms_are_x_along_columns_and_y_along_rows():
    along_columns = polynomial_profile([[1.0], [1.0, 0.0]], (3, 5))
    along_rows = polynomial_profile([[1.0], [0.0, 1.0]], (5, 3))
    assert np.allclose(along_columns[0], [0.5, 0.75, 1, 1.25, 1.5])
    assert np.allclose(along_columns, along_columns[0])
    assert np.allclose(along_rows, along_columns.T)


def test_wrong_numbers_of_coefficients_are_refused():
    with pytest.raises(InputError) as caught:
        polynomial_profile([[1.0], [1.0]], (3, 3))
    assert str(caught.value) == "Coefficients of degree 1 must be 2 numbers, got 1. Check the table."


@pytest.mark.parametrize("n_planes", [None, 3])
def test_correction_undoes_the_illumination_and_leaves_the_offset(n_planes):
    profile = polynomial_profile(STRONG, (20, 30))
    shape = (2, 20, 30) if n_planes is None else (2, n_planes, 20, 30)
    scene = np.random.default_rng(1).random(shape) * 500
    image = 100 + scene * profile
    corrected = correct_flatfield(image, np.stack([profile, profile]), offset_counts=100)
    assert np.allclose(corrected, 100 + scene, rtol=1e-4)


def test_profiles_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="must have the channels and size of the image"):
        correct_flatfield(np.ones((2, 4, 5)), np.ones((2, 5, 4)))
    with pytest.raises(InputError, match="must be above 0, got 0"):
        correct_flatfield(np.ones((1, 4, 5)), np.zeros((1, 4, 5)))
