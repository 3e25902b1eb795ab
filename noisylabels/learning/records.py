"""What is recorded beside trained weights, run.json: data that is checked when it is read, never config text."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.data.ids import check_name
from noisylabels.learning.allowlist import NETWORKS
from noisylabels.learning.plain import check_plain

RECORD = "run.json"

Network = Mapping[str, object]
"""A network's class under `_target_`, and its constructor arguments."""


@dataclass(frozen=True)
class Record:
    """What weights were trained with.

    Args:
        bundle: Name of the bundle.
        network: Class and constructor arguments of the network, as it was built.
        n_channels: Channels of its images.
        class_names: One name per class index, background first.
        channel_names: The dataset's channels in order; empty if it did not tell.
        command: The equal `python -m monai.bundle run` line; for the reader alone.
        min_event_px: Predicted events with fewer pixels are specks, and dropped; 0 drops none.
    """

    bundle: str
    network: Network
    n_channels: int
    class_names: tuple[str, ...]
    channel_names: tuple[str, ...] = ()
    command: str = ""
    min_event_px: int = 0


def write_record(record: Record, folder: str | Path) -> Path:
    """Write run.json into the folder of the weights, with the versions of the program.

    Returns:
        The file.
    """
    path = Path(folder) / RECORD
    content = {
        "command": record.command,
        "bundle": record.bundle,
        "network": dict(record.network),
        "n_channels": record.n_channels,
        "class_names": list(record.class_names),
        "channel_names": list(record.channel_names),
        **({"min_event_px": record.min_event_px} if record.min_event_px else {}),
        "versions": {name: metadata.version(name) for name in ("noisylabels", "monai", "torch", "numpy")},
    }
    write_text(path, json.dumps(content, indent=1))
    return path


def read_record(checkpoint: str | Path | None) -> Record | None:
    """Read the record beside weights.

    Args:
        checkpoint: `model.pt` or `last.pt`.

    Returns:
        None if there is none: weights may come from anywhere.

    Raises:
        InputError: If it is torn, or says anything but a bundle's name, a network of the allow-list with plain
            arguments, a number and lists of words.
    """
    if checkpoint is None or not (path := Path(checkpoint).parent / RECORD).is_file():
        return None
    try:
        content = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        msg = f"{path} must be JSON, but it is torn. Train anew, or move it away and name the network's settings."
        raise InputError(msg) from error
    network = content.get("network") if isinstance(content, dict) else None
    if not isinstance(network, dict):
        msg = f"{path} must tell the network that was trained, got none. Train anew, or move it away."
        raise InputError(msg)
    check_network(network, source=path)
    bundle = check_name(content.get("bundle"), what="Names of bundles", source=path)
    n_channels = _whole(content.get("n_channels"), "n_channels", path, least=1)
    min_event_px = _whole(content.get("min_event_px", 0), "min_event_px", path, least=0)
    classes, channels = (_words(content.get(key, []), key, path) for key in ("class_names", "channel_names"))
    return Record(bundle, network, n_channels, classes, channels, str(content.get("command", "")), min_event_px)


def check_network(network: Network, *, source: str | Path) -> None:
    """Check that a network read from a file is on the allow-list, and its arguments are plain.

    Raises:
        InputError: If it is not.
    """
    check_plain(network, what="The network", source=source)
    for place, target in _targets(network):
        if place or str(target).removeprefix("monai.networks.nets.") not in NETWORKS:
            got = f"{place}: {target}" if place else repr(target)
            msg = f"The network of {source} must be one of {', '.join(sorted(NETWORKS))}, got {got}. Do not use it."
            raise InputError(msg)


def bundle_of(record: Record | None) -> str | None:
    """Return the bundle that a record names, if it is one of those that come with this package."""
    return record.bundle if record is not None and record.bundle in ("cdl", "mdl") else None


def _targets(network: Network) -> Iterator[tuple[str, object]]:
    """List what would be built: the network's class, and whatever a part of it asks a config to build or to do."""
    yield "", network.get("_target_")
    for key, value in network.items():
        if key.startswith("_") and key != "_target_":
            yield key, value
        yield from _parts(value)


def _parts(value: object) -> Iterator[tuple[str, object]]:
    for key, part in value.items() if isinstance(value, Mapping) else ():
        if str(key).startswith("_"):
            yield str(key), part
        yield from _parts(part)
    for part in value if isinstance(value, list | tuple) else ():
        yield from _parts(part)


def _whole(value: object, key: str, path: Path, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        msg = f"{key} of {path} must be a whole number from {least} on, got {value!r}. Train anew."
        raise InputError(msg)
    return value


def _words(value: object, key: str, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        msg = f"{key} of {path} must be a list of words, got {str(value)[:80]}. Train anew."
        raise InputError(msg)
    check_plain(value, what=key, source=path)
    return tuple(value)
