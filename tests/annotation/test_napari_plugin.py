"""The napari plugin: its manifest, and its core with a viewer that only keeps what it is given."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from noisylabels import annotation
from noisylabels.annotation.napari_plugin import Correction, open_session
from noisylabels.data.errors import InputError
from tests.annotation.desks import make_project, owner_session, refused

MANIFEST = Path(annotation.__file__).with_name("napari.yaml")


class Viewer:
    """What the plugin uses of napari's viewer."""

    def __init__(self):
        self.layers = []

    def add_image(self, data, **options):
        self.layers.append(SimpleNamespace(data=data, **options))

    def add_labels(self, data, **options):
        self.layers.append(SimpleNamespace(data=data, colormap=None, **options))
        return self.layers[-1]


@pytest.fixture
def correction(tmp_path, monkeypatch):
    monkeypatch.setattr(Correction, "_colours", lambda self: "colours")
    with make_project(tmp_path, 2) as project:
        yield Correction(Viewer(), owner_session(project))


def test_npe2_accepts_the_manifest():
    done = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", str(MANIFEST)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Manifest for 'noisylabels' valid" in done.stdout


def test_the_installed_package_offers_the_manifest():
    from importlib.metadata import entry_points

    (command,) = yaml.safe_load(MANIFEST.read_text())["contributions"]["commands"]
    assert command["python_name"] == "noisylabels.annotation.napari_plugin:CorrectionWidget"
    found = [point for point in entry_points(group="napari.manifest") if point.name == "noisylabels"]
    assert [point.value for point in found] == ["noisylabels.annotation:napari.yaml"]


def test_a_task_is_shown_as_two_images_and_a_label_map(correction):
    assert correction.open_next()
    first, second, labels = correction.viewer.layers
    planes = correction.session.planes(correction.token)
    assert [first.name, second.name, labels.name] == ["DsRed", "pHluorin", "label map"]
    assert np.array_equal([first.data, second.data], planes)
    assert np.array_equal(labels.data, correction.session.label_map(correction.token))
    assert labels.colormap == "colours"


def test_what_is_painted_is_saved_once_and_undone_too(correction):
    correction.open_next()
    labels = correction.viewer.layers[-1]
    assert correction.save() == ""
    labels.data[3, 4] = 2
    assert correction.save() == "Saved."
    assert correction.save() == ""
    assert correction.session.label_map(correction.token)[3, 4] == 2
    labels.data[3, 4] = 0  # as napari's undo does, without any event
    assert correction.save() == "Saved."
    assert correction.session.project.value("SELECT count(*) FROM revision") == 3
    assert correction.session.project.value("SELECT tool FROM revision ORDER BY id DESC") == "napari"


def test_a_label_that_is_no_class_is_told_and_not_saved(correction):
    correction.open_next()
    correction.viewer.layers[-1].data[0, 0] = 7
    assert correction.save().startswith("Values of label map must be class indices 0..2")
    assert correction.session.project.value("SELECT count(*) FROM revision") == 1
    correction.viewer.layers[-1].data[0, 0] = 1
    assert correction.save() == "Saved."


def test_a_browser_that_painted_meanwhile_is_not_overwritten(correction):
    correction.open_next()
    session, token = correction.session, correction.token
    theirs = np.full_like(session.label_map(token), 1)
    other = session.commit(token, theirs, parent=session.head(token).revision, tool="fill")
    correction.viewer.layers[-1].data[0, 0] = 2
    assert correction.save().startswith("Another window or program changed this field.")
    assert np.array_equal(session.label_map(token), theirs)
    correction.close("accepted")
    accepted = session.project.value("SELECT revision FROM closing")
    assert accepted != other.revision
    assert session.label_map(token, accepted)[0, 0] == 2
    assert np.array_equal(session.label_map(token, other.revision), theirs)


def test_closing_saves_and_goes_on_until_the_queue_is_empty(correction):
    correction.open_next()
    first = correction.token
    correction.viewer.layers[-1].data[1, 1] = 1
    assert correction.close("accepted")
    assert correction.session.label_map(first)[1, 1] == 1
    assert correction.token != first
    assert not correction.close("skipped")
    assert correction.viewer.layers == []
    assert not correction.close("skipped")


def test_time_counts_only_while_somebody_works(correction, monkeypatch):
    clock = iter([10.0, 15.0, 75.0])
    monkeypatch.setattr("noisylabels.annotation.napari_plugin.time.monotonic", lambda: next(clock))
    correction._seen_s = 8.0
    assert [correction._active_ms() for _ in range(3)] == [2000, 5000, 0]


def test_a_project_opens_as_one_of_its_people(tmp_path):
    make_project(tmp_path, 1).close()
    session = open_session(tmp_path / "screen.desk")
    assert session.person.name == "owner"
    session.project.close()
    with refused("A person must be one of owner, got 'zoe'.", InputError):
        open_session(tmp_path / "screen.desk", "zoe")
