"""Schemas: what a client sent, taken in pieces, measured, and checked before anything else looks at it."""

import re
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import Request

from noisylabels.annotation.revisions import MAX_ACTIVE_MS
from noisylabels.data.settings import rule_of

MAX_JSON_BYTES = 64 * 1024
MAX_INTEGER = 2**53 - 1  # what JavaScript can count to
KEY = r"[A-Za-z0-9_-]{8,64}"
KEY_IN_WORDS = "8 to 64 of A-Z a-z 0-9 _ -"
NUMBER = re.compile(r"[0-9]{1,15}")
SHA256 = re.compile(r"[0-9a-f]{64}")

Key = Annotated[str, StringConstraints(pattern=f"^{KEY}$")]
Whole = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
Share = Annotated[float, Field(ge=-MAX_INTEGER, le=MAX_INTEGER, allow_inf_nan=False)]


class RefusedError(Exception):
    """A request that is answered with an error.

    Args:
        status: HTTP status.
        sentence: What is wrong and what to do.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Keyed(BaseModel):
    """An action with nothing but its key; every other one has a key too."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    key: Key


Schema = TypeVar("Schema", bound=Keyed)


class NextSchema(Keyed):
    """Request the next task, once by another strategy than the queue's."""

    strategy: str | None = None


class OpenSchema(Keyed):
    """Open a field by its name."""

    field: str


class QueueSchema(Keyed):
    """Change how fields are handed out."""

    strategy: str
    start: str
    random_share: Share
    repeat_share: Share


class StepSchema(Keyed):
    """Undo or redo from the revision that was seen."""

    revision: Whole
    active_ms: Whole = 0


class AdoptSchema(Keyed):
    """Make another revision the head."""

    revision: Whole
    adopt: Whole


class CloseSchema(Keyed):
    """Record what became of a task."""

    state: str
    revision: Whole
    active_ms: Whole = 0
    comment: str = ""


class ReturnSchema(Keyed):
    """Send a task back to its person."""

    comment: str = ""


class PersonSchema(Keyed):
    """Invite or revoke somebody."""

    name: str


class PredictSchema(Keyed):
    """Request from a network its label map of a field or a region of it."""

    bundle: str
    revision: Whole
    region: Annotated[list[Whole], Field(min_length=4, max_length=4)] | None = None


class BundleSchema(Keyed):
    """Request a training or a learning curve of a network."""

    bundle: str


class ReplaceSchema(Keyed):
    """Take or leave what a training made."""

    replace: bool


class UseSchema(Keyed):
    """Use a version of a network."""

    bundle: str
    version: Whole


class BoxSchema(Keyed):
    """Draw or change a box."""

    class_index: Whole
    row_min: Whole
    column_min: Whole
    row_max: Whole
    column_max: Whole
    active_ms: Whole = 0


class TrialCloseSchema(Keyed):
    """Record that a trial cannot be judged, or is left for later."""

    state: str
    active_ms: Whole = 0
    comment: str = ""


class BoxCloseSchema(Keyed):
    """Record what became of a field with boxes."""

    state: str
    active_ms: Whole = 0


class ScoreSchema(Keyed):
    """Score both sides."""

    left: Whole
    right: Whole
    active_ms: Whole = 0
    comment: str = ""


async def read_body_as(request: Request, schema: type[Schema]) -> Schema:
    """Read a JSON body.

    Raises:
        RefusedError: 415 for another content type, 413 for more than 64 KiB, 400 for what does not fit the schema.
    """
    require_type(request, "application/json")
    return check_body(await read_body(request, MAX_JSON_BYTES), schema)


def check_body(body: bytes, schema: type[Schema]) -> Schema:
    """Check JSON against a schema: every field there, none unknown, each of its type and in its range.

    Raises:
        RefusedError: 400, naming the first field at fault.

    Examples:
        >>> check_body(b'{"key": "abcdefgh", "bundle": "cdl"}', BundleSchema)
        BundleSchema(key='abcdefgh', bundle='cdl')
        >>> check_body(b'{"key": "abcdefgh", "bundle": 3}', BundleSchema)
        Traceback (most recent call last):
        ...
        noisylabels.annotation.routes.schemas.RefusedError: bundle must be a text, got a number. Load the page again.
    """
    try:
        return schema.model_validate_json(body)
    except ValidationError as error:
        raise RefusedError(400, _sentence(error, schema)) from None


def _sentence(error: ValidationError, schema: type[Keyed]) -> str:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "The body"
    kind: str = first["type"]
    if kind == "json_invalid":
        if "hex escape" in first["msg"]:
            return "A text must be Unicode, got half a character. Type it again."
        return "The body must be JSON, got something else. Load the page again."
    if kind in ("extra_forbidden", "model_type"):
        known = ", ".join(schema.model_fields)
        return f"The body must be an object of {known}, got other keys. Load the page again."
    rule = KEY_IN_WORDS if kind == "string_pattern_mismatch" else rule_of(first)
    if kind in ("too_short", "too_long"):
        rule = "[row_min, column_min, row_max, column_max]"
    return f"{name} must be {rule}, got {_word_of(kind, first['input'])}. Load the page again."


def _word_of(kind: str, value: object) -> str:
    if kind in ("missing", "too_short", "too_long"):
        return "none" if kind == "missing" else "another length"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if kind == "string_pattern_mismatch":
        return "something else"
    return "text" if isinstance(value, str) else "a number" if isinstance(value, (int, float)) else "a list or object"


def require_type(request: Request, kind: str) -> None:
    """Refuse a body of another content type (415)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise RefusedError(415, f"Content-Type must be {kind}, got another. Load the page again.")


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body piece by piece; 413 as soon as it is longer than `limit` bytes."""
    if int(request.headers.get("content-length", "0")) > limit:
        raise RefusedError(413, f"A body must have at most {limit} bytes, got more. Send less.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise RefusedError(413, f"A body must have at most {limit} bytes, got more. Send less.")
    return bytes(body)


def key_of(request: Request) -> str:
    """Read the Idempotency-Key header."""
    key = request.headers.get("idempotency-key", "")
    if not re.fullmatch(KEY, key):
        raise RefusedError(400, f"Idempotency-Key must be {KEY_IN_WORDS}, got something else. Load the page again.")
    return key


def active_ms_of(request: Request) -> int:
    """Read the X-Active-Ms header; 0 without it."""
    return number_of(request.headers.get("x-active-ms", "0"), "X-Active-Ms", MAX_ACTIVE_MS)


def number_of(text: str, name: str, highest: int = MAX_INTEGER) -> int:
    """Read a whole number from a header or a query.

    Raises:
        RefusedError: 400 if it is none, or larger than `highest`.
    """
    bare = text.strip().strip('"')
    if not NUMBER.fullmatch(bare) or int(bare) > highest:
        raise RefusedError(
            400, f"{name} must be a whole number in 0..{highest}, got something else. Load the page again."
        )
    return int(bare)
