"""Dose and structure are independent of each other."""

import re

import numpy as np
import pytest
from scipy.special import expit

from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.keys import combine_keys
from noisylabels.data.labels import ROSELLA
from noisylabels.noise.dose import Dose, choose_events, shifted_rate, solve_intercept
from noisylabels.noise.model import NoiseModel


def choose(dose, areas, *, image="a", eligible=None):
    areas = np.asarray(areas)
    table = EventTable(
        {"event": np.arange(1, len(areas) + 1), "class_index": np.ones(len(areas), np.uint8), "area_px": areas}
    )
    return choose_events(
        dose, table, ROSELLA,
        eligible=np.ones(len(areas), bool) if eligible is None else eligible,
        event_keys=combine_keys(image, np.arange(len(areas))), image_key=combine_keys(image), kind="missed",
    )  # fmt: skip


def test_no_events_none_chosen():
    assert len(choose(Dose(rate=0.5), [])) == 0


@pytest.mark.parametrize("weight", [0.0, -1.0, 5.0, -40.0])
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_the_rate_holds_whatever_the_structure(weight, rate):
    areas = np.random.default_rng(0).integers(1, 500, 1000)
    assert len(choose(Dose(rate=rate, given={"area": weight}), areas)) == round(1000 * rate)
    shares = [
        len(choose(Dose(rate=rate, given={"area": weight}, draw="bernoulli"), areas, image=str(i))) for i in range(60)
    ]
    error = 1000 * np.sqrt(rate * (1 - rate) / 1000 / 60)
    assert abs(np.mean(shares) - 1000 * rate) < 4 * error


def test_small_events_are_struck_first_under_a_strong_negative_weight():
    areas = np.arange(1, 101)
    struck = choose(Dose(rate=0.2, given={"area": -40.0}), areas)
    assert np.mean(areas[struck]) < 15


def test_bernoulli_draws_follow_the_logistic_model():
    areas = np.repeat([10, 100], 5000)
    struck = choose(Dose(rate=0.4, given={"area": -1.0}, draw="bernoulli"), areas)
    intercept = solve_intercept(np.repeat([1.0, -1.0], 5000), 0.4)
    observed = np.bincount(areas[struck] == 100, minlength=2) / 5000
    expected = expit(intercept + np.array([1, -1]))
    assert expected.mean() == pytest.approx(0.4, abs=1e-9)
    assert np.abs(observed - expected).max() < 4 * np.sqrt(0.25 / 5000)


def test_only_eligible_events_are_struck():
    eligible = np.arange(100) < 50
    struck = choose(Dose(rate=1.0), np.ones(100), eligible=eligible)
    assert sorted(struck) == list(range(50))


def test_an_image_effect_spreads_the_rates_and_keeps_their_mean():
    shares = [len(choose(Dose(rate=0.3, image_sd=1.0), np.ones(200), image=str(i))) / 200 for i in range(800)]
    assert abs(np.mean(shares) - 0.3) < 4 * np.std(shares) / np.sqrt(800)
    drawn = expit(np.random.default_rng(0).normal(-1, 1, 20_000))
    assert np.std(shares) == pytest.approx(np.std(drawn), rel=0.1)


def test_the_mean_over_images_of_a_shifted_rate_is_the_rate():
    effects = np.random.default_rng(0).normal(0, 1.5, 4000)
    moved = [shifted_rate(0.1, effect, 1.5) for effect in effects]
    assert np.mean(moved) == pytest.approx(0.1, abs=4 * np.std(moved) / np.sqrt(4000))


def test_a_calibrated_intercept_is_used_as_it_is():
    areas = np.repeat([10.0, 100.0], 4000)
    reference = {"area": (np.log(10.0), np.log(10.0))}
    dose = Dose(rate=0.5, given={"area": -2.0}, draw="bernoulli", reference=reference, intercept=0.0)
    observed = np.bincount(areas[choose(dose, areas)] == 100, minlength=2) / 4000
    assert np.abs(observed - expit([0, -2])).max() < 4 * np.sqrt(0.25 / 4000)


def test_sizes_limit_whom_an_error_strikes():
    struck = choose(Dose(rate=1.0, sizes_px=(5, 20)), [4, 5, 19, 20])
    assert sorted(struck) == [1, 2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": -0.1}, "rate must be in [0, 1], got -0.1. For 5 % write 0.05."),
        ({"rate": True}, "rate must be in [0, 1], got True. For 5 % write 0.05."),
        ({"rate": "much"}, "rate must be in [0, 1], got 'much'. For 5 % write 0.05."),
        (
            {"rate": 0.1, "draw": "all"},
            "draw must be one of ['exact', 'bernoulli'], got 'all'. Use 'exact' for a share that holds in every image.",
        ),
        (
            {"rate": 0.1, "given": {"colour": 1}},
            "A feature of `given` must be one of ['area', 'area_px', 'centroid_row', 'centroid_column', "
            "'border_distance_px', 'crowding', 'solidity', 'brightness', 'contrast', 'mean_<channel>', "
            "'max_<channel>', 'contrast_<channel>'], got 'colour'. Use one of them.",
        ),
        (
            {"rate": 0.1, "given": {"area": 1}, "intercept": 0.0},
            "reference must cover ['area'] when an intercept is given, got []. Add them.",
        ),
        (
            {"rate": 0.1, "sizes_px": (9, 3)},
            "sizes_px must be a smallest and a larger area, got (9, 3). The second is left out.",
        ),
    ],
)
def test_a_wrong_dose_is_refused_in_one_sentence(settings, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Dose(**settings)


@pytest.mark.parametrize(
    ("dose", "struck"),
    [({"rate": 1e-18}, 0), ({"rate": 0.3, "severity": -50}, 0), ({"rate": 0.3, "severity": 800}, 2)],
)
def test_rates_that_round_to_none_or_all_strike_none_or_all(dose, struck):
    clean = np.zeros((20, 20), np.uint8)
    clean[2:6, 2:6], clean[10:14, 10:14] = 1, 2
    model = NoiseModel.from_dict({"missed": {**dose, "draw": "bernoulli"}})
    assert len(model.apply(clean, image_id="a").log) == struck


def test_an_image_that_is_not_finite_is_refused():
    clean = np.zeros((20, 20), np.uint8)
    clean[2:6, 2:6] = 1
    image = np.ones((2, 20, 20), np.float32)
    image[0, 3, 3] = np.nan
    model = NoiseModel.from_dict({"missed": {"rate": 0.3, "given": {"contrast": 1.0}, "draw": "bernoulli"}})
    with pytest.raises(InputError, match="image 'a' must be finite, got NaN or infinity in 1"):
        model.apply(clean, image, image_id="a")
