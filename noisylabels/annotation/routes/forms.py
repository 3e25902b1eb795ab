"""Forms: what a client sent, taken in pieces, measured, and checked before anything else looks at it."""

import json
import re
import types
import typing
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar

from starlette.requests import Request

from noisylabels.annotation.revisions import MAX_ACTIVE_MS

Form = TypeVar("Form")

MAX_JSON_BYTES = 64 * 1024
MAX_INTEGER = 2**53 - 1  # what JavaScript can count to
KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
NUMBER = re.compile(r"[0-9]{1,15}")
SHA256 = re.compile(r"[0-9a-f]{64}")


class Refusal(Exception):
    """A request that is answered with an error.

    Args:
        status: HTTP status.
        sentence: What is wrong and what to do.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True)
class Keyed:
    """An action with nothing but its key."""

    key: str


@dataclass(frozen=True)
class OpenForm:
    """Open a field by its name."""

    key: str
    field: str


@dataclass(frozen=True)
class QueueForm:
    """Change how fields are handed out."""

    key: str
    strategy: str
    start: str
    random_share: float
    repeat_share: float


@dataclass(frozen=True)
class StepForm:
    """Undo or redo from the revision that was seen."""

    key: str
    revision: int
    active_ms: int = 0


@dataclass(frozen=True)
class AdoptForm:
    """Make another revision the head."""

    key: str
    revision: int
    adopt: int


@dataclass(frozen=True)
class CloseForm:
    """Say what became of a task."""

    key: str
    state: str
    revision: int
    active_ms: int = 0
    comment: str = ""


@dataclass(frozen=True)
class PredictForm:
    """Ask a network for its label map of a field or a region of it."""

    key: str
    bundle: str
    revision: int
    region: list[int] | None = None


@dataclass(frozen=True)
class RetrainForm:
    """Ask for a network to be trained on what was accepted."""

    key: str
    bundle: str


@dataclass(frozen=True)
class BoxForm:
    """Draw or change a box."""

    key: str
    class_index: int
    row_min: int
    column_min: int
    row_max: int
    column_max: int
    active_ms: int = 0


@dataclass(frozen=True)
class BoxCloseForm:
    """Say what became of a field with boxes."""

    key: str
    state: str
    active_ms: int = 0


@dataclass(frozen=True)
class ScoreForm:
    """Score both sides."""

    key: str
    left: int
    right: int
    active_ms: int = 0
    comment: str = ""


async def read_form(request: Request, form: type[Form]) -> Form:
    """Read a JSON body into a form.

    Raises:
        Refusal: 415 for another content type, 413 for more than 64 KiB, 400 for anything that is not exactly the form.
    """
    require_type(request, "application/json")
    body = await read_body(request, MAX_JSON_BYTES)
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "The body must be JSON, got something else. Load the page again.") from error
    return check_form(content, form)


def check_form(content: Any, form: type[Form]) -> Form:
    """Make a form of what JSON held: every field there, none unknown, each of its type and in its range.

    Raises:
        Refusal: 400, naming the field.

    Examples:
        >>> check_form({"key": "abcdefgh", "bundle": "cdl"}, RetrainForm)
        RetrainForm(key='abcdefgh', bundle='cdl')
        >>> check_form({"key": "abcdefgh", "bundle": 3}, RetrainForm)
        Traceback (most recent call last):
        ...
        noisylabels.annotation.routes.forms.Refusal: bundle must be text, got a number. Load the page again.
    """
    known = {field.name: field for field in fields(form)}  # type: ignore[arg-type]
    if not isinstance(content, dict) or not set(content) <= set(known):
        raise Refusal(400, f"The body must be an object of {', '.join(known)}, got other keys. Load the page again.")
    missing = [name for name, field in known.items() if field.default is MISSING and name not in content]
    if missing:
        raise Refusal(400, f"The body must have {', '.join(missing)}, got none. Load the page again.")
    kinds = typing.get_type_hints(form)
    return form(**{name: _checked(name, value, kinds[name]) for name, value in content.items()})


def require_type(request: Request, kind: str) -> None:
    """Refuse a body of another content type (415)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise Refusal(415, f"Content-Type must be {kind}, got another. Load the page again.")


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body piece by piece; 413 as soon as it is longer than `limit` bytes."""
    if int(request.headers.get("content-length", "0")) > limit:
        raise Refusal(413, f"A body must have at most {limit} bytes, got more. Send less.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise Refusal(413, f"A body must have at most {limit} bytes, got more. Send less.")
    return bytes(body)


def key_of(request: Request) -> str:
    """Read the Idempotency-Key header."""
    return str(_checked("Idempotency-Key", request.headers.get("idempotency-key", ""), str, key=True))


def active_ms_of(request: Request) -> int:
    """Read the X-Active-Ms header; 0 without it."""
    return number_of(request.headers.get("x-active-ms", "0"), "X-Active-Ms", MAX_ACTIVE_MS)


def number_of(text: str, name: str, highest: int = MAX_INTEGER) -> int:
    """Read a whole number from a header or a query.

    Raises:
        Refusal: 400 if it is none, or larger than `highest`.
    """
    bare = text.strip().strip('"')
    if not NUMBER.fullmatch(bare) or int(bare) > highest:
        raise Refusal(400, f"{name} must be a whole number in 0..{highest}, got something else. Load the page again.")
    return int(bare)


def _checked(name: str, value: Any, kind: Any, *, key: bool = False) -> Any:
    if isinstance(kind, types.UnionType):
        if value is None:
            return None
        kind = next(part for part in typing.get_args(kind) if part is not type(None))
    if typing.get_origin(kind) is list:
        if not isinstance(value, list) or len(value) > 16:
            raise Refusal(400, f"{name} must be a short list, got something else. Load the page again.")
        return [_checked(name, part, typing.get_args(kind)[0]) for part in value]
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or isinstance(value, bool):
        raise Refusal(400, f"{name} must be {_WORDS[kind]}, got {_word_of(value)}. Load the page again.")
    if isinstance(value, (int, float)) and abs(value) > MAX_INTEGER:
        raise Refusal(400, f"{name} must be at most {MAX_INTEGER}, got more. Load the page again.")
    if isinstance(value, str) and not value.isprintable() and any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):
        raise Refusal(400, f"{name} must be Unicode text, got half a character. Type it again.")
    if (key or name == "key") and not KEY.fullmatch(str(value)):
        raise Refusal(400, f"{name} must be 8 to 64 of A-Z a-z 0-9 _ -, got something else. Load the page again.")
    return value


_WORDS = {str: "text", int: "a whole number", float: "a number"}


def _word_of(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return "text" if isinstance(value, str) else "a number" if isinstance(value, (int, float)) else "a list or object"


def _refuse_constant(name: str) -> None:
    msg = f"{name} is not JSON"
    raise ValueError(msg)
