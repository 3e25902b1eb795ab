"""Revisions: every label map a task ever had, as a tree with a head that moves."""

import sqlite3
import zlib
from dataclasses import dataclass

import numpy as np

from noisylabels.annotation.fields import classes_of, field_of
from noisylabels.annotation.project import Project, insert, now
from noisylabels.data.errors import InputError
from noisylabels.data.hashes import hash_bytes
from noisylabels.data.labels import IGNORE_INDEX, LabelMap, check_label_map

TOOLS = ("brush", "eraser", "lasso", "polygon", "fill", "clear", "merge", "predict", "import", "napari")
MAX_ACTIVE_MS = 86_400_000
MAX_COMMENT = 2000


@dataclass(frozen=True)
class Head:
    """What a person sees of a task.

    Args:
        revision: The revision the task is at.
        sha256: Hash of its raw label map.
        can_undo: Whether there is something to undo.
        can_redo: Whether there is something to redo.
        kept: The person's own revision, kept beside the head, when somebody else had moved the head; else None.
        refused: Why the head did not move; "" when it did.
    """

    revision: int
    sha256: str
    can_undo: bool
    can_redo: bool
    kept: int | None = None
    refused: str = ""


def pack(label_map: LabelMap) -> bytes:
    """Compress a label map: about 3 kB for a field of 680 x 512.

    Examples:
        >>> unpack(pack(np.array([[0, 2]], np.uint8)), 1, 2)
        array([[0, 2]], dtype=uint8)
    """
    return zlib.compress(np.ascontiguousarray(label_map, np.uint8).tobytes(), 6)


def unpack(blob: bytes, rows: int, columns: int) -> LabelMap:
    """Restore a label map from its compressed form, never inflating beyond its size.

    Args:
        blob: zlib (RFC 1950).
        rows: Number of pixel rows it must have.
        columns: Number of pixel columns it must have.

    Raises:
        InputError: If it is not zlib, not of this size, or has something behind it.
    """
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(blob, rows * columns + 1)
    except zlib.error as error:
        msg = f"A label map must be zlib-compressed, got {len(blob)} bytes that are not ({error}). Send it again."
        raise InputError(msg) from error
    if len(raw) != rows * columns or not inflater.eof or inflater.unused_data:
        msg = (
            f"A label map must have {rows} x {columns} = {rows * columns} pixels, got another number. "
            "Send the whole field."
        )
        raise InputError(msg)
    return np.frombuffer(raw, np.uint8).reshape(rows, columns)


def hash_of(label_map: LabelMap) -> str:
    """Return the hash of the raw bytes of a label map, row by row, with SHA-256."""
    return hash_bytes(np.ascontiguousarray(label_map, np.uint8).tobytes())


def add_revision(
    connection: sqlite3.Connection,
    task: int,
    label_map: LabelMap,
    *,
    parent: int | None,
    origin: str,
    tool: str,
    active_ms: int,
) -> int:
    """Append a revision; the head stays where it is.

    Returns:
        Its row.
    """
    return insert(
        connection,
        "revision",
        task=task,
        parent=parent,
        origin=origin,
        tool=tool,
        active_ms=active_ms,
        created=now(),
        sha256=hash_of(label_map),
        label_map=pack(label_map),
    )


def move_head(connection: sqlite3.Connection, task: int, revision: int, kind: str, active_ms: int = 0) -> None:
    """Append a move of the head of a task to a revision."""
    insert(connection, "move", task=task, revision=revision, kind=kind, active_ms=active_ms, created=now())


def commit(
    project: Project,
    connection: sqlite3.Connection,
    task: int,
    label_map: LabelMap,
    *,
    parent: int,
    origin: str = "person",
    tool: str,
    active_ms: int = 0,
) -> Head:
    """Append a label map that was painted on `parent`, and move the head to it if the head is still there.

    If the head has moved, both are kept: the map becomes a branch beside it, and the answer's `kept` names it.

    Raises:
        InputError: If the map, its parent or its tool is not what it must be.
    """
    if tool not in TOOLS:
        msg = f"A tool must be one of {', '.join(TOOLS)}, got {tool!r}. Use one of these names."
        raise InputError(msg)
    field = field_of(project, project.value("SELECT field FROM task WHERE id = ?", task))
    checked = check_label_map(
        label_map, classes_of(project), like=(field.rows, field.columns), ignore_index=IGNORE_INDEX
    )
    _require_of_task(project, task, parent)
    head = head_of(project, task).revision
    revision = add_revision(
        connection, task, checked, parent=parent, origin=origin, tool=tool, active_ms=check_active_ms(active_ms)
    )
    if head != parent:
        reason = f"Another window or program changed this field. Both are kept: yours as revision {revision}."
        return head_of(project, task, kept=revision, refused=reason)
    move_head(connection, task, revision, "commit")
    return head_of(project, task)


def step(
    project: Project, connection: sqlite3.Connection, task: int, kind: str, *, seen: int, active_ms: int = 0
) -> Head:
    """Undo or redo: move the head to its parent, or to its newest child that was a head once.

    Args:
        project: An open project.
        connection: Its open transaction.
        task: Row of the task.
        kind: "undo" or "redo".
        seen: The head the person saw.
        active_ms: Active milliseconds since the last message.
    """
    head = head_of(project, task)
    target = _parent_of(project, task, head.revision) if kind == "undo" else _child_of(project, task, head.revision)
    if head.revision != seen:
        return head_of(project, task, refused="Another window or program changed this field. Load it again.")
    if target is None:
        return head_of(project, task, refused=f"There is nothing to {kind}.")
    move_head(connection, task, target, kind, check_active_ms(active_ms))
    return head_of(project, task)


def adopt(project: Project, connection: sqlite3.Connection, task: int, revision: int, *, seen: int) -> Head:
    """Make any revision of the task its head: how a conflict is settled.

    Raises:
        InputError: If the revision is not one of this task.
    """
    _require_of_task(project, task, revision)
    if head_of(project, task).revision != seen:
        return head_of(project, task, refused="Another window or program changed this field. Load it again.")
    move_head(connection, task, revision, "adopt")
    return head_of(project, task)


def head_of(project: Project, task: int, *, kept: int | None = None, refused: str = "") -> Head:
    """Return where a task is."""
    row = project.row(
        "SELECT head, sha256 FROM task_now JOIN revision ON revision.id = head WHERE task_now.task = ?",
        task,
    )
    assert row is not None  # a task is written together with its start
    revision = row["head"]
    can_undo = _parent_of(project, task, revision) is not None
    return Head(revision, row["sha256"], can_undo, _child_of(project, task, revision) is not None, kept, refused)


def read_revision(project: Project, task: int, revision: int) -> LabelMap:
    """Read the label map of a revision, (row, column) uint8.

    Raises:
        InputError: If it is not one of this task, or its bytes are no longer those that were saved.
    """
    _require_of_task(project, task, revision)
    field = field_of(project, project.value("SELECT field FROM task WHERE id = ?", task))
    row = project.row("SELECT sha256, label_map FROM revision WHERE id = ?", revision)
    assert row is not None
    label_map = unpack(row["label_map"], field.rows, field.columns)
    if hash_of(label_map) != row["sha256"]:
        msg = (
            f"Revision {revision} of {project.path} must have the hash it was saved with, got another. Restore a copy."
        )
        raise InputError(msg)
    return label_map


def check_comment(comment: str) -> None:
    """Check that a comment is not too long.

    Raises:
        InputError: If it is.
    """
    if len(comment) > MAX_COMMENT:
        msg = f"A comment must have at most {MAX_COMMENT} characters, got {len(comment)}. Shorten it."
        raise InputError(msg)


def check_active_ms(active_ms: int) -> int:
    """Check that a time is a whole number of milliseconds of at most a day.

    Raises:
        InputError: If it is not.
    """
    if not 0 <= active_ms <= MAX_ACTIVE_MS:
        msg = f"active_ms must be in 0..{MAX_ACTIVE_MS} (a day), got {active_ms}. Send the time since the last message."
        raise InputError(msg)
    return active_ms


def _require_of_task(project: Project, task: int, revision: int) -> None:
    if project.value("SELECT task FROM revision WHERE id = ?", revision) != task:
        msg = f"A revision must be one of this task, got {revision}. Load the task again."
        raise InputError(msg)


def _parent_of(project: Project, task: int, revision: int) -> int | None:
    parent: int | None = project.value(
        "SELECT parent.id FROM revision JOIN revision parent ON parent.id = revision.parent "
        "WHERE revision.id = ? AND parent.task = ?",
        revision,
        task,
    )
    return parent


def _child_of(project: Project, task: int, revision: int) -> int | None:
    child: int | None = project.value(
        "SELECT max(child.id) FROM revision child WHERE child.parent = ? AND child.task = ? "
        "AND EXISTS (SELECT 1 FROM move WHERE move.revision = child.id)",
        revision,
        task,
    )
    return child
