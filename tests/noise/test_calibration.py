"""Calibration recovers what was put in."""

import re

import numpy as np
import pytest
from scipy import ndimage as ndi
from scipy.stats import ks_2samp, norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from evaluation.metrics.fields import examine_field
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA, ClassTable
from noisylabels.noise.calibration import Profile, calibrate, check_profile, compare_field, make_profile, type_noise
from noisylabels.noise.calibration.goodness import distance_between, swap_groups
from noisylabels.noise.calibration.image_effect import fit_mixed_logistic
from noisylabels.noise.calibration.logistic import fit_logistic, rank_score
from noisylabels.noise.calibration.places import lean_to_places, sample_places
from noisylabels.noise.calibration.synthesis import synthesise
from noisylabels.noise.model import NoiseModel
from tests.cases import draw
from tests.noise.fields import crowded_field

CELLS = ClassTable(("background", "cell"))


def spaced_field(seed, *, n=(12, 12), step=18):
    """Give discs of random size, class and brightness that do not touch, and a one-channel image."""
    rng = np.random.default_rng(seed)
    shape = (n[0] * step, n[1] * step)
    rows, columns = np.indices(shape)
    label_map, image = np.zeros(shape, np.uint8), rng.normal(100, 2, (1, *shape))
    for row in range(n[0]):
        for column in range(n[1]):
            centre = (row * step + step / 2 + rng.uniform(-1, 1), column * step + step / 2 + rng.uniform(-1, 1))
            inside = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= rng.uniform(2, 5.5) ** 2
            label_map[inside] = 1 + (row + column) % 2
            image[0, inside] += rng.uniform(4, 40)
    return label_map, image


def test_no_truth_no_calibration():
    message = "Calibration must have fields with true events, got 1 fields and no event. Give the truth."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        calibrate(draw("1.2"), draw("..."))


def test_an_empty_weak_map_misses_everything():
    profile = calibrate(draw(".... / ...."), draw("1..2 / 1..2"), n_resamples=2)
    assert profile.confusion == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert profile.value("phagophore.missed.rate") == 1


def test_fates_counted_by_eye():
    truth = draw("11..22..1.. / 11..22..1.. / ........... / 222.222....")
    weak = draw("11..11..... / 11..11..... / ........... / 2222222..1.")
    profile = calibrate(weak, truth, n_resamples=2)
    #       found as 1, found as 2, missed;  spurious in the last row
    assert profile.confusion == [[1, 0, 1], [1, 2, 0], [1, 0, 0]]
    assert profile.value("autolysosome.merged.rate") == pytest.approx(1 / 3)
    assert profile.value("phagophore.spurious.rate") == 1 / 2


def test_partners_are_one_to_one_and_take_the_larger_overlap():
    events = compare_field(draw("1111.11111"), draw("111111.111"), classes=ROSELLA).events
    assert events["found"].tolist() == [True, True]
    assert events["iou"].tolist() == [4 / 6, 3 / 5]


def test_an_event_is_merged_only_if_most_of_it_lies_under_anothers_label():
    truth = draw("11111111.11111 / 11111111.11111")
    for line, fate in (("11111111111...", "incomplete"), ("111111111111..", "merged")):
        profile = calibrate(draw(f"{line} / {line}"), truth, classes=ROSELLA, n_resamples=2)
        assert profile.value("phagophore.missed.rate") == 0
        assert profile.value("phagophore.incomplete.rate") == (0.5 if fate == "incomplete" else 0)
        assert profile.value("phagophore.merged.rate") == (0.5 if fate == "merged" else 0)


def test_calibration_and_evaluation_name_the_same_errors():
    truth, _ = crowded_field(0)
    kinds = ("missed", "misclassified", "incomplete", "spurious")
    weak = NoiseModel.from_dict({kind: {"rate": 0.2} for kind in kinds}).apply(truth, image_id="a").label_map
    compared, errors = compare_field(weak, truth, classes=ROSELLA), examine_field(truth, weak, classes=ROSELLA)[1]
    for kind in kinds[:3]:
        np.testing.assert_array_equal(compared.events[kind], errors.reference[kind], err_msg=kind)
    np.testing.assert_array_equal(compared.extras["spurious"], errors.prediction["spurious"])


@pytest.mark.parametrize("seed", range(3))
def test_the_logistic_fit_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(400, 2))
    struck = rng.random(400) < 1 / (1 + np.exp(1 + 2 * features[:, 0] - features[:, 1]))
    ours = fit_logistic(features, struck)
    theirs = LogisticRegression(C=1 / 0.1, tol=1e-10, max_iter=1000).fit(features, struck)
    assert ours.weights == pytest.approx(theirs.coef_[0], abs=1e-4)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)
    predicted = ours.probabilities(features)
    assert rank_score(predicted, struck) == pytest.approx(roc_auc_score(struck, predicted))


def test_separable_events_and_one_sided_outcomes_stay_finite():
    fit = fit_logistic(np.array([[-1.0], [-2.0], [1.0], [2.0]]), np.array([True, True, False, False]))
    assert np.isfinite(fit.weights).all()
    assert fit.weights[0] < -1
    assert fit_logistic(np.zeros((3, 1)), np.zeros(3, bool)).intercept == pytest.approx(np.log(0.5 / 3.5))
    assert np.isnan(rank_score(np.zeros(3), np.zeros(3, bool)))


@pytest.mark.parametrize("sd", [0.0, 0.8, 2.0, 3.0])
def test_weights_and_the_spread_between_images_are_recovered(sd):
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(60, 2)) for _ in range(120)]
    effects = sd * norm.ppf((np.arange(120) + 0.5) / 120)
    logits = [part @ [-1.5, 1.0] - 1 + effect for part, effect in zip(features, effects, strict=True)]
    struck = [rng.random(60) < 1 / (1 + np.exp(-part)) for part in logits]
    fit = fit_mixed_logistic(features, struck)
    assert fit.image_sd == pytest.approx(sd, abs=0.2 if sd == 0 else 0.1 * sd)
    assert fit.fixed.weights == pytest.approx([-1.5, 1.0], abs=0.15)
    assert fit.fixed.intercept == pytest.approx(-1, abs=0.15)
    assert fit_mixed_logistic(features, struck, start=fit).image_sd == pytest.approx(fit.image_sd, rel=0.05, abs=0.05)


def test_one_image_and_one_sided_outcomes_have_no_spread():
    one = [np.zeros((4, 1))]
    assert fit_mixed_logistic(one, [np.array([True, False, False, True])]).image_sd == 0
    assert fit_mixed_logistic(one * 2, [np.zeros(4, bool)] * 2).image_sd == 0
    assert fit_mixed_logistic([*one, np.zeros((0, 1))], [np.array([True, False] * 2), np.zeros(0, bool)]).image_sd == 0


def test_the_distance_of_two_samples_is_that_of_scipy_and_swaps_respect_groups():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=40).round(1), rng.normal(0.3, 1, 60).round(1)
    assert distance_between(one, other) == pytest.approx(ks_2samp(one, other).statistic)
    # eight groups, each far from the other's: events are many, but what differs is four coins' toss
    observed = [np.full(50, float(side)) for side in (0, 1) * 4]
    synthetic = [np.full(50, float(side)) for side in (1, 0) * 4]
    assert swap_groups(observed, synthetic) == 1.0
    assert swap_groups([np.zeros(5)] * 8, [np.ones(5)] * 8) == 2 / 2**8


def test_swaps_keep_their_level_where_events_of_a_field_are_alike():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(100):
        here, there = ([rng.normal(effect, 0.1, 20) for effect in rng.normal(size=8)] for _ in range(2))
        found.append(swap_groups(here, there))
    assert np.mean(np.array(found) < 0.05) < 0.12


@pytest.mark.parametrize("weights", [(2.0, 0.0), (0.0, 1.0), (1.5, -1.0)])
def test_places_are_chosen_with_the_weights_that_were_put_in(weights):
    truth, image = spaced_field(0, n=(8, 8), step=32)
    image = image + 600 * ndi.gaussian_filter(np.random.default_rng(3).normal(size=image.shape), (0, 8, 8))
    model = NoiseModel.from_dict({"spurious": {"rate": 0.2, "near": {"brightness": weights[0], "edge": weights[1]}}})
    noisy = [model.apply(truth, image, image_id=str(index)).label_map for index in range(16)]
    compared = [compare_field(each, truth, image, classes=ROSELLA) for each in noisy]
    profile = make_profile(compared, ROSELLA, (), n_resamples=2)
    for name in ROSELLA.foreground:
        assert profile.value(f"{name}.spurious.lean.brightness") == pytest.approx(weights[0], abs=0.4)
        assert profile.value(f"{name}.spurious.lean.edge") == pytest.approx(weights[1], abs=0.4)


def test_no_free_place_has_no_weight():
    places = sample_places(np.ones((20, 20), np.int32), np.zeros((1, 20, 20)), room_px=1)
    assert np.isnan(places).all()
    assert lean_to_places([places], np.array([1.0, 0.0]), np.ones(1)).tolist() == [0, 0]


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.8])
def test_events_merge_as_often_as_they_did(rate):
    truths = [crowded_field(seed, n_events=25)[0] for seed in range(12)]
    pipeline = NoiseModel.from_dict({"merged": {"rate": rate, "draw": "bernoulli"}})
    weak = [pipeline.apply(truth, image_id=str(index)).label_map for index, truth in enumerate(truths)]
    profile = calibrate(weak, truths, n_resamples=40)
    model = synthesise(profile, seed=5)
    made = [model.apply(truth, image_id=f"again-{index}").label_map for index, truth in enumerate(truths)]
    again = calibrate(made, truths, n_resamples=2)
    for name in ROSELLA.foreground:
        seen = profile.summary[f"{name}.merged.rate"]
        assert seen.low <= again.value(f"{name}.merged.rate") <= seen.high


def test_groups_are_resampled_as_wholes():
    # within a group all fields are alike; groups differ: an interval over fields is too narrow
    truth = draw("1.1.1.1.1.1.1.1.1.1")
    weak = [truth if index % 8 < 4 else 0 * truth for index in range(32)]
    by_field, by_group = (
        calibrate(weak, [truth] * 32, n_resamples=60, groups=groups)
        for groups in (None, [str(index // 4) for index in range(32)])
    )
    narrow, wide = (profile.summary["phagophore.missed.rate"] for profile in (by_field, by_group))
    assert (by_field.n_groups, by_group.n_groups) == (32, 8)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    message = "Groups must be one for each of the 1 fields, got 2. Name the group of every field."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        calibrate(truth, truth, groups=["a", "b"])


@pytest.mark.parametrize("shift", [-1.5, -0.8, 0.0, 0.8, 1.5])
def test_a_boundary_shift_is_measured_as_it_was_made(shift):
    truth, _ = spaced_field(0)
    model = NoiseModel.from_dict({"boundary": {"rate": 1.0, "shift_px": shift, "sd_px": 0.0, "jitter_px": 0.7}})
    noisy = model.apply(truth, image_id="a").label_map
    events = compare_field(noisy, truth, classes=ROSELLA).events
    large = events["found"] & (events["area_px"] > 40)
    assert np.nanmean(events["shift_px"][large]) == pytest.approx(shift, abs=0.2)  # of discs of radius 4


@pytest.fixture(scope="module")
def round_trip():
    """Twelve simulated fields, a pipeline of known errors, its profile, and the profile of what that makes again."""
    pipeline = NoiseModel.from_dict(
        {
            "missed": {"rate": 0.3, "given": {"contrast": -1.5, "area": -1.0}, "draw": "bernoulli", "image_sd": 0.5},
            "misclassified": {"transition": [[0.8, 0.2], [0.1, 0.9]], "draw": "bernoulli"},
            "boundary": {"rate": 1.0, "shift_px": 0.3, "sd_px": 0.6, "jitter_px": 0.6},
            "spurious": {"rate": 0.15, "draw": "bernoulli"},
        }
    )
    fields = [spaced_field(seed) for seed in range(12)]
    truth, images = [field[0] for field in fields], [field[1] for field in fields]
    weak = [pipeline.apply(*field, image_id=f"observed-{index}").label_map for index, field in enumerate(fields)]
    features = ("contrast", "area")
    compared = [
        compare_field(*each, classes=ROSELLA, features=features) for each in zip(weak, truth, images, strict=True)
    ]
    profile = make_profile(compared, ROSELLA, features, n_resamples=60)
    return profile, check_profile(profile, compared, truth, images, n_resamples=40), (weak, truth, images)


def test_calibration_recovers_the_rates_that_made_the_labels(round_trip):
    profile = round_trip[0]
    for name, made in [
        ("phagophore.to.autolysosome", 0.2),
        ("autolysosome.to.phagophore", 0.1),
        ("phagophore.spurious.rate", 0.15),
        ("autolysosome.spurious.rate", 0.15),
    ]:
        estimate = profile.summary[name]
        slack = 0.5 * (estimate.high - estimate.low)
        assert estimate.low - slack <= made <= estimate.high + slack, name
    for name in ROSELLA.foreground:
        assert profile.value(f"{name}.missed.rate") == pytest.approx(0.3, abs=0.1)
        assert profile.value(f"{name}.missed.weight.contrast") == pytest.approx(-1.5, abs=0.5)
        assert profile.value(f"{name}.missed.weight.area") == pytest.approx(-1.0, abs=0.5)
        assert profile.value(f"{name}.missed.auc") > 0.75
        assert profile.value(f"{name}.shift_px.large.0.50") == pytest.approx(0.3, abs=0.25)


def test_what_the_profile_makes_again_has_the_same_profile_within_intervals(round_trip):
    checks, distances = round_trip[1]
    wanted = [
        f"{name}.{what}"
        for name in ROSELLA.foreground
        for what in (
            "missed.rate", "missed.weight.contrast", "missed.weight.area", "to.phagophore", "spurious.rate",
            "area_ratio", "iou", "shift_px.small.0.50", "shift_px.medium.0.50", "shift_px.large.0.50",
        )
    ]  # fmt: skip
    checks = checks.set_index("name")
    assert checks["overlaps"][wanted].all(), checks.loc[wanted]
    assert checks["overlaps"].mean() > 0.8
    assert checks["inside"].mean() > 0.7
    assert (checks["inside"] <= checks["overlaps"]).all()
    assert (distances["ks"] < 0.12).all()


def test_a_single_call_gives_the_same_profile_and_a_file_keeps_it(round_trip, tmp_path):
    profile, _, (weak, truth, images) = round_trip
    again = calibrate(weak, truth, images, features=("contrast", "area"), n_resamples=2)
    assert again.confusion == profile.confusion
    assert again.value("phagophore.missed.weight.area") == profile.value("phagophore.missed.weight.area")
    again.write(tmp_path / "profile.json")
    read = Profile.read(tmp_path / "profile.json")
    assert synthesise(read).to_dict() == synthesise(again).to_dict()
    assert "NaN" not in (tmp_path / "profile.json").read_text()


def test_a_file_that_is_no_profile_is_refused(tmp_path):
    path = tmp_path / "profile.json"
    path.write_text("{}")
    message = f"{path} must be a profile of noisylabels calibrate, got something else ('summary'). Calibrate again."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Profile.read(path)


def test_noise_types_of_identical_empty_and_different_maps():
    empty, truth = draw("....... / ......."), draw("11..22. / 11..22.")
    same = type_noise(truth, truth)
    assert same == (0.0, 1.0, 1.0, 0.0, 0.0)
    nothing = type_noise(empty, truth)
    assert np.isinf(nothing.nhd95)
    assert nothing.foreground_f1 == 0
    assert np.isnan(nothing.instance_class_confusion)
    assert np.isnan(type_noise(empty, empty).nhd95)
    swapped = type_noise(draw("11..11. / 11..11."), truth)
    assert (swapped.nhd95, swapped.foreground_f1) == (0.0, 1.0)
    assert (swapped.pixel_class_confusion, swapped.instance_class_confusion) == (0.5, 0.5)


def test_the_contour_distance_is_the_shift_over_the_events_diagonal():
    truth, weak = np.zeros((30, 30), np.uint8), np.zeros((30, 30), np.uint8)
    truth[10:16, 10:18] = 1
    weak[10:16, 13:21] = 1
    assert type_noise(weak, truth).nhd95 == pytest.approx(3 / 10)  # 6 x 8 pixels: diagonal 10


def test_classes_and_sizes_of_maps_are_checked():
    with pytest.raises(InputError, match=r"^weak label map must have the size of its image, \(1, 3\), got \(1, 4\)\."):
        compare_field(draw("1..."), draw("1.."), classes=CELLS)
    with pytest.raises(InputError, match=r"^Values of truth must be class indices 0\.\.1"):
        compare_field(draw("1.."), draw("2.."), classes=CELLS)


def test_profiles_of_crowded_fields_make_models_that_apply():
    truth, image = crowded_field(0)
    weak = NoiseModel.from_dict({"missed": {"rate": 0.4}, "merged": {"rate": 0.9}, "split": {"rate": 0.3}}).apply(
        truth, image_id="a"
    )
    profile = calibrate(weak.label_map, truth, image, n_resamples=2)
    noisy = synthesise(profile).apply(truth, image, image_id="b").label_map
    assert noisy.max() <= 2
    assert not np.array_equal(noisy, truth)
