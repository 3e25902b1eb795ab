"""Change some values of frozen settings by name, and refuse names and types that do not fit."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from noisylabels.data.errors import InputError

Settings = TypeVar("Settings")


def override(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Change some values of frozen settings.

    Args:
        settings: A frozen dataclass whose values are numbers, words or further frozen dataclasses. Not modified.
        values: New values by name; a mapping for settings within settings.

    Returns:
        The changed settings.

    Raises:
        InputError: If a name is unknown (the message gives the closest ones) or a value has the wrong type.

    Examples:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Blur:
        ...     sigma_px: float = 1.0
        >>> override(Blur(), {"sigma_px": 2})
        Blur(sigma_px=2.0)
        >>> override(Blur(), {"sigma": 2})
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: A setting must be one of those there are, got 'sigma'. \
Did you mean sigma_px?
    """
    return _replace(settings, values, "")


def read_overrides(path: str | Path) -> Mapping[str, Any]:
    """Read a YAML file of settings that differ.

    Raises:
        InputError: If the file is not YAML or does not hold a mapping.
    """
    import yaml

    try:
        values = yaml.safe_load(Path(path).read_text()) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path} must be YAML, got a fault: {' '.join(str(error).split())}. Mend it."
        raise InputError(msg) from error
    if not isinstance(values, Mapping):
        msg = f"{path} must hold a mapping of settings, got {values!r}. Write one `name: value` a line."
        raise InputError(msg)
    return values


def _replace(settings: Settings, values: Any, where: str) -> Settings:
    if not isinstance(values, Mapping):
        msg = f"Setting {where} must be a mapping of names to values, got {values!r}. Write one name a line."
        raise InputError(msg)
    kinds = typing.get_type_hints(type(settings))
    changes = {}
    for key, value in values.items():
        name = f"{where}.{key}" if where else str(key)
        if key not in kinds:
            close = difflib.get_close_matches(str(key), kinds, n=3, cutoff=0.5) or list(kinds)
            msg = f"A setting must be one of those there are, got {name!r}. Did you mean {', '.join(close)}?"
            raise InputError(msg)
        inner = getattr(settings, key)
        nested = dataclasses.is_dataclass(inner)
        changes[key] = _replace(inner, value, name) if nested else _checked(kinds[key], value, name)
    changed: Settings = dataclasses.replace(settings, **changes)  # type: ignore[type-var]
    return changed


def _checked(kind: Any, value: Any, name: str) -> Any:
    words = typing.get_args(kind) if typing.get_origin(kind) is Literal else ()
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if float in kinds and type(value) is int:
        return float(value)
    if value in words if words else type(value) in kinds:
        return value
    wanted = " or ".join(map(repr, words)) or getattr(kind, "__name__", str(kind))
    msg = f"Setting {name} must be {wanted}, got {value!r}. Correct the value."
    raise InputError(msg)
