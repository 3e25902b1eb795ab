"""The project file: one SQLite database that is only ever appended to."""

import contextlib
import datetime
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Protocol, TypeVar

from noisylabels.annotation.project_files import check_project_file, connect
from noisylabels.data.errors import InputError
from noisylabels.data.ids import check_name


class Record(Protocol):
    """A dataclass instance."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Answer = TypeVar("Answer", bound=Record)


class KeyReusedError(InputError):
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
        InputError: If it is not a project file, was made by a newer version, is damaged, or has names that lead
            elsewhere. It is left untouched.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        check_project_file(self.path)
        self._lock = threading.RLock()
        self._connection = connect(self.path)
        try:
            self._refuse_paths()
        except InputError:
            self.close()
            raise

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

    def _refuse_paths(self) -> None:
        """Check that what names files when it is exported is a name: the project may come from a stranger."""
        names = "SELECT name FROM field UNION SELECT case_id FROM field UNION SELECT parent FROM field UNION "
        for row in self.rows(f"{names} SELECT name FROM person"):
            if row["name"] is not None:
                check_name(row["name"], what="Names of fields and people", source=self.path)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Perform several writes as one: all are on disk when the block ends, none if it raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Read the rows of a query."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, *values: object) -> sqlite3.Row | None:
        """Read the first row of a query, None if there is none."""
        return next(iter(self.rows(query, *values)), None)

    def value(self, query: str, *values: object) -> Any:
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
        """Perform a person's action if it was not done before, and remember its answer with it.

        Args:
            person: Who acts.
            action: What it is and on what; the same key must come with the same action.
            key: The action's own name, fresh per action. The same key gives the same answer, without doing it again.
            form: The dataclass of the answer.
            work: Does it, with the connection of the one transaction that also remembers the answer.

        Raises:
            KeyReusedError: If the key was used for another action.
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
                raise KeyReusedError(msg)
            if done is not None:
                return form(**json.loads(done["result"]))
            answer = work(connection)
            insert(connection, "answer", person=person.id, key=key, action=action, result=json.dumps(asdict(answer)))
            return answer

    def remember_address(self, url: str) -> None:
        """Keep where the server was last reached, for links that are made beside it."""
        with self.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO setting VALUES ('address', ?)", (json.dumps(url),))

    def log(self, person: str, event: str, **detail: object) -> None:
        """Keep a line of what was done to the project as a whole."""
        with self._lock:
            insert(self._connection, "log", created=now(), person=person, event=event, detail=json.dumps(detail))


def insert(connection: sqlite3.Connection, table: str, **values: object) -> int:
    """Append a row to a table.

    Returns:
        Its row number.
    """
    marks = ", ".join("?" * len(values))
    inserted = connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    return int(inserted.lastrowid or 0)


def now() -> str:
    """Return the time, UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
