"""Jobs: a network predicts or learns in a process of its own, so that it cannot take the desk down."""

import json
import secrets
import sqlite3
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from noisylabels.annotation.export import Exported, accepted, export_dataset
from noisylabels.annotation.fields import Field, dataset_of
from noisylabels.annotation.images import read_planes
from noisylabels.annotation.predictor import Predictor, StoppedError
from noisylabels.annotation.processes import Processes, reason_of
from noisylabels.annotation.project import Person, Project, insert, now
from noisylabels.annotation.retraining import Plan, Score, plan_folds, read_progress, write_plan
from noisylabels.annotation.session import Session
from noisylabels.annotation.versions import add_version, give_weights, use_version, weights_in_use
from noisylabels.data.atomic import write_text
from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.hashes import hash_file
from noisylabels.data.quarters import Window

LOG_PIECE_BYTES = 64 * 1024
LOG = "log.txt"


class UnknownJobError(InputError):
    """No such job, or not this person's to see."""


@dataclass(frozen=True)
class Job:
    """Work that was started for a person.

    Args:
        job: Its token.
        kind: "predict", "retrain" or "curve".
        bundle: The bundle that runs.
        state: "running", "done", "failed", "cancelled", or "lost" (the server ended while it ran).
        created: When it was started, UTC.
        ended: When it ended.
        exit_code: Of its process; None for a prediction.
        task: The task that is predicted, None for a training.
        revision: The revision that a prediction became.
        conflict: Whether the person had painted meanwhile, so that the prediction is kept beside the head.
        error: One sentence, if it failed.
        progress: How far it is, in [0, 1]; None if that is not known.
        message: What it does.
        score: What a training found; None before its end, or if it is not known.
        replaced: Whether the owner took the new weights; None: not decided.
        curve: The learning curve; None before its end.
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
    progress: float | None = None
    message: str = ""
    score: dict[str, object] | None = None
    replaced: bool | None = None
    curve: dict[str, object] | None = None


class Jobs:
    """The jobs of a project.

    Args:
        project: An open project. Jobs that it holds as running were lost with an earlier server, and become "lost".
        checkpoints: Trained weights (`model.pt`) by the name of their bundle; new ones are taken into use.
        command: The words that stand before `predict` and `retrain`: this Python's worker.
    """

    def __init__(
        self,
        project: Project,
        checkpoints: Mapping[str, Path] | None = None,
        *,
        command: tuple[str, ...] = (sys.executable, "-P", "-m", "noisylabels.annotation.worker"),
    ) -> None:
        self.project = project
        give_weights(project, checkpoints or {}, "")
        self._home = project.path.with_name(f"{project.path.name}.jobs")
        self._processes = Processes(command)
        self._predictor = Predictor((*command, "predict"), self._home / "predictor.txt")
        self._threads: dict[str, threading.Thread] = {}
        with project.writing() as connection:
            connection.execute("UPDATE job SET state = 'lost', ended = ? WHERE state = 'running'", (now(),))

    def warm(self) -> None:
        """Load the networks in use ahead of the first request."""
        for bundle, weights in weights_in_use(self.project).items():
            self._predictor.warm(_bundle_of(weights, bundle), weights)

    def bundle_names(self) -> list[str]:
        """List the bundles that can predict."""
        return sorted(weights_in_use(self.project))

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
        weights = weights_in_use(self.project)
        if bundle not in weights:
            known = ", ".join(sorted(weights)) or "none"
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

        def work(token: str, folder: Path) -> dict[str, object]:
            checkpoint = weights[bundle]
            image = self._image_of(field)
            name = _bundle_of(checkpoint, bundle)
            write_text(folder / LOG, f"predict {name} {checkpoint} {image}\n")
            whole, times = self._predictor.predict(name, checkpoint, image, token=token)
            outcome = ", ".join(f"{key} {value:.2f}" for key, value in times.items())
            write_text(folder / LOG, f"predict {name} {checkpoint} {image}\n{outcome}\n")
            merged = session.label_map(task, parent).copy()
            merged[window.slices] = whole[field.window.slices][window.slices]
            head = session.commit(
                task, merged, parent=parent, tool="predict", origin=f"{bundle}:{hash_file(checkpoint)}"
            )
            return {"revision": head.kept or head.revision, "conflict": int(head.kept is not None)}

        return self._start("predict", person, bundle, key, work, task=task, parent=parent)

    def retrain(self, person: Person, bundle: str, *, key: str) -> Job:
        """Start a training on all accepted fields, from the weights in use; they stay in use until `replace`.

        Raises:
            InputError: If a training runs already.
        """

        def work(token: str, folder: Path) -> dict[str, object]:
            exported, code = self._learn(token, folder, "retrain", bundle)
            if code != 0:
                return {"exit_code": code, "error": reason_of(folder / LOG, code)}
            outcome = json.loads((folder / "result.json").read_text())["score"]
            made = folder / "run" / "final" / "model.pt"
            add_version(
                self.project,
                bundle,
                made,
                hash_file(made),
                job=token,
                n_fields=exported.n_fields,
                score=None if outcome is None else Score(**outcome),
            )
            return {"exit_code": code, "score": None if outcome is None else json.dumps(outcome)}

        self._refuse_second(person, key)
        return self._start("retrain", person, bundle, key, work)

    def curve(self, person: Person, bundle: str, *, key: str) -> Job:
        """Start to measure what more corrected fields would be worth; no weights are kept.

        Raises:
            InputError: If a training runs already.
        """

        def work(token: str, folder: Path) -> dict[str, object]:
            _, code = self._learn(token, folder, "curve", bundle)
            if code != 0:
                return {"exit_code": code, "error": reason_of(folder / LOG, code)}
            outcome = json.loads((folder / "result.json").read_text())["curve"]
            return {"exit_code": code, "curve": json.dumps(outcome)}

        self._refuse_second(person, key)
        return self._start("curve", person, bundle, key, work)

    def _learn(self, token: str, folder: Path, verb: str, bundle: str) -> tuple[Exported, int]:
        """Export what was accepted and run a worker on it; its exit code."""
        exported = export_dataset(self.project, folder / "dataset")
        if exported.left_out:
            write_text(folder / "left_out.json", json.dumps(exported.left_out, indent=1))
        weights = weights_in_use(self.project).get(bundle)
        write_plan(self._plan(bundle, weights, folder), folder / "plan.json")
        return exported, self._processes.run(token, [verb, str(folder / "plan.json")], folder / LOG)

    def _refuse_second(self, person: Person, key: str) -> None:
        running = self.project.value("SELECT count(*) FROM job WHERE kind != 'predict' AND state = 'running'")
        known = self.project.value("SELECT 1 FROM answer WHERE person = ? AND key = ?", person.id, key)
        if running and not known:
            msg = "At most one training can run, got another request. Wait for it or cancel it."
            raise InputError(msg)

    def replace(self, person: Person, token: str, *, replace: bool) -> Job:
        """Put the weights of a training into use, or leave the ones there are; both stay in the history.

        Raises:
            InputError: If it is no training that is done, or it was decided already.
        """
        job = self.find(person, token)
        if job.kind != "retrain" or job.state != "done" or job.replaced not in (None, replace):
            msg = (
                f"Weights must come from a training that is done and not decided, got {job.kind} {job.state}. See jobs."
            )
            raise InputError(msg)
        if job.replaced is None:
            if replace:
                row = self.project.row(
                    "SELECT version FROM network JOIN job ON job.id = network.job WHERE token = ?", token
                )
                assert row is not None  # a training that is done has made one
                use_version(self.project, job.bundle, row["version"], person.name)
            with self.project.writing() as connection:
                connection.execute("UPDATE job SET replaced = ? WHERE token = ?", (int(replace), token))
            self.project.log(person.name, "network", bundle=job.bundle, job=token, replaced=replace)
            if replace:
                self.warm()
        return self.find(person, token)

    def use(self, person: Person, bundle: str, version: int) -> None:
        """Put an earlier version of a network into use again.

        Raises:
            InputError: If there is no such version, or its file is gone.
        """
        use_version(self.project, bundle, version, person.name)
        self.project.log(person.name, "network", bundle=bundle, version=version)
        self.warm()

    def visible(self, person: Person) -> list[Job]:
        """List the jobs a person may see, newest first: their own, all for the owner."""
        everything = person.role == "owner"
        rows = self.project.rows(f"{JOBS} WHERE ? OR job.person = ? ORDER BY job.id DESC", everything, person.id)
        return [self._job(row) for row in rows]

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
            self._stop(token)
        return self.find(person, token)

    def stop(self) -> None:
        """Stop all jobs and wait for their end: the server ends."""
        self._predictor.stop()
        while running := [token for token, thread in self._threads.items() if thread.is_alive()]:
            for token in running:
                self._stop(token)
                self._threads[token].join(timeout=1)

    def _stop(self, token: str) -> None:
        self._processes.cancel(token)
        self._predictor.cancel(token)

    def _start(
        self,
        kind: str,
        person: Person,
        bundle: str,
        key: str,
        work: Callable[[str, Path], dict[str, object]],
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
            self._threads[token] = threading.Thread(target=self._run, args=(token, work), daemon=True)
            self._threads[token].start()
        return job

    def _run(self, token: str, work: Callable[[str, Path], dict[str, object]]) -> None:
        folder = self._folder(token)
        folder.mkdir(parents=True)
        try:
            ended = work(token, folder)
            self._end(token, "failed" if ended.get("error") else "done", **ended)
        except StoppedError:
            self._end(token, "cancelled")
        except (InputError, OSError) as error:
            self._end(token, "failed", error=str(error))
        except Exception as error:  # a fault of ours: the thread must leave a record of it
            self._end(token, "failed", error=f"{type(error).__name__}: {error}")

    def _end(self, token: str, state: str, **columns: object) -> None:
        if self._processes.was_cancelled(token) and state != "done":
            state, columns = "cancelled", columns | {"error": None}
        values = {"state": state, "ended": now(), **columns}
        with self.project.writing() as connection:
            marks = ", ".join(f"{name} = ?" for name in values)
            connection.execute(f"UPDATE job SET {marks} WHERE token = ?", (*values.values(), token))

    def _folder(self, token: str) -> Path:
        return self._home / token

    def _image_of(self, field: Field) -> Path:
        """Find the image file of a field, after making sure that it is the one it was."""
        read_planes(self.project, field)
        return dataset_of(self.project).image_path(field.case_id)

    def _plan(self, bundle: str, weights: Path | None, folder: Path) -> Plan:
        by_lot = {item.field.name for item in accepted(self.project) if item.stratum == "random"}
        groups = {case.id: case.group for case in open_dataset(folder / "dataset").cases}
        folds, by = plan_folds(groups, by_lot & set(groups))
        name = bundle if weights is None else _bundle_of(weights, bundle)
        init = None if weights is None else str(weights)
        return Plan(name, init, str(folder / "dataset"), str(folder / "run"), folds, by)

    def _job(self, row: sqlite3.Row) -> Job:
        about = dict(row)
        score, replaced, curve = (about.pop(name) for name in ("score", "replaced", "curve"))
        progress, message = (1.0 if row["state"] == "done" else None), row["state"]
        if row["state"] == "running":
            running = row["kind"] != "predict"
            progress, message = read_progress(self._folder(row["job"]) / "run") if running else (None, "predicting")
        return Job(
            **(about | {"conflict": bool(row["conflict"])}),
            progress=progress,
            message=message,
            score=None if score is None else json.loads(score),
            replaced=None if replaced is None else bool(replaced),
            curve=None if curve is None else json.loads(curve),
        )


JOBS = (
    "SELECT job.token AS job, kind, bundle, state, job.created, ended, exit_code, task.token AS task, revision, "
    "conflict, error, score, replaced, curve FROM job LEFT JOIN task ON task.id = job.task"
)


def _bundle_of(checkpoint: Path, name: str) -> str:
    """Return which bundle a checkpoint belongs to: by the record beside it, else by the name it was given."""
    from noisylabels.learning.records import bundle_of, read_record

    return bundle_of(read_record(checkpoint)) or name
