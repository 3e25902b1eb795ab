import numpy as np
import pandas as pd
import pytest

from evaluation.report.measured_section import by_plate, judge_measured, measures_to_map
from evaluation.screens.drift import compare_wells
from noisylabels.data.errors import InputError


def wells_like(values, **more):
    return pd.DataFrame({"well": [f"A{n:02d}" for n in range(len(values))], "per_field_x": values, **more})


def test_a_screen_has_not_drifted_from_itself():
    table = wells_like(np.arange(20.0))
    (row,) = compare_wells(table, table).itertuples()
    assert (row.shift, row.ks, row.p, row.drifted) == (0, 0, 1, False)


def test_drift_is_measured_in_spreads_of_the_reference():
    reference = wells_like(np.arange(21.0), fraction_y=np.linspace(0, 1, 21), note="x")
    screen = wells_like(np.arange(21.0) + 30, fraction_y=np.linspace(0, 1, 21))
    drift = compare_wells(reference, screen)
    assert drift["feature"].tolist() == ["per_field_x", "fraction_y"]
    # The median absolute deviation of 0..20 is 5; the two samples do not overlap, so their distance is 1.
    assert drift["shift"][0] == pytest.approx(30 / (1.4826 * 5))
    assert drift["ks"].tolist() == [1, 0]
    assert drift["drifted"].tolist() == [True, False]
    # Holm: the smaller of two p values is doubled.
    assert drift["p_holm"][0] == pytest.approx(2 * drift["p"][0])


def test_drift_looks_at_control_wells_only():
    drug = ["DMSO"] * 4 + ["x"] * 4
    reference = wells_like([1.0, 2, 3, 4, 50, 50, 50, 50], drug=drug)
    screen = wells_like([1.0, 2, 3, 4, 90, 90, 90, 90], drug=drug)
    assert compare_wells(reference, screen, control="drug=DMSO")["ks"].tolist() == [0]
    with pytest.raises(InputError, match=r"^The reference must have at least 3 wells with drug=y, got 0\."):
        compare_wells(reference, screen, control="drug=y")
    with pytest.raises(InputError, match=r"^The reference must have the column 'dose' of its layout, got none\."):
        compare_wells(reference, screen, control="dose=1")
    with pytest.raises(InputError, match=r"^Both screens must share measurements of at least 3 wells, got none\."):
        compare_wells(reference[["well"]], screen[["well"]])


def test_a_measure_is_laid_out_by_plate_and_well_and_what_is_missing_is_left_out():
    wells = pd.DataFrame({"plate": ["P1", "P1", "P2"], "well": ["B07", "C03", "B07"], "per_field_x": [1.5, np.nan, 2]})
    assert by_plate(wells, "per_field_x") == {"P1": {"B07": 1.5}, "P2": {"B07": 2.0}}
    assert measures_to_map(wells.assign(n_fields_failed=[0, 1, 0], fraction_x=1.0), ("x",)) == [
        "per_field_x",
        "n_fields_failed",
    ]
    assert judge_measured(wells, [], None) == ("good", "3 wells on 2 plates were measured, no field failed.")


def test_the_verdict_names_the_measure_that_drifted_most():
    reference = wells_like(np.arange(21.0)).assign(plate="P1")
    drift = compare_wells(reference, wells_like(np.arange(21.0) + 30))
    light, text = judge_measured(reference, [("P1", "A01", "1", "torn")], drift)
    assert light == "bad"
    assert text.endswith("1 field failed; 1 of 1 measures drifted from the reference, most x, events per field.")
