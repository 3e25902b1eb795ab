"""Simulated fields: keyed, consistent, physically sensible, and like an independent simulation."""

import re
from pathlib import Path

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.simulation import SimulationSettings, preset, simulate_field

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "sim_rosella"
SMALL = {"frame": {"rows": 96, "columns": 120}}
CALM = {
    "plate": {
        "plate_sigma": 0.0,
        "well_sigma": 0.0,
        "row_gradient": 0.0,
        "column_gradient": 0.0,
        "bleaching": 0.0,
        "empty_rate": 0.0,
        "defocused_rate": 0.0,
        "debris_rate": 0.0,
    }
}
QUIET = {
    "camera": {
        "read_noise_counts": 0.0,
        "hot_pixel_rate": 0.0,
        "bleed_through": (0.0, 0.0),
        "counts_per_electron": 0.01,
    }
}
CROWDED = {
    "events": {
        "phagophore": {"count_per_frame": 500},
        "autophagosome": {"count_per_frame": 120},
        "early_autolysosome": {"count_per_frame": 120},
        "late_autolysosome": {"count_per_frame": 500},
    }
}


def settings(*changes):
    chosen = SimulationSettings()
    for change in changes:
        chosen = chosen.replaced(change)
    return chosen


@pytest.fixture(scope="module")
def crowded():
    return simulate_field(settings(CALM, CROWDED, {"frame": {"rows": 256, "columns": 256}}), seed=5, well="D06")


def test_a_well_without_cells_gives_an_empty_truth_and_a_dark_image():
    empty = simulate_field(
        settings(SMALL, {"plate": {"empty_rate": 1.0, "defocused_rate": 0, "debris_rate": 0}}), seed=1
    )
    assert empty.effects.accident == "empty"
    assert len(empty.events) == 0
    assert not empty.label_map.any()
    assert not empty.detectable_label_map.any()
    assert abs(np.median(empty.image) - 103) < 4


def test_the_same_key_gives_the_same_bytes_in_any_order():
    keys = [{"well": "B02", "field": 1}, {"well": "B02", "field": 2}, {"well": "C07", "field": 1}]
    forward = [simulate_field(settings(SMALL), seed=3, **key) for key in keys]
    backward = [simulate_field(settings(SMALL), seed=3, **key) for key in reversed(keys)][::-1]
    for one, other in zip(forward, backward, strict=True):
        assert one.image.tobytes() == other.image.tobytes()
        assert one.label_map.tobytes() == other.label_map.tobytes()
        for name in one.events:
            np.testing.assert_array_equal(one.events[name], other.events[name])
    assert len({field.image.tobytes() for field in forward}) == 3


def test_the_number_of_threads_changes_no_byte():
    from threadpoolctl import threadpool_limits

    pictures = set()
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            pictures.add(simulate_field(seed=0, well="C04").image.tobytes())
    assert len(pictures) == 1


@pytest.mark.parametrize("change", [{"seed": 4}, {"plate": "P2"}, {"well": "B03"}, {"field": 2}], ids=str)
def test_each_part_of_the_key_matters(change):
    key = {"seed": 3, "plate": "P1", "well": "B02", "field": 1}
    one, other = simulate_field(settings(SMALL), **key), simulate_field(settings(SMALL), **(key | change))
    assert one.image.tobytes() != other.image.tobytes()


def test_one_plane_is_the_middle_of_five():
    single = simulate_field(settings(SMALL), seed=3)
    stack = simulate_field(settings(SMALL, {"frame": {"planes": 5}}), seed=3)
    assert stack.image.shape == (2, 5, 96, 120)
    assert stack.label_stack.shape == (5, 96, 120)
    np.testing.assert_array_equal(stack.image[:, 2], single.image)
    np.testing.assert_array_equal(stack.label_stack[2], single.label_map)
    np.testing.assert_array_equal(stack.label_map, single.label_map)
    assert not np.array_equal(stack.label_stack[0], stack.label_stack[4])


def test_every_plane_has_noise_of_its_own():
    empty = {"plate": {"empty_rate": 1.0, "defocused_rate": 0.0, "debris_rate": 0.0}}
    planes = simulate_field(settings(SMALL, empty, {"frame": {"planes": 5}}), seed=3).image[0].reshape(5, -1)
    correlation = np.corrcoef(planes)[~np.eye(5, dtype=bool)]
    assert np.abs(correlation).max() < 0.1


def test_the_default_field_is_the_papers():
    field = simulate_field(seed=0)
    assert field.image.shape == (2, 512, 680)
    assert field.image.dtype == np.uint16
    assert field.image.max() <= 4095
    assert field.label_map.dtype == field.detectable_label_map.dtype == np.uint8
    assert field.instance_map.dtype == np.int32


def test_label_map_instance_map_and_table_say_the_same(crowded):
    table = crowded.events
    ids = np.unique(crowded.instance_map)[1:]
    np.testing.assert_array_equal(table["event"], np.arange(1, len(table) + 1))
    areas = np.bincount(crowded.instance_map.ravel(), minlength=len(table) + 1)[1:]
    np.testing.assert_array_equal(table["area_px"], areas)
    by_id = np.append(0, table["class_index"])
    np.testing.assert_array_equal(by_id[crowded.instance_map], crowded.label_map)
    assert set(crowded.label_map.ravel()) == {0, 1, 2, 3, 4}
    rows, columns = np.nonzero(crowded.instance_map)
    owner = crowded.instance_map[rows, columns] - 1
    distance = np.hypot(rows + 0.5 - table["row"][owner], columns + 0.5 - table["column"][owner])
    assert (distance * 0.2152 < 1.6 * table["diameter_um"][owner]).all()
    assert len(ids) < len(table)  # events above and below the plane are in the table, not in the maps


def test_only_undetectable_events_are_missing_from_the_detectable_map(crowded):
    table = crowded.events
    kept = np.append(False, table["detectable"])[crowded.instance_map]
    np.testing.assert_array_equal(crowded.detectable_label_map, np.where(kept, crowded.label_map, 0))
    contrast = np.column_stack([table["contrast_DsRed"], table["contrast_pHluorin"]])
    snr = np.column_stack([table["snr_DsRed"], table["snr_pHluorin"]])
    clear = ((snr >= 5) & (abs(contrast) >= 0.25)).any(axis=1) & (table["area_px"] >= 4)
    np.testing.assert_array_equal(table["detectable"], clear)
    assert 0 < np.count_nonzero(~table["detectable"] & (table["area_px"] > 0)) < 0.3 * len(table)


def test_phases_differ_in_colour_as_ph_has_it(crowded):
    """Phagophores are green and red, autophagosomes green, early autolysosomes both, late ones red and not green."""

    def mean(phase, channel):
        return crowded.image[channel][crowded.label_map == phase].mean() - 100

    red, green = ([np.median(channel[crowded.label_map == 0]) - 100] for channel in crowded.image)
    red += [mean(phase, 0) for phase in (1, 2, 3, 4)]
    green += [mean(phase, 1) for phase in (1, 2, 3, 4)]
    assert green[1] > 2.5 * green[0]
    assert red[1] > 1.5 * red[0]
    assert green[2] > 1.5 * green[0]
    assert red[2] < 0.7 * min(red[3], red[4])
    assert red[3] > 2 * red[0]
    assert green[3] > 1.2 * green[4]
    assert red[4] > 2.5 * red[0]
    assert green[4] < 0.9 * green[0]


def test_signal_of_the_table_is_what_the_pictures_show():
    """Two fields without noise, with and without events of one phase, differ by the table's signal."""
    phases = ("phagophore", "autophagosome", "early_autolysosome", "late_autolysosome")
    only = {"events": {name: {"count_per_frame": 400.0 if name == "late_autolysosome" else 0.0} for name in phases}}
    none = {"events": {name: {"count_per_frame": 0.0} for name in phases}}
    seen, empty = (simulate_field(settings(CALM, SMALL, QUIET, only if e else none), seed=8) for e in (True, False))
    table = seen.events.select(seen.events["area_px"] > 12)
    assert len(table) >= 3
    for event, signal in zip(table["event"], table["signal_DsRed"], strict=True):
        own = seen.instance_map == event
        shown = seen.image[0][own].mean() - empty.image[0][own].mean()
        assert shown == pytest.approx(signal, rel=0.15, abs=12)  # haze and blur of neighbours


def test_bafilomycin_turns_late_autolysosomes_green():
    late = {"events": {"late_autolysosome": {"count_per_frame": 400}}}
    ratio = []
    for condition in ("untreated", "bafilomycin"):
        field = simulate_field(settings(CALM, SMALL, late), seed=6, condition=condition)
        own = field.label_map == 4
        ratio.append(np.median(field.image[1][own] / field.image[0][own]))
        assert field.events["ph"][field.events["class_index"] == 4].min() > (6.5 if condition == "bafilomycin" else 4.4)
    assert ratio[0] < 1
    assert ratio[1] > 1.5


def test_a_knockout_of_atg5_loses_more_than_four_fifths_of_the_events():
    counts = [
        sum(len(simulate_field(settings(CALM, CROWDED, SMALL), seed=s, condition=c).events) for s in range(3))
        for c in ("untreated", "atg5-knockout")
    ]
    assert counts[1] < 0.2 * counts[0]


def test_a_treatment_of_dose_zero_is_no_treatment():
    untreated = simulate_field(settings(SMALL), seed=3)
    treated = simulate_field(settings(SMALL), seed=3, condition="bafilomycin", dose=0.0)
    assert untreated.image.tobytes() == treated.image.tobytes()


def test_cells_have_the_raw_ratio_that_the_cip_expects():
    field = simulate_field(settings(CALM, {"frame": {"rows": 256, "columns": 340}}), seed=2, well="D06")
    cytosol = (field.label_map == 0) & (field.image[1] > 350)
    ratio = np.median(field.image[1][cytosol] / field.image[0][cytosol])
    assert 2.0 < ratio < 2.6  # (450 + 100) / (140 + 100) = 2.3; the pipeline splits low from high pH at 2


def test_classes_are_as_frequent_as_the_facts_say():
    """Truth in the plane: phagophores 0.006 and late autolysosomes 0.010 of the pixels."""
    fields = [simulate_field(settings(CALM), seed=seed, well="D06") for seed in range(5)]
    frequency = np.mean([np.bincount(f.label_map.ravel(), minlength=5) for f in fields], axis=0) / (512 * 680)
    assert 0.004 < frequency[1] < 0.009
    assert 0.006 < frequency[4] < 0.014
    assert 0 < frequency[2] < 0.001
    assert 0 < frequency[3] < 0.002


def test_failed_focus_blurs_what_good_focus_shows():
    sharp = {"plate": {"empty_rate": 0.0, "defocused_rate": 0.0, "debris_rate": 0.0}}
    blurred = {"plate": {"empty_rate": 0.0, "defocused_rate": 1.0, "debris_rate": 0.0}}
    detail = []
    for change in (sharp, blurred):
        field = simulate_field(settings(SMALL, QUIET, change), seed=3, well="D05")
        light = field.image[1].astype(float)
        detail.append(np.abs(np.diff(light, axis=0)).mean())
        assert field.effects.accident == ("none" if change is sharp else "defocused")
    assert detail[1] < 0.8 * detail[0]


def test_debris_is_bright_in_both_channels_and_no_event():
    plate = {"plate": {"empty_rate": 0.0, "defocused_rate": 0.0, "debris_rate": 1.0}}
    dirty = simulate_field(settings({"frame": {"rows": 256, "columns": 256}}, plate), seed=3, well="D05")
    clean = simulate_field(
        settings({"frame": {"rows": 256, "columns": 256}}, {"plate": {"debris_rate": 0.0, "empty_rate": 0.0}}),
        seed=3,
        well="D05",
    )
    brighter = (dirty.image.astype(int) - clean.image) > 500
    assert brighter.all(axis=0).sum() > 100
    np.testing.assert_array_equal(dirty.label_map, clean.label_map)


def test_a_new_screen_is_duller_and_hazier():
    usual, shifted = (
        simulate_field(
            preset(name).replaced(CALM).replaced({"frame": {"rows": 200, "columns": 200}}), seed=4, well="D06"
        )
        for name in ("rosella-lc3", "rosella-lc3-new-screen")
    )
    bright = [np.quantile(field.image[1], 0.7) for field in (usual, shifted)]
    assert bright[1] < bright[0]
    dark = [np.quantile(field.image[1], 0.001) for field in (usual, shifted)]
    assert dark[1] > dark[0] + 20


def test_mitophagy_events_are_red_in_a_green_network():
    """ATP5C1-Rosella: network with a ratio of 2-4, events with a ratio below 1."""
    field = simulate_field(preset("rosella-mito").replaced(CALM), seed=2, well="D06")
    assert set(np.unique(field.label_map)) == {0, 4}
    ratio = field.image[1] / field.image[0]
    assert 2 < np.median(ratio[(field.label_map == 0) & (field.image[0] > 250)]) < 4
    assert np.median(ratio[field.detectable_label_map == 4]) < 1


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="the independent simulation ../shared/data/sim_rosella is absent")
def test_fields_resemble_an_independent_simulation():
    from noisylabels.data.images import read_image, read_label_map

    ids = [f"s{index:02d}" for index in range(12)]
    theirs = [
        (read_image(SHARED / "images" / f"{i}.tif")[::-1], read_label_map(SHARED / "truth" / f"{i}.png")) for i in ids
    ]
    quarter = settings(CALM, {"frame": {"rows": 256, "columns": 340}})
    fields = [simulate_field(quarter, seed=seed, well="D06") for seed in range(8)]
    ours = [(field.image, field.label_map) for field in fields]
    for describe, tolerance in ((_frequencies, 1.6), (_levels, 1.5)):
        ratio = np.mean([describe(*pair) for pair in ours], axis=0) / np.mean([describe(*p) for p in theirs], axis=0)
        assert (ratio < tolerance).all(), ratio
        assert (ratio > 1 / tolerance).all(), ratio


def _frequencies(image, label_map):
    return [(label_map == phase).mean() for phase in (1, 4)]


def _levels(image, label_map):
    """Mean counts of both channels in cells, phagophores and late autolysosomes."""
    cells = (label_map == 0) & (image[1] > 250)
    return [channel[where].mean() for channel in image for where in (cells, label_map == 1, label_map == 4)]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({"dose": 5}, "dose must be in [0, 1], got 5. 1 is the full effect of the treatment."),
        (
            {"well": "H13"},
            "A well of this plate must lie in A01..H12, got 'H13'. Change the plate's rows and columns.",
        ),
        (
            {"condition": "aspirin"},
            "A condition must be one of untreated, starvation, rapamycin, bafilomycin, chloroquine, atg5-knockout, "
            "cccp, got 'aspirin'. Name a treatment of the simulator.",
        ),
    ],
    ids=["dose", "well", "condition"],
)
def test_a_key_that_does_not_exist_is_refused(key, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        simulate_field(settings(SMALL), seed=0, **key)
