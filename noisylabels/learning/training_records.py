"""What a training writes of itself beside its weights, and what a prediction reads there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.learning import channels
from noisylabels.learning.configs import merge_configs
from noisylabels.learning.launch import Launch, parse
from noisylabels.learning.records import RECORD, Record, check_network, write_record


@dataclass(frozen=True)
class Before:
    """What a folder of weights held before a training began."""

    folder: Path
    record: str | None
    weights: tuple[int, int] | None

    def restore(self) -> None:
        """Leave nothing of a run that never wrote weights."""
        if _stamp(self.folder / "model.pt") != self.weights:
            return
        path = self.folder / RECORD
        if self.record is not None:
            write_text(path, self.record)
            return
        path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def remember(launch: Launch) -> Before:
    """Write the record of a training that begins, and keep what was there before."""
    folder = Path(launch.overrides["ckpt_dir"])
    path = folder / RECORD
    before = Before(folder, path.read_text() if path.is_file() else None, _stamp(folder / "model.pt"))
    record = _record_of(launch)
    if record is not None:
        write_record(record, folder)
    return before


def _record_of(launch: Launch) -> Record | None:
    """Return what will be trained: the network's arguments as the config works them out; None if they are not plain."""
    parser = parse(launch)
    keys = list(parser["network_def"])
    network = {key: parser.get_parsed_content(f"network_def::{key}") for key in keys}
    try:
        check_network(network, source="this config")
    except InputError:
        return None
    return Record(
        bundle=launch.bundle.name,
        network=network,
        n_channels=int(parser.get_parsed_content("n_channels")),
        class_names=tuple(parser.get_parsed_content("class_names")),
        channel_names=tuple(channels.read_names(launch.overrides.get("dataset_dir"))[0]),
        command=launch.command_line(),
    )


def overrides_of(record: Record, launch: Launch) -> dict[str, Any]:
    """Return the overrides that build the recorded network, where the config alone would build another."""
    config = launch.merged()
    given = [key for key in launch.overrides if key.split("::")[0] in ("n_channels", "class_names")]
    recorded: dict[str, Any] = {}
    if "n_channels" in config and record.n_channels != config["n_channels"]:
        recorded["n_channels"] = record.n_channels
    if record.class_names and list(record.class_names) != channels.class_names(launch.bundle):
        recorded["class_names"] = list(record.class_names)
    if "min_event_px" in config and record.min_event_px:
        recorded["min_event_px"] = record.min_event_px
    presets = merge_configs(launch.config_files[1:])
    if "network_def" in presets:
        return recorded
    plain = {"@n_channels": record.n_channels, "$len(@class_names)": len(record.class_names)}
    built = {
        key: plain.get(value, value) if isinstance(value, str) else value
        for key, value in config["network_def"].items()
    }
    if built == dict(record.network):
        return recorded
    if not given:
        return recorded | {"network_def": dict(record.network)}
    # The recorded network, of the channels and classes that are given.
    sizes = {"in_channels": "@n_channels", "out_channels": "$len(@class_names)"}
    followed = {key: text for key, text in sizes.items() if record.network.get(key) == plain[text]}
    return recorded | {"network_def": {**record.network, **followed}}


def _stamp(path: Path) -> tuple[int, int] | None:
    if not path.is_file():
        return None
    status = path.stat()
    return status.st_mtime_ns, status.st_ino
