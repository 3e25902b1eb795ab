"""Settings of every kind: frozen dataclasses, checked by pydantic, whose faults become one sentence.

A room declares its settings as a frozen dataclass with types and defaults; what a person writes in YAML, JSON or a
mapping comes through `build` or `change`.
"""

import dataclasses
import difflib
import functools
import json
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from noisylabels.data.errors import InputError

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

Settings = TypeVar("Settings")

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
    "dict_type": "a mapping of names to values",
    "dataclass_type": "a mapping of names to values",
}
"""What must hold, by the type of pydantic's error, where its own words are about Python."""


def build(kind: type[Settings], values: Mapping[str, object], *, what: str = "Setting") -> Settings:
    """Make settings from plain data; what it does not name keeps its default.

    Args:
        kind: A frozen dataclass, with settings within settings if need be.
        values: Values by name, as JSON or YAML gives them.
        what: What one of them is called in an error.

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

    refuse_unknown(kind, values, what=what)
    try:
        made: Settings = _adapter(typing.cast("Any", kind)).validate_json(
            json.dumps(values, default=_plain), strict=True
        )
    except ValidationError as error:
        raise as_input_error(error, what=what) from None
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
    """Make sure that every name is one of the settings there are, at any depth.

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
        name = f"{where}.{key}" if where else str(key)
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=3, cutoff=0.5) or known
            msg = f"{what} {name} must be one of those there are, got an unknown name. Did you mean {', '.join(close)}?"
            raise InputError(msg)
        if dataclasses.is_dataclass(kinds[key]):
            refuse_unknown(kinds[key], value, what=what, where=name)


def as_input_error(error: "ValidationError", *, what: str) -> InputError:
    """Turn pydantic's first complaint into our sentence: what must hold, what was got, what to do."""
    first = error.errors(include_url=False)[0]
    own = first.get("ctx", {}).get("error")
    if isinstance(own, InputError):
        return own
    name = " ".join([what, ".".join(str(part) for part in first["loc"])]).rstrip()
    said = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    rule = RULES.get(first["type"], said)
    got = "nothing" if first["type"] == "missing" else repr(first["input"])
    return InputError(f"{name} must be {rule}, got {got}. Correct the value.")


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
    return value.item() if hasattr(value, "item") else str(value)
