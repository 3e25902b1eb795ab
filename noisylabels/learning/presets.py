"""What a preset file of your own sets, compared with the config that it is merged over: no mistyped id passes."""

import difflib
import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.learning.configs import Config, list_ids, read_config

RUN = frozenset({"initialize", "run", "finalize"})
"""Ids that MONAI itself looks for when a bundle is run."""


def check_preset(path: str | Path, before: Config, after: Config) -> None:
    """Make sure that every id of a preset is one of the config, or is used by it, and that components take theirs.

    Args:
        path: The preset's file.
        before: The config that it is merged over.
        after: The config with all presets merged.

    Raises:
        InputError: If an id is unknown and nothing refers to it, or a class does not take an argument; the message
            names the closest.
    """
    config = read_config(Path(path))
    known = dict(list_ids(before))
    used = set(_references(after))
    for key, value in config.items() if isinstance(config, dict) else ():
        name = str(key).removeprefix("+").replace("#", "::")
        parent, _, last = name.rpartition("::")
        if name not in known and not last.startswith("_"):
            _check_new(name, dict(list_ids(after)).get(parent), known, used, path)
        _check_components(value, path)


def arguments_of(target: str) -> list[str] | None:
    """List what a class or function of a config takes; None if it takes anything, or cannot be found."""
    from monai.bundle.config_item import ComponentLocator
    from monai.utils import optional_import

    rooms = target.rpartition(".")[0] if "." in target else ComponentLocator().get_component_module_name(target)
    module = rooms if isinstance(rooms, str) else (rooms or [""])[0]
    if not module:
        return None
    built, found = optional_import(module, name=target.rpartition(".")[2])
    if not found:
        return None
    parameters = inspect.signature(built).parameters.values()
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return None if anything else [parameter.name for parameter in parameters]


def closest(name: str, known: Sequence[str], otherwise: str) -> str:
    """Return the question whether one of the closest names was meant.

    Examples:
        >>> closest("learning_rat", ["learning_rate", "seed"], "See train.yaml.")
        'Did you mean learning_rate?'
    """
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(close)}?" if close else otherwise


def _check_new(name: str, parent: object, known: Config, used: set[str], path: str | Path) -> None:
    """Refuse an id that the config does not have: it must be an argument, or something must refer to it."""
    last = name.rpartition("::")[2]
    if isinstance(parent, dict) and "_target_" in parent:
        _check_argument(str(parent["_target_"]), last, path)
    elif "::" not in name and name not in used | RUN:
        top = [key for key in known if "::" not in key]
        msg = f"A preset must set ids that the config has or uses, got {name!r} in {path}. {closest(name, top, _ADD)}"
        raise InputError(msg)


_ADD = "Refer to it by @ where it shall count."


def _check_components(value: object, path: str | Path) -> None:
    if isinstance(value, dict):
        for key in value:
            if "_target_" in value and not str(key).startswith("_"):
                _check_argument(str(value["_target_"]), str(key), path)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        _check_components(part, path)


def _check_argument(target: str, name: str, path: str | Path) -> None:
    arguments = arguments_of(target)
    if arguments is not None and name not in arguments:
        hint = closest(name, arguments, f"It takes {', '.join(arguments)}.")
        msg = f"An argument of {target} must be one that it takes, got {name!r} in {path}. {hint}"
        raise InputError(msg)


def _references(config: object) -> Iterator[str]:
    """List the first part of every id that some text of the config refers to."""
    if isinstance(config, str):
        yield from re.findall(r"@(\w+)", config)
    parts = config.values() if isinstance(config, dict) else config if isinstance(config, list) else ()
    for part in parts:
        yield from _references(part)
