"""Jobs: a network predicts or learns in a process of its own, with a log, so that it cannot take the desk down."""

import hashlib
import json
import secrets
import sqlite3
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from noisylabels.annotation.export import export_dataset
from noisylabels.annotation.images import read_planes
from noisylabels.annotation.processes import Processes, reason_of
from noisylabels.annotation.project import Person, Project, insert, now
from noisylabels.annotation.quarters import Window
from noisylabels.annotation.session import Session
from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map, write_image
from noisylabels.data.labels import ClassTable

LOG_PIECE_BYTES = 64 * 1024
LOG = "log.txt"
PREDICTED = "predicted"
FIELD = "field"


class UnknownJobError(InputError):
    """No such job, or not this person's to see."""


@dataclass(frozen=True)
class Job:
    """A process that was started for a person.

    Args:
        job: Its token.
        kind: "predict" or "retrain".
        bundle: The bundle that runs.
        state: "running", "done", "failed", "cancelled", or "lost" (the server ended while it ran).
        created: When it was started, UTC.
        ended: When it ended.
        exit_code: Of the process.
        task: The task that is predicted, None for a training.
        revision: The revision that a prediction became.
        conflict: Whether the person had painted meanwhile, so that the prediction is kept beside the head.
        error: One sentence, if it failed.
    """

    job: str
    kind: str
    bundle: str
    state: str
    created: str
    ended: str | None
    exit_code: int | None
    task: str | None
    revision: int | None
    conflict: bool
    error: str | None


class Jobs:
    """The jobs of a project.

    Args:
        project: An open project. Jobs that it holds as running were lost with an earlier server, and become "lost".
        checkpoints: Trained weights (`model.pt`) by the name of their bundle.
        command: The words that stand before `predict` and `train`: this Python's noisylabels.
    """

    def __init__(
        self,
        project: Project,
        checkpoints: Mapping[str, Path] | None = None,
        *,
        command: tuple[str, ...] = (sys.executable, "-m", "noisylabels.cli"),
    ) -> None:
        self.project = project
        self._checkpoints = dict(checkpoints or {})
        self._processes = Processes(command)
        self._turn = {"predict": threading.Semaphore(1), "retrain": threading.Semaphore(1)}
        self._threads: dict[str, threading.Thread] = {}
        with project.writing() as connection:
            connection.execute("UPDATE job SET state = 'lost', ended = ? WHERE state = 'running'", (now(),))

    def bundle_names(self) -> list[str]:
        """List the bundles that can predict."""
        return sorted(self._checkpoints)

    def predict(
        self, person: Person, task: str, bundle: str, *, parent: int, region: Window | None = None, key: str
    ) -> Job:
        """Start a prediction of a field; it becomes a revision on `parent`.

        The network sees the whole field, whatever the region: its contrast is normalised by what it sees.

        Args:
            person: Who asks.
            task: Their task.
            bundle: A bundle with a checkpoint.
            parent: The revision the person sees.
            region: The half-open box that is replaced; None for all of it.
            key: The action's own name.

        Raises:
            InputError: If the bundle has no checkpoint, or the region is empty or leaves the field.
        """
        if bundle not in self._checkpoints:
            known = ", ".join(self.bundle_names()) or "none"
            msg = f"A bundle that predicts must be one of: {known}; got {bundle!r}. Serve with --bundle NAME=model.pt."
            raise InputError(msg)
        session = Session(self.project, person)
        field = session.field(task)
        window = region or Window(0, 0, field.rows, field.columns)
        session.label_map(task, parent)
        if not (0 <= window.row_min < window.row_max <= field.rows) or not (
            0 <= window.column_min < window.column_max <= field.columns
        ):
            size = f"{field.rows} x {field.columns}"
            msg = f"A region must lie in the field of {size} pixels, got {tuple(window)}. Draw it again."
            raise InputError(msg)

        def argv(folder: Path) -> list[str]:
            _write_one_field(self.project, person, task, folder)
            checkpoint = self._checkpoints[bundle]
            words = ["predict", _bundle_of(checkpoint, bundle), "--dataset_dir", str(folder)]
            return [*words, "--ckpt_path", str(checkpoint), "--method", PREDICTED]

        def finish(folder: Path) -> dict[str, object]:
            predicted = read_label_map(folder / "labels" / PREDICTED / f"{FIELD}.tif")
            merged = session.label_map(task, parent).copy()
            merged[window.slices] = predicted[window.slices]
            origin = f"{bundle}:{_sha256(self._checkpoints[bundle])}"
            head = session.commit(task, merged, parent=parent, tool="predict", origin=origin)
            return {"revision": head.kept or head.revision, "conflict": int(head.kept is not None)}

        return self._start("predict", person, bundle, key, argv, finish, task=task, parent=parent)

    def retrain(self, person: Person, bundle: str, *, key: str) -> Job:
        """Start a training on all accepted tasks; what it learns becomes the bundle's checkpoint.

        Raises:
            InputError: If a training runs already or nothing was accepted.
        """

        def argv(folder: Path) -> list[str]:
            export_dataset(self.project, folder / "dataset")
            words = ["train", bundle, "--dataset_dir", str(folder / "dataset"), "--output_dir", str(folder / "run")]
            return [*words, "--label_name", "corrected"]

        def finish(folder: Path) -> dict[str, object]:
            self._checkpoints[bundle] = folder / "run" / "model.pt"
            return {}

        running = self.project.value("SELECT count(*) FROM job WHERE kind = 'retrain' AND state = 'running'")
        known = self.project.value("SELECT 1 FROM answer WHERE person = ? AND key = ?", person.id, key)
        if running and not known:
            msg = "At most one training can run, got another request. Wait for it or cancel it."
            raise InputError(msg)
        return self._start("retrain", person, bundle, key, argv, finish)

    def visible(self, person: Person) -> list[Job]:
        """List the jobs a person may see, newest first: their own, all for the owner."""
        everything = person.role == "owner"
        rows = self.project.rows(f"{JOBS} WHERE ? OR job.person = ? ORDER BY job.id DESC", everything, person.id)
        return [_job(row) for row in rows]

    def find(self, person: Person, token: str) -> Job:
        """Read one job.

        Raises:
            UnknownJobError: If there is none of this token that the person may see.
        """
        for job in self.visible(person):
            if job.job == token:
                return job
        msg = f"A job must be one of yours, got {token!r}. See the list of jobs."
        raise UnknownJobError(msg)

    def log(self, person: Person, token: str, offset: int) -> tuple[str, int]:
        """Read a piece of a job's log.

        Returns:
            The text from byte `offset` on, at most 64 KiB, and the offset behind it.
        """
        path = self._folder(self.find(person, token).job) / LOG
        if not path.exists():
            return "", 0
        with path.open("rb") as file:
            file.seek(min(offset, path.stat().st_size))
            piece = file.read(LOG_PIECE_BYTES)
            return piece.decode(errors="replace"), file.tell()

    def cancel(self, person: Person, token: str) -> Job:
        """Stop a job; one that has ended stays as it is."""
        if self.find(person, token).state == "running":
            self._processes.cancel(token)
        return self.find(person, token)

    def stop(self) -> None:
        """Stop all jobs and wait for their end: the server ends."""
        while running := [token for token, thread in self._threads.items() if thread.is_alive()]:
            for token in running:
                self._processes.cancel(token)
                self._threads[token].join(timeout=1)

    def _start(
        self,
        kind: str,
        person: Person,
        bundle: str,
        key: str,
        argv: Callable[[Path], list[str]],
        finish: Callable[[Path], dict[str, object]],
        *,
        task: str | None = None,
        parent: int | None = None,
    ) -> Job:
        fresh: list[str] = []

        def begin(connection: sqlite3.Connection) -> Job:
            token = secrets.token_hex(16)
            insert(
                connection,
                "job",
                token=token,
                kind=kind,
                bundle=bundle,
                person=person.id,
                task=self.project.value("SELECT id FROM task WHERE token = ?", task),
                parent=parent,
                state="running",
                created=now(),
            )
            fresh.append(token)
            return self.find(person, token)

        job = self.project.once(person, f"{kind} {bundle} {task}", key, Job, begin)
        for token in fresh:
            self._threads[token] = threading.Thread(target=self._run, args=(token, kind, argv, finish), daemon=True)
            self._threads[token].start()
        return job

    def _run(
        self, token: str, kind: str, argv: Callable[[Path], list[str]], finish: Callable[[Path], dict[str, object]]
    ) -> None:
        folder = self._folder(token)
        folder.mkdir(parents=True)
        with self._turn[kind]:
            try:
                code = self._processes.run(token, argv(folder), folder / LOG)
                ended = {"exit_code": code} | (finish(folder) if code == 0 else {})
                self._end(token, "done" if code == 0 else "failed", error=reason_of(folder / LOG, code), **ended)
            except (InputError, OSError) as error:
                self._end(token, "failed", error=str(error))
            except Exception as error:  # a fault of ours: the thread must leave a record of it
                self._end(token, "failed", error=f"{type(error).__name__}: {error}")

    def _end(self, token: str, state: str, **columns: object) -> None:
        if self._processes.was_cancelled(token):
            state, columns = "cancelled", columns | {"error": None}
        values = {"state": state, "ended": now(), **columns}
        with self.project.writing() as connection:
            marks = ", ".join(f"{name} = ?" for name in values)
            connection.execute(f"UPDATE job SET {marks} WHERE token = ?", (*values.values(), token))

    def _folder(self, token: str) -> Path:
        return self.project.path.with_name(f"{self.project.path.name}.jobs") / token


JOBS = (
    "SELECT job.token AS job, kind, bundle, state, job.created, ended, exit_code, task.token AS task, revision, "
    "conflict, error FROM job LEFT JOIN task ON task.id = job.task"
)


def _job(row: sqlite3.Row) -> Job:
    return Job(**(dict(row) | {"conflict": bool(row["conflict"])}))


def _write_one_field(project: Project, person: Person, task: str, folder: Path) -> None:
    """Write a dataset folder of one field, for a network to predict."""
    settings = {name: project.setting(name) for name in ("classes", "channels", "pixel_size_um")}
    planes = read_planes(project, Session(project, person).field(task))
    write_image(folder / "images" / f"{FIELD}.ome.tif", planes, channel_names=settings["channels"])
    case = Case(FIELD, FIELD, "training", f"images/{FIELD}.ome.tif")
    names = tuple(settings["channels"])
    write_dataset(Dataset(folder, ClassTable(tuple(settings["classes"])), names, settings["pixel_size_um"], (case,)))


def _bundle_of(checkpoint: Path, name: str) -> str:
    """Tell which bundle a checkpoint belongs to: by the record beside it, else by the name it was given."""
    record = checkpoint.with_name("run.json")
    return str(json.loads(record.read_text())["bundle"]) if record.is_file() else name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
