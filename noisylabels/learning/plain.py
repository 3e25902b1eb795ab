"""Data that goes into a config: MONAI evaluates text that begins with `$` and follows `@`, `%` and `:`.

Whatever is read from a file passes here before a config sees it.
"""

from collections.abc import Mapping
from pathlib import Path

from noisylabels.data.errors import InputError

Plain = bool | int | float | str | None | list["Plain"] | dict[str, "Plain"]

EVALUATED = "$@%:"
"""Signs that a config gives a meaning of its own."""


def check_plain(value: object, *, what: str, source: str | Path) -> Plain:
    """Check that a value is data and nothing that a config would evaluate.

    Args:
        value: Numbers, texts, True, False, None, and lists and mappings of them.
        what: What it is, for the error.
        source: The file that it was read from.

    Returns:
        The value.

    Raises:
        InputError: If a text in it holds `$`, `@`, `%` or `:`, or it is of another type.

    Examples:
        >>> check_plain(["background", "nucleus"], what="class names", source="dataset.json")
        ['background', 'nucleus']
        >>> check_plain("$print(1)", what="class names", source="dataset.json")
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: class names of dataset.json must be plain text without $ @ % :, \
got '$print(1)'. It could run code: correct the file, or do not use it.
    """
    if isinstance(value, Mapping):
        for key, part in value.items():
            check_plain(str(key), what=what, source=source)
            check_plain(part, what=what, source=source)
        return {str(key): part for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [check_plain(part, what=what, source=source) for part in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and not any(sign in value for sign in EVALUATED):
        return value
    msg = (
        f"{what} of {source} must be plain text without $ @ % :, got {value!r}. "
        "It could run code: correct the file, or do not use it."
    )
    raise InputError(msg)


def check_place(path: object, *, what: str) -> str:
    """Check that a path given to a config is a path: it may not begin with a sign that is evaluated.

    Raises:
        InputError: If it does.

    Examples:
        >>> check_place("screens/day 1", what="dataset_dir")
        'screens/day 1'
    """
    text = str(path)
    if text.startswith(("$", "@", "%")):
        msg = f"{what} must be a path that begins with no $ @ %, got {text!r}. Rename the folder, or put ./ before it."
        raise InputError(msg)
    return text
