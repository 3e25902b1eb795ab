import re

import numpy as np
import pytest

from evaluation.experts.costs import Cost, cost_of_annotation, cost_of_run, find_crossings, read_costs, total_hours
from noisylabels.data.errors import InputError

SHEET = """method,stage,scope,human_min,machine_s
manual,annotation,field,15,
CDL,CIP tuning,once,1200,
CDL,training,once,10,7200
CDL,inference,field,,1.8
"""


def test_an_empty_sheet_is_refused(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text(SHEET.splitlines()[0] + "\n")
    message = f"{path} must have at least one row below its head, got none. Fill it in."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_costs(path)


def test_stages_add_up_by_hand(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text(SHEET)
    costs = read_costs(path)
    assert total_hours(costs, count="human") == {"manual": (0, 0.25), "CDL": (pytest.approx(1210 / 60), 0)}
    assert total_hours(costs, count="machine") == {"manual": (0, 0), "CDL": (2, pytest.approx(0.0005))}
    ((method, other, fields),) = find_crossings(total_hours(costs, count="human"))
    assert (method, other, fields) == ("CDL", "manual", pytest.approx(1210 / 15))


def test_all_faults_of_a_sheet_are_told_at_once(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text("method,stage,scope,human_min,machine_s\n,x,once,1,1\nCDL,,weekly,-1,soon\nCDL,x,field,inf,nan\n")
    message = f"""{path} has 7 faults:
row 2: method must not be empty
row 3: stage must not be empty
row 3: scope must be 'once' or 'field', got 'weekly'
row 3: human_min must be a number of at least 0, got '-1'
row 3: machine_s must be a number of at least 0, got 'soon'
row 4: human_min must be a number of at least 0, got 'inf'
row 4: machine_s must be a number of at least 0, got 'nan'
Correct them and read the sheet again."""
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_costs(path)


def test_at_a_crossing_both_methods_cost_the_same():
    costs = {"CIP": (40.0, 0.01), "CDL": (55.0, 0.001), "manual": (0.0, 0.25), "copy": (55.0, 0.001)}
    found = find_crossings(costs)
    assert ("CDL", "CIP") in [(later, earlier) for later, earlier, _ in found]
    assert ("copy", "CDL") not in [(later, earlier) for later, earlier, _ in found]
    assert min(fields for _, _, fields in found) > 0
    assert not find_crossings({"better": (1.0, 0.1), "worse": (2.0, 0.2)})  # cheaper from the start: nothing crosses
    for later, earlier, fields in found:
        (one, slope), (other, other_slope) = costs[later], costs[earlier]
        assert one + slope * fields == pytest.approx(other + other_slope * fields)
        assert one + slope * (fields + 1) < other + other_slope * (fields + 1)


def test_the_times_of_the_desk_become_human_minutes(tmp_path):
    path = tmp_path / "times.csv"
    path.write_text("activity,person,field,active_s\ncorrection,A,f1,600\ncorrection,A,f2,300\nrating,B,f1,40\n")
    assert cost_of_annotation(path, method="MDL") == Cost("MDL", "correction", "once", human_min=15)
    each = cost_of_annotation(path, method="manual", once=False)
    assert (each.scope, each.human_min) == ("field", 7.5)
    message = f"activity must occur in {path}, got 'boxes'; it has correction, rating. Name one of those."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        cost_of_annotation(path, method="MDL", activity="boxes")


def test_a_run_folder_becomes_machine_seconds(tmp_path):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(tmp_path / "run"))
    for step, seconds in enumerate([100.0, 130.5, 400.0]):
        writer.add_event(Event(wall_time=1e9 + seconds, step=step))
    writer.close()
    # the writer's own first event carries the time of the test: take it out of the sum by what must hold
    cost = cost_of_run(tmp_path, method="CDL")
    assert (cost.method, cost.stage, cost.scope) == ("CDL", "training", "once")
    assert cost.machine_s >= 300
    with pytest.raises(InputError, match="must hold TensorBoard events of a run, got none"):
        cost_of_run(tmp_path / "nothing", method="CDL")


def test_an_hour_is_counted_for_person_and_computer_apart():
    cost = Cost("CDL", "training", "once", human_min=30, machine_s=1800)
    assert [cost.hours(count=count) for count in ("human", "machine", "both")] == [0.5, 0.5, 1]
    assert np.isfinite(cost.hours())
