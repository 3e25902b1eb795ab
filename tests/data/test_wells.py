"""Where a well lies, and what names tell of it."""

import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.wells import MOST_COLUMNS, MOST_ROWS, WellPosition, find_well, plate_shape


def test_a_plate_without_wells_is_the_smallest():
    assert plate_shape([]) == (8, 12)


def test_names_and_places_are_inverse_on_the_largest_plate():
    wells = [WellPosition(row, column) for row in range(1, MOST_ROWS + 1) for column in range(1, MOST_COLUMNS + 1)]
    assert [WellPosition.parse(well.name) for well in wells] == wells
    assert len({well.name for well in wells}) == 1536
    assert [find_well(f"P1_{well.name}_f3") for well in wells] == [("P1", well.name) for well in wells]


@pytest.mark.parametrize("name", ["", "7", "B", "B00", "B-1", "ABC1", "Ä1", "AG01", "A49"])
def test_what_is_no_well_is_refused(name):
    with pytest.raises(InputError) as fault:
        WellPosition.parse(name)
    assert str(fault.value) == f"A well must lie in A01..AF48, got {name!r}. Correct its name in the file or index."


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("", ("", "")),
        ("img_0001", ("", "")),
        ("B07", ("", "B07")),
        ("b07", ("", "")),
        ("B7-2", ("", "B07")),
        ("plate1_B07_f3", ("plate1", "B07")),
        ("plate_2_P24_f1_q3", ("plate_2", "P24")),
        ("Q05_f1", ("", "Q05")),
        ("P1_Q05_f3", ("P1", "Q05")),
        ("P1_AA07_f3", ("P1", "AA07")),
        ("P1_C05_f3", ("P1", "C05")),
        ("exp_C3_B07_f1", ("exp_C3", "B07")),
        ("exp_B2-GFP_D05", ("exp_B2-GFP", "D05")),
        ("B07_C01", ("", "B07")),
        ("B7_C1", ("", "B07")),
        ("AssayPlate_A01_T0001F001L01A01Z01C01", ("AssayPlate", "A01")),
        ("r02c03f01", ("", "B03")),
        ("run7_r16c24f01p01", ("run7", "P24")),
        ("r00c03f01", ("", "")),
        ("AG12_f1", ("", "")),
    ],
)
def test_wells_are_found_in_names(name, place):
    assert find_well(name) == place
