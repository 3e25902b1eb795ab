"""Frozen settings with units, made from plain dictionaries, which refuse unknown keys."""

import dataclasses
from collections.abc import Mapping
from typing import Self

from noisylabels.data.settings import build, change

Pair = tuple[float, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all settings: made from plain dictionaries and turned back into them."""

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Make settings from a (nested) dictionary; what it does not name keeps its default.

        Args:
            values: Setting values by name, as JSON or YAML gives them.

        Raises:
            InputError: If it names a setting that does not exist; the message gives the closest.

        Examples:
            >>> from noisylabels.simulation.settings import FrameSettings
            >>> FrameSettings.from_dict({"rows": 64, "columns": 80}).shape
            (64, 80)
        """
        return build(cls, values)

    def replaced(self, values: Mapping[str, object]) -> Self:
        """Copy the settings with other values, at any depth.

        Args:
            values: New values by name; a dictionary for settings within settings.

        Raises:
            InputError: If it names a setting that does not exist; the message gives the closest.

        Examples:
            >>> from noisylabels.simulation.settings import EventSettings
            >>> EventSettings().replaced({"phagophore": {"count_per_frame": 12}}).phagophore.diameter_um
            1.05
        """
        return change(self, values)

    def to_dict(self) -> dict[str, object]:
        """Copy the settings into a nested dictionary of plain values."""
        return dataclasses.asdict(self)
