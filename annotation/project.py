"""The project file: one SQLite database that is only ever appended to."""

import contextlib
import datetime
import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Protocol, TypeVar

from noisylabels.errors import InputError

APPLICATION_ID = 0x6E6C6462  # "nldb", in the file's header: tells our projects from other SQLite files
SCHEMA_VERSION = 1
KEPT = ("answer", "log", "revision", "move", "closing", "box_action", "box_closing", "item", "trial", "score")
"""Tables whose rows are never changed or deleted."""

NETWORK_FILE_SYSTEMS = (
    *("9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "gpfs"),
    *("lustre", "nfs", "nfs4", "smb3", "smbfs", "virtiofs"),
)
WAIT_FOR_OTHER_WRITERS_S = 10.0
HEADER_BYTES = 100


class Record(Protocol):
    """A dataclass instance."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Answer = TypeVar("Answer", bound=Record)


class KeyReused(InputError):
    """A key came back with another action than the one it was first used for."""


@dataclass(frozen=True)
class Person:
    """Somebody who works on the project.

    Args:
        id: Row of the project file.
        name: As given by the owner.
        role: "owner", "annotator", "expert" (boxes) or "rater".
        party: The group of an expert or the subset of a rater; "" for others.
    """

    id: int
    name: str
    role: str
    party: str = ""


class Project:
    """An open project file, safe to share between threads.

    Written with write-ahead logging and synchronous=FULL: what `writing` has left is on the disk. On network file
    systems, where write-ahead logging does not work, the journal is DELETE.

    Args:
        path: A file made by `create_project_file`.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is not a project file, was made by a newer version, or is damaged. It is left untouched.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        check_project_file(self.path)
        self._lock = threading.RLock()
        self._connection = _connect(self.path)

    def __enter__(self) -> "Project":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Do several writes as one: all are on disk when the block ends, none if it raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Read the rows of a query."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> sqlite3.Row | None:
        """Read the first row of a query, None if there is none."""
        return next(iter(self.rows(query, *values)), None)

    def value(self, query: str, *values: Any) -> Any:
        """Read the first value of a query, None if there is no row."""
        row = self.row(query, *values)
        return None if row is None else row[0]

    def setting(self, name: str) -> Any:
        """Read a setting.

        Raises:
            KeyError: If the project has none of this name.
        """
        text = self.value("SELECT value FROM setting WHERE name = ?", name)
        if text is None:
            raise KeyError(name)
        return json.loads(text)

    def once(
        self, person: Person, action: str, key: str, form: type[Answer], work: Callable[[sqlite3.Connection], Answer]
    ) -> Answer:
        """Do a person's action if it was not done before, and remember its answer with it.

        Args:
            person: Who acts.
            action: What it is and on what; the same key must come with the same action.
            key: The action's own name, fresh per action. The same key gives the same answer, without doing it again.
            form: The dataclass of the answer.
            work: Does it, with the connection of the one transaction that also remembers the answer.

        Raises:
            KeyReused: If the key was used for another action.
        """
        with self.writing() as connection:
            done = connection.execute(
                "SELECT action, result FROM answer WHERE person = ? AND key = ?", (person.id, key)
            ).fetchone()
            if done is not None and done["action"] != action:
                msg = (
                    f"A key must belong to one action, got {key!r} for {action!r} after "
                    f"{done['action']!r}. Draw a new one."
                )
                raise KeyReused(msg)
            if done is not None:
                return form(**json.loads(done["result"]))
            answer = work(connection)
            insert(connection, "answer", person=person.id, key=key, action=action, result=json.dumps(asdict(answer)))
            return answer

    def log(self, person: str, event: str, **detail: Any) -> None:
        """Keep a line of what was done to the project as a whole."""
        with self._lock:
            insert(self._connection, "log", created=now(), person=person, event=event, detail=json.dumps(detail))


def create_project_file(path: str | Path, settings: dict[str, Any], fill: Callable[[sqlite3.Connection], None]) -> None:
    """Make a project file, whole or not at all.

    Args:
        path: Where; there must be nothing yet.
        settings: JSON-able values by name.
        fill: Writes the first rows.

    Raises:
        InputError: If something is there already.
    """
    target = Path(path)
    if target.exists():
        msg = f"{target} must be a new file, but it exists. Choose another name, or serve it as it is."
        raise InputError(msg)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".making-{target.name}-{secrets.token_hex(4)}")
    try:
        with contextlib.closing(_connect(temporary, journal="DELETE")) as connection:
            connection.executescript(schema())
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT INTO setting VALUES (?, ?)", [(name, json.dumps(value)) for name, value in settings.items()]
            )
            fill(connection)
            connection.execute("COMMIT")
        temporary.rename(target)
    finally:
        temporary.unlink(missing_ok=True)


def schema() -> str:
    """Read the SQL that makes an empty project file, with the triggers that keep its rows."""
    tables = resources.files("annotation").joinpath("schema.sql").read_text()
    triggers = [
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} rows are kept as they are'); END;"
        for table in KEPT
        for verb in ("UPDATE", "DELETE")
    ]
    marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
    return "\n".join([tables, *triggers, marks])


def check_project_file(path: Path) -> None:
    """Make sure that a file is a project this version can work on, without touching it.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is something else, newer, cut short or damaged.
    """
    if path.is_dir():
        msg = (
            f"{path} must be a project file, got a folder. Make one of it: noisylabels annotate create NEW.desk {path}"
        )
        raise InputError(msg)
    if not path.is_file():
        msg = f"{path} must be a project file, but it does not exist. Make it: noisylabels annotate create."
        raise FileNotFoundError(msg)
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    number = int.from_bytes
    if header[:16] != b"SQLite format 3\0" or number(header[68:72], "big") != APPLICATION_ID:
        msg = (
            f"{path} must be a project file of noisylabels annotate, got something else or a damaged "
            "file. Check the path, or restore a copy."
        )
        raise InputError(msg)
    version = number(header[60:64], "big")
    if version != SCHEMA_VERSION:
        msg = (
            f"{path} must be of project format {SCHEMA_VERSION}, got {version}. Use the version of "
            "noisylabels that made it."
        )
        raise InputError(msg)
    fault = _fault_of(path)
    if fault:
        msg = f"{path} must be a sound project file, got a damaged one ({fault}). It was left as it is: restore a copy."
        raise InputError(msg)


def journal_mode(path: Path, mounts: str | None = None) -> str:
    """Choose the journal: WAL, or DELETE on a network file system.

    Args:
        path: The project file.
        mounts: The table of mounts, as /proc/mounts has it; read there when None.

    Examples:
        >>> journal_mode(Path("/lab/a.desk"), "/dev/sda1 / ext4 rw 0 0")
        'WAL'
        >>> journal_mode(Path("/lab/a.desk"), "/dev/sda1 / ext4 rw 0 0; srv:/x /lab nfs4 rw 0 0".replace("; ", chr(10)))
        'DELETE'
    """
    table = Path("/proc/mounts")
    text = mounts if mounts is not None else table.read_text() if table.exists() else ""
    place = os.path.realpath(path)
    best, kind = "", ""
    for line in text.splitlines():
        _, mount, system, *_ = line.split(" ")
        mount = mount.replace("\\040", " ")
        if Path(place).is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, system
    return "DELETE" if kind in NETWORK_FILE_SYSTEMS else "WAL"


def insert(connection: sqlite3.Connection, table: str, **values: object) -> int:
    """Append a row to a table.

    Returns:
        Its row number.
    """
    marks = ", ".join("?" * len(values))
    inserted = connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    return int(inserted.lastrowid or 0)


def now() -> str:
    """Tell the time, UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _connect(path: Path, journal: str | None = None) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=WAIT_FOR_OTHER_WRITERS_S)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA journal_mode = {journal or journal_mode(path)}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _fault_of(path: Path) -> str:
    """Look for damage; "" when there is none.

    Read-only, but for a file whose last writer died: SQLite must first finish or undo what that one began.
    """
    if path.with_name(path.name + "-journal").exists():
        mode = "mode=rw"
    else:
        mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)) as connection:
            fault = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            return "" if fault == "ok" else fault.splitlines()[0]
    except sqlite3.DatabaseError as error:
        return "" if error.sqlite_errorcode == sqlite3.SQLITE_BUSY else str(error)
