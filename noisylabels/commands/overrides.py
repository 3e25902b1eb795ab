"""Ids of a bundle's config and their new values, as `train` and `predict` take them."""

from typing import Annotated

import typer

from noisylabels.data.errors import InputError

OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Settings of a command that takes any id of a config as an option."""

Bundle = Annotated[str, typer.Argument(help="cdl, mdl, or the folder of a bundle.")]
Presets = Annotated[
    list[str] | None, typer.Option("--preset", help="Config merged over the bundle's: its name, or a YAML file.")
]
Trust = Annotated[bool, typer.Option("--trust", help="Run a stranger's bundle or preset that lint-bundle warns of.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Print what MONAI logs about its settings, too.")]


def read_overrides(words: list[str]) -> dict[str, str]:
    """Read `--id value` pairs.

    Args:
        words: What stands on the command line after the command's own options.

    Returns:
        Value as written, by id.

    Raises:
        InputError: If a word is not an option, or an option has no value.

    Examples:
        >>> read_overrides(["--num_epochs", "3", "--train::trainer::max_epochs=2"])
        {'num_epochs': '3', 'train::trainer::max_epochs': '2'}
    """
    overrides: dict[str, str] = {}
    remaining = iter(words)
    for word in remaining:
        if not word.startswith("--"):
            msg = f"An override must be written --id value, got {word!r}. Put -- before its id."
            raise InputError(msg)
        key, equals, value = word[2:].partition("=")
        if not equals:
            following = next(remaining, None)
            if following is None:
                msg = f"An override must have a value, got --{key} and nothing after it. Write --{key} VALUE."
                raise InputError(msg)
            value = following
        overrides[key] = value
    return overrides
