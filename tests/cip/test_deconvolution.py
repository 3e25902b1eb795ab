"""The PSF against measured widths, Richardson-Lucy against a literal step, and what both must keep."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from noisylabels.cip.deconvolution import blind_richardson_lucy, richardson_lucy, theoretical_psf
from noisylabels.data.errors import InputError

OPTICS = {"pixel_um": 0.2152, "plane_step_um": 0.4, "numerical_aperture": 1.2, "refractive_index": 1.333}


def psf_of(n_planes=1, emission_nm=511.0, **changes):
    return theoretical_psf(n_planes=n_planes, radius_px=8, emission_nm=emission_nm, **(OPTICS | changes))


def second_moment_px(plane):
    offsets = np.arange(len(plane)) - len(plane) // 2
    return float(np.sqrt((plane.sum(axis=1) * offsets**2).sum() / plane.sum()))


@pytest.mark.parametrize("n_planes", [1, 3, 5])
def test_the_psf_is_symmetric_and_sums_to_one(n_planes):
    psf = psf_of(n_planes)
    assert psf.shape == (n_planes, 17, 17)
    assert psf.sum() == pytest.approx(1, abs=1e-5)
    for mirrored in (psf[::-1], psf[:, ::-1], psf[:, :, ::-1], psf.swapaxes(1, 2)):
        assert np.allclose(psf, mirrored, atol=1e-8)
    assert (psf >= 0).all()


@pytest.mark.parametrize(("emission_nm", "low", "high"), [(511, 0.50, 0.56), (584, 0.54, 0.61)])
def test_its_core_is_as_wide_as_other_programs_compute(emission_nm, low, high):
    """Widefield vectorial sigma with the pixel box: 0.52-0.54 px (511 nm) and 0.56-0.59 px (584 nm)."""
    centre = psf_of(emission_nm=emission_nm)[0, 8, 7:10].astype(float)
    sigma_px = 1 / np.sqrt(2 * np.log(centre[1] / centre[0]))
    assert low < sigma_px < high


def test_planes_out_of_focus_are_wider_and_hold_about_as_much_light():
    psf = psf_of(5)
    widths = [second_moment_px(plane) for plane in psf]
    assert widths[0] > 1.4 * widths[1] > 1.4 * 1.4 * widths[2]
    assert psf.sum(axis=(1, 2)) == pytest.approx(0.2, rel=0.15)


def test_an_impossible_aperture_is_refused():
    with pytest.raises(InputError, match="numerical_aperture must be above 0 and below the refractive index"):
        psf_of(numerical_aperture=1.4)


def literal_step(image, psf):
    """One iteration from the image itself: x <- x * correlate(image / convolve(x, psf), psf), all circular."""
    blurred = ndi.convolve(image, psf, mode="wrap")
    return image * ndi.correlate(image / blurred, psf, mode="wrap")


@pytest.mark.parametrize("shape", [(1, 21, 30), (5, 21, 30)])
def test_one_iteration_is_the_literal_step(shape):
    image = np.random.default_rng(0).random(shape) + 0.5
    psf = psf_of(shape[0]).astype(float)
    psf[:, 5] *= 1.3  # not symmetric: a convolution taken for a correlation shows
    psf /= psf.sum()
    result = richardson_lucy(image.astype(np.float32), psf.astype(np.float32), iterations=1)
    assert np.allclose(result, literal_step(image, psf), rtol=1e-4)


@pytest.mark.parametrize("iterations", [0, 1, 10])
def test_light_is_kept_and_nothing_is_negative(iterations):
    image = np.random.default_rng(1).poisson(50, (1, 40, 52)).astype(np.float32)
    for sharp in (
        richardson_lucy(image, psf_of(), iterations=iterations),
        blind_richardson_lucy(image, psf_of(), iterations=iterations)[0],
    ):
        assert sharp.sum() == pytest.approx(image.sum(), rel=1e-3)
        assert (sharp >= 0).all()
    assert np.array_equal(richardson_lucy(image, psf_of(), iterations=0), image)


def test_an_empty_image_stays_empty():
    dark = np.zeros((1, 32, 40), np.float32)
    sharp, psf = blind_richardson_lucy(dark, psf_of(), iterations=3)
    assert not sharp.any()
    assert np.isfinite(psf).all()


def blurred_points(psf):
    points = np.full((1, 64, 72), 5.0, np.float32)
    points[0, 10::17, 9::19] = 3000
    return points, ndi.convolve(points, psf, mode="wrap")


def test_every_iteration_brings_points_nearer_to_the_truth():
    psf = ndi.gaussian_filter(np.pad(np.ones((1, 1, 1), np.float32), ((0, 0), (8, 8), (8, 8))), (0, 1.5, 1.5))
    points, image = blurred_points(psf)
    errors = [np.abs(richardson_lucy(image, psf, iterations=n) - points).sum() for n in (0, 5, 10, 20)]
    assert errors == sorted(errors, reverse=True)
    assert len(set(errors)) == 4


def test_one_blind_iteration_is_the_literal_pair_of_steps():
    image = np.random.default_rng(2).random((1, 24, 30)) + 0.5
    psf = np.random.default_rng(3).random((1, 3, 5))
    psf /= psf.sum()
    ratio = image / ndi.convolve(image, psf, mode="wrap")
    steps = np.array([[np.sum(ratio * np.roll(image, (r, c), (1, 2))) for c in range(-2, 3)] for r in (-1, 0, 1)])
    better = psf * steps[None]
    better /= better.sum()
    expected = image * ndi.correlate(image / ndi.convolve(image, better, mode="wrap"), better, mode="wrap")
    sharp, found = blind_richardson_lucy(image.astype(np.float32), psf.astype(np.float32), iterations=1)
    assert np.allclose(found, better, rtol=1e-3)
    assert np.allclose(sharp, expected, rtol=1e-3)


def test_negative_images_and_large_psfs_are_refused():
    with pytest.raises(InputError, match=r"must not be negative, got -1\.0"):
        richardson_lucy(np.full((1, 20, 20), -1.0, np.float32), psf_of(), iterations=1)
    with pytest.raises(InputError, match="must fit into the image"):
        richardson_lucy(np.ones((1, 20, 20), np.float32), psf_of(3), iterations=1)
