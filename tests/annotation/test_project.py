"""The project file: append-only, untouched when damaged, safe when the disk is full."""

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from noisylabels.annotation.fields import create_project
from noisylabels.annotation.project import KeyReusedError, Project, insert
from noisylabels.annotation.project_files import KEPT, SCHEMA_VERSION, create_project_file, journal_mode, schema
from noisylabels.annotation.users import owner_of
from noisylabels.data.errors import InputError
from tests.annotation.desks import make_dataset, make_project, owner_session, paint, refused


@dataclass(frozen=True)
class Said:
    word: str


def refuse(sentence):
    raise InputError(sentence)


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_every_kept_table_exists_and_refuses_changes(tmp_path):
    with make_project(tmp_path) as project:
        assert project.value("PRAGMA journal_mode") == "wal"
        assert project.value("PRAGMA synchronous") == 2  # FULL
        session = owner_session(project)
        token = session.next()
        head = session.head(token)
        session.close(token, "accepted", revision=head.revision)
        project.log("anna", "looked")
        for table in ("revision", "move", "closing", "log", "answer"):
            assert project.value(f"SELECT count(*) FROM {table}") == 1 + (table == "answer"), table
            for words in (f"DELETE FROM {table}", f"UPDATE {table} SET rowid = rowid + 1"):
                with pytest.raises(sqlite3.IntegrityError, match=f"^{table} rows are kept as they are$"):
                    project.rows(words)
        triggers = {row["name"] for row in project.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
        assert triggers == {f"{table}_{verb}" for table in KEPT for verb in ("update", "delete")}


def test_a_new_project_replaces_nothing(tmp_path):
    folder = make_dataset(tmp_path / "dataset", 1)
    place = tmp_path / "a.desk"
    place.write_text("mine")
    with refused(f"{place} must be a new file, but it exists."):
        create_project(place, folder)
    assert place.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.desk", "dataset"]


def test_a_project_that_cannot_be_filled_leaves_nothing_behind(tmp_path):
    def fill(_):
        refuse("no")

    with refused("no"):
        create_project_file(tmp_path / "a.desk", {}, fill)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "a/b", "$__import__('os')", ""])
@pytest.mark.parametrize("change", ["field SET name", "field SET case_id", "person SET name"])
def test_a_strangers_project_whose_names_lead_elsewhere_is_refused_when_it_is_opened(tmp_path, change, name):
    with make_project(tmp_path, 1) as project, project.writing() as connection:
        connection.execute(f"UPDATE {change} = ? WHERE id = 1", (name,))
    path = tmp_path / "screen.desk"
    with refused(f"Names of fields and people of {path} must be plain names"):
        Project(path)


def spoil_nothing(path):
    path.write_bytes(b"")


def spoil_header(path):
    content = bytearray(path.read_bytes())
    content[:16] = bytes(16)
    path.write_bytes(content)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-5000])


def scribble_over_a_page(path):
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 8] = b"scribble"
    path.write_bytes(content)


def make_another_database(path):
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE a (b)")
    connection.commit()
    connection.close()


STRANGER = "must be a project file of noisylabels annotate, got something else or a damaged file."
DAMAGED = "must be a sound project file, got a damaged one"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (spoil_nothing, STRANGER),
        (spoil_header, STRANGER),
        (make_another_database, STRANGER),
        (cut_short, DAMAGED),
        (scribble_over_a_page, DAMAGED),
    ],
    ids=["empty", "header", "another database", "cut short", "scribbled"],
)
def test_a_damaged_project_file_is_named_and_left_untouched(tmp_path, spoil, sentence):
    make_project(tmp_path, 30).close()
    path = tmp_path / "screen.desk"
    spoil(path)
    before = digest(path)
    with refused(f"{path} {sentence}"):
        Project(path)
    assert digest(path) == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["dataset", "screen.desk"]


def test_a_project_of_another_format_is_refused(tmp_path):
    make_project(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "screen.desk")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(InputError, match=f"must be of project format {SCHEMA_VERSION}, got {SCHEMA_VERSION + 1}"):
        Project(tmp_path / "screen.desk")


def test_a_missing_project_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be a project file, but it does not exist"):
        Project(tmp_path / "none.desk")


def test_the_same_key_acts_once_and_answers_the_same(tmp_path):
    with make_project(tmp_path) as project:
        owner = owner_of(project)
        words = iter(["first", "second"])
        answers = [project.once(owner, "say", "k" * 8, Said, lambda _: Said(next(words))) for _ in range(2)]
        assert answers == [Said("first"), Said("first")]
        with refused("A key must belong to one action", KeyReusedError):
            project.once(owner, "shout", "k" * 8, Said, lambda _: Said("no"))


def test_an_action_that_fails_leaves_neither_rows_nor_answer(tmp_path):
    def half_done(connection):
        insert(connection, "log", created="now", person="anna", event="half", detail="")
        refuse("stop")

    with make_project(tmp_path) as project:
        with refused("stop"):
            project.once(owner_of(project), "do", "k" * 8, Said, half_done)
        assert project.value("SELECT count(*) FROM log") == project.value("SELECT count(*) FROM answer") == 0


def test_a_full_disk_loses_only_what_was_not_acknowledged(tmp_path):
    with make_project(tmp_path) as project:
        session = owner_session(project)
        token = session.next()
        head = session.head(token)
        label_map = session.label_map(token)
        pages = project.value("PRAGMA page_count")
        project.rows(f"PRAGMA max_page_count = {pages + 3}")
        saved = [head]

        def paint_on():
            while True:
                painted = paint(label_map, len(saved) % 3, len(saved) % 12, len(saved) % 16)
                saved.append(session.commit(token, painted, parent=saved[-1].revision, tool="brush"))

        with refused("database or disk is full", sqlite3.OperationalError):
            paint_on()
        assert len(saved) > 1
        assert session.head(token) == saved[-1]
        project.rows("PRAGMA max_page_count = 100000")
        again = session.commit(token, label_map, parent=saved[-1].revision, tool="brush")
        assert again.revision > saved[-1].revision


@pytest.mark.parametrize(
    ("mounts", "mode"),
    [
        ("", "WAL"),
        ("/dev/sda / ext4 rw 0 0", "WAL"),
        ("/dev/sda / ext4 rw 0 0\nsrv:/x /lab nfs rw 0 0", "DELETE"),
        ("/dev/sda / ext4 rw 0 0\n//srv/x /lab cifs rw 0 0", "DELETE"),
        ("srv:/x / lustre rw 0 0\n/dev/sda /lab ext4 rw 0 0", "WAL"),
        ("srv:/x /laboratory nfs rw 0 0\n/dev/sda / ext4 rw 0 0", "WAL"),
        ("srv:/x /lab/plate\\0401 nfs4 rw 0 0\n/dev/sda / ext4 rw 0 0", "WAL"),
    ],
)
def test_network_file_systems_get_a_rollback_journal(mounts, mode):
    assert journal_mode(Path("/lab/screens/a.desk"), mounts) == mode


def test_a_mount_point_with_a_space_is_understood():
    assert journal_mode(Path("/lab/plate 1/a.desk"), "srv:/x /lab/plate\\0401 nfs4 rw 0 0") == "DELETE"


def test_a_project_works_with_a_rollback_journal(tmp_path, monkeypatch):
    monkeypatch.setattr("noisylabels.annotation.project_files.journal_mode", lambda path: "DELETE")
    with make_project(tmp_path) as project:
        assert project.value("PRAGMA journal_mode") == "delete"
        session = owner_session(project)
        token = session.next()
        head = session.commit(token, session.label_map(token), parent=session.head(token).revision, tool="fill")
    with Project(tmp_path / "screen.desk") as project:
        assert owner_session(project).head(token) == head


def test_the_schema_runs_as_it_is():
    connection = sqlite3.connect(":memory:")
    connection.executescript(schema())
    assert connection.execute("SELECT count(*) FROM task_now").fetchone() == (0,)
    connection.close()
