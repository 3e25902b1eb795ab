"""Routes of the correction page: queue, tasks, revisions."""

from dataclasses import asdict
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from noisylabels.annotation.fields import starts_of
from noisylabels.annotation.next_step import say_next_step, summarise_project
from noisylabels.annotation.queue import QueueSettings, available, change_queue, queue_settings
from noisylabels.annotation.revisions import Head, hash_of, unpack
from noisylabels.annotation.routes.endpoints import (
    CORRECTORS,
    Call,
    image_response,
    octets,
    picture_of,
    plate_of,
    route,
)
from noisylabels.annotation.routes.schemas import (
    SHA256,
    AdoptSchema,
    CloseSchema,
    Keyed,
    NextSchema,
    OpenSchema,
    QueueSchema,
    RefusedError,
    ReturnSchema,
    StepSchema,
    active_ms_of,
    key_of,
    number_of,
)
from noisylabels.annotation.session import Session
from noisylabels.annotation.users import PAGES
from noisylabels.data.labels import IGNORE_INDEX

EVERYBODY = ("owner", "annotator", "expert", "rater")
IDLE_MS = 30_000


def show_session(call: Call) -> dict[str, object]:
    """Return who is in front of the page, and what the project is about."""
    about = {
        "person": call.person.name,
        "role": call.person.role,
        "pages": list(PAGES[call.person.role]),
        "classes": call.project.setting("classes"),
        "channels": call.project.setting("channels"),
        "pixel_size_um": call.project.setting("pixel_size_um"),
        "idle_ms": IDLE_MS,
        "ignore": IGNORE_INDEX,
    }
    if call.person.role not in CORRECTORS:
        return about
    return about | {
        "bundles": call.jobs.bundle_names(),
        "starts": starts_of(call.project),
        "strategies": available(call.project),
    }


def show_queue(call: Call) -> dict[str, object]:
    """Return how fields are handed out, how far the work is and what comes next."""
    states = call.project.rows("SELECT state, count(*) AS n FROM field_now GROUP BY state")
    counts = {row["state"]: row["n"] for row in states}
    kinds = ("open", "accepted", "returned", "skipped", "cannot_judge")
    n_of = {f"n_{state}": counts.get(state, 0) for state in kinds}
    n_fields = call.project.value("SELECT count(*) FROM field")
    step = say_next_step(summarise_project(call.project), is_owner=call.person.role == "owner")
    return asdict(queue_settings(call.project)) | {"n_fields": n_fields} | n_of | {"next": step}


def change(call: Call, sent: QueueSchema) -> dict[str, object]:
    """Change how fields are handed out from now on."""
    settings = QueueSettings(sent.strategy, sent.start, sent.random_share, sent.repeat_share)
    change_queue(call.project, call.person, settings)
    return show_queue(call)


def next_task(call: Call, sent: NextSchema) -> dict[str, object]:
    """Return a task."""
    token = _session(call).next(strategy=sent.strategy, key=sent.key)
    return {"task": None if token is None else _task(call, token)}


def open_task(call: Call, sent: OpenSchema) -> dict[str, object]:
    """Open a field by its name."""
    return {"task": _task(call, _session(call).open(sent.field, key=sent.key))}


def show_tasks(call: Call) -> dict[str, object]:
    """List the person's tasks."""
    shown = ("token", "number", "state", "name")
    return {"tasks": [_renamed({name: getattr(task, name) for name in shown}) for task in _session(call).tasks()]}


def show_task(call: Call) -> dict[str, object]:
    """Return all about one task."""
    return _task(call, call.path["task"])


def show_image(call: Call) -> Response:
    """Send the image of a task."""
    return image_response(call.project, _session(call).field(call.path["task"]))


def show_labels(call: Call) -> Response:
    """Send the label map of a revision, of the head without one."""
    session, token = _session(call), call.path["task"]
    wanted = call.request.query_params.get("revision")
    revision = session.head(token).revision if wanted is None else number_of(wanted, "revision")
    label_map = session.label_map(token, revision)
    return octets(label_map.tobytes(), {"X-Revision": str(revision), "X-Sha256": hash_of(label_map)})


def show_revisions(call: Call) -> dict[str, object]:
    """List the revisions of a task."""
    token = _session(call).task(call.path["task"]).token
    rows = call.project.rows(
        "SELECT revision.id AS revision, parent, tool, active_ms, revision.created, sha256 FROM revision "
        "JOIN task ON task.id = revision.task WHERE token = ? ORDER BY revision.id",
        token,
    )
    return {"revisions": [dict(row) for row in rows]}


def save_revision(call: Call) -> Response:
    """Save one stroke."""
    session, token, headers = _session(call), call.path["task"], call.request.headers
    field = session.field(token)
    if len(call.body) > field.rows * field.columns + 65536:
        raise RefusedError(
            413, f"A label map must have {field.rows} x {field.columns} pixels, got more. Send the field."
        )
    label_map = unpack(call.body, field.rows, field.columns)
    claimed = headers.get("x-sha256", "")
    if not SHA256.fullmatch(claimed) or claimed != hash_of(label_map):
        raise RefusedError(400, "X-Sha256 must be the hash of the label map that was sent, got another. Send it again.")
    head = session.commit(
        token,
        label_map,
        parent=number_of(headers.get("if-match", ""), "If-Match"),
        tool=headers.get("x-tool", ""),
        active_ms=active_ms_of(call.request),
        key=key_of(call.request),
    )
    return head_response(head, 201)


def undo(call: Call, sent: StepSchema) -> Response:
    """Go back one revision."""
    session = _session(call)
    return head_response(
        session.undo(call.path["task"], seen=sent.revision, active_ms=sent.active_ms, key=sent.key), 200
    )


def redo(call: Call, sent: StepSchema) -> Response:
    """Go forward one revision."""
    session = _session(call)
    return head_response(
        session.redo(call.path["task"], seen=sent.revision, active_ms=sent.active_ms, key=sent.key), 200
    )


def adopt(call: Call, sent: AdoptSchema) -> Response:
    """Resolve a conflict."""
    return head_response(_session(call).adopt(call.path["task"], sent.adopt, seen=sent.revision, key=sent.key), 200)


def close(call: Call, sent: CloseSchema) -> Any:
    """Accept, skip or give up a task."""
    head = _session(call).close(
        call.path["task"],
        sent.state,
        revision=sent.revision,
        active_ms=sent.active_ms,
        comment=sent.comment,
        key=sent.key,
    )
    return head_response(head, 409) if head.refused else _task(call, call.path["task"])


def give_back(call: Call, sent: ReturnSchema) -> dict[str, object]:
    """Return a task to its person."""
    _session(call).give_back(call.path["task"], sent.comment, key=sent.key)
    return _task(call, call.path["task"])


def release(call: Call, sent: Keyed) -> dict[str, object]:
    """Release the field of an unfinished task to others."""
    _session(call).release(call.path["task"], key=sent.key)
    return _task(call, call.path["task"])


def head_response(head: Head, status: int) -> Response:
    """Answer where a task is: as asked, or 409 and why not."""
    if not head.refused:
        about = {name: getattr(head, name) for name in ("revision", "sha256", "can_undo", "can_redo")}
        return JSONResponse(about, status)
    kept = {} if head.kept is None else {"kept": head.kept}
    return JSONResponse({"error": head.refused, "revision": head.revision, "sha256": head.sha256} | kept, 409)


def _session(call: Call) -> Session:
    return Session(call.project, call.person)


def _renamed(task: dict[str, object]) -> dict[str, object]:
    return {"task": task.pop("token"), **task}


def _task(call: Call, token: str) -> dict[str, object]:
    session = _session(call)
    head, task, field = session.head(token), session.task(token), session.field(token)
    active_ms = call.project.value(
        "SELECT sum(active_ms) FROM task_time JOIN task ON task.id = task_time.task WHERE token = ?", token
    )
    return (
        _renamed(asdict(task))
        | {"mine": task.person == call.person.name, "plate": plate_of(call.project, field)}
        | picture_of(call.project, field)
        | {"revision": head.revision, "sha256": head.sha256, "can_undo": head.can_undo, "can_redo": head.can_redo}
        | {"active_ms": active_ms}
    )


ROUTES: list[Route] = [
    route("/api/session", "GET", show_session, roles=EVERYBODY),
    route("/api/queue", "GET", show_queue, roles=CORRECTORS),
    route("/api/queue", "PUT", change, roles=("owner",), schema=QueueSchema),
    route("/api/tasks", "GET", show_tasks, roles=CORRECTORS),
    route("/api/tasks", "POST", open_task, roles=CORRECTORS, schema=OpenSchema),
    route("/api/tasks/next", "POST", next_task, roles=CORRECTORS, schema=NextSchema),
    route("/api/tasks/{task}", "GET", show_task, roles=CORRECTORS),
    route("/api/tasks/{task}/image", "GET", show_image, roles=CORRECTORS),
    route("/api/tasks/{task}/labels", "GET", show_labels, roles=CORRECTORS),
    route("/api/tasks/{task}/revisions", "GET", show_revisions, roles=CORRECTORS),
    route("/api/tasks/{task}/revisions", "POST", save_revision, roles=CORRECTORS, schema=bytes),
    route("/api/tasks/{task}/undo", "POST", undo, roles=CORRECTORS, schema=StepSchema),
    route("/api/tasks/{task}/redo", "POST", redo, roles=CORRECTORS, schema=StepSchema),
    route("/api/tasks/{task}/adopt", "POST", adopt, roles=CORRECTORS, schema=AdoptSchema),
    route("/api/tasks/{task}/close", "POST", close, roles=CORRECTORS, schema=CloseSchema),
    route("/api/tasks/{task}/return", "POST", give_back, roles=("owner",), schema=ReturnSchema),
    route("/api/tasks/{task}/release", "POST", release, roles=("owner",), schema=Keyed),
]
