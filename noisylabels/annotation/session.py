"""A person at work on a project: fields in, label maps out, nothing lost. No HTTP here.

with Project("screen.desk") as project:
    session = Session(project, person_of(project, "anna"))
    task = session.next()
    head = session.commit(task, painted, parent=session.head(task).revision, tool="brush", active_ms=1200)
    session.close(task, "accepted", revision=head.revision)
"""

import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from noisylabels.annotation.fields import BLANK, DatasetMovedError, Field, field_of, find_field, start_map
from noisylabels.annotation.images import Planes, read_planes
from noisylabels.annotation.project import Answer, Person, Project, insert, now
from noisylabels.annotation.queue import ACCEPTED, Pick, choose, queue_settings
from noisylabels.annotation.revisions import (
    Head,
    add_revision,
    adopt,
    check_active_ms,
    check_comment,
    commit,
    head_of,
    move_head,
    read_revision,
    step,
)
from noisylabels.data.errors import InputError
from noisylabels.data.labels import LabelMap

STATES = ("accepted", "skipped", "cannot_judge", "open")
WAITING = ("open", "returned")
"""States of a task that its person has still to work on."""
TASKS = (
    "SELECT task.*, field.name, state, person.name AS person_name, "
    "(SELECT comment FROM closing WHERE closing.id = task_now.closing) AS comment FROM task "
    "JOIN field ON field.id = task.field JOIN task_now ON task_now.task = task.id "
    "JOIN person ON person.id = task.person"
)


class UnknownTaskError(InputError):
    """No such task, or not this person's."""


@dataclass(frozen=True)
class Task:
    """One field before one person.

    Args:
        token: Its name outside of the project file; tells nothing.
        number: The person's n-th task.
        state: "open", "accepted", "skipped" or "cannot_judge"; "returned" or "released" by the owner.
        name: The field's name if the person chose it by name or reviews it, else None: hidden repeats stay hidden.
        person: Whose task it is.
        comment: What was said when its state last changed.
    """

    token: str
    number: int
    state: str
    name: str | None
    person: str
    comment: str


@dataclass(frozen=True)
class Handed:
    """The token of a task that was handed out, None when the queue is empty."""

    token: str | None


class Session:
    """A person at work on a project.

    Every method that writes takes a `key`: given twice, the action is done once and its first answer comes back. A
    method that writes returns when what it wrote is on the disk.

    Args:
        project: An open project.
        person: One of its people.
    """

    def __init__(self, project: Project, person: Person) -> None:
        self.project = project
        self.person = person

    def next(self, *, strategy: str | None = None, key: str | None = None) -> str | None:
        """Return what was returned to the person, else their open task, else a new one from the queue.

        Args:
            strategy: How to choose a new one this time; None for the queue's own way.
            key: The action's own name.

        Returns:
            The task's token; None when nothing is left.

        Raises:
            InputError: If the strategy is unknown or has no scores.
        """

        def hand_out(connection: sqlite3.Connection) -> Handed:
            tasks = self.tasks()
            waiting = [task for task in tasks if task.state == "returned"]
            waiting += [task for task in tasks if task.state == "open" and task.name is None]
            if waiting:
                return Handed(waiting[0].token)
            pick = choose(self.project, self.person, strategy)
            return Handed(None if pick is None else self._begin(connection, pick))

        return self._once(f"next {strategy or ''}", key, Handed, hand_out).token

    def open(self, name: str, *, key: str | None = None) -> str:
        """Open a field by its name, at the map of it that counts.

        That is the person's own task while they have not finished it or nobody accepted a newer map; else a new task
        that starts from the newest accepted map. Accepting it makes it the newest; the one before is kept.

        Raises:
            InputError: If there is no such field.
        """

        def find_or_begin(connection: sqlite3.Connection) -> Handed:
            field = find_field(self.project, name)
            own = self.project.row(
                "SELECT token, id, state, strategy FROM task JOIN task_now ON task_now.task = task.id "
                "WHERE person = ? AND field = ? AND repeats IS NULL ORDER BY id DESC LIMIT 1",
                self.person.id,
                field.id,
            )
            counts = self.project.value("SELECT task FROM accepted_now WHERE field = ?", field.id)
            if own is not None and (own["state"] in WAITING or counts in (None, own["id"])):
                return Handed(own["token"])
            start = queue_settings(self.project).start if counts is None else ACCEPTED
            return Handed(self._begin(connection, Pick(field.id, start, "chosen", "queue")))

        return str(self._once(f"open {name}", key, Handed, find_or_begin).token)

    def tasks(self) -> list[Task]:
        """List the person's tasks, oldest first."""
        return [_task(row) for row in self.project.rows(f"{TASKS} WHERE person = ? ORDER BY number", self.person.id)]

    def task(self, token: str) -> Task:
        """Read one of the person's tasks; the owner may read everybody's.

        Raises:
            UnknownTaskError: If the person has none of this token.
        """
        row = self.project.row(f"{TASKS} WHERE task.id = ?", self._id(token, to_read=True))
        assert row is not None
        task = _task(row)
        return task if task.person == self.person.name else replace(task, name=row["name"])

    def field(self, token: str) -> Field:
        """Read the field of a task."""
        return field_of(
            self.project, self.project.value("SELECT field FROM task WHERE id = ?", self._id(token, to_read=True))
        )

    def planes(self, token: str) -> Planes:
        """Read the image of a task, (channel, row, column) uint16."""
        return read_planes(self.project, self.field(token))

    def head(self, token: str) -> Head:
        """Return where a task is."""
        return head_of(self.project, self._id(token, to_read=True))

    def label_map(self, token: str, revision: int | None = None) -> LabelMap:
        """Read the label map of a revision of a task, of its head when None."""
        task = self._id(token, to_read=True)
        return read_revision(self.project, task, head_of(self.project, task).revision if revision is None else revision)

    def commit(
        self,
        token: str,
        label_map: LabelMap,
        *,
        parent: int,
        tool: str,
        active_ms: int = 0,
        origin: str = "person",
        key: str | None = None,
    ) -> Head:
        """Save a label map that was painted on the revision `parent`.

        Args:
            token: The task.
            label_map: (row, column) class indices, the whole field.
            parent: The revision that was painted on.
            tool: What it was painted with.
            active_ms: Active milliseconds since the last message.
            origin: "person", or the network that drew it.
            key: The action's own name.

        Returns:
            The new head. If somebody else moved the head meanwhile, both are kept: the head is theirs, `kept` is
            this one.

        Raises:
            InputError: If the map does not fit the field or its classes.
        """
        task = self._id(token)

        def work(connection: sqlite3.Connection) -> Head:
            head = commit(
                self.project, connection, task, label_map, parent=parent, origin=origin, tool=tool, active_ms=active_ms
            )
            if self.task(token).state != "open":
                _close(connection, task, "open", head.revision, 0, "")
            return head

        return self._once(f"commit {token}", key, Head, work)

    def undo(self, token: str, *, seen: int, active_ms: int = 0, key: str | None = None) -> Head:
        """Go back to the revision before; without limit, also after a restart.

        Args:
            token: The task.
            seen: The head the person saw; if it is no longer the head nothing moves and `refused` says why.
            active_ms: Active milliseconds since the last message.
            key: The action's own name.
        """
        return self._step("undo", token, seen, active_ms, key)

    def redo(self, token: str, *, seen: int, active_ms: int = 0, key: str | None = None) -> Head:
        """Go forward again, along the newest branch. Arguments as for `undo`."""
        return self._step("redo", token, seen, active_ms, key)

    def adopt(self, token: str, revision: int, *, seen: int, key: str | None = None) -> Head:
        """Make any revision of the task its head: how a conflict is settled."""
        task = self._id(token)
        return self._once(
            f"adopt {token}", key, Head, lambda connection: adopt(self.project, connection, task, revision, seen=seen)
        )

    def close(
        self, token: str, state: str, *, revision: int, active_ms: int = 0, comment: str = "", key: str | None = None
    ) -> Head:
        """Record that a task is accepted, skipped or cannot be judged, or is open again.

        Raises:
            InputError: If the state is another word or the comment too long.
        """
        if state not in STATES:
            msg = f"A state must be one of {', '.join(STATES)}, got {state!r}. Use one of these."
            raise InputError(msg)
        check_comment(comment)
        task = self._id(token)
        check_active_ms(active_ms)

        def work(connection: sqlite3.Connection) -> Head:
            head = head_of(self.project, task)
            if head.revision != revision:
                return replace(head, refused="Another window or program changed this field. Load it again.")
            _close(connection, task, state, revision, active_ms, comment)
            return head

        return self._once(f"close {token}", key, Head, work)

    def give_back(self, token: str, comment: str, *, key: str | None = None) -> None:
        """Return somebody's task with a comment (the owner's): they get it next, and no map of it counts meanwhile.

        Raises:
            InputError: If the person is not the owner, or the task was not accepted.
        """
        self._decide(token, "returned", ("accepted", "skipped", "cannot_judge"), comment, key)

    def release(self, token: str, *, key: str | None = None) -> None:
        """Release an unfinished task of somebody who left (the owner's): its field is handed to others.

        What was painted is kept, and they may still finish it.

        Raises:
            InputError: If the person is not the owner, or the task is finished.
        """
        self._decide(token, "released", WAITING, "", key)

    def _decide(self, token: str, state: str, allowed: Sequence[str], comment: str, key: str | None) -> None:
        if self.person.role != "owner":
            msg = f"Only the owner may decide on the work of others, got {self.person.role}. Ask the owner."
            raise InputError(msg)
        check_comment(comment)
        task = self._id(token, to_read=True)

        def work(connection: sqlite3.Connection) -> Head:
            now_at = self.task(token).state
            head = head_of(self.project, task)
            if now_at not in allowed:
                msg = f"A task must be {' or '.join(allowed)} to become {state}, got {now_at}. Load the list again."
                raise InputError(msg)
            _close(connection, task, state, head.revision, 0, comment)
            self.project.log(self.person.name, state, task=token, comment=comment)
            return head

        self._once(f"{state} {token}", key, Head, work)

    def _begin(self, connection: sqlite3.Connection, pick: Pick) -> str:
        """Write a task and the revision it starts from."""
        field = field_of(self.project, pick.field)
        start, label_map, origin = self._start(field, pick.start)
        token = secrets.token_hex(16)
        number = 1 + max((task.number for task in self.tasks()), default=0)
        task = insert(
            connection,
            "task",
            token=token,
            person=self.person.id,
            field=field.id,
            number=number,
            start=start,
            strategy=pick.strategy,
            stratum=pick.stratum,
            repeats=pick.repeats,
            created=now(),
        )
        root = add_revision(connection, task, label_map, parent=None, origin=origin, tool="start", active_ms=0)
        move_head(connection, task, root, "start")
        return token

    def _start(self, field: Field, start: str) -> tuple[str, LabelMap, str]:
        """Read the start; a field without that label map starts blank, and the log says so."""
        if start == ACCEPTED:
            counts = self.project.row("SELECT task, revision, person FROM accepted_now WHERE field = ?", field.id)
            assert counts is not None  # asked for in the same transaction
            return start, read_revision(self.project, counts["task"], counts["revision"]), f"revision:{counts[1]}"
        try:
            return start, *start_map(self.project, field, start)
        except DatasetMovedError:
            raise
        except (InputError, FileNotFoundError) as error:
            self.project.log(self.person.name, "start missing", field=field.name, start=start, reason=str(error))
            return BLANK, *start_map(self.project, field, BLANK)

    def _step(self, kind: str, token: str, seen: int, active_ms: int, key: str | None) -> Head:
        task = self._id(token)

        def work(connection: sqlite3.Connection) -> Head:
            return step(self.project, connection, task, kind, seen=seen, active_ms=active_ms)

        return self._once(f"{kind} {token}", key, Head, work)

    def _once(
        self, action: str, key: str | None, form: type[Answer], work: Callable[[sqlite3.Connection], Answer]
    ) -> Answer:
        return self.project.once(self.person, action, key or secrets.token_hex(16), form, work)

    def _id(self, token: str, *, to_read: bool = False) -> int:
        everybody = to_read and self.person.role == "owner"
        task = self.project.value(
            "SELECT id FROM task WHERE (? OR person = ?) AND token = ?", everybody, self.person.id, token
        )
        if task is None:
            msg = f"A task must be one of yours, got {token!r}. Go back to the queue."
            raise UnknownTaskError(msg)
        return int(task)


def _task(row: sqlite3.Row) -> Task:
    name = row["name"] if row["strategy"] == "chosen" else None
    return Task(row["token"], row["number"], row["state"], name, row["person_name"], row["comment"] or "")


def _close(connection: sqlite3.Connection, task: int, state: str, revision: int, active_ms: int, comment: str) -> None:
    insert(
        connection,
        "closing",
        task=task,
        state=state,
        revision=revision,
        active_ms=active_ms,
        comment=comment,
        created=now(),
    )
