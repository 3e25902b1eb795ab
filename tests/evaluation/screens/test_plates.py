import re

import numpy as np
import pytest

from evaluation.screens.plates import (
    find_place_effects,
    lay_out,
    mean_by_well,
    read_controls,
    z_prime,
)
from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition


def test_an_empty_plate_is_all_missing():
    assert lay_out({}).shape == (8, 12)
    assert np.isnan(lay_out({})).all()
    assert find_place_effects({}).n_edge == 0
    assert np.isnan(find_place_effects({}).edge_p)


@pytest.mark.parametrize(("well", "shape"), [("H12", (8, 12)), ("P24", (16, 24)), ("AF48", (32, 48))])
def test_the_smallest_usual_plate_holds_the_wells(well, shape):
    assert lay_out({well: 1.0}).shape == shape


def well_name(row, column):
    return WellPosition(row + 1, column + 1).name


def test_an_edge_effect_is_found_and_its_absence_is_not_invented():
    rng = np.random.default_rng(0)
    wells = {well_name(row, column): rng.normal() for row in range(8) for column in range(12)}
    none = find_place_effects(wells)
    assert (none.n_edge, none.n_inner) == (36, 60)
    assert min(none.edge_p, none.row_p, none.column_p) > 0.05
    dried = {well: value - 3 * (well[0] in "AH" or well[1:] in ("01", "12")) for well, value in wells.items()}
    assert find_place_effects(dried).edge_p < 1e-6
    assert find_place_effects(dried).edge_shift < -2


def test_rows_that_differ_are_found_with_wells_missing():
    rng = np.random.default_rng(0)
    wells = {well_name(row, column): rng.normal() + row for row in range(1, 7) for column in range(2, 11)}
    del wells["C05"]
    effect = find_place_effects(wells)
    assert (effect.n_edge, effect.row_p < 1e-3, effect.column_p > 0.1) == (0, True, True)
    assert np.isnan(effect.edge_p)


def test_z_prime_follows_the_definition():
    assert z_prime([10, 12], [0, 2]) == pytest.approx(1 - 3 * (2**0.5 + 2**0.5) / 10)
    assert z_prime([1, 2], [1, 2]) == -np.inf
    assert np.isnan(z_prime([1], [1, 2]))


def test_fields_of_a_well_are_averaged_and_undefined_ones_left_out():
    assert mean_by_well([1, 3, np.nan, 9], ["B02", "B02", "B02", ""]) == {"B02": 2}


def test_a_sheet_of_controls_is_read_or_its_faults_told(tmp_path):
    path = tmp_path / "controls.csv"
    path.write_text("well,kind\nb2,positive\nH12,negative\n")
    assert read_controls(path) == {"B02": "positive", "H12": "negative"}
    path.write_text("well,kind\nB2,blank\n12,negative\n")
    message = f"""{path} has 2 faults:
row 2: kind must be 'positive' or 'negative', got 'blank'
row 3: well must lie in A01..AF48, got '12'
Correct them and read the sheet again."""
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_controls(path)
