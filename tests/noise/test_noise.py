"""The laws every noise model keeps."""

import json
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import jsonschema
import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.events import label_events
from noisylabels.noise.kinds import KINDS, schema_of_kinds
from noisylabels.noise.model import NoiseModel, render_log
from noisylabels.noise.presets import PRESETS
from tests.cases import draw
from tests.noise.fields import crowded_field, grid_of_discs

EVERY_KIND = {name: {"rate": 0.3} for name in KINDS}
NAMES = ("pHluorin", "DsRed")


def corrupt(settings, seed=0, **more):
    label_map, image = crowded_field(seed, **more)
    return label_map, image, NoiseModel.from_dict(settings).apply(label_map, image, image_id=f"field-{seed}")


def same_log(first, second):
    return all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("picture", ["..../....", "1", "11.. / 1122 / ..22", "12/21"])
def test_at_rate_0_nothing_changes(name, picture):
    clean = draw(picture)
    noisy, log, doses = NoiseModel.from_dict({name: {"rate": 0.0}}).apply(clean, image_id="a")
    assert np.array_equal(noisy, clean)
    assert len(log) == 0
    assert doses["struck"].sum() == 0


@pytest.mark.parametrize("name", KINDS)
def test_a_background_only_field_stays_one_at_any_rate(name):
    noisy, log, doses = NoiseModel.from_dict({name: {"rate": 1.0}}).apply(draw("..../...."), image_id="a")
    assert not noisy.any()
    assert len(log) == 0
    assert np.isnan(doses["rate"]).all()


def test_all_events_are_missed_at_rate_1():
    noisy, log, _ = NoiseModel.from_dict({"missed": {"rate": 1.0}}).apply(draw("11.. / 1122 / ..22"), image_id="a")
    assert not noisy.any()
    assert log["event"].tolist() == [1, 2]
    assert log["area_px"].tolist() == [4, 4]
    assert log["noisy_area_px"].tolist() == [0, 0]


def test_the_input_is_not_modified():
    label_map, image = crowded_field()
    before = label_map.copy(), image.copy()
    NoiseModel.from_dict(EVERY_KIND).apply(label_map, image, image_id="a")
    assert np.array_equal(label_map, before[0])
    assert np.array_equal(image, before[1])


@pytest.mark.parametrize("name", ["missed", "misclassified", "incomplete"])
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.29, 0.5, 0.77, 1.0])
def test_the_share_of_struck_events_is_exact(name, rate):
    clean = grid_of_discs()
    _, log, doses = NoiseModel.from_dict({name: {"rate": rate}}).apply(clean, image_id="a")
    assert len(log) == doses["struck"].sum() == round(rate * 100)


def test_a_share_of_few_events_is_exact_on_average():
    clean = draw("1.1.1")
    model = NoiseModel.from_dict({"missed": {"rate": 0.25}})
    missed = [len(model.apply(clean, image_id=str(index)).log) for index in range(2000)]
    assert set(missed) == {0, 1}
    assert abs(np.mean(missed) - 0.75) < 3 * np.sqrt(0.75 * 0.25 / 2000)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "more", [{}, {"draw": "bernoulli"}, {"given": {"contrast": -2.0, "area": -1.0}}, {"image_sd": 1.0}]
)
def test_doses_are_nested(name, more):
    label_map, image = crowded_field(3)
    struck = [
        set(
            NoiseModel.from_dict({name: {"rate": rate, **more}})
            .apply(label_map, image, image_id="a")
            .log["event"]
            .tolist()
        )
        for rate in (0.1, 0.3, 0.6, 0.9)
    ]
    assert struck[0] <= struck[1] <= struck[2] <= struck[3]
    assert struck[0] < struck[3]


def apply_to(seed):
    _, _, (noisy, log, _) = corrupt(EVERY_KIND, seed)
    return noisy, log


def test_one_worker_eight_workers_any_order_and_any_subset_give_the_same():
    alone = {seed: apply_to(seed) for seed in range(8)}
    with ProcessPoolExecutor(8, mp_context=get_context("fork")) as pool:
        together = dict(zip(range(8), pool.map(apply_to, range(8)), strict=True))
    backwards = {seed: apply_to(seed) for seed in reversed(range(0, 8, 3))}
    for other in (together, backwards):
        assert all(np.array_equal(alone[seed][0], noisy) for seed, (noisy, _) in other.items())
        assert all(same_log(alone[seed][1], log) for seed, (_, log) in other.items())


def test_another_seed_and_another_image_id_give_other_errors():
    clean = grid_of_discs()
    model = NoiseModel.from_dict({"missed": {"rate": 0.5}})
    first = model.apply(clean, image_id="a").label_map
    assert not np.array_equal(first, model.apply(clean, image_id="b").label_map)
    assert not np.array_equal(first, model.with_seed(1).apply(clean, image_id="a").label_map)


@pytest.mark.parametrize("seed", range(6))
def test_no_class_outside_the_table_appears(seed):
    clean, _, (noisy, _, _) = corrupt(EVERY_KIND, seed)
    assert noisy.dtype == np.uint8
    assert noisy.shape == clean.shape
    assert noisy.max() <= 2


@pytest.mark.parametrize("seed", range(6))
def test_the_log_renders_the_noisy_label_map_again(seed):
    clean, image, (noisy, log, _) = corrupt(EVERY_KIND, seed)
    assert np.array_equal(render_log(clean, log, image), noisy)


@pytest.mark.parametrize("seed", range(3))
def test_ignored_pixels_stay_ignored_and_no_error_lies_under_them(seed):
    clean, image = crowded_field(seed)
    doubtful = clean.copy()
    doubtful[:, :40] = 255
    model = NoiseModel.from_dict(EVERY_KIND)
    noisy, log, _ = model.apply(doubtful, image, image_id="a")
    assert np.array_equal(noisy == 255, doubtful == 255)
    assert np.array_equal(render_log(doubtful, log, image), noisy)
    shown = log.select(log["kind"] != "missed")
    assert shown["noisy_area_px"].min() > 0
    as_background, _, _ = model.apply(np.where(doubtful == 255, 0, clean), image, image_id="a")
    assert np.array_equal(noisy[:, 40:], as_background[:, 40:])


def test_a_field_that_is_ignored_whole_has_no_error():
    whole = np.full((5, 6), 255, np.uint8)
    noisy, log, _ = NoiseModel.from_dict({"missed": {"rate": 1.0}}).apply(whole, image_id="a")
    assert np.array_equal(noisy, whole)
    assert len(log) == 0


@pytest.mark.parametrize("seed", range(6))
def test_an_event_without_a_row_in_the_log_keeps_its_pixels_and_class(seed):
    clean, _, (noisy, log, _) = corrupt({name: {"rate": 0.1} for name in KINDS}, seed)
    instances, _ = label_events(clean)
    in_log = np.isin(instances, [*log["event"], *log["partner"]])
    untouched = (instances > 0) & ~in_log
    assert untouched.any()
    assert np.array_equal(noisy[untouched], clean[untouched])


@pytest.mark.parametrize("seed", range(6))
def test_every_row_of_the_log_is_seen_in_the_label_map(seed):
    for name in KINDS:
        clean, _, (noisy, log, _) = corrupt({name: {"rate": 0.5}}, seed)
        for event in log["event"]:
            one = log.select(log["event"] == event)
            assert not np.array_equal(render_log(clean, one), clean), name
        assert (len(log) > 0) == (not np.array_equal(noisy, clean))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("missed", "split", "merged", "spurious")])
def test_touching_events_never_merge_and_none_falls_apart_unless_asked(name, seed):
    clean, _, (noisy, _, _) = corrupt({name: {"rate": 1.0}}, seed, n_events=80, n_classes=2)
    assert len(label_events(noisy)[1]) == len(label_events(clean)[1])


def test_more_than_65535_events_are_numbered_and_missed_exactly():
    clean = np.zeros((540, 540), np.uint8)
    clean[::2, ::2] = 1
    noisy, log, _ = NoiseModel.from_dict({"missed": {"rate": 0.5}}).apply(clean, image_id="a")
    assert log["event"].max() > 65_535
    assert len(log) == 270 * 270 / 2 == (noisy == 0).sum() - (clean == 0).sum()


def test_an_edit_elsewhere_changes_no_other_events_errors():
    clean = grid_of_discs()
    edited = clean.copy()
    edited[:20, :20] = 0
    model = NoiseModel.from_dict({"missed": {"rate": 0.4, "draw": "bernoulli"}})
    first, second = (model.apply(each, image_id="a").label_map for each in (clean, edited))
    assert np.array_equal(first[20:], second[20:])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"missed": {"rate": 5}}, "rate must be in [0, 1], got 5.0. For 5 % write 0.05."),
        (
            {"misclassified": {"transition": [[0.9, 0.2], [0, 1]]}},
            "Row 0 of transition must be probabilities that sum to 1, got [0.9, 0.2] (sum 1.1). "
            "Let its diagonal take what is left over.",
        ),
        (
            {"mised": {"rate": 0.1}},
            "Error kind mised must be one of those there are, got an unknown name. "
            "Did you mean missed, misclassified, merged?",
        ),
        (
            {"missed": {"rate": "high"}},
            "Setting missed.rate must be a number or a mapping of names to values, got 'high'. Correct the value.",
        ),
        (
            {"missed": {"rate": {"phagophore": "high"}}},
            "Setting missed.rate.phagophore must be a number, got 'high'. Correct the value.",
        ),
        (
            {"missed": {"rate": 0.1, "sizes_px": [1, 2, 3]}},
            "Setting missed.sizes_px must be a list of at most 2 values, got [1, 2, 3]. Correct the value.",
        ),
        (
            {"misclassified": {"transition": [[1.0], [1.0]]}},
            "transition must be 2 x 2 (phagophore, autolysosome), got another size. Give one row per class.",
        ),
        (
            {"classes": "nucleus"},
            "Noise model's classes must be a list, got 'nucleus'. Correct the value.",
        ),
        (
            {"missed": 0.3},
            "Settings of missed must be a mapping, got 0.3. Write for instance missed: {rate: 0.1}.",
        ),
        ({"seed": "one"}, "Noise model's seed must be a whole number, got 'one'. Correct the value."),
        (
            {"missed": {"rate": 0.1, "given": {"area": "high"}}},
            "Setting missed.given.area must be a number, got 'high'. Correct the value.",
        ),
        (
            {"missed": {"rate": 0.1, "unless": ["mised"]}},
            "Error kind of `unless` mised must be one of those there are, got an unknown name. "
            "Did you mean missed, misclassified, merged?",
        ),
        ({"missed": {}}, "missed must have a rate, got none. Write for instance rate: 0.1."),
        (
            {"missed": {"rate": {"nucleus": 0.1}}},
            "A class name must be one of ['background', 'phagophore', 'autolysosome'], got 'nucleus'. "
            "Use a name of the class table.",
        ),
        (
            {"missed": {"rate": 0.1, "gven": {}}},
            "Setting missed.gven must be one of those there are, got an unknown name. Did you mean given?",
        ),
        (
            {"missed": [{"rate": 0.1}, {"rate": {"phagophore": 0.2}}]},
            "Each class and size must have an error kind once, got missed twice for phagophore. "
            "Join the entries, or split them by class or by sizes_px.",
        ),
        (
            {"classes": ["background", "nucleus"], "misclassified": {"rate": 0.1}},
            "misclassified must have two foreground classes or more, got ['nucleus']. Leave it out.",
        ),
    ],
)
def test_a_wrong_model_is_refused_in_one_sentence(settings, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        NoiseModel.from_dict(settings)


def test_a_feature_that_needs_an_image_says_so_when_there_is_none():
    model = NoiseModel.from_dict({"missed": {"rate": 0.1, "given": {"contrast": -1.0}}})
    message = (
        "Feature 'contrast' needs the image, got none. Pass the image, or use one of ['area', 'area_px', "
        "'centroid_row', 'centroid_column', 'border_distance_px', 'crowding', 'solidity']."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        model.apply(grid_of_discs(), image_id="a")


def test_a_model_survives_its_file(tmp_path):
    model = NoiseModel.from_dict(
        {
            "seed": 3,
            "classes": ["background", "phagophore", "autolysosome"],
            "missed": [
                {"rate": {"phagophore": 0.3}, "given": {"area": -1.0}},
                {"rate": {"autolysosome": 0.1}, "draw": "bernoulli", "image_sd": 0.5},
            ],
            "misclassified": {"transition": [[0.9, 0.1], [0.25, 0.75]]},
            "incomplete": {"rate": 0.2, "modes": ["cut"], "cover": [0.2, 0.5]},
        }
    )
    model.write(tmp_path / "model.yaml")
    again = NoiseModel.read(tmp_path / "model.yaml")
    assert again.to_dict() == model.to_dict()
    clean = grid_of_discs()
    assert np.array_equal(again.apply(clean, image_id="a").label_map, model.apply(clean, image_id="a").label_map)


def test_the_schema_takes_the_presets_and_refuses_what_a_model_refuses():
    validator = jsonschema.Draft202012Validator(schema_of_kinds())
    for name, preset in PRESETS.items():
        assert list(validator.iter_errors(json.loads(json.dumps(preset)))) == [], name
    for wrong in (
        {"mised": {"rate": 0.1}},
        {"missed": {}},
        {"missed": {"rate": "high"}},
        {"split": {"rate": 1, "gap": 2}},
    ):
        assert list(validator.iter_errors(wrong)) != [], wrong
