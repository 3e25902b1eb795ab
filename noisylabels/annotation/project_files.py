"""Project files: made whole, checked before anything is written to them, opened so that nothing committed is lost."""

import contextlib
import json
import os
import secrets
import sqlite3
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from noisylabels.data.errors import InputError

APPLICATION_ID = 0x6E6C6462  # "nldb", in the file's header: tells our projects from other SQLite files
SCHEMA_VERSION = 3
KEPT = (
    *("answer", "log", "revision", "move", "closing", "box_action", "box_closing", "item", "trial", "score"),
    *("trial_closing", "network", "network_use"),
)
"""Tables whose rows are never changed or deleted."""

NETWORK_FILE_SYSTEMS = (
    *("9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "gpfs"),
    *("lustre", "nfs", "nfs4", "smb3", "smbfs", "virtiofs"),
)
WAIT_FOR_OTHER_WRITERS_S = 10.0
HEADER_BYTES = 100


def create_project_file(
    path: str | Path, settings: dict[str, object], fill: Callable[[sqlite3.Connection], None]
) -> None:
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
        temporary.touch(mode=0o600)  # it tells who corrected what, and what is rated: for its owner's eyes
        with contextlib.closing(connect(temporary, journal="DELETE")) as connection:
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
    tables = resources.files("noisylabels.annotation").joinpath("schema.sql").read_text()
    triggers = [
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} rows are kept as they are'); END;"
        for table in KEPT
        for verb in ("UPDATE", "DELETE")
    ]
    marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
    return "\n".join([tables, *triggers, marks])


def check_project_file(path: Path) -> None:
    """Check that a file is a project this version can work on, without touching it.

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


def connect(path: Path, journal: str | None = None) -> sqlite3.Connection:
    """Open a file so that what is committed is on the disk.

    Args:
        path: The file.
        journal: SQLite's journal mode; chosen by the file system when None.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=WAIT_FOR_OTHER_WRITERS_S)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA journal_mode = {journal or journal_mode(path)}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _fault_of(path: Path) -> str:
    """Check for damage; "" when there is none.

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
