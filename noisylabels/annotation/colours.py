"""Colours of classes and channels: those of the pages, read from their build, so that there is one table."""

import json
from functools import cache
from pathlib import Path

Rgb = tuple[int, int, int]
TABLE = Path(__file__).parent / "web" / "dist" / "colours.json"


def class_colour(index: int) -> Rgb:
    """Return the colour of a foreground class; after the sixth they begin again.

    Args:
        index: The class index, 1 and up.

    Examples:
        >>> class_colour(1), class_colour(7)
        ((170, 221, 255), (170, 221, 255))
    """
    colours = _table()["classes"]
    return colours[(index - 1) % len(colours)]


def channel_colour(channel: int) -> Rgb:
    """Return the colour of a channel; after the third all are grey.

    Args:
        channel: Its place in the image, from 0.

    Examples:
        >>> channel_colour(0), channel_colour(1)
        ((255, 0, 255), (0, 255, 0))
    """
    colours = _table()["channels"]
    return colours[channel] if channel < len(colours) else _table()["further_channels"][0]


@cache
def _table() -> dict[str, list[Rgb]]:
    table = json.loads(TABLE.read_text())
    lists = {**table, "further_channels": [table["further_channels"]]}
    return {name: [(red, green, blue) for red, green, blue in colours] for name, colours in lists.items()}
