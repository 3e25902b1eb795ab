"""Run a bundle as `python -m monai.bundle run` does, but refuse what that would silently ignore."""

import difflib
import json
import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import noisylabels
from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.data.ids import check_name
from noisylabels.learning import channels
from noisylabels.learning.devices import check_device
from noisylabels.learning.plain import FROM_RECORDS, check_network, check_place, check_plain

RECORD = "run.json"
PATHS = ("bundle_root", "dataset_dir", "output_dir", "ckpt_dir", "ckpt_path", "init")
COUNTS = {
    "num_epochs": 1,
    "batch_size": 1,
    "accumulation_steps": 1,
    "val_interval": 1,
    "learning_rate_period": 1,
    "n_channels": 1,
    "num_workers": 0,
}
"""Whole numbers of the configs, and the least each may be."""
NOT_PRESETS = ("train", "inference", "evaluate", "multi_gpu_train")


@dataclass(frozen=True)
class Launch:
    """One run of a bundle.

    Args:
        bundle: The bundle's folder.
        config: The public config, "train" or "inference".
        presets: Config files merged over it, by name, in order.
        overrides: Config values by id, as text of the command line or as objects; they win over the presets.

    Examples:
        >>> Launch(Path("b"), "train", (), {"num_epochs": "3"}).command_line()
        'python -m monai.bundle run --config_file b/configs/train.yaml --bundle_root b --num_epochs 3'
    """

    bundle: Path
    config: str
    presets: tuple[str, ...]
    overrides: Mapping[str, Any]

    @property
    def config_files(self) -> list[str]:
        """The config files, the self-contained one first."""
        return [str(self.bundle / "configs" / f"{name}.yaml") for name in (self.config, *self.presets)]

    def values(self) -> dict[str, Any]:
        """Read the overrides as the command line of MONAI would: text to numbers, lists and mappings."""
        return {key: _parsed(key, value) for key, value in self.overrides.items()}

    def command_line(self) -> str:
        """Write the equal `python -m monai.bundle run` line."""
        files = self.config_files
        words = ["python", "-m", "monai.bundle", "run", "--config_file"]
        words += files if len(files) == 1 else [str(files).replace(", ", ",")]
        for key, value in {"bundle_root": self.bundle, **self.overrides}.items():
            words += [f"--{key}", str(value)]
        return shlex.join(words)


def find_bundle(name: str) -> Path:
    """Find a bundle by its name (cdl, mdl) or its folder.

    Raises:
        InputError: If there is none; the message lists those that are installed.
    """
    room = Path(noisylabels.__file__).parent
    homes = (room / "bundles", room.parent / "bundles")
    for folder in (Path(name), *(home / name for home in homes)):
        if (folder / "configs" / "metadata.json").is_file():
            return folder
    known = sorted({path.parent.parent.name for home in homes for path in home.glob("*/configs/metadata.json")})
    msg = f"A bundle must be one of {', '.join(known)} or a bundle's folder, got {name!r}. Name one of them."
    raise InputError(msg)


def plan_training(bundle: str, presets: Sequence[str], overrides: Mapping[str, Any]) -> Launch:
    """Prepare `noisylabels train`: checkpoints go to the output folder, runs/<bundle> if none is named.

    The number of channels and the class names are those of the dataset folder, where nothing else is given.

    Raises:
        InputError: If the bundle, a preset or an override is unknown; the message names the closest. If the dataset's
            channels are the bundle's in another order.
    """
    folder = find_bundle(bundle)
    output = str(overrides.get("output_dir", Path("runs") / folder.name))
    dataset = overrides.get("dataset_dir")
    names, classes = channels.read_names(dataset)
    channels.refuse_other_order(names, channels.expected_channels(folder, {}), dataset=str(dataset))
    told = channels.fill_names(folder, _merged(Launch(folder, "train", (), {})), names, classes)
    filled = {"output_dir": output, "ckpt_dir": output, **told, **overrides}
    return _checked(Launch(folder, "train", tuple(presets), filled))


def plan_prediction(bundle: str, presets: Sequence[str], overrides: Mapping[str, Any]) -> Launch:
    """Prepare `noisylabels predict`: weights come from runs/<bundle>, where training puts them, if none are named.

    What the run was trained with (its preset, n_channels, class_names) is read from the record beside the
    checkpoint, so that the same network is built; what is given here is merged over that.

    Raises:
        InputError: If the bundle, a preset or an override is unknown; the message names the closest. If the dataset's
            channels are those of the training in another order.
    """
    folder = find_bundle(bundle)
    trained = Path("runs") / folder.name / "model.pt"
    given = {"ckpt_path": str(trained), **overrides} if trained.is_file() else dict(overrides)
    record = read_record(given.get("ckpt_path"))
    names, _ = channels.read_names(given.get("dataset_dir"))
    expected = channels.expected_channels(folder, record)
    channels.refuse_other_order(names, expected, dataset=str(given.get("dataset_dir")))
    config = _merged(Launch(folder, "inference", (), {}))
    shared = {
        key: value
        for key, value in record.get("overrides", {}).items()
        if key.split("::")[0] in FROM_RECORDS and key.split("::")[0] in config
    }
    # The training's presets that change the network come first: what is given here is merged over them.
    trained_with = [
        name for name in record.get("presets", ()) if name not in presets and _changes_network(folder, name)
    ]
    return _checked(Launch(folder, "inference", (*trained_with, *presets), shared | given))


def find_output(launch: Launch) -> Path:
    """Tell where a prediction writes its label maps.

    Examples:
        >>> find_output(plan_prediction("cdl", (), {"dataset_dir": "screen"})).as_posix()
        'screen/labels/cdl'
    """
    given = launch.overrides
    config = _merged(launch)
    dataset = Path(given.get("dataset_dir", launch.bundle / "data"))
    return Path(given.get("output_dir", dataset / "labels" / str(given.get("method", config["method"]))))


def run(launch: Launch) -> None:
    """Run it in this process.

    Raises:
        InputError: For a mistake in data or settings, as one sentence, however deep it was found.
        FileNotFoundError: For a file that is missing.
    """
    import monai.bundle

    weights = launch.overrides.get("ckpt_path")
    if weights is not None and not Path(weights).is_file():
        # Told before the images are held against channels that are only guessed without the record beside it.
        msg = f"A checkpoint must exist, got {weights}. Train first, or pass --ckpt_path."
        raise FileNotFoundError(msg)
    warnings.filterwarnings("ignore", message="parsing config_file")
    record = _record(launch) if launch.config == "train" else None
    try:
        monai.bundle.run(config_file=launch.config_files, bundle_root=str(launch.bundle), **launch.values())
    except Exception as error:
        _forget(record)
        mistake = next((cause for cause in _causes(error) if isinstance(cause, (InputError, FileNotFoundError))), None)
        if mistake is None:
            raise
        raise type(mistake)(str(mistake)) from None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _parsed(key: str, value: Any) -> Any:
    from fire.parser import DefaultParseValue

    return DefaultParseValue(value) if isinstance(value, str) and key not in PATHS else value


def _changes_network(bundle: Path, preset: str) -> bool:
    import yaml

    path = bundle / "configs" / f"{preset}.yaml"
    return path.is_file() and "network_def" in yaml.safe_load(path.read_text())


def _merged(launch: Launch) -> dict[str, Any]:
    import yaml
    from monai.bundle import ConfigParser

    try:
        merged: dict[str, Any] = ConfigParser.load_config_files(launch.config_files)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "some line"
        msg = f"{mark.name if mark else launch.config_files} must be YAML, got {error.problem} in {place}. Mend it."
        raise InputError(msg) from error
    return merged


def _checked(launch: Launch) -> Launch:
    configs = launch.bundle / "configs"
    known = sorted(path.stem for path in configs.glob("*.yaml") if path.stem not in NOT_PRESETS)
    for name in launch.presets:
        if name not in known:
            msg = f"A preset of {launch.bundle.name} must be one of {', '.join(known)}, got {name!r}. Name one of them."
            raise InputError(msg)
    known_values = dict(_ids(_merged(launch)))
    ids = list(known_values)
    for key, value in launch.overrides.items():
        if key.replace("#", "::") not in ids:
            close = difflib.get_close_matches(key, ids, n=3, cutoff=0.5)
            meant = f"Did you mean {' or '.join(close)}?" if close else f"See {launch.config_files[0]}."
            msg = f"An override must be an id of {launch.config_files[0]}, got {key!r}. {meant}"
            raise InputError(msg)
        _refuse_other_kind(key, _parsed(key, value), known_values[key.replace("#", "::")])
    return launch


def _refuse_other_kind(key: str, value: Any, known: Any) -> None:
    """A word for a number would be told by torch, deep within; a word for True would count as True."""
    kind = "True or False" if isinstance(known, bool) else "a number"
    kind = f"a whole number from {COUNTS[key]} on" if key in COUNTS else kind
    expression = isinstance(value, str) and value.startswith(("$", "@", "%"))
    if key in PATHS:
        check_place(value, what=key)
    if key == "device" and not expression:
        check_device(value)
    if not expression and not _fits(key, value, known):
        msg = f"{key} must be {kind}, got {value!r}. The config has {known}."
        raise InputError(msg)


def _fits(key: str, value: Any, known: Any) -> bool:
    if isinstance(known, bool) or isinstance(value, bool):
        return isinstance(value, bool) == isinstance(known, bool) or not isinstance(known, (int, float))
    if key in COUNTS:
        return isinstance(value, int) and value >= COUNTS[key]
    return isinstance(value, (int, float)) or not isinstance(known, (int, float))


def _ids(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    items = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else ()
    for key, value in items:
        identity = f"{prefix}{str(key).replace('#', '::')}"
        yield identity, value
        yield from _ids(value, f"{identity}::")


def _record(launch: Launch) -> Path | None:
    path = Path(launch.overrides["ckpt_dir"]) / RECORD
    if path.is_file():
        return None
    record = {
        "command": launch.command_line(),
        "bundle": launch.bundle.name,
        "presets": list(launch.presets),
        "overrides": {key: str(value) for key, value in launch.overrides.items()},
        "channel_names": channels.read_names(launch.overrides.get("dataset_dir"))[0],
        "versions": {name: metadata.version(name) for name in ("noisylabels", "monai", "torch", "numpy")},
    }
    write_text(path, json.dumps(record, indent=1))
    return path


def _forget(record: Path | None) -> None:
    """Leave nothing of a run that never began."""
    if record is None or (record.parent / "model.pt").is_file():
        return
    record.unlink()
    if not any(record.parent.iterdir()):
        record.parent.rmdir()


def read_record(checkpoint: str | Path | None) -> dict[str, Any]:
    """Read what was recorded beside weights; {} where nothing was.

    Raises:
        InputError: If it is not what a training writes, or says of the network what a config would evaluate.
    """
    path = Path(str(checkpoint)).parent / RECORD
    if checkpoint is None or not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text())
    except ValueError as error:
        msg = f"{path} must be the record of a training, but it is torn ({error}). Copy it again with its weights."
        raise InputError(msg) from error
    overrides = record.get("overrides", {}) if isinstance(record, dict) else None
    presets = record.get("presets", []) if isinstance(record, dict) else None
    if not isinstance(overrides, dict) or not isinstance(presets, list):
        msg = f"{path} must be the record of a training (presets, overrides), got another form. Copy it again."
        raise InputError(msg)
    for key, value in overrides.items():
        if key.split("::")[0] in FROM_RECORDS:
            check_network(key, _parsed(key, value), source=path)
    for name in presets:
        check_name(name, what="Presets", source=path)
    check_plain(record.get("channel_names"), what="channel_names", source=path)
    return record


def bundle_of(record: Mapping[str, Any]) -> str | None:
    """Return the bundle that a record names, if it is one of those that come with this package."""
    name = record.get("bundle")
    return name if name in ("cdl", "mdl") else None
