"""Routes of review: all fields with their states and thumbnails, everybody's maps of one, and outlines to compare."""

from starlette.responses import Response
from starlette.routing import Route

from noisylabels.annotation.fields import Field, classes_of, field_of
from noisylabels.annotation.ghosts import ghosts_of, read_ghost
from noisylabels.annotation.images import draw_thumbnail
from noisylabels.annotation.routes.correction import head_response
from noisylabels.annotation.routes.endpoints import CORRECTORS, Call, octets, route, without_faults
from noisylabels.annotation.routes.schemas import RefusedError, active_ms_of, key_of, number_of
from noisylabels.annotation.session import Session, UnknownTaskError
from noisylabels.data.outlines import Format, fill_outlines, read_outlines, trace_outlines, write_outlines


def show_fields(call: Call) -> dict[str, object]:
    """List all fields by name, with the state of the map that counts."""
    rows = call.project.rows(
        "SELECT field.id, field.name, plate, well, row_max - row_min AS rows, column_max - column_min AS columns, "
        "state, person.name AS person, n_tasks, value AS disagreement FROM field "
        "JOIN field_now ON field_now.field = field.id LEFT JOIN person ON person.id = field_now.person "
        "LEFT JOIN priority ON priority.field = field.id AND strategy = 'disagreement' ORDER BY field.id"
    )
    return {"fields": [dict(row) | {name: row[name] or None for name in ("plate", "well")} for row in rows]}


def show_thumbnail(call: Call) -> Response:
    """Send the image of a field, small."""
    field = _field(call)
    return Response(without_faults(field, lambda: draw_thumbnail(call.project, field)), media_type="image/png")


def show_field_tasks(call: Call) -> dict[str, object]:
    """List everybody's tasks of a field, oldest first."""
    rows = call.project.rows(
        "SELECT task.token AS task, person.name AS person, state, head AS revision, start, "
        "repeats IS NOT NULL AS repeat, "
        "coalesce((SELECT comment FROM closing WHERE closing.id = task_now.closing), '') AS comment, closed, "
        "task.id IN (SELECT task FROM accepted_now) AS current FROM task JOIN task_now ON task_now.task = task.id "
        "JOIN person ON person.id = task.person WHERE task.field = ? ORDER BY task.id",
        _field(call).id,
    )
    flags = ("repeat", "current")
    return {"tasks": [dict(row) | {name: bool(row[name]) for name in flags} for row in rows]}


def show_ghosts(call: Call) -> dict[str, object]:
    """List what a task can be compared with."""
    session = Session(call.project, call.person)
    task = session.task(call.path["task"])
    return {"ghosts": ghosts_of(call.project, session.field(task.token), task.person)}


def show_ghost(call: Call) -> Response:
    """Send a label map to compare with."""
    session = Session(call.project, call.person)
    task, query = session.task(call.path["task"]), call.request.query_params
    kind, ghost = query.get("kind", ""), query.get("ghost", "")
    label_map = read_ghost(call.project, session.field(task.token), task.person, kind, ghost)
    call.project.log(call.person.name, "compared", task=task.token, kind=kind, ghost=ghost)
    return octets(label_map.tobytes())


def show_outlines(call: Call) -> Response:
    """Send the outlines of a task's head as GeoJSON or as an ROI zip of ImageJ."""
    session = Session(call.project, call.person)
    label_map = session.label_map(call.path["task"])
    form = call.request.query_params.get("format", "")
    kinds: dict[str, tuple[Format, str]] = {
        "geojson": ("geojson", "application/geo+json"),
        "roi": ("roi", "application/zip"),
    }
    if form not in kinds:
        raise RefusedError(400, "format must be geojson or roi, got something else. Load the page again.")
    content = write_outlines(trace_outlines(label_map, classes_of(call.project)), kinds[form][0])
    return Response(content, media_type=kinds[form][1])


def draw_outlines(call: Call) -> Response:
    """Replace a task's map by what a file of outlines draws."""
    session, token = Session(call.project, call.person), call.path["task"]
    field = session.field(token)
    classes = classes_of(call.project)
    head = session.commit(
        token,
        fill_outlines(read_outlines(call.body), (field.rows, field.columns), classes),
        parent=number_of(call.request.headers.get("if-match", ""), "If-Match"),
        tool="import",
        origin="outlines",
        active_ms=active_ms_of(call.request),
        key=key_of(call.request),
    )
    return head_response(head, 201)


def _field(call: Call) -> Field:
    try:
        return field_of(call.project, number_of(call.path["field"], "A field"))
    except KeyError:
        msg = "A field must be one of the project's, got another number. See the list of fields."
        raise UnknownTaskError(msg) from None


OWNER = ("owner",)
ROUTES: list[Route] = [
    route("/api/fields", "GET", show_fields, roles=OWNER),
    route("/api/fields/{field}/thumbnail", "GET", show_thumbnail, roles=OWNER),
    route("/api/fields/{field}/tasks", "GET", show_field_tasks, roles=OWNER),
    route("/api/tasks/{task}/ghosts", "GET", show_ghosts, roles=CORRECTORS),
    route("/api/tasks/{task}/outlines", "GET", show_outlines, roles=CORRECTORS),
    route("/api/tasks/{task}/outlines", "POST", draw_outlines, roles=CORRECTORS, schema=bytes),
    route("/api/tasks/{task}/ghost", "GET", show_ghost, roles=CORRECTORS),
]
