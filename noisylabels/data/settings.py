"""Settings of every kind: frozen dataclasses, checked by pydantic, whose faults become one sentence.

A room declares its settings as a frozen dataclass with types and defaults; what a person writes in YAML, JSON or a
mapping comes through `build` or `change`.
"""

import dataclasses
import difflib
import functools
import json
import re
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from noisylabels.data.errors import InputError

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError
    from pydantic_core import ErrorDetails

Settings = TypeVar("Settings")

MEMBER_OF_UNION = re.compile(
    r"int|float|str|bool|none|(list|tuple|dict|mapping|sequence|function|literal|json-or-python)\b.*"
)
"""What pydantic puts into the place of a fault to tell the members of a union apart."""

RULES = {
    "missing": "given",
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "too_short": "a list of at least {min_length} values",
    "too_long": "a list of at most {max_length} values",
    "dict_type": "a mapping of names to values",
    "dataclass_type": "a mapping of names to values",
}
"""What must hold, by the type of pydantic's error, where its own words are about Python."""


def build(kind: type[Settings], values: Mapping[str, object], *, what: str = "Setting", where: str = "") -> Settings:
    """Make settings from plain data; what it does not name keeps its default.

    Args:
        kind: A frozen dataclass, with settings within settings if need be.
        values: Values by name, as JSON or YAML gives them.
        what: What one of them is called in an error.
        where: Name of the mapping that they are written in, before a dot; empty if there is none.

    Raises:
        InputError: If a name is unknown (the message gives the closest), a value has another type or is refused.

    Examples:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Blur:
        ...     sigma_px: float = 1.0
        >>> build(Blur, {"sigma_px": 2})
        Blur(sigma_px=2.0)
        >>> build(Blur, {"sigma": 2})
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: Setting sigma must be one of those there are, got an unknown name. \
Did you mean sigma_px?
    """
    from pydantic import ValidationError

    refuse_unknown(kind, values, what=what, where=where)
    try:
        made: Settings = _adapter(typing.cast("Any", kind)).validate_json(
            json.dumps(values, default=_plain), strict=True
        )
    except ValidationError as error:
        raise as_input_error(error, what=what, where=where) from None
    return made


def change(settings: Settings, values: Mapping[str, object], *, what: str = "Setting") -> Settings:
    """Copy settings with other values, at any depth.

    Args:
        settings: A frozen dataclass. Not modified.
        values: New values by name; a mapping for settings within settings.
        what: What one of them is called in an error.

    Raises:
        InputError: As for `build`.
    """
    kind = type(settings)
    refuse_unknown(kind, values, what=what)
    return build(kind, _merged(settings, values), what=what)


def schema_of(kind: type) -> dict[str, object]:
    """Return the JSON schema of settings, for editors that complete and check what is written."""
    return _adapter(kind).json_schema()


def read_mapping(path: str | Path) -> Mapping[str, object]:
    """Read a YAML or JSON file of settings.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If the file cannot be decoded or does not hold a mapping.
    """
    import yaml

    source = Path(path)
    if not source.is_file():
        msg = f"{source} must be a file of settings, but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    try:
        values = yaml.safe_load(source.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path} must be YAML or JSON, got a fault: {' '.join(str(error).split())}. Correct it."
        raise InputError(msg) from error
    if not isinstance(values, Mapping):
        msg = f"{path} must hold a mapping of settings, got {values!r}. Write one `name: value` a line."
        raise InputError(msg)
    return values


def refuse_unknown(kind: type, values: object, *, what: str, where: str = "") -> None:
    """Check that every name is one of the settings there are, at any depth.

    Raises:
        InputError: If one is not; the message gives the closest.
    """
    if not isinstance(values, Mapping):
        if where:
            msg = f"{what} {where} must be a mapping of names to values, got {values!r}. Write one name a line."
            raise InputError(msg)
        return
    kinds = typing.get_type_hints(kind)
    known = [entry.name for entry in dataclasses.fields(kind) if entry.init]
    for key, value in values.items():
        refuse_name(str(key), known, what=what, where=where)
        if dataclasses.is_dataclass(kinds[key]):
            refuse_unknown(kinds[key], value, what=what, where=f"{where}.{key}" if where else str(key))


def refuse_name(name: str, known: Sequence[str], *, what: str, where: str = "") -> None:
    """Check that a name is one of those there are.

    Raises:
        InputError: If it is not; the message gives the closest, or all.
    """
    if name in known:
        return
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known
    full = f"{where}.{name}" if where else name
    msg = f"{what} {full} must be one of those there are, got an unknown name. Did you mean {', '.join(close)}?"
    raise InputError(msg)


def as_input_error(error: "ValidationError", *, what: str, where: str = "") -> InputError:
    """Turn pydantic's first complaint into our sentence: what must hold, what was got, what to do."""
    faults = error.errors(include_url=False)
    start = _place(faults[0])  # the members of a union complain one by one: the deepest complaint is the nearest
    first = max((one for one in faults if _place(one)[: len(start)] == start), key=lambda one: len(_place(one)))
    own = first.get("ctx", {}).get("error")
    if isinstance(own, InputError):
        return own
    place = _place(first)
    name = " ".join([what, ".".join([where, *place] if where else place)]).rstrip()
    rule = " or ".join(dict.fromkeys(rule_of(fault) for fault in faults if _place(fault) == place))
    got = "nothing" if first["type"] == "missing" else repr(first["input"])
    return InputError(f"{name} must be {rule}, got {got}. Correct the value.")


def rule_of(fault: "ErrorDetails") -> str:
    """Return what must hold, by one complaint of pydantic."""
    said = fault["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    rule = RULES.get(fault["type"], said)
    return rule.format(**fault.get("ctx", {})) if fault["type"] in ("too_short", "too_long") else rule


def _place(fault: "ErrorDetails") -> list[str]:
    """Return what is at fault, without the words by which pydantic tells the members of a union apart."""
    return [str(part) for part in fault["loc"] if not MEMBER_OF_UNION.fullmatch(str(part))]


@functools.cache
def _adapter(kind: object) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _merged(settings: object, values: Mapping[str, object]) -> dict[str, object]:
    merged: dict[str, object] = {}
    for entry in dataclasses.fields(settings):  # type: ignore[arg-type]
        if not entry.init:
            continue
        old = getattr(settings, entry.name)
        new = values.get(entry.name, old)
        nested = dataclasses.is_dataclass(old)
        merged[entry.name] = _merged(old, new if isinstance(new, Mapping) else {}) if nested else new
    return merged


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value.tolist() if hasattr(value, "tolist") else str(value)
