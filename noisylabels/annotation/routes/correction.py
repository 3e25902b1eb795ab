"""Routes of the correction page: queue, tasks, revisions."""

from dataclasses import asdict
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from noisylabels.annotation.fields import starts_of
from noisylabels.annotation.people import PAGES
from noisylabels.annotation.queue import QueueSettings, available, change_queue, queue_settings
from noisylabels.annotation.revisions import Head, hash_of, unpack
from noisylabels.annotation.routes.endpoints import CORRECTORS, Call, image_response, octets, picture_of, route
from noisylabels.annotation.routes.forms import (
    SHA256,
    AdoptForm,
    CloseForm,
    Keyed,
    OpenForm,
    QueueForm,
    Refusal,
    StepForm,
    active_ms_of,
    key_of,
    number_of,
)
from noisylabels.annotation.session import Session

EVERYBODY = ("owner", "annotator", "expert", "rater")
IDLE_MS = 30_000


def show_session(call: Call) -> dict[str, Any]:
    """Tell a page who is in front of it, and what the project is about."""
    about = {
        "person": call.person.name,
        "role": call.person.role,
        "pages": list(PAGES[call.person.role]),
        "classes": call.project.setting("classes"),
        "channels": call.project.setting("channels"),
        "pixel_size_um": call.project.setting("pixel_size_um"),
        "idle_ms": IDLE_MS,
    }
    if call.person.role not in CORRECTORS:
        return about
    return about | {
        "bundles": call.jobs.bundle_names(),
        "starts": starts_of(call.project),
        "strategies": available(call.project),
    }


def show_queue(call: Call) -> dict[str, Any]:
    """Tell how fields are handed out and how far the work is."""
    states = call.project.rows("SELECT state, count(*) AS n FROM task_now GROUP BY state")
    counts = {row["state"]: row["n"] for row in states}
    n_of = {f"n_{state}": counts.get(state, 0) for state in ("open", "accepted", "skipped", "cannot_judge")}
    n_fields = call.project.value("SELECT count(*) FROM field")
    return asdict(queue_settings(call.project)) | {"n_fields": n_fields} | n_of


def change(call: Call, form: QueueForm) -> dict[str, Any]:
    """Change how fields are handed out from now on."""
    settings = QueueSettings(form.strategy, form.start, form.random_share, form.repeat_share)
    change_queue(call.project, call.person, settings)
    return show_queue(call)


def show_fields(call: Call) -> dict[str, Any]:
    """List all fields by name, with the state of their newest task."""
    rows = call.project.rows(
        "SELECT name, row_max - row_min AS rows, column_max - column_min AS columns, state FROM field "
        "LEFT JOIN task_now ON task = (SELECT max(id) FROM task WHERE task.field = field.id) ORDER BY field.id"
    )
    return {"fields": [dict(row) for row in rows]}


def next_task(call: Call, form: Keyed) -> dict[str, Any]:
    """Hand out a task."""
    token = _session(call).next(key=form.key)
    return {"task": None if token is None else _task(call, token)}


def open_task(call: Call, form: OpenForm) -> dict[str, Any]:
    """Open a field by its name."""
    return {"task": _task(call, _session(call).open(form.field, key=form.key))}


def show_tasks(call: Call) -> dict[str, Any]:
    """List the person's tasks."""
    return {"tasks": [_renamed(asdict(task)) for task in _session(call).tasks()]}


def show_task(call: Call) -> dict[str, Any]:
    """Tell all about one task."""
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


def show_revisions(call: Call) -> dict[str, Any]:
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
        raise Refusal(413, f"A label map must have {field.rows} x {field.columns} pixels, got more. Send the field.")
    label_map = unpack(call.body, field.rows, field.columns)
    claimed = headers.get("x-sha256", "")
    if not SHA256.fullmatch(claimed) or claimed != hash_of(label_map):
        raise Refusal(400, "X-Sha256 must be the hash of the label map that was sent, got another. Send it again.")
    head = session.commit(
        token,
        label_map,
        parent=number_of(headers.get("if-match", ""), "If-Match"),
        tool=headers.get("x-tool", ""),
        active_ms=active_ms_of(call.request),
        key=key_of(call.request),
    )
    return head_response(head, 201)


def undo(call: Call, form: StepForm) -> Response:
    """Go back one revision."""
    session = _session(call)
    return head_response(
        session.undo(call.path["task"], seen=form.revision, active_ms=form.active_ms, key=form.key), 200
    )


def redo(call: Call, form: StepForm) -> Response:
    """Go forward one revision."""
    session = _session(call)
    return head_response(
        session.redo(call.path["task"], seen=form.revision, active_ms=form.active_ms, key=form.key), 200
    )


def adopt(call: Call, form: AdoptForm) -> Response:
    """Settle a conflict."""
    return head_response(_session(call).adopt(call.path["task"], form.adopt, seen=form.revision, key=form.key), 200)


def close(call: Call, form: CloseForm) -> Any:
    """Accept, skip or give up a task."""
    head = _session(call).close(
        call.path["task"],
        form.state,
        revision=form.revision,
        active_ms=form.active_ms,
        comment=form.comment,
        key=form.key,
    )
    return head_response(head, 409) if head.refused else _task(call, call.path["task"])


def head_response(head: Head, status: int) -> Response:
    """Answer where a task is: as asked, or 409 and why not."""
    if not head.refused:
        about = {name: getattr(head, name) for name in ("revision", "sha256", "can_undo", "can_redo")}
        return JSONResponse(about, status)
    kept = {} if head.kept is None else {"kept": head.kept}
    return JSONResponse({"error": head.refused, "revision": head.revision, "sha256": head.sha256} | kept, 409)


def _session(call: Call) -> Session:
    return Session(call.project, call.person)


def _renamed(task: dict[str, Any]) -> dict[str, Any]:
    return {"task": task.pop("token"), **task}


def _task(call: Call, token: str) -> dict[str, Any]:
    session = _session(call)
    head = session.head(token)
    active_ms = call.project.value(
        "SELECT sum(active_ms) FROM task_time JOIN task ON task.id = task_time.task WHERE token = ?", token
    )
    return (
        _renamed(asdict(session.task(token)))
        | picture_of(call.project, session.field(token))
        | {"revision": head.revision, "sha256": head.sha256, "can_undo": head.can_undo, "can_redo": head.can_redo}
        | {"active_ms": active_ms}
    )


ROUTES: list[Route] = [
    route("/api/session", "GET", show_session, roles=EVERYBODY),
    route("/api/queue", "GET", show_queue, roles=CORRECTORS),
    route("/api/queue", "PUT", change, roles=("owner",), form=QueueForm),
    route("/api/fields", "GET", show_fields, roles=("owner",)),
    route("/api/tasks", "GET", show_tasks, roles=CORRECTORS),
    route("/api/tasks", "POST", open_task, roles=CORRECTORS, form=OpenForm),
    route("/api/tasks/next", "POST", next_task, roles=CORRECTORS, form=Keyed),
    route("/api/tasks/{task}", "GET", show_task, roles=CORRECTORS),
    route("/api/tasks/{task}/image", "GET", show_image, roles=CORRECTORS),
    route("/api/tasks/{task}/labels", "GET", show_labels, roles=CORRECTORS),
    route("/api/tasks/{task}/revisions", "GET", show_revisions, roles=CORRECTORS),
    route("/api/tasks/{task}/revisions", "POST", save_revision, roles=CORRECTORS, form=bytes),
    route("/api/tasks/{task}/undo", "POST", undo, roles=CORRECTORS, form=StepForm),
    route("/api/tasks/{task}/redo", "POST", redo, roles=CORRECTORS, form=StepForm),
    route("/api/tasks/{task}/adopt", "POST", adopt, roles=CORRECTORS, form=AdoptForm),
    route("/api/tasks/{task}/close", "POST", close, roles=CORRECTORS, form=CloseForm),
]
