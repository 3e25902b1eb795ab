"""Routes of the boxes page."""

import re
from dataclasses import asdict

from starlette.responses import Response
from starlette.routing import Route

from noisylabels.annotation.boxes import MINIMUM_SIDE_PX, Box, BoxDesk, BoxTask
from noisylabels.annotation.routes.endpoints import Call, image_response, picture_of, plate_of, route
from noisylabels.annotation.routes.schemas import KEY, BoxCloseSchema, BoxSchema, RefusedError, active_ms_of, key_of


def show_box_tasks(call: Call) -> dict[str, object]:
    """List the expert's fields."""
    return {"minimum_side_px": MINIMUM_SIDE_PX, "tasks": [_renamed(task) for task in _desk(call).tasks()]}


def show_box_task(call: Call) -> dict[str, object]:
    """Return all about one field, with its boxes."""
    desk, token = _desk(call), call.path["task"]
    field = desk.field(token)
    about = _renamed(desk.task(token)) | picture_of(call.project, field) | {"plate": plate_of(call.project, field)}
    return about | {"boxes": [asdict(box) for box in desk.boxes(token)]}


def show_box_image(call: Call) -> Response:
    """Send the image of a field."""
    return image_response(call.project, _desk(call).field(call.path["task"]))


def draw_box(call: Call, sent: BoxSchema) -> dict[str, object]:
    """Draw or change a box."""
    edges = (sent.row_min, sent.column_min, sent.row_max, sent.column_max)
    box = Box(_name(call), sent.class_index, *edges)
    return asdict(_desk(call).draw(call.path["task"], box, active_ms=sent.active_ms, key=sent.key))


def delete_box(call: Call) -> dict[str, object]:
    """Delete a box."""
    name = _name(call)
    _desk(call).delete(call.path["task"], name, active_ms=active_ms_of(call.request), key=key_of(call.request))
    return {"box": name}


def close_boxes(call: Call, sent: BoxCloseSchema) -> dict[str, object]:
    """Record what became of a field."""
    _desk(call).close(call.path["task"], sent.state, active_ms=sent.active_ms, key=sent.key)
    return show_box_task(call)


def _desk(call: Call) -> BoxDesk:
    return BoxDesk(call.project, call.person)


def _name(call: Call) -> str:
    name = call.path["box"]
    if not re.fullmatch(KEY, name):
        raise RefusedError(400, "A box's name must be 8 to 64 of A-Z a-z 0-9 _ -, got something else. Draw it again.")
    return name


def _renamed(task: BoxTask) -> dict[str, object]:
    about = asdict(task)
    return {"task": about.pop("token"), **about}


EXPERT = ("expert",)
ROUTES: list[Route] = [
    route("/api/boxes", "GET", show_box_tasks, roles=EXPERT),
    route("/api/boxes/{task}", "GET", show_box_task, roles=EXPERT),
    route("/api/boxes/{task}/image", "GET", show_box_image, roles=EXPERT),
    route("/api/boxes/{task}/close", "POST", close_boxes, roles=EXPERT, schema=BoxCloseSchema),
    route("/api/boxes/{task}/{box}", "PUT", draw_box, roles=EXPERT, schema=BoxSchema),
    route("/api/boxes/{task}/{box}", "DELETE", delete_box, roles=EXPERT),
]
