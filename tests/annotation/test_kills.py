"""The count of what was lost or doubled in the kills of `benchmarks/kills.py`: it must find both."""

import pytest

from tests.annotation.desks import make_project, owner_session, paint

pytest.importorskip("playwright", reason="left out: playwright is not installed")
from benchmarks.kills import Heard, Project, compare


def test_what_is_missing_is_lost_and_what_is_there_twice_is_doubled(tmp_path):
    path = tmp_path / "screen.desk"
    with make_project(tmp_path, 2) as project:
        session = owner_session(project)
        task = session.next()
        painted = paint(session.label_map(task))
        stroke = session.commit(task, painted, parent=session.head(task).revision, tool="brush")
    heard = Heard({stroke.revision: stroke.sha256})
    assert compare(path, heard) == (0, 0)
    heard.take("/api/tasks/x/revisions", "POST", "", f'{{"revision": {stroke.revision + 1}, "sha256": "abc"}}')
    heard.take("/api/rating/trials/x/scores", "POST", '{"left": 3, "right": 4}', "{}")
    assert compare(path, heard) == (2, 0)
    with Project(path) as project, project.writing() as connection:
        columns = "task, parent, origin, tool, active_ms, created, sha256, label_map"
        connection.execute(f"INSERT INTO revision ({columns}) SELECT {columns} FROM revision WHERE tool = 'brush'")
    assert compare(path, heard)[1] == 1
