"""Settings, presets, layouts and the effects of a plate."""

import re

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.settings import read_mapping
from noisylabels.simulation import PRESETS, TREATMENTS, SimulationSettings, lay_out, plan_fields, preset
from noisylabels.simulation.plate import draw_effects
from noisylabels.simulation.settings import FrameSettings, PhaseSettings, PlateSettings

STEADY = PlateSettings(
    plate_sigma=0.0, well_sigma=0.0, row_gradient=0.0, column_gradient=0.0, bleaching=0.0, edge_cover=0.7
)


def effects(plate_settings, *, seed=0, plate="P1", well="D06", field=1, **treatment):
    return draw_effects(plate_settings, seed=seed, plate=plate, well=well, field=field, focus_sigma_um=0.3, **treatment)


def refuses(message):
    return pytest.raises(InputError, match=f"^{re.escape(message)}$")


def test_settings_survive_the_way_through_a_dictionary():
    for name in PRESETS:
        assert SimulationSettings.from_dict(preset(name).to_dict()) == preset(name)


def test_a_change_deep_inside_leaves_everything_else():
    changed = SimulationSettings().replaced({"events": {"phagophore": {"count_per_frame": 7}}})
    assert changed.events.phagophore.count_per_frame == 7
    assert changed.replaced({"events": {"phagophore": {"count_per_frame": 200}}}) == SimulationSettings()


def test_unknown_settings_are_refused_at_any_depth():
    with refuses(
        "Setting detectability.area_px must be one of those there are, got an unknown name. Did you mean min_area_px?"
    ):
        SimulationSettings.from_dict({"detectability": {"area_px": 4}})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: FrameSettings(planes=2),
            "planes must be odd and at least 1, got 2. Use 1 or 5: the middle plane is labelled.",
        ),
        (
            lambda: FrameSettings(rows=8),
            "A field must have at least 16 rows and 16 columns, got (8, 680). Ask for a larger field.",
        ),
        (
            lambda: PhaseSettings(membrane_um=0.3, diameter_range_um=(0.5, 2.0), elongation_range=(1.0, 1.0)),
            "membrane_um must be in [0, 0.25), half of the thinnest event, got 0.3. "
            "Make the shell thinner or the events larger.",
        ),
        (
            lambda: preset("rosella"),
            f"A preset must be one of {', '.join(PRESETS)}, got 'rosella'. Use a name of the list.",
        ),
        (
            lambda: lay_out("rows", PlateSettings()),
            "A layout must be one of untreated, treatments, dose-response or a .csv file, got 'rows'. "
            "Use a name of the list.",
        ),
    ],
    ids=["planes", "rows", "membrane", "preset", "layout"],
)
def test_values_out_of_range_are_refused(make, message):
    with refuses(message):
        make()


def test_settings_are_read_from_yaml_and_nothing_else(tmp_path):
    path = tmp_path / "shift.yaml"
    path.write_text("cells:\n  cover_range: [0.5, 0.6]\n")
    assert SimulationSettings().replaced(read_mapping(path)).cells.cover_range == (0.5, 0.6)
    path.write_text("- 1\n")
    with refuses(f"{path} must hold a mapping of settings, got [1]. Write one `name: value` a line."):
        read_mapping(path)
    path.write_text("cells: {")
    with pytest.raises(InputError, match=f"^{re.escape(str(path))} must be YAML or JSON, got a fault: "):
        read_mapping(path)
    with pytest.raises(FileNotFoundError, match=r"missing\.yaml must be a file of settings, but it does not exist"):
        read_mapping(tmp_path / "missing.yaml")


def test_a_steady_plate_changes_nothing_off_its_edge():
    inner, edge = effects(STEADY), effects(STEADY, well="A06")
    assert inner.brightness == pytest.approx((1.0, 1.0))
    assert inner.cover == 1.0
    assert edge.cover == pytest.approx(0.7)


def test_gradients_and_bleaching_are_what_the_settings_say():
    sloped = PlateSettings(plate_sigma=0, well_sigma=0, row_gradient=0.2, column_gradient=0.0, bleaching=0.0)
    assert effects(sloped, well="A06").brightness[0] == pytest.approx(0.9)
    assert effects(sloped, well="H06").brightness[0] == pytest.approx(1.1)
    fading = PlateSettings(plate_sigma=0, well_sigma=0, row_gradient=0.0, column_gradient=0.0, bleaching=0.1)
    assert effects(fading, well="A01").brightness[1] == pytest.approx(1.0)
    assert effects(fading, well="H12").brightness[1] == pytest.approx(0.9)


def test_brightness_is_shared_by_a_well_and_more_by_a_plate():
    wells = [f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13)]
    noisy = PlateSettings(row_gradient=0.0, column_gradient=0.0, bleaching=0.0, well_sigma=0.15, plate_sigma=0.3)
    logs = {plate: np.log([effects(noisy, plate=plate, well=w).brightness for w in wells]) for plate in ("P1", "P2")}
    assert effects(noisy, well="C03", field=1).brightness == effects(noisy, well="C03", field=9).brightness
    within = np.mean([values.mean(axis=1).std() for values in logs.values()])
    assert 0.07 < within < 0.15  # the mean of two channels of 0.15 each: 0.106
    centres = [values.mean() for values in logs.values()]
    assert abs(centres[0] - centres[1]) > 0.05


def test_accidents_come_at_their_rates_and_focus_is_worse_at_the_edge():
    fields = [
        effects(PlateSettings(empty_rate=0.1, defocused_rate=0.2, debris_rate=0.05), field=f) for f in range(2000)
    ]
    kinds = [field.accident for field in fields]
    for kind, rate in (("empty", 0.1), ("defocused", 0.2), ("debris", 0.05)):
        assert kinds.count(kind) / 2000 == pytest.approx(rate, abs=0.03)
    assert np.std([field.focus_um for field in fields]) == pytest.approx(0.3, rel=0.1)
    edge = [effects(PlateSettings(edge_focus_um=0.4), well="A01", field=f).focus_um for f in range(2000)]
    assert np.std(edge) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize(("dose", "factor"), [(0.0, 1.0), (0.5, 2.2**0.5), (1.0, 2.2)])
def test_a_dose_raises_the_number_of_events_step_by_step(dose, factor):
    assert effects(STEADY, condition="starvation", dose=dose).factors[1] == pytest.approx(factor)


def test_layouts_cover_the_plate():
    plate = PlateSettings()
    assert set(lay_out("untreated", plate).values()) == {("untreated", 0.0)}
    assert {condition for condition, _ in lay_out("treatments", plate).values()} == set(TREATMENTS)
    doses = lay_out("dose-response", plate)
    assert len(doses) == 96
    assert doses["A01"] == ("starvation", 0.0)
    assert doses["H12"] == ("bafilomycin", 1.0)


def test_a_layout_is_read_from_a_table(tmp_path):
    path = tmp_path / "plate.csv"
    path.write_text("well,condition,dose\nb3,cccp,0.5\nC04,untreated,0\n")
    assert lay_out(str(path), PlateSettings()) == {"B03": ("cccp", 0.5), "C04": ("untreated", 0.0)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("well,condition,dose\n", "{path} must have at least one row below its heading, got none. Add wells."),
        (
            "well,condition\nB03,cccp\n",
            "{path}, line 2, must have the columns well, condition and dose, got none for ['dose']. Fill them in.",
        ),
        (
            "well,condition,dose\nB03,cccp,much\n",
            "{path}, line 2, must have a dose in [0, 1], got 'much'. 1 is the full effect.",
        ),
        (
            "well,condition,dose\nB03,water,1\n",
            "{path}, line 2, must name one of {treatments}, got 'water'. Correct the condition.",
        ),
    ],
    ids=["empty", "column", "dose", "condition"],
)
def test_a_faulty_layout_names_its_line(tmp_path, text, message):
    path = tmp_path / "plate.csv"
    path.write_text(text)
    with refuses(message.format(path=path, treatments=", ".join(TREATMENTS))):
        lay_out(str(path), PlateSettings())


def test_a_plan_spreads_fields_over_wells_and_grows_without_changing():
    layout = lay_out("untreated", PlateSettings())
    few, many = (plan_fields(layout, n_fields=n, seed=1) for n in (5, 60))
    assert many[:5] == few
    assert len({field.well for field in many}) == 60
    pairs = plan_fields(layout, n_fields=6, seed=1, fields_per_well=2)
    assert [field.field for field in pairs] == [1, 2, 1, 2, 1, 2]
    assert len({field.well for field in pairs}) == 3
    assert {field.field for field in plan_fields(layout, n_fields=100, seed=1)} == {1, 2}


def test_a_plan_that_does_not_fit_is_refused():
    with refuses("2 wells of 1 fields must hold 3 fields. Take more fields per well."):
        plan_fields({"A01": ("untreated", 0.0), "A02": ("untreated", 0.0)}, n_fields=3, seed=0, fields_per_well=1)
    with refuses("There must be at least one field, got 0 fields, 0 in a well. Ask for more."):
        plan_fields({"A01": ("untreated", 0.0)}, n_fields=0, seed=0)
