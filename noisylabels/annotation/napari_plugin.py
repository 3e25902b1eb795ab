"""The desk in napari: the same project file and queue, corrected with napari's Labels layer.

napari is optional: `pip install noisylabels[napari]`. Every stroke, undo and redo becomes a revision within a
quarter of a second: napari's own events miss undo and redo, so the label map itself is compared while no mouse button
is down.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from noisylabels.annotation.colours import class_colour
from noisylabels.annotation.images import contrast_of
from noisylabels.annotation.project import Project
from noisylabels.annotation.session import Session
from noisylabels.annotation.users import owner_of, person_of
from noisylabels.data.errors import InputError
from noisylabels.data.labels import LabelMap

if TYPE_CHECKING:
    from napari import Viewer

IDLE_S = 30.0
LOOK_EVERY_MS = 250
MAPS = ("magenta", "green", "blue", "gray")


class Correction:
    """A task in a napari viewer. No Qt here.

    Args:
        viewer: A napari viewer, or anything with its `layers`, `add_image` and `add_labels`.
        session: A person at work on a project.
    """

    def __init__(self, viewer: "Viewer", session: Session) -> None:
        self.viewer = viewer
        self.session = session
        self.token: str | None = None
        self._layer: Any = None
        self._saved: LabelMap = np.zeros((0, 0), np.uint8)
        self._revision = 0
        self._seen_s = time.monotonic()

    def open_next(self) -> bool:
        """Show the next task of the queue.

        Returns:
            Whether there was one.
        """
        self.token = self.session.next()
        self.viewer.layers.clear()
        self._layer = None
        if self.token is None:
            return False
        planes = self.session.planes(self.token)
        names, limits = self.session.project.setting("channels"), contrast_of(planes)
        for name, plane, limit, colour in zip(names, planes, limits, MAPS, strict=False):
            self.viewer.add_image(plane, name=name, contrast_limits=limit, colormap=colour, blending="additive")
        self._revision = self.session.head(self.token).revision
        self._saved = self.session.label_map(self.token, self._revision)
        # A new layer for each task: napari keeps old strokes when a layer's data is replaced, and undo would mix them.
        self._layer = self.viewer.add_labels(self._saved.copy(), name="label map", opacity=0.5)
        self._layer.colormap = self._colours()
        return True

    def save(self) -> str:
        """Save the label map as a revision if it differs from the one saved last.

        Returns:
            What to tell the person: "" if there was nothing to save.
        """
        if self.token is None or self._layer is None or np.array_equal(self._layer.data, self._saved):
            return ""
        label_map = np.asarray(self._layer.data).copy()
        try:
            head = self.session.commit(
                self.token, label_map, parent=self._revision, tool="napari", active_ms=self._active_ms()
            )
        except InputError as error:  # a label that is no class: napari lets people choose any number
            return str(error)
        self._saved, self._revision = label_map, head.kept or head.revision
        return head.refused or "Saved."

    def close(self, state: str) -> bool:
        """Save, say what became of the task as it is seen here, and show the next.

        Args:
            state: "accepted", "skipped" or "cannot_judge".

        Returns:
            Whether there was a next one.
        """
        if self.token is not None:
            self.save()
            head = self.session.head(self.token)
            if head.revision != self._revision:  # another window's; it stays in the tree
                self.session.adopt(self.token, self._revision, seen=head.revision)
            self.session.close(self.token, state, revision=self._revision, active_ms=self._active_ms())
        return self.open_next()

    def _active_ms(self) -> int:
        """Compute the time since the last message; a longer pause than half a minute was no work."""
        now = time.monotonic()
        pause, self._seen_s = now - self._seen_s, now
        return int(1000 * pause) if pause <= IDLE_S else 0

    def _colours(self) -> Any:
        from napari.utils.colormaps import DirectLabelColormap

        table: dict[int | None, str] = {None: "gray", 0: "transparent"}
        for index in range(1, len(self.session.project.setting("classes"))):
            table[index] = "#{:02x}{:02x}{:02x}".format(*class_colour(index))
        return DirectLabelColormap(color_dict=table)


def open_session(path: str | Path, person: str = "") -> Session:
    """Open a project as one of its people, the owner by default."""
    project = Project(path)
    return Session(project, person_of(project, person) if person else owner_of(project))


def __getattr__(name: str) -> Any:
    """Make the widget when napari asks for it: Qt is imported only then."""
    if name != "CorrectionWidget":
        raise AttributeError(name)
    return _widget_class()


def _widget_class() -> type:
    from qtpy.QtCore import Qt, QTimer
    from qtpy.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton, QVBoxLayout, QWidget

    class CorrectionWidget(QWidget):  # type: ignore[misc]
        """Buttons: open a project; accept, skip, cannot judge."""

        def __init__(self, napari_viewer: "Viewer") -> None:
            super().__init__()
            self.viewer = napari_viewer
            self.correction: Correction | None = None
            self.said = QLabel("Open a project (a .desk file).")
            self.setLayout(QVBoxLayout())
            self.layout().addWidget(self.said)
            self._add_button("Open project", self._choose)
            for text, state in (("Accept", "accepted"), ("Skip", "skipped"), ("Cannot judge", "cannot_judge")):
                self._add_button(text, lambda _=False, state=state: self._close(state))
            self._timer = QTimer(self)
            self._timer.timeout.connect(self._save)
            self._timer.start(LOOK_EVERY_MS)

        def open_project(self, path: str, person: str = "") -> None:
            """Show the first task of a project."""
            self.correction = Correction(self.viewer, open_session(path, person))
            self._tell(self.correction.open_next())

        def _add_button(self, text: str, do: object) -> None:
            button = QPushButton(text)
            button.clicked.connect(do)
            self.layout().addWidget(button)

        def _choose(self) -> None:
            path, _ = QFileDialog.getOpenFileName(self, "Project", "", "Projects (*.desk);;All (*)")
            if path:
                self.open_project(path)

        def _close(self, state: str) -> None:
            if self.correction is not None:
                self._tell(self.correction.close(state))

        def _save(self) -> None:
            pressed = QApplication.mouseButtons() != Qt.MouseButton.NoButton
            said = "" if pressed or self.correction is None else self.correction.save()
            if said:
                self.said.setText(said)

        def _tell(self, more: bool) -> None:
            number = len(self.correction.session.tasks()) if self.correction else 0
            self.said.setText(f"Task {number}" if more else "Nothing left in the queue.")

    return CorrectionWidget
