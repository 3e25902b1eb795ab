"""Methods by name: from what a person declares to the object that works."""

from collections.abc import Callable, Mapping
from typing import Any

from noisylabels.data.errors import InputError
from noisylabels.screening.methods import Bundle, Cip, Exported, Method, Threshold

METHODS: dict[str, Callable[..., Method]] = {
    "threshold": Threshold,
    "cip": Cip,
    "bundle": Bundle,
    "exported": Exported,
}


def method_of(declaration: Mapping[str, Any]) -> Method:
    """Make a method of what was declared.

    Args:
        declaration: `kind` (threshold, cip, bundle, exported) and the settings of that kind.

    Raises:
        InputError: If the kind or a setting is unknown.

    Examples:
        >>> method_of({"kind": "threshold", "factor": 3.0}).factor
        3.0
        >>> method_of({"kind": "treshold"})
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: A method must be one of threshold, cip, bundle, exported, got 'treshold'. \
Choose one of them.
    """
    settings = dict(declaration)
    kind = settings.pop("kind", None)
    if kind not in METHODS:
        msg = f"A method must be one of {', '.join(METHODS)}, got {kind!r}. Choose one of them."
        raise InputError(msg)
    try:
        return METHODS[kind](**settings)
    except TypeError as error:
        msg = f"Settings of the method {kind} must be known to it, got {settings} ({error}). Correct the name."
        raise InputError(msg) from error
