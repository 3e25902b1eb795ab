"""Endpoints: a plain function of a call becomes a route that checks the role, checks the body and answers."""

import inspect
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from noisylabels.annotation.boxes import UnknownBoxTaskError
from noisylabels.annotation.fields import DatasetMovedError, Field, dataset_of
from noisylabels.annotation.images import ImageReplacedError, Planes, contrast_of, read_planes
from noisylabels.annotation.jobs import Jobs, UnknownJobError
from noisylabels.annotation.project import KeyReusedError, Person, Project
from noisylabels.annotation.ratings import UnknownTrialError
from noisylabels.annotation.routes.schemas import Keyed, RefusedError, read_body, read_body_as, require_type
from noisylabels.annotation.session import UnknownTaskError
from noisylabels.data.errors import InputError

CORRECTORS = ("owner", "annotator")
BODY_SLACK = 64 * 1024
LARGEST_OUTLINES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Call:
    """One request, as a route's function sees it.

    Args:
        project: The open project.
        jobs: Its running jobs.
        person: Who calls.
        path: Values of the URL's placeholders.
        request: Headers and query; never the body.
        body: The body of a route that takes one as bytes.
    """

    project: Project
    jobs: Jobs
    person: Person
    path: Mapping[str, str]
    request: Request
    body: bytes = b""


Handler = Callable[..., Any]
Answer = TypeVar("Answer")


def route(
    path: str, method: str, handler: Handler, *, roles: tuple[str, ...], schema: type[Keyed] | type[bytes] | None = None
) -> Route:
    """Make a route of a function.

    Args:
        path: The URL with its placeholders.
        method: GET, POST, PUT or DELETE.
        handler: Takes a Call (and the checked body, if there is one); returns a Response, or what JSON can hold. Runs
            in a thread.
        roles: Who may call it; others get 403.
        schema: What the JSON body must be; `bytes` for a body that is not JSON.
    """

    async def answer(request: Request) -> Response:
        person = request.scope["person"]
        if person.role not in roles:
            raise RefusedError(
                403, f"This page is for {' or '.join(roles)}, and you are {person.role}. Open your own link."
            )
        state = request.app.state
        body = b""
        sent: list[Keyed] = []
        if schema is bytes:
            require_type(request, "application/octet-stream")
            limit = LARGEST_OUTLINES if path.endswith("/outlines") else state.largest_field + BODY_SLACK
            body = await read_body(request, limit)
        elif schema is not None and issubclass(schema, Keyed):
            sent = [await read_body_as(request, schema)]
        call = Call(state.project, state.jobs, person, request.path_params, request, body)
        result = await run_in_threadpool(handler, call, *sent)
        if inspect.isawaitable(result):
            result = await result
        return result if isinstance(result, Response) else JSONResponse(result)

    return Route(path, answer, methods=[method])


def answer_fault(project: Project, fault: Exception) -> Response:
    """Turn what a route raised into the answer that `API.md` promises; what is not foreseen stays a fault (500)."""
    for kinds, status in _STATUS:
        if isinstance(fault, kinds):
            sentence = fault.sentence if isinstance(fault, RefusedError) else str(fault)
            return JSONResponse({"error": sentence}, fault.status if isinstance(fault, RefusedError) else status)
    if isinstance(fault, sqlite3.Error):
        full = getattr(fault, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        if full:
            return JSONResponse(
                {"error": "The disk is full: this was not saved. Free some space; it is tried again."}, 507
            )
        return JSONResponse({"error": f"{project.path.name} cannot be written now ({fault}): this was not saved."}, 503)
    raise fault


_STATUS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int], ...] = (
    (RefusedError, 0),
    ((UnknownTaskError, UnknownTrialError, UnknownBoxTaskError, UnknownJobError), 404),
    (KeyReusedError, 409),
    (DatasetMovedError, 503),
    (InputError, 400),
)


def image_response(project: Project, field: Field) -> Response:
    """Send the image of a field: channel, row, column, little-endian uint16."""
    return octets(planes_or_refusal(project, field).astype("<u2").tobytes())


def octets(body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """Send bytes."""
    return Response(body, media_type="application/octet-stream", headers=headers)


def planes_or_refusal(project: Project, field: Field) -> Planes:
    """Read an image; 422 if its file is missing or damaged, since that is not the client's doing."""
    return without_faults(field, lambda: read_planes(project, field))


def without_faults(field: Field, read: Callable[[], Answer]) -> Answer:
    """Read something of an image; 422 if its file is missing or damaged."""
    try:
        return read()
    except DatasetMovedError:
        raise
    except (InputError, OSError) as error:
        raise RefusedError(422, _without_path(field, error)) from error


def picture_of(project: Project, field: Field) -> dict[str, object]:
    """Describe the image of a field: size, channels, first contrast, and its problem if it cannot be read."""
    channels = project.setting("channels")
    about = {"rows": field.rows, "columns": field.columns, "channels": channels}
    try:
        return about | {"contrast": contrast_of(read_planes(project, field)), "problem": None}
    except DatasetMovedError:
        raise
    except (InputError, OSError) as error:
        return about | {"contrast": [[0.0, 1.0]] * len(channels), "problem": _without_path(field, error)}


def plate_of(project: Project, field: Field) -> str:
    """Return the plate that the contrast is kept for: the dataset where the field's name tells none."""
    return field.plate or dataset_of(project).folder.name


def _without_path(field: Field, error: Exception) -> str:
    """Answer that an image cannot be read, without telling the client where the server keeps it."""
    kind = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read"
    kind = "is another than when the project was made" if isinstance(error, ImageReplacedError) else kind
    return f"The image of this field ({field.rows} x {field.columns} pixels) {kind}. Skip it and tell the owner."
