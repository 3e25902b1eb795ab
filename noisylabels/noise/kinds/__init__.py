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

__all__ = ["KINDS", "Kind", "read_kind", "write_kind"]


class Kind(Protocol):
    """What every error kind offers: it draws log rows from a scene, and renders log rows on a canvas."""

    name: ClassVar[str]

    @property
    def dose(self) -> Dose:
        """How many events are struck, and which."""

    def eligible(self, scene: Scene) -> NDArray[np.bool_]:
        """Tell which events can have this error at all: (event,) booleans."""

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


def read_kind(name: str, data: Mapping[str, Any], classes: ClassTable) -> Kind:
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
        noisylabels.data.errors.InputError: An error kind must be one of ['missed', 'misclassified', 'incomplete', \
'simplified', 'shifted', 'boundary', 'spurious', 'split', 'merged'], got 'mised'. Use one of them.
    """
    if name not in KINDS:
        msg = f"An error kind must be one of {list(KINDS)}, got {name!r}. Use one of them."
        raise InputError(msg)
    if not isinstance(data, Mapping):
        msg = f"Settings of {name} must be a mapping, got {data!r}. Write for instance {name}: {{rate: 0.1}}."
        raise InputError(msg)
    kind = KINDS[name]
    own = [field.name for field in dataclasses.fields(kind) if field.name != "dose"]
    unknown = [key for key in data if key not in (*DOSE_FIELDS, *own)]
    if unknown:
        msg = f"Settings of {name} must be among {[*DOSE_FIELDS, *own]}, got {unknown}. Remove or rename them."
        raise InputError(msg)
    dose = {key: value for key, value in data.items() if key in DOSE_FIELDS}
    if "rate" not in dose:
        dose["rate"] = _rate_of_transition(name, data.get("transition"), classes)
    try:
        made: Kind = kind(dose=Dose(**dose), **{key: value for key, value in data.items() if key in own})
    except TypeError as error:  # a text where a number belongs, a number where a list does
        msg = f"Settings of {name} must be of the kinds its description says, got {dict(data)} ({error}). Correct them."
        raise InputError(msg) from error
    _check_against(made, classes)
    return made


def write_kind(kind: Kind) -> dict[str, Any]:
    """Write an error kind as plain data, leaving out settings at their default."""
    data = _settings(kind.dose)
    return data | {key: value for key, value in _settings(kind).items() if key != "dose"}


def _rate_of_transition(name: str, transition: Sequence[Sequence[float]] | None, classes: ClassTable) -> Any:
    if transition is None:
        msg = f"{name} must have a rate, got none. Write for instance rate: 0.1."
        raise InputError(msg)
    pairs = zip(classes.foreground, enumerate(transition), strict=False)
    return {name: min(max(1.0 - row[index], 0.0), 1.0) for name, (index, row) in pairs}


def _check_against(kind: Kind, classes: ClassTable) -> None:
    for names in kind.dose.strata:
        for name in names:
            classes.index(name)
    for name in kind.dose.unless:
        if name not in KINDS:
            msg = f"An error kind in `unless` must be one of {list(KINDS)}, got {name!r}. Use one of them."
            raise InputError(msg)
    if hasattr(kind, "check"):
        kind.check(classes)


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
