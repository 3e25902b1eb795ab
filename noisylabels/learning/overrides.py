"""Values of a config that are given by id: known, of the right kind, and no path that MONAI would evaluate."""

import difflib
from collections.abc import Mapping
from typing import Any

from noisylabels.data.errors import InputError
from noisylabels.learning.configs import Config, list_ids
from noisylabels.learning.devices import check_device
from noisylabels.learning.plain import check_place
from noisylabels.learning.presets import arguments_of

PATHS = ("bundle_root", "dataset_dir", "output_dir", "ckpt_dir", "ckpt_path", "init", "label_name", "method")
"""Ids of paths and parts of paths: text, whatever it looks like."""

COUNTS = {
    "num_epochs": 1,
    "batch_size": 1,
    "accumulation_steps": 1,
    "val_interval": 1,
    "learning_rate_period": 1,
    "n_channels": 1,
    "num_workers": 0,
}
"""Whole numbers of the configs, and the least each may be."""


def parse_override(key: str, value: object) -> Any:
    """Read a value as the command line of MONAI would: text to numbers, lists and mappings; paths stay text."""
    from fire.parser import DefaultParseValue

    return DefaultParseValue(value) if isinstance(value, str) and key not in PATHS else value


def check_overrides(config: Config, overrides: Mapping[str, object], *, source: str) -> None:
    """Check that every override is an id of the config, and its value fits.

    A network's further constructor arguments (`network_def::dropout`) are compared with its class.

    Args:
        config: The merged config.
        overrides: Values by id, as text of the command line or as objects.
        source: The first config file, for the error.

    Raises:
        InputError: If an id is unknown (the message names the closest), a number is a word, or a path begins with a
            sign that MONAI evaluates.
    """
    known = dict(list_ids(config))
    for given, value in overrides.items():
        key = given.replace("#", "::")
        if key in PATHS:
            check_place(value, what=key)
        if key in known:
            _refuse_other_kind(given, parse_override(given, value), _followed(known, key))
        elif not key.startswith("network_def::") or not _is_argument(config, key):
            close = difflib.get_close_matches(given, list(known), n=3, cutoff=0.5)
            meant = f"Did you mean {' or '.join(close)}?" if close else f"See {source}."
            msg = f"An override must be an id of {source}, got {given!r}. {meant}"
            raise InputError(msg)


def _followed(known: Mapping[str, object], key: str) -> object:
    """Return the value of an id, or of the id that it refers to."""
    seen = {key}
    value = known[key]
    while isinstance(value, str) and value.startswith("@") and (target := value[1:]) in known and target not in seen:
        seen.add(target)
        value = known[target]
    return value


def _is_argument(config: Config, key: str) -> bool:
    """Return whether the network's class takes this argument; the message of a refusal lists those it takes."""
    network = config.get("network_def")
    target = str(network.get("_target_")) if isinstance(network, dict) else ""
    name = key.removeprefix("network_def::")
    arguments = arguments_of(target)
    if arguments is None or name in arguments:
        return arguments is not None
    close = difflib.get_close_matches(name, arguments, n=3, cutoff=0.5) or arguments
    msg = f"An argument of {target} must be one that it takes, got {name!r}. Did you mean {', '.join(close)}?"
    raise InputError(msg)


def _refuse_other_kind(key: str, value: object, known: object) -> None:
    """A word for a number would be refused by torch, deep within; a word for True would count as True."""
    kind = "True or False" if isinstance(known, bool) else "a number"
    kind = f"a whole number from {COUNTS[key]} on" if key in COUNTS else kind
    expression = isinstance(value, str) and value.startswith(("$", "@", "%"))
    if key == "device" and not expression:
        check_device(value)
    if not expression and not _fits(key, value, known):
        msg = f"{key} must be {kind}, got {value!r}. The config has {known}."
        raise InputError(msg)


def _fits(key: str, value: object, known: object) -> bool:
    if isinstance(known, bool) or isinstance(value, bool):
        return isinstance(value, bool) == isinstance(known, bool) or not isinstance(known, (int, float))
    if key in COUNTS:
        return isinstance(value, int) and value >= COUNTS[key]
    return isinstance(value, (int, float)) or not isinstance(known, (int, float))
