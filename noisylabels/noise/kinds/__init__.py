"""Error kinds, one file each. A new kind is one new file and its line in `KINDS`."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.keys import Keys
from noisylabels.data.labels import ClassTable
from noisylabels.data.settings import build, refuse_name, schema_of
from noisylabels.noise.canvas import Canvas
from noisylabels.noise.dose import Dose
from noisylabels.noise.kinds.boundary import Boundary
from noisylabels.noise.kinds.incomplete import Incomplete
from noisylabels.noise.kinds.merged import Merged
from noisylabels.noise.kinds.misclassified import Misclassified
from noisylabels.noise.kinds.missed import Missed
from noisylabels.noise.kinds.shifted import Shifted
from noisylabels.noise.kinds.simplified import Simplified
from noisylabels.noise.kinds.split import Split
from noisylabels.noise.kinds.spurious import Spurious
from noisylabels.noise.scene import Scene

__all__ = ["KINDS", "Kind", "read_kind", "schema_of_kinds", "write_kind"]


class Kind(Protocol):
    """What every error kind offers: it draws log rows from a scene, and renders log rows on a canvas."""

    name: ClassVar[str]

    @property
    def dose(self) -> Dose:
        """How many events are struck, and which."""

    def eligible(self, scene: Scene) -> NDArray[np.bool_]:
        """Return which events can have this error at all: (event,) booleans."""

    def draw(self, scene: Scene, events: NDArray[np.int32], keys: Keys) -> EventTable:
        """Draw what happens to the struck `events`, one log row each, from `keys` alone."""

    @staticmethod
    def render(canvas: Canvas, scene: Scene, rows: EventTable) -> NDArray[np.bool_]:
        """Change the canvas as `rows` say and tell which rows could be applied."""


KINDS: dict[str, type[Any]] = {
    kind.name: kind
    for kind in (Missed, Misclassified, Incomplete, Simplified, Shifted, Boundary, Spurious, Split, Merged)
}
"""Error kinds by name, in the order in which they strike: what is missed can have no other error."""

DOSE_FIELDS = tuple(field.name for field in dataclasses.fields(Dose))


def read_kind(name: str, data: object, classes: ClassTable) -> Kind:
    """Make one error kind from plain data.

    Args:
        name: The kind's name.
        data: Its settings; those of `Dose` and its own side by side.
        classes: The class table that names in the settings refer to.

    Raises:
        InputError: If the kind or a setting is unknown, a setting is missing or outside its range.

    Examples:
        >>> from noisylabels.data.labels import ROSELLA
        >>> read_kind("missed", {"rate": 0.3, "given": {"contrast": -2}}, ROSELLA).dose.rate
        0.3
        >>> read_kind("mised", {"rate": 0.3}, ROSELLA)
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: Error kind mised must be one of those there are, got an unknown name. \
Did you mean missed, misclassified, merged?
    """
    refuse_name(name, list(KINDS), what="Error kind")
    if not isinstance(data, Mapping):
        msg = f"Settings of {name} must be a mapping, got {data!r}. Write for instance {name}: {{rate: 0.1}}."
        raise InputError(msg)
    kind = KINDS[name]
    own = [field.name for field in dataclasses.fields(kind) if field.name != "dose"]
    for key in data:
        refuse_name(str(key), [*DOSE_FIELDS, *own], what="Setting", where=name)
    settings = {key: value for key, value in data.items() if key in own}
    made: Kind = build(kind, {**settings, "dose": {"rate": 0}}, where=name)
    if hasattr(made, "check"):
        made.check(classes)
    rate = {} if "rate" in data else {"rate": _rate_of_transition(made, classes)}
    dose = build(Dose, {**rate, **{key: value for key, value in data.items() if key in DOSE_FIELDS}}, where=name)
    _check_names(dose, classes)
    return dataclasses.replace(made, dose=dose)  # type: ignore[type-var]


def write_kind(kind: Kind) -> dict[str, Any]:
    """Write an error kind as plain data, leaving out settings at their default."""
    data = _settings(kind.dose)
    return data | {key: value for key, value in _settings(kind).items() if key != "dose"}


def schema_of_kinds() -> dict[str, object]:
    """Return the JSON schema of a noise model's file: `classes`, `seed`, and each kind with its dose's settings."""
    dose = schema_of(Dose)
    kinds: dict[str, object] = {}
    for name, kind in KINDS.items():
        own = {key: entry for key, entry in _properties(schema_of(kind)).items() if key != "dose"}
        needed = [] if name == Misclassified.name else ["rate"]
        entry = {"type": "object", "properties": {**_properties(dose), **own}, "required": needed}
        one = {"description": _first_line(kind), **entry, "additionalProperties": False}
        kinds[name] = {"anyOf": [one, {"type": "array", "items": one}]}
    classes = {"type": "array", "items": {"type": "string"}}
    properties = {"classes": classes, "seed": {"type": "integer", "default": 0}, **kinds}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _properties(schema: Mapping[str, object]) -> dict[str, object]:
    found = schema["properties"]
    assert isinstance(found, dict)
    return found


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").split("\n", 1)[0]


def _rate_of_transition(kind: Kind, classes: ClassTable) -> dict[str, float]:
    transition: Sequence[Sequence[float]] | None = getattr(kind, "transition", None)
    if transition is None:
        msg = f"{kind.name} must have a rate, got none. Write for instance rate: 0.1."
        raise InputError(msg)
    pairs = zip(classes.foreground, enumerate(transition), strict=True)
    return {name: min(max(1.0 - row[index], 0.0), 1.0) for name, (index, row) in pairs}


def _check_names(dose: Dose, classes: ClassTable) -> None:
    for names in dose.strata:
        for name in names:
            classes.index(name)
    for name in dose.unless:
        refuse_name(name, list(KINDS), what="Error kind of `unless`")


def _settings(settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        default = field.default_factory() if callable(field.default_factory) else field.default
        if value != default:
            found[field.name] = _plain(value)
    return found


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
