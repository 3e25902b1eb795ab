"""What each error kind does to events that can be counted by eye, and what it does on average."""

import re

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.events import label_events
from noisylabels.noise.kinds.boundary import jitter_field, move_outline
from noisylabels.noise.kinds.simplified import drop_corners, fill_box
from noisylabels.noise.model import NoiseModel
from tests.cases import draw
from tests.noise.fields import crowded_field, grid_of_discs


def corrupt(kind, settings, picture, *, image=None, image_id="a", channel_names=None):
    clean = draw(picture) if isinstance(picture, str) else picture
    model = NoiseModel.from_dict({kind: settings})
    return model.apply(clean, image, image_id=image_id, channel_names=channel_names)


def test_a_misclassified_event_keeps_a_gap_to_its_new_class():
    noisy, log, _ = corrupt("misclassified", {"rate": {"phagophore": 1.0}}, "1112 / 1112")
    assert np.array_equal(noisy, draw("22.2 / 22.2"))
    assert (log["area_px"][0], log["noisy_area_px"][0]) == (6, 4)


def test_an_event_without_a_pixel_free_of_contact_cannot_be_misclassified():
    noisy, log, doses = corrupt("misclassified", {"rate": 1.0}, "12")
    assert np.array_equal(noisy, draw("12"))
    assert len(log) == 0
    assert doses["eligible"].tolist() == [0, 0]


def test_the_transition_gives_the_rate_and_the_new_class():
    clean = np.tile(draw("1.2.3. / ......"), (40, 20))
    classes = {"classes": ["background", "a", "b", "c"]}
    model = NoiseModel.from_dict(
        classes | {"misclassified": {"transition": [[0.5, 0.5, 0], [0, 1, 0], [0.3, 0.1, 0.6]]}}
    )
    noisy, _, doses = model.apply(clean, image_id="a")
    assert doses["rate"].tolist() == [0.5, 0, 0.4]
    counts = np.array([[np.sum((clean == a) & (noisy == b)) for b in (1, 2, 3)] for a in (1, 2, 3)]) / 800
    assert counts[0].tolist() == [0.5, 0.5, 0]
    assert counts[1].tolist() == [0, 1, 0]
    assert counts[2, 2] == 0.6
    assert abs(counts[2, 0] - 0.3) < 3 * np.sqrt(320 * 0.75 * 0.25) / 800


@pytest.mark.parametrize("mode", ["cut", "hole", "rim"])
def test_an_incomplete_event_keeps_its_cover_in_one_piece(mode):
    clean = grid_of_discs(radius=7)
    noisy, log, _ = corrupt("incomplete", {"rate": 1.0, "modes": [mode], "cover": [0.5, 0.5]}, clean)
    assert len(log) == 100 == len(label_events(noisy)[1])
    assert np.array_equal(log["noisy_area_px"], np.rint(log["area_px"] / 2))
    assert not noisy[clean == 0].any()
    assert (noisy[clean > 0] == clean[clean > 0]).mean() == pytest.approx(0.5, abs=0.01)


def test_a_hole_loses_the_middle_and_a_rim_the_outside():
    square = "..... / .111. / .111. / .111. / ....."
    hole, _, _ = corrupt("incomplete", {"rate": 1.0, "modes": ["hole"], "cover": [0.9, 0.9]}, square)
    rim, _, _ = corrupt("incomplete", {"rate": 1.0, "modes": ["rim"], "cover": [0.1, 0.1]}, square)
    assert np.array_equal(hole, draw("..... / .111. / .1.1. / .111. / ....."))
    assert np.array_equal(rim, draw("..... / ..... / ..1.. / ..... / ....."))


def test_one_channels_extent_is_what_is_bright_in_it():
    image = np.zeros((2, 3, 6))
    image[1, 1, 1:3] = 100
    settings = {"rate": 1.0, "modes": ["channel:DsRed"]}
    picture = "...... / .1111. / ......"
    noisy, log, _ = corrupt("incomplete", settings, picture, image=image, channel_names=("pHluorin", "DsRed"))
    assert np.array_equal(noisy, draw("...... / .11... / ......"))
    assert log["mode"].tolist() == ["channel:DsRed"]
    with pytest.raises(InputError, match=r"^'channel:DsRed' must name a channel of the image, got no image\."):
        corrupt("incomplete", settings, picture)


@pytest.mark.parametrize("mode", ["cut", "hole", "rim"])
@pytest.mark.parametrize("radius", [1, 6])
def test_no_side_is_favoured_by_what_is_left_out(mode, radius):
    clean = grid_of_discs(radius=radius, n=(25, 25), n_classes=1)
    noisy, _, _ = corrupt("incomplete", {"rate": 1.0, "modes": [mode]}, clean)
    assert_no_mean_step(centroid_steps(clean, noisy))


def test_a_box_is_filled_and_a_polygon_stays_within_its_tolerance():
    corner = draw("1.... / 1.... / 111..").astype(bool)
    assert np.array_equal(fill_box(corner), draw("111.. / 111.. / 111..").astype(bool))
    disc = grid_of_discs(radius=8, n=(1, 1)).astype(bool)
    coarse = drop_corners(disc, 2.0)
    assert 0.8 < coarse.sum() / disc.sum() < 1.05
    assert not (coarse & ~move_outline(disc, 2.0)).any()


def test_a_split_event_is_two_and_only_loses_pixels():
    clean = grid_of_discs(radius=6)
    noisy, log, _ = corrupt("split", {"rate": 0.4}, clean)
    assert len(log) == 40
    assert len(label_events(noisy)[1]) == 140
    assert not noisy[clean == 0].any()


def test_merged_events_are_one_and_others_stay_apart():
    picture = "1..1.2..2. / 1..1.2..2. / .......... / 1..1......"
    noisy, log, _ = corrupt("merged", {"rate": {"autolysosome": 1.0}, "max_gap_px": 3}, picture)
    assert len(log) == 1
    assert len(label_events(noisy)[1]) == len(label_events(draw(picture))[1]) - 1
    assert noisy[0, 5:9].tolist() == [2, 2, 2, 2] or noisy[1, 5:9].tolist() == [2, 2, 2, 2]
    assert np.array_equal(noisy == 1, draw(picture) == 1)


def test_spurious_events_copy_shapes_and_touch_no_event():
    clean = grid_of_discs(radius=3, step=30)
    noisy, log, doses = corrupt("spurious", {"rate": 0.3}, clean)
    assert len(log) == 30 == doses["struck"].sum()
    assert np.array_equal(noisy[clean > 0], clean[clean > 0])
    assert len(label_events(noisy)[1]) == 130
    assert (log["noisy_area_px"] > 0).all()
    assert set(log["noisy_area_px"]) <= set(range(1, 30))
    assert (log["class_index"] == 0).all()


def test_spurious_events_gather_where_the_model_says():
    clean = np.zeros((200, 200), np.uint8)
    clean[2::20, 2::20] = 1
    image = np.zeros((1, 200, 200))
    image[:, :, 100:] = 100
    settings = {"rate": 1.0, "near": {"brightness": 3.0}}
    _, log, _ = corrupt("spurious", settings, clean, image=image)
    assert (log["column_min"] >= 100).mean() > 0.95
    with pytest.raises(InputError, match=r"^near of spurious must have an image to look at"):
        corrupt("spurious", settings, clean)


def centroid_steps(clean, noisy):
    instances, classes = label_events(clean)
    rows, columns = np.indices(clean.shape)
    areas = np.bincount(instances.ravel(), minlength=len(classes) + 1)[1:]
    # every disc sits in a tile of its own: pixels of the noisy map belong to the tile's event
    side = clean.shape[0] // int(np.sqrt(len(classes)))
    tile = (rows // side) * (clean.shape[1] // side) + columns // side
    kept = noisy > 0
    n = np.bincount(tile[kept], minlength=len(classes))
    steps = []
    for axis in (rows, columns):
        before = np.bincount(instances.ravel(), axis.ravel(), minlength=len(classes) + 1)[1:] / areas
        after = np.bincount(tile[kept], axis[kept], minlength=len(classes)) / n
        steps.append(after - before)
    return np.array(steps)


def assert_no_mean_step(steps):
    """The mean step along each axis is 0, within 3.5 standard errors; the steps themselves are not all 0."""
    error = steps.std(axis=1) / np.sqrt(steps.shape[1])
    assert (error > 0).all()
    assert (np.abs(steps.mean(axis=1)) < 3.5 * error).all()


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("shifted", {"rate": 1.0, "sd_px": 1.5}),
        ("boundary", {"rate": 1.0, "sd_px": 0.0, "jitter_px": 1.5}),
        ("boundary", {"rate": 1.0, "sd_px": 1.0, "jitter_px": 1.0}),
    ],
)
def test_the_mean_step_of_events_is_0_in_both_directions(kind, settings):
    clean = grid_of_discs(radius=4, step=22, n=(30, 30), n_classes=1)
    noisy, _, _ = corrupt(kind, settings, clean)
    assert_no_mean_step(centroid_steps(clean, noisy))


def test_an_unbiased_boundary_neither_grows_nor_shrinks_straight_edges():
    clean = np.zeros((400, 60), np.uint8)
    clean[2:398, :30] = 1
    gained = []
    for seed in range(60):
        model = NoiseModel.from_dict({"boundary": {"rate": 1.0, "sd_px": 1.0, "jitter_px": 1.0}, "seed": seed})
        noisy = model.apply(clean, image_id="a").label_map
        gained.append((noisy[20:380] > 0).sum(axis=1).mean() - 30)
    error = np.std(gained) / np.sqrt(len(gained))
    assert 0.05 < error < 0.3
    assert abs(np.mean(gained)) < 3.5 * error


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("shift_px", [-2.3, -1, -0.6, 0.6, 1.2, 3])
def test_moving_an_outline_and_turning_the_map_can_change_places(shift_px, turns):
    event = np.pad(crowded_field(1)[0] > 0, 6)
    turned_last = np.rot90(move_outline(event, shift_px), turns)
    assert np.array_equal(turned_last, move_outline(np.rot90(event, turns), shift_px))
    assert np.array_equal(move_outline(event, shift_px)[::-1], move_outline(event[::-1], shift_px))


def test_the_jitter_has_mean_0_variance_1_and_the_same_correlation_along_both_axes():
    fields = np.array([jitter_field((24, 24), length_px=4.0, key=key) for key in range(1500)])
    assert abs(fields.mean()) < 0.03
    assert fields.var() == pytest.approx(1, abs=0.05)
    expected = np.exp(-(4.0**2) / (2 * 4.0**2))  # Gaussian correlation at one correlation length
    assert np.mean(fields[:, 4:] * fields[:, :-4]) == pytest.approx(expected, abs=0.05)
    assert np.mean(fields[:, :, 4:] * fields[:, :, :-4]) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (
            "incomplete",
            {"rate": 0.1, "modes": ["half"]},
            "A mode of incomplete must be one of ['cut', 'hole', 'rim', 'channel:<name>'], got 'half'. "
            "Use one of them.",
        ),
        (
            "incomplete",
            {"rate": 0.1, "modes": {"cut": 1.0}},
            "Setting incomplete.modes must be a list, got {'cut': 1.0}. Correct the value.",
        ),
        (
            "incomplete",
            {"rate": 0.1, "cover": [0.7, 0.3]},
            "cover of incomplete must be two numbers or more that rise, got [0.7, 0.3]. Write for instance [0.3, 0.7].",
        ),
        (
            "incomplete",
            {"rate": 0.1, "cover": [0.3, 7]},
            "cover of incomplete must be in [0, 1], got 7.0. For 5 % write 0.05.",
        ),
        (
            "boundary",
            {"rate": 0.1, "sd_px": -1},
            "sd_px of boundary must be 0 or more, got -1.0. Give a standard deviation.",
        ),
        (
            "boundary",
            {"rate": 0.1, "length_px": 0},
            "length_px of boundary must be above 0, got 0.0. Give the jitter's correlation length.",
        ),
        (
            "boundary",
            {"rate": 0.1, "shift_px": [1, 0]},
            "shift_px of boundary must be one number or two and more that rise, got [1.0, 0.0]. Sort them.",
        ),
        (
            "shifted",
            {"rate": 0.1, "sd_px": 0},
            "sd_px of shifted must be above 0, got 0.0. Give the step's standard deviation.",
        ),
        (
            "split",
            {"rate": 0.1, "gap_px": 1},
            "gap_px of split must be 1.5 or more, got 1.0. A thinner cut leaves pixels in contact.",
        ),
        (
            "merged",
            {"rate": 0.1, "max_gap_px": 1},
            "max_gap_px of merged must be 2 or more and width_px above 0, got 1.0 and 2.0. Give both in pixels.",
        ),
        (
            "spurious",
            {"rate": 0.1, "near": {"border": 1}},
            "A place in `near` must be one of ['brightness', 'edge'], got 'border'. Use one of them.",
        ),
        (
            "simplified",
            {"rate": 0.1, "modes": ["circle"]},
            "A mode of simplified must be one of ['polygon', 'box'], got 'circle'. Use one of them.",
        ),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(kind, settings, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        NoiseModel.from_dict({kind: settings})
