"""The channels of plates beside those that a method takes: told before a field is read."""

from collections.abc import Sequence
from shlex import quote

from noisylabels.cip.labelling import Labeller
from noisylabels.data.errors import InputError
from noisylabels.learning.channels import say_taken
from noisylabels.plates.plate import Plate
from noisylabels.screening.methods import Bundle, Method


def check_channels(
    plates: Sequence[Plate], method: Method, *, channels: Sequence[str] | None, names: Sequence[str] | None
) -> None:
    """Check that plates have the channels that a method takes.

    Args:
        plates: The plates.
        method: The method; of one that takes any image nothing is asked.
        channels: Channels of the plates in the method's order; all when None.
        names: What they are to be called.

    Raises:
        InputError: If a plate lacks a channel that was named, if there are more or fewer channels than a network takes,
            or the same ones in another order, or fewer than a pipeline takes.
    """
    expected = method.channel_names if isinstance(method, Bundle) else None
    for plate in plates:
        first = next(plate.fields)
        first.channel_positions(channels)
        given = channels or first.channels
        if expected is not None:
            _check_network(given, names or given, expected, plate=plate.name)
        elif isinstance(method, Labeller) and len(given) <= max(method.channels):
            msg = (
                f"The method {method.name} must have {max(method.channels) + 1} channels, got {len(given)} of plate "
                f"{plate.name} ({', '.join(given)}). Choose a pipeline for one, --set preset=nuclei, or a network, "
                "--model nuclei."
            )
            raise InputError(msg)


def match_channels(plate: Plate, method: Method, *, channels: Sequence[str] | None, names: Sequence[str] | None) -> str:
    """Say which channel of a plate a network takes for which of its own; nothing where the names are the same."""
    if not isinstance(method, Bundle):
        return ""
    return say_taken(names or channels or next(plate.fields).channels, method.channel_names)


def _check_network(given: Sequence[str], names: Sequence[str], expected: Sequence[str], *, plate: str) -> None:
    if len(given) == len(expected):
        if list(names) != list(expected) and sorted(names) == sorted(expected):
            msg = (
                f"Channels of plate {plate} must be in the order {', '.join(expected)}, got {', '.join(names)}. "
                f"Give --channels {quote(','.join(expected))}."
            )
            raise InputError(msg)
        return
    wanted = f"{len(expected)} channel{'s' * (len(expected) > 1)} ({', '.join(expected)})"
    pairs = ",".join(f"{name}={channel}" for name, channel in zip(expected, given, strict=False))
    advice = f"Choose some: --channels {quote(pairs)}." if len(given) > len(expected) else "Take another network."
    msg = f"The network must have {wanted}, got {len(given)} of plate {plate} ({', '.join(given)}). {advice}"
    raise InputError(msg)
