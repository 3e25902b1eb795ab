"""A person at work: strokes are kept, undo has no end, a conflict loses neither side."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noisylabels.annotation.project import Project
from noisylabels.annotation.revisions import hash_of, pack, unpack
from noisylabels.annotation.session import Session, UnknownTaskError
from noisylabels.annotation.users import add_person
from noisylabels.data.errors import InputError
from tests.annotation.conftest import temporary_folder
from tests.annotation.desks import COLUMNS, ROWS, make_project, owner_session, paint, refused


@pytest.fixture
def session(tmp_path):
    with make_project(tmp_path) as project:
        yield owner_session(project)


def start(session):
    token = session.next()
    return token, session.head(token), session.label_map(token)


def test_a_task_starts_blank_and_says_so(session):
    _, head, label_map = start(session)
    assert not label_map.any()
    assert label_map.shape == (ROWS, COLUMNS)
    assert (head.can_undo, head.can_redo, head.kept, head.refused) == (False, False, None, "")
    row = session.project.row("SELECT origin, tool, parent FROM revision")
    assert (row["origin"], row["tool"], row["parent"]) == ("blank", "start", None)


def test_a_stroke_is_read_back_as_it_was_painted(session):
    token, head, label_map = start(session)
    painted = paint(label_map, 2, 3, 4)
    saved = session.commit(token, painted, parent=head.revision, tool="brush", active_ms=1500)
    assert saved.sha256 == hash_of(painted)
    assert np.array_equal(session.label_map(token), painted)
    assert np.array_equal(session.label_map(token, head.revision), label_map)
    row = session.project.row("SELECT * FROM revision WHERE id = ?", saved.revision)
    assert (row["parent"], row["origin"], row["tool"], row["active_ms"]) == (head.revision, "person", "brush", 1500)


def test_two_windows_conflict_and_both_strokes_are_kept(session):
    token, head, label_map = start(session)
    mine, theirs = paint(label_map, 1), paint(label_map, 2)
    first = session.commit(token, theirs, parent=head.revision, tool="brush")
    second = session.commit(token, mine, parent=head.revision, tool="brush")
    assert second.revision == first.revision
    assert (
        second.refused
        == f"Another window or program changed this field. Both are kept: yours as revision {second.kept}."
    )
    assert np.array_equal(session.label_map(token), theirs)
    assert np.array_equal(session.label_map(token, second.kept), mine)
    settled = session.adopt(token, second.kept, seen=first.revision)
    assert settled.revision == second.kept
    assert np.array_equal(session.label_map(token), mine)
    assert session.undo(token, seen=settled.revision).revision == head.revision


def test_a_branch_that_was_never_the_head_is_no_redo(session):
    token, head, label_map = start(session)
    first = session.commit(token, paint(label_map, 1), parent=head.revision, tool="brush")
    session.commit(token, paint(label_map, 2), parent=head.revision, tool="brush")
    back = session.undo(token, seen=first.revision)
    assert back.can_redo
    assert session.redo(token, seen=back.revision).revision == first.revision


def test_undo_and_redo_survive_a_restart(tmp_path):
    with make_project(tmp_path) as project:
        session = owner_session(project)
        token, head, label_map = start(session)
        heads = [head]
        for column in range(5):
            label_map = paint(label_map, 1, 0, column)
            heads.append(session.commit(token, label_map, parent=heads[-1].revision, tool="brush"))
    with Project(tmp_path / "screen.desk") as project:
        session = owner_session(project)
        seen = [session.undo(token, seen=head.revision) for head in reversed(heads[1:])]
        assert [head.sha256 for head in seen] == [head.sha256 for head in reversed(heads[:-1])]
        assert session.undo(token, seen=heads[0].revision).refused == "There is nothing to undo."
    with Project(tmp_path / "screen.desk") as project:
        session = owner_session(project)
        seen = [session.redo(token, seen=head.revision) for head in heads[:-1]]
        assert [head.sha256 for head in seen] == [head.sha256 for head in heads[1:]]
        assert session.redo(token, seen=heads[-1].revision).refused == "There is nothing to redo."


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(st.sampled_from(["paint", "undo", "redo"]), max_size=25))
def test_history_behaves_like_two_stacks(actions):
    """The oracle every editor has: painting empties the redo stack."""
    with temporary_folder() as folder, make_project(folder, 1) as project:
        session = owner_session(project)
        token, head, label_map = start(session)
        undone, redone, shown = [], [], label_map
        for number, action in enumerate(actions):
            if action == "paint":
                undone, redone, shown = [*undone, shown], [], paint(shown, 1 + number % 2, number // 16, number % 16)
                head = session.commit(token, shown, parent=head.revision, tool="brush")
            elif action == "undo":
                head = session.undo(token, seen=head.revision)
                if undone:
                    undone, redone, shown = undone[:-1], [*redone, shown], undone[-1]
            else:
                head = session.redo(token, seen=head.revision)
                if redone:
                    undone, redone, shown = [*undone, shown], redone[:-1], redone[-1]
            assert head.sha256 == hash_of(shown)
            assert (head.can_undo, head.can_redo) == (bool(undone), bool(redone))
            assert np.array_equal(session.label_map(token), shown)


def test_a_retried_stroke_is_saved_once(session):
    token, head, label_map = start(session)
    painted = paint(label_map)
    answers = [session.commit(token, painted, parent=head.revision, tool="brush", key="the-same-key") for _ in range(2)]
    assert answers[0] == answers[1]
    assert session.project.value("SELECT count(*) FROM revision") == 2


def test_a_step_from_a_stale_view_moves_nothing(session):
    token, head, label_map = start(session)
    saved = session.commit(token, paint(label_map), parent=head.revision, tool="brush")
    stale = session.undo(token, seen=head.revision)
    assert stale.refused == "Another window or program changed this field. Load it again."
    assert session.head(token).revision == saved.revision
    assert session.close(token, "accepted", revision=head.revision).refused
    assert session.task(token).state == "open"


def test_an_accepted_task_opens_again_with_a_new_stroke(session):
    token, head, label_map = start(session)
    assert not session.close(token, "accepted", revision=head.revision, comment="clear").refused
    assert session.task(token).state == "accepted"
    session.commit(token, paint(label_map), parent=head.revision, tool="brush")
    assert session.task(token).state == "open"
    assert session.project.value("SELECT count(*) FROM closing") == 2


def test_next_returns_to_what_was_left_open(session):
    token = session.next()
    assert session.next() == token
    session.close(token, "skipped", revision=session.head(token).revision)
    assert session.next() != token


def test_a_field_opened_by_name_shows_its_name_and_the_queue_does_not(session):
    chosen = session.open("B03_f1")
    assert session.task(chosen).name == "B03_f1"
    assert session.open("B03_f1") == chosen
    assert session.task(session.next()).name is None
    with refused("A field must be one of the project's, got 'Z'."):
        session.open("Z")


def test_nobody_reaches_anothers_task(session):
    token, head, label_map = start(session)
    ben = Session(session.project, add_person(session.project, "ben", "annotator"))
    for act in (
        lambda: ben.task(token),
        lambda: ben.label_map(token),
        lambda: ben.commit(token, label_map, parent=head.revision, tool="brush"),
        lambda: ben.undo(token, seen=head.revision),
        lambda: ben.close(token, "accepted", revision=head.revision),
    ):
        with refused("A task must be one of yours", UnknownTaskError):
            act()


SIZE = "label map must have the size of its image, (12, 16)"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"label_map": np.zeros((0, 0), np.uint8)}, "label map must have the size of its image, (12, 16), got (0, 0)."),
        (
            {"label_map": np.zeros((12, 15), np.uint8)},
            "label map must have the size of its image, (12, 16), got (12, 15).",
        ),
        ({"label_map": np.full((12, 16), 3, np.uint8)}, "Values of label map must be class indices 0..2"),
        ({"label_map": np.zeros((12, 16))}, "label map must hold integers, got float64."),
        ({"tool": "crayon"}, "A tool must be one of brush, eraser, lasso"),
        ({"parent": 99}, "A revision must be one of this task, got 99."),
        ({"active_ms": -1}, "active_ms must be in 0..86400000 (a day), got -1."),
    ],
)
def test_a_wrong_stroke_is_refused_and_leaves_nothing(session, change, sentence):
    token, head, label_map = start(session)
    stroke = {"label_map": label_map, "parent": head.revision, "tool": "brush", "active_ms": 0} | change
    with refused(sentence):
        session.commit(token, stroke.pop("label_map"), **stroke)
    assert session.project.value("SELECT count(*) FROM revision") == 1


def test_saved_bytes_that_changed_are_noticed(session):
    token, head, _ = start(session)
    session.project.rows("DROP TRIGGER revision_update")
    session.project.rows("UPDATE revision SET label_map = ?", pack(np.ones((ROWS, COLUMNS), np.uint8)))
    with pytest.raises(InputError, match=f"^Revision {head.revision} of .* must have the hash it was saved with"):
        session.label_map(token)


@pytest.mark.parametrize(
    "blob", [b"", b"junk", pack(np.zeros((2, 2), np.uint8)), pack(np.zeros((2, 3), np.uint8)) + b"x"]
)
def test_only_a_whole_label_map_is_unpacked(blob):
    with refused("A label map must"):
        unpack(blob, 2, 3)


def test_a_bomb_is_not_inflated():
    bomb = pack(np.zeros((10_000, 10_000), np.uint8))
    assert len(bomb) < 200_000
    with refused("A label map must have 2 x 3 = 6 pixels"):
        unpack(bomb, 2, 3)


def test_a_field_without_the_wanted_start_starts_blank_and_the_log_says_so(tmp_path):
    from noisylabels.annotation.queue import QueueSettings, change_queue
    from noisylabels.annotation.users import owner_of

    with make_project(tmp_path) as project:
        change_queue(project, owner_of(project), QueueSettings(start="cdl", random_share=0))
        (tmp_path / "dataset/labels/cdl/B01_f1.tif").unlink()
        session = owner_session(project)
        token = session.next()
        assert not session.label_map(token).any()
        assert project.value("SELECT start FROM task") == "blank"
        assert project.value("SELECT event FROM log ORDER BY id DESC") == "start missing"
