"""Optics, cameras and the drawing of events, against their definitions and slow second implementations."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from noisylabels.simulation.camera import expose, mix_channels, noise_counts
from noisylabels.simulation.optics import Optics, add_haze, blur_matrices, shifted_blur, vignetting
from noisylabels.simulation.phases import Event, Shape, phluorin_brightness
from noisylabels.simulation.rendering import paint_truth, render_event
from noisylabels.simulation.settings import CameraSettings, OpticsSettings

PIXEL_UM = 0.2152


def optics(**changes):
    usual = {
        "settings": OpticsSettings(),
        "pixel_size_um": PIXEL_UM,
        "sigma_um": 0.14,
        "haze": 0.1,
        "focus_um": 0.0,
        "shifts_px": ((0.0, 0.0), (0.0, 0.0)),
        "chromatic_um": (0.0, 0.0),
    }
    return Optics(**{**usual, **changes})


def ball(*, radius_um=0.7, row=20.3, column=20.6, height_um=0.0, membrane_um=0.0, class_index=1):
    return Event(
        class_index=class_index,
        cell=0,
        row=row,
        column=column,
        height_um=height_um,
        shape=Shape((radius_um, radius_um, radius_um), 0.0, (), membrane_um),
        ph=7.2,
        lumen_counts=(100.0, 1000.0),
        membrane_counts=(300.0, 0.0),
    )


def imaged(event, system, *, height_um=0.0, oversampling=4, shape=(40, 40)):
    patch = render_event(event, system, height_um=height_um, oversampling=oversampling, shape=shape)
    canvas = np.zeros((2, *shape))
    if patch is not None:
        canvas[(slice(None), *patch.window)] += patch.light
    return canvas


def slowly_imaged(event, system, channel, *, fine=8, slice_um=0.02, shape=(40, 40)):
    """Blur every thin slice of a ball on a fine grid of the whole frame, then average into pixels."""
    rows, columns = (np.arange(length * fine)[:, None] / fine + 0.5 / fine for length in shape)
    distance_um = np.hypot(rows - event.row, columns.T - event.column) * PIXEL_UM
    sigma_z = system.settings.section_fwhm_um[channel] / 2.3548
    radius = event.shape.half_axes_um[0]
    total = np.zeros((shape[0] * fine, shape[1] * fine))
    for height in np.arange(-radius + slice_um / 2, radius, slice_um):
        above = event.height_um + height
        inside = distance_um**2 + height**2 < radius**2
        lumen = distance_um**2 + height**2 < (radius - event.shape.membrane_um) ** 2
        counts = np.where(lumen, event.lumen_counts[channel], event.membrane_counts[channel]) * inside
        weight = np.exp(-((above / sigma_z) ** 2) / 2) / (sigma_z * np.sqrt(2 * np.pi)) * slice_um
        sigma = float(system.sigma_px(np.array([above]), channel)[0]) * fine
        total += weight * ndi.gaussian_filter(counts.astype(float), sigma, mode="constant")
    return total.reshape(shape[0], fine, shape[1], fine).mean(axis=(1, 3))


@pytest.mark.parametrize("event", [ball(), ball(height_um=0.4), ball(membrane_um=0.25)], ids=["ball", "high", "shell"])
@pytest.mark.parametrize("channel", [0, 1], ids=["DsRed", "pHluorin"])
def test_an_event_looks_as_a_slow_rendering_of_its_slices(event, channel):
    expected = slowly_imaged(event, optics(), channel)
    got = imaged(event, optics())[channel]
    assert np.abs(got - expected).max() < 0.03 * expected.max()
    assert got.sum() == pytest.approx(expected.sum(), rel=0.02)


def test_the_section_of_a_ball_has_the_area_of_geometry():
    for height in (0.0, 0.3, -0.6):
        patch = render_event(ball(), optics(), height_um=height, oversampling=4, shape=(40, 40))
        assert patch.coverage.sum() * PIXEL_UM**2 == pytest.approx(np.pi * (0.7**2 - height**2), rel=0.03)


def test_nothing_is_seen_of_an_event_far_from_the_plane_or_off_the_canvas():
    assert render_event(ball(height_um=6.0), optics(), height_um=0.0, oversampling=4, shape=(40, 40)) is None
    assert render_event(ball(row=-80.0), optics(), height_um=0.0, oversampling=4, shape=(40, 40)) is None


def test_an_event_at_the_edge_of_the_canvas_is_cut_not_moved():
    whole = imaged(ball(row=20.3, column=20.6), optics())
    cut = imaged(ball(row=0.3, column=20.6), optics())
    np.testing.assert_allclose(cut[:, :15], whole[:, 20:35], atol=1e-9)


def test_a_shift_of_a_camera_moves_its_light_and_not_the_truth():
    straight, moved = optics(), optics(shifts_px=((0.4, -0.7), (0.0, 0.0)))
    kept, shifted = imaged(ball(), straight), imaged(ball(), moved)
    displacement = np.subtract(ndi.center_of_mass(shifted[0]), ndi.center_of_mass(kept[0]))
    np.testing.assert_allclose(displacement, (0.4, -0.7), atol=0.01)
    np.testing.assert_array_equal(shifted[1], kept[1])
    patches = [render_event(ball(), o, height_um=0.0, oversampling=4, shape=(40, 40)) for o in (straight, moved)]
    truths = [paint_truth([ball()], [patch], (40, 40))[0] for patch in patches]
    np.testing.assert_array_equal(truths[0], truths[1])


def test_truth_is_the_pixels_that_are_covered_by_half_and_small_events_lie_on_top():
    large, small = ball(radius_um=1.0, class_index=4), ball(radius_um=0.4, class_index=2)
    events = [small, large]
    patches = [render_event(e, optics(), height_um=0.0, oversampling=4, shape=(40, 40)) for e in events]
    phases, instances = paint_truth(events, patches, (40, 40))
    rows, columns = np.mgrid[:40, :40] + 0.5
    distance = np.hypot(rows - 20.3, columns - 20.6) * PIXEL_UM
    assert set(np.unique(phases[distance < 0.25])) == {2}
    assert set(np.unique(phases[(distance > 0.6) & (distance < 0.85)])) == {4}
    assert not phases[distance > 1.2].any()
    np.testing.assert_array_equal(instances, np.array([0, 0, 1, 0, 2])[phases])


def test_truth_agrees_with_counting_the_covered_share_of_every_pixel():
    patch = render_event(ball(), optics(), height_um=0.0, oversampling=4, shape=(40, 40))
    phases, _ = paint_truth([ball()], [patch], (40, 40))
    fine = (np.arange(40 * 16) + 0.5) / 16
    covered = np.hypot(fine[:, None] - 20.3, fine - 20.6) * PIXEL_UM < 0.7
    share = covered.reshape(40, 16, 40, 16).mean(axis=(1, 3))
    assert (phases[share > 0.56] == 1).all()
    assert (phases[share < 0.44] == 0).all()
    assert np.count_nonzero((share > 0.56) & (share < 0.9)) >= 4  # pixels that a stricter rule would lose


def test_no_events_give_an_empty_truth():
    phases, instances = paint_truth([], [], (4, 6))
    assert phases.shape == (4, 6)
    assert not phases.any()
    assert not instances.any()


def test_blur_matrices_keep_all_light_within_a_wide_margin():
    weights = blur_matrices(3, margin_px=9, oversampling=4, sigmas_px=np.array([0.5, 2.0]), shift_px=0.3)
    assert weights.shape == (2, 21, 12)
    np.testing.assert_allclose(weights.sum(axis=1), 1 / 4, rtol=1e-4)


def test_blur_grows_with_defocus_as_the_tables_say():
    """The settings' curve in pixels: 0.455, 0.50, 0.96, 1.75, 2.54, 3.42 for pHluorin, plus a straight tail."""
    ideal = optics(sigma_um=0.0978)
    heights = np.array([0.0, 0.2, -0.4, 0.6, 0.8, -1.0, 1.2])
    expected = [0.455, 0.50, 0.96, 1.75, 2.54, 3.42, 4.30]
    np.testing.assert_allclose(ideal.sigma_px(heights, 1), expected, atol=0.01)
    wider = optics(sigma_um=0.172)
    assert wider.sigma_px(np.zeros(1), 1)[0] == pytest.approx(0.172 / PIXEL_UM)


def test_the_optical_section_passes_half_as_much_light_half_a_width_from_focus():
    thin = 0.001
    for channel, width in enumerate(OpticsSettings().section_fwhm_um):
        in_focus = optics().section_weights(np.array([-thin, thin]), channel)[0]
        beside = optics().section_weights(np.array([width / 2 - thin, width / 2 + thin]), channel)[0]
        assert beside / in_focus == pytest.approx(0.5, abs=1e-3)
    assert optics().section_weights(np.linspace(-3, 3, 9), 0).sum() == pytest.approx(1)


@pytest.mark.parametrize(("channel", "corner"), [(0, 0.743), (1, 0.229)], ids=["DsRed", "pHluorin"])
def test_illumination_has_mean_one_and_dim_corners(channel, corner):
    """The last corner is the sum of the coefficients, each halved once per power: worked out by hand."""
    profile = vignetting((512, 680), OpticsSettings().vignetting[channel], 1.0)
    assert profile.mean() == pytest.approx(1.0, abs=0.005)
    assert profile[-1, -1] == pytest.approx(corner, abs=0.006)
    assert 1.1 < profile[256, 340] < 1.4
    np.testing.assert_allclose(vignetting((512, 680), OpticsSettings().vignetting[channel], 0.0), 1.0)


def test_haze_spreads_light_and_keeps_its_amount():
    spot = np.zeros((60, 60), np.float32)
    spot[30, 30] = 1000
    hazy = add_haze(spot, share=0.2, sigma_px=4)
    assert hazy.sum() == pytest.approx(1000, rel=1e-3)
    assert hazy[30, 30] == pytest.approx(800 + 200 / (2 * np.pi * 16), rel=0.02)
    np.testing.assert_array_equal(add_haze(spot, share=0.0, sigma_px=4), spot)


def test_a_shifted_blur_moves_the_centre_by_a_part_of_a_pixel():
    spot = np.zeros((31, 31), np.float32)
    spot[15, 15] = 1
    moved = shifted_blur(spot, sigma_px=1.2, shift_px=(0.3, -0.6))
    np.testing.assert_allclose(ndi.center_of_mass(moved), (15.3, 14.4), atol=0.02)
    np.testing.assert_allclose(
        shifted_blur(spot, sigma_px=1.2, shift_px=(0, 0)), ndi.gaussian_filter(spot, 1.2, truncate=3.34), atol=1e-6
    )


def test_noise_is_the_photon_transfer_curve_of_the_camera():
    camera = CameraSettings(counts_per_electron=0.5, read_noise_counts=6.0, offset_counts=100.0, hot_pixel_rate=0.0)
    for counts in (0.0, 50.0, 800.0):
        light = np.full((2, 200, 200), counts)
        picture = expose(light, camera, np.random.default_rng(0)).astype(float)
        variance = 0.5 * counts + 36 + 1 / 12  # shot, read and rounding noise
        assert picture.mean() == pytest.approx(100 + counts, abs=0.3)
        assert picture.var() == pytest.approx(variance, rel=0.03)
        assert noise_counts(light, camera)[0, 0, 0] ** 2 == pytest.approx(variance - 1 / 12)


def test_counts_end_at_twelve_bits_and_hot_pixels_come_at_their_rate():
    camera = CameraSettings(hot_pixel_rate=0.01)
    assert expose(np.full((2, 9, 9), 1e6), camera, np.random.default_rng(0)).max() == 4095
    dark = expose(np.zeros((2, 200, 200)), camera, np.random.default_rng(0))
    assert 0.008 < (dark > 200).mean() < 0.012


def test_bleed_through_goes_each_way_by_its_own_share():
    red, green = mix_channels(np.array([[[100.0]], [[1000.0]]]), CameraSettings(bleed_through=(0.03, 0.005)))
    assert red.item() == pytest.approx(130)
    assert green.item() == pytest.approx(1000.5)


def test_phluorin_is_quenched_in_acid_as_henderson_and_hasselbalch_have_it():
    """Relative to pH 7.2 with a pKa of 7.1: 6.5 0.36, 6.0 0.13, 5.5 0.044, 5.0 0.014, 4.5 0.0045."""
    got = [phluorin_brightness(ph) for ph in (7.2, 6.5, 6.0, 5.5, 5.0, 4.5)]
    np.testing.assert_allclose(got, [1, 0.36, 0.13, 0.044, 0.014, 0.0045], rtol=0.03)
