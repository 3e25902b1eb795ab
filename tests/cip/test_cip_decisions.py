"""Vesicles and the phase of each, against drawn cases and a slow second reading of the rules."""

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage.measure import label, regionprops

from noisylabels.cip.decisions import decide_phases
from noisylabels.cip.settings import Decisions, Vesicles
from noisylabels.cip.vesicles import find_vesicles, join_with_gap, measure_vesicles
from noisylabels.data.events import EventTable
from noisylabels.data.labels import ROSELLA_PHASES

PLAIN = {
    "red_share": 0.0,
    "green_share": 0.0,
    "median_ratio": 3.0,
    "bright_green": 0.0,
    "bright_red": 0.0,
    "green_centre": 9.0,
    "green_perimeter": 8.0,
    "green_outside": 9.0,
    "touches_low_ph": False,
    "touches_autophagosome": False,
    "eccentricity": 0.0,
}


def table(*rows):
    return EventTable({name: np.array([(PLAIN | row)[name] for row in rows]) for name in PLAIN})


def phase(row, overlap="first"):
    decided = decide_phases(table(row), Decisions(overlap=overlap), Vesicles())
    return ROSELLA_PHASES.names[decided["class_index"][0]]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, "background"),
        ({"touches_autophagosome": True}, "autophagosome"),
        ({"touches_autophagosome": True, "eccentricity": 0.95}, "background"),
        ({"red_share": 0.3, "green_share": 0.3}, "phagophore"),
        ({"red_share": 0.3, "green_share": 0.3, "median_ratio": 1.9}, "autolysosome"),
        ({"bright_green": 7501, "bright_red": 4001}, "phagophore"),
        ({"bright_green": 7501, "bright_red": 4000}, "background"),
        ({"bright_green": 7501, "bright_red": 4001, "touches_low_ph": True}, "early autolysosome"),
        ({"green_centre": 9, "green_outside": 7}, "phagophore"),
        ({"green_centre": 9, "green_outside": 7.2}, "background"),
        ({"red_share": 0.3, "green_share": 0.09}, "autolysosome"),
        ({"red_share": 0.3, "green_share": 0.10}, "early autolysosome"),
        ({"red_share": 0.25, "green_share": 0.0}, "background"),
        ({"median_ratio": 2.0}, "autolysosome"),
        ({"green_centre": 8, "green_perimeter": 8}, "autolysosome"),
        ({"green_centre": np.nan, "green_perimeter": 8}, "background"),
        ({"touches_low_ph": True}, "early autolysosome"),
    ],
)
def test_each_clause_decides_alone(row, expected):
    assert phase(row, "first") == phase(row, "last") == expected


@pytest.mark.parametrize(
    ("row", "first", "last"),
    [
        ({"red_share": 0.3, "green_share": 0.3, "green_centre": 8}, "phagophore", "autolysosome"),
        ({"median_ratio": 1.0, "touches_low_ph": True}, "autolysosome", "early autolysosome"),
        ({"touches_autophagosome": True, "green_outside": 1}, "autophagosome", "phagophore"),
    ],
)
def test_when_several_tests_hold_the_overlap_rule_decides(row, first, last):
    decided = decide_phases(table(row), Decisions(), Vesicles())
    assert decided["n_phases"][0] == 2
    assert (phase(row, "first"), phase(row, "last")) == (first, last)


def read_slowly(v):
    """The rules once more, vesicle by vesicle, as the pipeline's description has them."""
    auto = v["touches_autophagosome"] and not v["eccentricity"] > 0.9
    acid = v["touches_low_ph"]
    phago = v["green_share"] > 0.25 and v["red_share"] > 0.25 and not auto and v["median_ratio"] >= 2 and not acid
    phago = phago or (v["bright_green"] > 7500 and v["bright_red"] > 4000 and not auto and not acid)
    phago = phago or v["green_centre"] > 1.25 * v["green_outside"]
    late = v["red_share"] > 0.25 and v["green_share"] < 0.1 and not auto and not phago
    late = late or (v["median_ratio"] <= 2 and not auto and not phago)
    late = late or v["green_centre"] <= v["green_perimeter"]
    early = v["red_share"] > 0.25 and v["green_share"] <= 0.25 and not (auto or phago or late)
    early = early or acid
    return [auto, phago, late, early]


def test_random_vesicles_get_what_a_slow_reading_of_the_rules_gives():
    rng = np.random.default_rng(5)
    rows = [
        {
            "red_share": rng.choice([0, 0.25, 0.6]),
            "green_share": rng.choice([0, 0.1, 0.25, 0.7]),
            "median_ratio": rng.choice([1, 2, 3]),
            "bright_green": rng.choice([7000, 8000]),
            "bright_red": rng.choice([3000, 5000]),
            "green_centre": rng.choice([1, 2, 3, np.nan]),
            "green_perimeter": rng.choice([1, 2, 3]),
            "green_outside": rng.choice([1, 2, 3, np.nan]),
            "touches_low_ph": bool(rng.random() < 0.3),
            "touches_autophagosome": bool(rng.random() < 0.3),
            "eccentricity": rng.choice([0.5, 0.95]),
        }
        for _ in range(500)
    ]
    decided = decide_phases(table(*rows), Decisions(), Vesicles())
    columns = ("is_autophagosome", "is_phagophore", "is_autolysosome", "is_early_autolysosome")
    found = np.stack([decided[name] for name in columns], axis=1)
    expected = np.array([read_slowly(row) for row in rows], bool)
    assert np.array_equal(found, expected)
    assert np.array_equal(decided["class_index"] == 0, ~expected.any(axis=1))


def place(*boxes, shape=(1, 20, 30)):
    mask = np.zeros(shape, bool)
    for rows, columns in boxes:
        mask[0, slice(*rows), slice(*columns)] = True
    return mask


def test_no_masks_give_no_vesicles():
    none = place()
    labels, count = find_vesicles(none, none, none, np.full(none.shape, 500, np.float32), Vesicles())
    measured = measure(labels, count)
    assert count == len(measured) == 0
    assert len(decide_phases(measured, Decisions(), Vesicles())) == 0


def test_vesicles_at_the_border_and_dim_ones_are_removed():
    red = place(((0, 3), (5, 8)), ((8, 11), (5, 8)), ((8, 11), (20, 23)))
    counts = np.full(red.shape, 400, np.float32)
    counts[..., 15:] = 299
    labels, count = find_vesicles(place(), red, place(), counts, Vesicles())
    assert count == 1
    assert np.array_equal(labels > 0, place(((8, 11), (5, 8))))


def test_touching_objects_of_two_masks_stay_apart_by_one_voxel():
    first, second = place(((5, 9), (5, 9))), place(((5, 9), (9, 14)))
    joined = join_with_gap(first, second)
    assert np.array_equal(joined, place(((5, 9), (5, 9)), ((5, 9), (10, 14))))


def test_all_three_masks_make_vesicles_and_later_ones_keep_a_gap():
    ring, red, acid = place(((2, 6), (2, 6))), place(((2, 6), (6, 10))), place(((2, 6), (10, 14)), ((12, 16), (3, 6)))
    labels, count = find_vesicles(ring, red, acid, np.full(red.shape, 400, np.float32), Vesicles())
    expected = place(((2, 6), (2, 6)), ((2, 6), (7, 10)), ((2, 6), (11, 14)), ((12, 16), (3, 6)))
    assert np.array_equal(labels > 0, expected)
    assert count == 4


def measure(labels, count, **changes):
    stack = np.zeros(labels.shape, np.float32)
    none = np.zeros(labels.shape, bool)
    inputs = {"red": stack, "green": stack, "ratio": stack}
    inputs |= {"red_spots": none, "green_spots": none, "low_ph": none, "autophagosomes": none}
    return measure_vesicles(labels, count, **(inputs | changes), decisions=Decisions())


def test_green_is_measured_in_the_centre_the_perimeter_and_just_outside():
    labels = place(((5, 10), (5, 10))).astype(np.int32)
    green = np.full(labels.shape, 1, np.float32)
    green[0, 4:11, 4:11] = 2
    green[0, 5:10, 5:10] = 3
    green[0, 6:9, 6:9] = 4
    row = measure(labels, 1, green=green)
    assert (row["green_outside"][0], row["green_perimeter"][0], row["green_centre"][0]) == (2, 3, 4)


def test_a_thin_vesicle_has_no_centre():
    row = measure(place(((5, 7), (5, 20))).astype(np.int32), 1)
    assert np.isnan(row["green_centre"][0])
    assert row["green_perimeter"][0] == 0


def test_the_outside_of_two_close_vesicles_belongs_to_both():
    labels = place(((5, 8), (5, 8))).astype(np.int32) + 2 * place(((5, 8), (9, 12)))
    green = np.zeros(labels.shape, np.float32)
    green[0, :, 8] = 100
    rows = measure(labels, 2, green=green)
    # 12 voxels share a face with each square; 3 of them lie in column 8.
    assert rows["green_outside"].tolist() == [0, 0]
    assert measure(labels, 2, green=-green)["green_outside"].tolist() == [0, 0]
    assert rows["voxels"].tolist() == [9, 9]


def test_shapes_are_those_of_another_library():
    mask = ndi.gaussian_filter(np.random.default_rng(2).random((60, 70)), 2) > 0.52
    labels = label(mask)
    rows = measure(labels[None].astype(np.int32), labels.max())
    regions = regionprops(labels)
    assert len(regions) > 5
    assert np.allclose(rows["area_px"], [r.area for r in regions])
    assert np.allclose(rows["centroid_row"], [r.centroid[0] for r in regions])
    # MATLAB counts a pixel as a square with a second moment of 1/12, scikit-image as a point.
    moments = np.array([r.inertia_tensor_eigvals for r in regions]) + 1 / 12
    assert np.allclose(rows["major_axis_px"], 4 * np.sqrt(moments[:, 0]))
    assert np.allclose(rows["eccentricity"], np.sqrt(1 - moments[:, 1] / moments[:, 0]), atol=1e-6)
