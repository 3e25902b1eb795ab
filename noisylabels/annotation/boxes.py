"""Boxes: what experts draw around events, each stroke of the mouse kept."""

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from noisylabels.annotation.fields import Field, check_names, classes_of, field_of, find_field
from noisylabels.annotation.images import Planes, read_planes
from noisylabels.annotation.project import Person, Project, insert, now
from noisylabels.annotation.revisions import check_active_ms
from noisylabels.annotation.users import add_person
from noisylabels.data.errors import InputError

MINIMUM_SIDE_PX = 3
"""A box with a shorter side is a slip of the mouse."""

BOX_STATES = ("open", "done", "skipped", "cannot_judge")


class UnknownBoxTaskError(InputError):
    """No such task, or not this expert's."""


@dataclass(frozen=True)
class Box:
    """A half-open box around an event.

    Args:
        box: Its name, chosen by whoever drew it.
        class_index: The event's class.
        row_min: First pixel row.
        column_min: First pixel column.
        row_max: One past the last row.
        column_max: One past the last column.
    """

    box: str
    class_index: int
    row_min: int
    column_min: int
    row_max: int
    column_max: int


@dataclass(frozen=True)
class BoxTask:
    """One field before one expert."""

    token: str
    number: int
    state: str
    n_boxes: int


@dataclass(frozen=True)
class Done:
    """The name of what was done."""

    name: str


class BoxDesk:
    """The desk of one expert.

    Args:
        project: An open project.
        person: An expert of it.
    """

    def __init__(self, project: Project, person: Person) -> None:
        self.project = project
        self.person = person

    def tasks(self) -> list[BoxTask]:
        """List the expert's fields in their order."""
        rows = self.project.rows(f"{BOX_TASKS} WHERE person = ? ORDER BY number", self.person.id)
        return [self._task(row) for row in rows]

    def task(self, token: str) -> BoxTask:
        """Read one of the expert's tasks.

        Raises:
            UnknownBoxTaskError: If the expert has none of this token.
        """
        return self._task(self._row(token))

    def field(self, token: str) -> Field:
        """Read the field of a task."""
        return field_of(self.project, self._row(token)["field"])

    def planes(self, token: str) -> Planes:
        """Read the image of a task, (channel, row, column) uint16."""
        return read_planes(self.project, self.field(token))

    def boxes(self, token: str) -> list[Box]:
        """List the boxes as they are now, in the order they were first drawn."""
        return boxes_of(self.project, self._row(token)["id"])

    def draw(self, token: str, box: Box, *, active_ms: int = 0, key: str | None = None) -> Box:
        """Draw a box, or change it if its name is known.

        Raises:
            InputError: If it leaves the field, is too small, or its class is not a foreground class.
        """
        row = self._row(token)
        _check_box(box, field_of(self.project, row["field"]), len(classes_of(self.project)))
        check_active_ms(active_ms)

        def work(connection: sqlite3.Connection) -> Box:
            known = any(other.box == box.box for other in boxes_of(self.project, row["id"]))
            _act(connection, row["id"], "change" if known else "draw", box, active_ms)
            return box

        return self.project.once(self.person, f"box {token} {box.box}", key or secrets.token_hex(16), Box, work)

    def delete(self, token: str, box: str, *, active_ms: int = 0, key: str | None = None) -> None:
        """Delete a box; what it was is kept. Deleting what is not there is no fault."""
        row = self._row(token)
        check_active_ms(active_ms)

        def work(connection: sqlite3.Connection) -> Done:
            for known in boxes_of(self.project, row["id"]):
                if known.box == box:
                    _act(connection, row["id"], "delete", known, active_ms)
            return Done(box)

        self.project.once(self.person, f"delete {token} {box}", key or secrets.token_hex(16), Done, work)

    def close(self, token: str, state: str, *, active_ms: int = 0, key: str | None = None) -> None:
        """Record that a field is done, skipped or cannot be judged; "open" opens it again.

        Raises:
            InputError: If the state is another word.
        """
        if state not in BOX_STATES:
            msg = f"A state must be one of {', '.join(BOX_STATES)}, got {state!r}. Use one of these."
            raise InputError(msg)
        row = self._row(token)
        check_active_ms(active_ms)

        def work(connection: sqlite3.Connection) -> Done:
            insert(connection, "box_closing", box_task=row["id"], state=state, active_ms=active_ms, created=now())
            return Done(state)

        self.project.once(self.person, f"close {token}", key or secrets.token_hex(16), Done, work)

    def _row(self, token: str) -> sqlite3.Row:
        row = self.project.row(f"{BOX_TASKS} WHERE person = ? AND token = ?", self.person.id, token)
        if row is None:
            msg = f"A task must be one of yours, got {token!r}. Go back to the list."
            raise UnknownBoxTaskError(msg)
        return row

    def _task(self, row: sqlite3.Row) -> BoxTask:
        return BoxTask(row["token"], row["number"], row["state"], len(boxes_of(self.project, row["id"])))


BOX_TASKS = "SELECT box_task.*, state FROM box_task JOIN box_task_now ON box_task_now.box_task = box_task.id"


def boxes_of(project: Project, task: int) -> list[Box]:
    """List the boxes of a task as they are now, in the order they were first drawn."""
    boxes: dict[str, Box] = {}
    for row in project.rows("SELECT * FROM box_action WHERE box_task = ? ORDER BY id", task):
        edges = (row["row_min"], row["column_min"], row["row_max"], row["column_max"])
        if row["action"] == "delete":
            boxes.pop(row["box"], None)
        else:
            boxes[row["box"]] = Box(row["box"], row["class_index"], *edges)
    return list(boxes.values())


def assign_boxes(project: Project, groups: Sequence[Sequence[str]], fields: Sequence[str], *, seed: int = 0) -> int:
    """Assign fields to groups of experts, who then draw boxes; each expert gets an order of their own.

    Args:
        project: An open project.
        groups: Names of the experts, group by group (the paper has two). They become people of the role "expert".
        fields: Names of fields; every expert of every group gets all of them.
        seed: Decides the orders.

    Returns:
        The number of new tasks. A field that an expert has already is not given twice.

    Raises:
        InputError: If a field is unknown, a group is empty or a name occurs twice.
    """
    names = [name for group in groups for name in group]
    if not groups or not all(groups) or len(set(names)) < len(names):
        msg = (
            f"Groups must hold different experts, at least one each, got {[list(group) for group in groups]}. "
            "Name them."
        )
        raise InputError(msg)
    check_names(project, fields)
    ids = [find_field(project, name).id for name in fields]
    people = [add_person(project, name, "expert", str(n)) for n, group in enumerate(groups, start=1) for name in group]
    rng = np.random.default_rng(seed)
    n_before = project.value("SELECT count(*) FROM box_task")
    with project.writing() as connection:
        for person in people:
            connection.executemany(
                "INSERT INTO box_task (token, person, field, number) SELECT ?1, ?2, ?3, coalesce(max(number), 0) + 1 "
                "FROM box_task WHERE person = ?2 ON CONFLICT (person, field) DO NOTHING",
                [(secrets.token_hex(16), person.id, ids[index]) for index in rng.permutation(len(ids))],
            )
        project.log("", "boxes assigned", seed=seed, groups=[list(group) for group in groups], fields=list(fields))
    return int(project.value("SELECT count(*) FROM box_task") - n_before)


def _check_box(box: Box, field: Field, n_classes: int) -> None:
    if not 1 <= box.class_index < n_classes:
        msg = f"A box must have a foreground class in 1..{n_classes - 1}, got {box.class_index}. Choose a class."
        raise InputError(msg)
    inside = 0 <= box.row_min <= box.row_max <= field.rows and 0 <= box.column_min <= box.column_max <= field.columns
    side = min(box.row_max - box.row_min, box.column_max - box.column_min)
    if not inside or side < MINIMUM_SIDE_PX:
        edges = (box.row_min, box.column_min, box.row_max, box.column_max)
        msg = (
            f"A box must lie in the field of {field.rows} x {field.columns} pixels with sides of at least "
            f"{MINIMUM_SIDE_PX}, got {edges}. Draw it again."
        )
        raise InputError(msg)


def _act(connection: sqlite3.Connection, task: int, action: str, box: Box, active_ms: int) -> None:
    insert(connection, "box_action", box_task=task, action=action, active_ms=active_ms, created=now(), **asdict(box))
