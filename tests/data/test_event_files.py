"""The table of predicted events: what is written is read, other fields stay, and what is no such table is refused."""

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.event_files import NUMBERS, read_event_file, write_event_file
from noisylabels.data.events import EventTable

CLASSES = ("background", "nucleus")


def events_of(*areas):
    columns = {name: np.ones(len(areas), np.int64) for name in NUMBERS}
    return EventTable({**columns, "area_px": np.array(areas, np.int64), "probability": np.full(len(areas), 0.25)})


def test_a_field_without_events_has_no_row(tmp_path):
    path = tmp_path / "events.csv"
    write_event_file(path, {"f1": events_of()}, CLASSES)
    assert path.read_text() == (
        "field,event,class_index,class_name,row_min,column_min,row_max,column_max,area_px,probability\n"
    )
    assert read_event_file(path) == {}


def test_rows_of_other_fields_stay_and_those_of_the_same_are_replaced(tmp_path):
    path = tmp_path / "events.csv"
    write_event_file(path, {"f1": events_of(3, 4), "f2": events_of(5)}, CLASSES)
    write_event_file(path, {"f1": events_of(7), "f2": events_of()}, CLASSES)
    found = read_event_file(path)
    assert {field: table["area_px"].tolist() for field, table in found.items()} == {"f1": [7]}
    assert found["f1"]["probability"].tolist() == [0.25]


@pytest.mark.parametrize("row", ["f1,1,1,nucleus,0,0,1,1,x,0.5", "f1,1,1,nucleus,0,0,1,1,1,1.5", "f1,1", "../f,1"])
def test_a_row_that_does_not_fit_is_refused(tmp_path, row):
    path = tmp_path / "events.csv"
    write_event_file(path, {"f1": events_of(3)}, CLASSES)
    path.write_text(path.read_text() + row + "\n")
    with pytest.raises(InputError, match=r"events\.csv must be a table with the columns field, .* got a row that does"):
        read_event_file(path)


def test_another_table_is_refused(tmp_path):
    (tmp_path / "events.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"got the columns a, b\. Predict again, or delete it\."):
        read_event_file(tmp_path / "events.csv")
