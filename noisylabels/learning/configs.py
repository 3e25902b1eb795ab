"""Config files of a bundle, read and merged as MONAI does but without its import, which takes seconds."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from noisylabels.data.errors import InputError

Config = dict[str, Any]


def read_config(path: Path) -> object:
    """Read one YAML or JSON file.

    Raises:
        InputError: If it cannot be parsed; the message gives line and column.
    """
    import yaml

    try:
        text = path.read_text()
        return json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "some line"
        msg = f"{path} must be YAML, got {error.problem} in {place}. Correct it."
        raise InputError(msg) from error
    except (json.JSONDecodeError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        msg = f"{path} must be {path.suffix[1:].upper()}, got a fault: {' '.join(str(error).split())}. Correct it."
        raise InputError(msg) from error


def merge_configs(paths: Sequence[str | Path]) -> Config:
    """Read config files and merge them in order: a later value wins, `+id` adds to a list or a mapping.

    Raises:
        InputError: If one cannot be parsed, is no mapping, or changes what is not there.
    """
    merged: Config = {}
    for path in map(Path, paths):
        config = read_config(path)
        if not isinstance(config, dict):
            msg = f"{path} must hold a mapping of ids to values, got {type(config).__name__}. Write `id: value` lines."
            raise InputError(msg)
        for key, value in config.items():
            _merge(merged, str(key), value, path)
    return merged


def list_ids(config: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """List every id of a config with its value, parts of mappings and lists joined by `::`.

    Examples:
        >>> [name for name, _ in list_ids({"loss": {"gamma": [2]}})]
        ['loss', 'loss::gamma', 'loss::gamma::0']
    """
    items = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else ()
    for key, value in items:
        identity = f"{prefix}{str(key).replace('#', '::')}"
        yield identity, value
        yield from list_ids(value, f"{identity}::")


def _merge(config: Config, key: str, value: object, path: Path) -> None:
    adds = key.startswith("+")
    parts = key.removeprefix("+").replace("#", "::").split("::")
    home: Any = config
    for part in parts[:-1]:
        home = home.get(part) if isinstance(home, dict) else _entry(home, part)
        if not isinstance(home, dict | list):
            msg = f"{path} must change ids that are there, got {key}. See the config that it is merged over."
            raise InputError(msg)
    there = home.get(parts[-1]) if isinstance(home, dict) else _entry(home, parts[-1])
    if isinstance(home, list) and there is None:
        msg = f"{path} must change ids that are there, got {key}. See the config that it is merged over."
        raise InputError(msg)
    last: Any = parts[-1] if isinstance(home, dict) else int(parts[-1])
    if adds and isinstance(there, dict) and isinstance(value, dict):
        there.update(value)
    elif adds and isinstance(there, list) and isinstance(value, list):
        there.extend(value)
    else:
        home[last] = value


def _entry(entries: Any, part: str) -> Any:
    inside = isinstance(entries, list) and part.isdigit() and int(part) < len(entries)
    return entries[int(part)] if inside else None
