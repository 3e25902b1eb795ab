"""Outlines drawn elsewhere come back as corrections of the fields that they are named after."""

import numpy as np
import pytest

from noisylabels.annotation.export import export_files
from noisylabels.annotation.imports import import_outlines
from noisylabels.annotation.session import Session
from noisylabels.annotation.users import add_person, owner_of
from noisylabels.data.outlines import Outline, write_outlines
from tests.annotation.desks import make_project, owner_session, paint, refused


def square(name, row, column, side):
    ring = np.array([[row, column], [row, column + side], [row + side, column + side], [row + side, column]], float)
    return Outline(name, (ring,))


@pytest.mark.parametrize("form", ["roi", "geojson"])
def test_what_was_exported_and_moved_is_imported_to_the_pixel(tmp_path, form):
    with make_project(tmp_path) as project:
        session = owner_session(project)
        token = session.open("B02_f1")
        stroke = session.commit(
            token, paint(session.label_map(token), 2, 3, 4), parent=session.head(token).revision, tool="brush"
        )
        session.close(token, "accepted", revision=stroke.revision)
        export_files(project, tmp_path / "out", form)
        (written,) = (tmp_path / "out").iterdir()
        again = import_outlines(project, add_person(project, "anna", "annotator"), [written], accept=True)
        assert (again.fields, again.left_out) == (("B02_f1",), {})
        row = project.row("SELECT * FROM accepted_now JOIN revision ON revision.id = accepted_now.revision")
        assert row["sha256"] == stroke.sha256
        assert (row["tool"], row["origin"]) == ("import", "outlines")


def test_the_map_before_is_kept_and_nothing_is_accepted_unasked(tmp_path):
    with make_project(tmp_path) as project:
        path = tmp_path / "B01_f1.geojson"
        path.write_bytes(write_outlines([square("autolysosome", 2, 3, 4)], "geojson"))
        import_outlines(project, owner_of(project), [path])
        session = owner_session(project)
        (task,) = session.tasks()
        expected = np.zeros_like(session.label_map(task.token))
        expected[2:6, 3:7] = 2
        assert np.array_equal(session.label_map(task.token), expected)
        assert task.state == "open"
        head = session.head(task.token)
        assert session.undo(task.token, seen=head.revision).revision < head.revision


def test_what_fits_no_field_is_left_out_by_name_and_the_rest_goes_on(tmp_path):
    with make_project(tmp_path) as project:
        files = {
            "B01_f1.geojson": write_outlines([square("phagophore", 2, 3, 4)], "geojson"),
            "B99_f1.geojson": write_outlines([square("phagophore", 2, 3, 4)], "geojson"),
            "B02_f1.geojson": write_outlines([square("nucleus", 2, 3, 4)], "geojson"),
            "B03_f1.zip": b"PK no zip",
            "B04_f1.tif": b"",
        }
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        done = import_outlines(project, owner_of(project), [tmp_path / name for name in [*files, "B05_f1.zip"]])
        assert done.fields == ("B01_f1",)
        assert list(done.left_out) == [*list(files)[1:], "B05_f1.zip"]
        assert done.left_out["B99_f1.geojson"] == (
            "A file of outlines must be named after a field of the project, got B99_f1.geojson. Rename it."
        )
        assert len(owner_session(project).tasks()) == 1


def test_two_files_of_one_field_and_none_at_all_are_refused(tmp_path):
    with make_project(tmp_path) as project:
        files = [tmp_path / "B01_f1.zip", tmp_path / "B01_f1.geojson"]
        with refused("There must be one file a field, got several of B01_f1."):
            import_outlines(project, owner_of(project), files)
        with refused("Files of outlines must be named, got none."):
            import_outlines(project, owner_of(project), [])
        assert Session(project, owner_of(project)).tasks() == []
