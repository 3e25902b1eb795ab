"""The queue: who gets what next, and why numbers made from it stay honest."""

from collections import Counter

import numpy as np
import pytest

from noisylabels.annotation.queue import REPEAT_GAP, QueueSettings, available, change_queue, set_priorities
from noisylabels.annotation.scores import disagreement, measure_disagreement, read_scores, share_with_quarters
from noisylabels.annotation.session import Session
from noisylabels.annotation.users import add_person, owner_of
from noisylabels.data.images import read_label_map
from tests.annotation.desks import make_project, owner_session, refused
from tests.cases import draw


def work_through(session, state="accepted", limit=200):
    """Take what the queue gives until it is empty; return the rows of the tasks."""
    for _ in range(limit):
        token = session.next()
        if token is None:
            break
        session.close(token, state, revision=session.head(token).revision)
    return session.project.rows(
        "SELECT task.*, field.name, lot FROM task JOIN field ON field.id = field WHERE person = ? ORDER BY number",
        session.person.id,
    )


def set_queue(project, **options):
    change_queue(project, owner_of(project), QueueSettings(**{"random_share": 0, "repeat_share": 0} | options))


def test_in_order_every_field_comes_once(tmp_path):
    with make_project(tmp_path, 7) as project:
        set_queue(project)
        rows = work_through(owner_session(project))
        assert [row["name"] for row in rows] == [f"B0{number}_f1" for number in range(1, 8)]
        assert owner_session(project).next() is None


def test_at_random_the_order_is_the_seeds(tmp_path):
    orders = []
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        (tmp_path / name).mkdir()
        with make_project(tmp_path / name, 9, seed=seed) as project:
            set_queue(project, strategy="random")
            rows = work_through(owner_session(project))
            assert {row["stratum"] for row in rows} == {"random"}
            orders.append([row["name"] for row in rows])
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])


def test_the_highest_score_comes_first_and_unscored_fields_last(tmp_path):
    with make_project(tmp_path, 5) as project:
        set_priorities(project, "uncertainty", {"B02_f1": 0.1, "B04_f1": 0.9, "B05_f1": 0.1})
        set_queue(project, strategy="uncertainty")
        names = [row["name"] for row in work_through(owner_session(project))]
        assert names == ["B04_f1", "B02_f1", "B05_f1", "B01_f1", "B03_f1"]


def test_the_random_stratum_is_drawn_by_lot_whatever_the_strategy_prefers(tmp_path):
    with make_project(tmp_path, 40, seed=5) as project:
        values = {f"B{number:02d}_f1": number / 40 for number in range(1, 41)}
        set_priorities(project, "disagreement", values)
        set_queue(project, strategy="disagreement", random_share=0.3)
        rows = work_through(owner_session(project))
        assert len(rows) == 40
        assert all((row["stratum"] == "random") == (row["lot"] < 0.3) for row in rows)
        drawn = [row["lot"] for row in rows if row["stratum"] == "random"]
        assert drawn == sorted(drawn)
        assert 5 <= len(drawn) <= 20
        preferred = [values[row["name"]] for row in rows if row["stratum"] == "queue"]
        assert preferred == sorted(preferred, reverse=True)
        for n in range(1, 2 * len(drawn)):  # the share holds whenever the work stops
            assert abs(sum(row["stratum"] == "random" for row in rows[:n]) - 0.3 * n) <= 1


def test_the_random_share_is_fixed_once_it_was_used(tmp_path):
    with make_project(tmp_path) as project:
        set_queue(project, random_share=0.2)
        owner_session(project).next()
        with refused("random_share must stay 0.2, got 0.4 after 1 fields were handed out."):
            set_queue(project, random_share=0.4)
        set_queue(project, random_share=0.2, strategy="random")


def test_hidden_repeats_come_later_from_the_same_start_and_look_like_any_task(tmp_path):
    with make_project(tmp_path, 30) as project:
        set_queue(project, start="cip", repeat_share=0.2)
        session = owner_session(project)
        rows = work_through(session)
        first = {row["id"]: row for row in rows}
        repeats = [row for row in rows if row["repeats"] is not None]
        assert len(repeats) == 6
        assert max(Counter(row["repeats"] for row in repeats).values()) == 1
        for row in repeats:
            original = first[row["repeats"]]
            assert original["field"] == row["field"]
            assert row["number"] - original["number"] > REPEAT_GAP
            assert row["start"] == original["start"] == "cip"
        shown = [session.task(row["token"]) for row in rows]
        assert {task.name for task in shown} == {None}
        assert len(rows) == 36


def test_two_people_share_the_fields_and_a_skipped_one_goes_to_the_other(tmp_path):
    with make_project(tmp_path, 4) as project:
        set_queue(project)
        anna, ben = (Session(project, add_person(project, name, "annotator")) for name in ("anna", "ben"))
        names = [session.field(session.next()).name for session in (anna, ben)]
        assert names == ["B01_f1", "B02_f1"]
        token = anna.next()
        anna.close(token, "skipped", revision=anna.head(token).revision)
        assert anna.field(anna.next()).name == "B03_f1"
        token = ben.next()
        ben.close(token, "cannot_judge", revision=ben.head(token).revision)
        assert ben.field(ben.next()).name == "B01_f1"
        assert len(work_through(anna)) == 3  # B01 skipped, B03, B04; B02 cannot be judged by anybody
        assert len(work_through(ben)) == 2


def test_the_start_is_the_label_set_and_is_recorded(tmp_path):
    with make_project(tmp_path, 2) as project:
        set_queue(project, start="cip")
        session = owner_session(project)
        token = session.next()
        there = read_label_map(tmp_path / "dataset/labels/cip/B01_f1.tif")
        assert np.array_equal(session.label_map(token), there)
        assert there.any()
        assert project.value("SELECT origin FROM revision") == "cip"


def test_a_change_of_the_queue_is_logged(tmp_path):
    with make_project(tmp_path) as project:
        set_queue(project, start="cdl", repeat_share=0.5)
        row = project.row("SELECT * FROM log")
        assert (row["person"], row["event"]) == ("owner", "queue")
        assert '"start": "cdl"' in row["detail"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"strategy": "best"}, "A strategy must be one of order, uncertainty, disagreement, label_issue, random"),
        ({"strategy": "uncertainty"}, "Strategy 'uncertainty' must have scores, got none."),
        ({"start": "mdl"}, "A start must be one of cdl, cip, blank, got 'mdl'."),
        ({"repeat_share": 10}, "repeat_share must be in [0, 1], got 10. For 10 % write 0.1."),
        ({"random_share": -0.1}, "random_share must be in [0, 1], got -0.1."),
    ],
)
def test_wrong_settings_are_refused(tmp_path, options, sentence):
    with make_project(tmp_path) as project, refused(sentence):
        set_queue(project, **options)


@pytest.mark.parametrize(
    ("strategy", "values", "sentence"),
    [
        ("order", {}, "A scored strategy must be one of uncertainty, disagreement, label_issue, got 'order'."),
        ("uncertainty", {"Z": 1.0}, "Scored fields must be of the project, got strangers: Z (1 in all)."),
        ("uncertainty", {"B01_f1": float("nan")}, "Scores must be finite, got nan for B01_f1 (1 in all)."),
    ],
)
def test_wrong_scores_are_refused(tmp_path, strategy, values, sentence):
    with make_project(tmp_path) as project, refused(sentence):
        set_priorities(project, strategy, values)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("...", "...", 0),
        ("11.", "11.", 0),
        ("11.", "22.", 1),
        ("11.", "...", 1),
        ("112.", "1.1.", 2 / 3),
    ],
)
def test_disagreement_counts_the_pixels_that_either_calls_an_event(first, second, expected):
    assert disagreement(draw(first), draw(second)) == expected


def test_measured_disagreement_becomes_a_strategy(tmp_path):
    with make_project(tmp_path, 3) as project:
        (tmp_path / "dataset/labels/cdl/B03_f1.tif").unlink()
        values = measure_disagreement(project, ("cip", "cdl"))
        assert set(values) == {"B01_f1", "B02_f1"}
        assert not available(project)["disagreement"]
        set_priorities(project, "disagreement", values)
        assert available(project)["disagreement"]
        set_queue(project, strategy="disagreement")
        names = [row["name"] for row in work_through(owner_session(project))]
        assert names == [*sorted(values, key=values.get, reverse=True), "B03_f1"]


def test_the_score_of_a_field_counts_for_its_quarters(tmp_path):
    with make_project(tmp_path, 2, quarters=True) as project:
        shared = share_with_quarters(project, {"B01_f1": 0.5, "B01_f1_q2": 0.9, "Z": 1.0})
        assert shared == {"B01_f1_q1": 0.5, "B01_f1_q2": 0.9, "B01_f1_q3": 0.5, "B01_f1_q4": 0.5, "Z": 1.0}
        with refused("Scored fields must be of the project, got strangers: Z (1 in all)."):
            set_priorities(project, "label_issue", shared)


def test_a_table_of_scores_names_every_bad_line(tmp_path):
    table = tmp_path / "scores.csv"
    table.write_text("field,value\nB01_f1,0.5\nB02_f1,high\nB03_f1\n")
    with refused(f"{table} must have the columns field and value (a number), got:\nline 3:"):
        read_scores(table)
    table.write_text("field,value\nB01_f1,0.5\n")
    assert read_scores(table) == {"B01_f1": 0.5}
