"""Frozen settings with units, made from plain dictionaries, which refuse unknown keys."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from noisylabels.data.errors import InputError

Pair = tuple[float, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all settings: made from plain dictionaries and turned back into them."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make settings from a (nested) dictionary; what it does not name keeps its default.

        Args:
            values: Setting values by name, as JSON or YAML gives them.

        Raises:
            InputError: If it names a setting that does not exist; the message lists those that do.

        Examples:
            >>> from noisylabels.simulation.settings import FrameSettings
            >>> FrameSettings.from_dict({"rows": 64, "columns": 80}).shape
            (64, 80)
        """
        return cls().replaced(values)

    def replaced(self, values: Mapping[str, Any]) -> Self:
        """Copy the settings with other values, at any depth.

        Args:
            values: New values by name; a dictionary for settings within settings.

        Raises:
            InputError: If it names a setting that does not exist; the message lists those that do.

        Examples:
            >>> from noisylabels.simulation.settings import EventSettings
            >>> EventSettings().replaced({"phagophore": {"count_per_frame": 12}}).phagophore.diameter_um
            1.05
        """
        known = [f.name for f in dataclasses.fields(self)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            msg = f"Settings of {type(self).__name__} must be among {sorted(known)}, got {unknown}. Correct the name."
            raise InputError(msg)
        changed = {name: _replaced(getattr(self, name), value) for name, value in values.items()}
        return dataclasses.replace(self, **changed)

    def to_dict(self) -> dict[str, Any]:
        """Copy the settings into a nested dictionary of plain values."""
        return dataclasses.asdict(self)


def _replaced(old: Any, value: Any) -> Any:
    return old.replaced(value) if isinstance(old, Settings) and isinstance(value, Mapping) else _as_tuple(value)


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list | tuple) else value
