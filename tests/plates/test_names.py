"""No two plates share a name, and no name leads out of a folder: results lie in folders that are called so."""

from pathlib import Path

import pytest

from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import TiffField
from noisylabels.plates.names import name_plates
from noisylabels.plates.plate import Plate, Well

ROOT = Path("screen")


def plate(name, folder):
    well = WellPosition(1, 1)
    return Plate(name, ROOT / folder, "harmony", (8, 12), (Well(well, (TiffField(name, well, 1, ("1",)),)),))


def names(*given):
    return [(found.name, next(found.fields).plate) for found in name_plates([plate(*one) for one in given], ROOT)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param([("P1", "a"), ("P2", "b")], ["P1", "P2"], id="different"),
        pytest.param([("P", "m1/Images"), ("P", "m2/Images")], ["P m1", "P m2"], id="equal leaf folder"),
        pytest.param([("A", "rep1/A"), ("A", "rep2/A")], ["A rep1", "A rep2"], id="equal leaf and name"),
        pytest.param([("P", "a/x"), ("P", "a/y"), ("P", "b/x")], ["P a x", "P a y", "P b x"], id="two parts needed"),
        pytest.param([("1/2", "a"), ("1_2", "b")], ["1_2 a", "1_2 b"], id="equal once they are plain"),
        pytest.param([("p1", "."), ("P1", ".")], ["P1 (2)", "p1"], id="capitals, no part differs"),
        pytest.param([("P", "a"), ("P", "b"), ("P a", "c")], ["P a", "P a (2)", "P b"], id="taken by a third"),
        pytest.param([("../../evil", ".")], ["_.._evil"], id="leads elsewhere"),
        pytest.param([("$import", "."), ("", "b")], ["_", "_import"], id="evaluated, empty"),
    ],
)
def test_names_are_plain_and_different(given, told):
    assert [name for name, _ in names(*given)] == told
    assert all(name == of_field for name, of_field in names(*given))
