"""Run a bundle as `python -m monai.bundle run` does, but refuse what that would silently ignore."""

import logging
import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import noisylabels
from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable, require_same_classes
from noisylabels.learning import channels
from noisylabels.learning.configs import Config, merge_configs
from noisylabels.learning.datalist import list_fields, read_images
from noisylabels.learning.first_image import match_channels
from noisylabels.learning.imports import NEEDLESS, import_monai
from noisylabels.learning.lint import lint_bundle, lint_config, refuse_untrusted
from noisylabels.learning.machine_errors import explain
from noisylabels.learning.overrides import check_overrides, parse_override
from noisylabels.learning.presets import check_preset
from noisylabels.learning.records import RECORD, Record, check_network, read_record, write_record
from noisylabels.learning.shipped import choose_weights, rule_of_models, shipped_weights

if TYPE_CHECKING:
    from monai.bundle import ConfigParser

NOT_PRESETS = ("train", "inference", "evaluate", "multi_gpu_train")
SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Launch:
    """One run of a bundle.

    Args:
        bundle: The bundle's folder.
        config: The public config, "train" or "inference".
        presets: Config files merged over it in order: names of the bundle's own, or paths.
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
        own = [name if name.endswith(SUFFIXES) else self._own(name) for name in self.presets]
        return [self._own(self.config), *own]

    def _own(self, name: str) -> str:
        return str(self.bundle / "configs" / f"{name}.yaml")

    def merged(self) -> Config:
        """Merge the config files, without the overrides."""
        return merge_configs(self.config_files)

    def values(self) -> dict[str, Any]:
        """Read the overrides as the command line of MONAI would: text to numbers, lists and mappings."""
        return {key: parse_override(key, value) for key, value in self.overrides.items()}

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
        InputError: If there is none; the message lists those that are installed. If its name is one that MONAI would
            evaluate.
    """
    if folder := _look_for_bundle(name):
        return folder
    homes = bundle_homes()
    known = sorted({path.parent.parent.name for home in homes for path in home.glob("*/configs/metadata.json")})
    msg = f"A bundle must be one of {', '.join(known)} or a bundle's folder, got {name!r}. Name one of them."
    raise InputError(msg)


def _look_for_bundle(name: str) -> Path | None:
    for folder in (Path(name), *(home / name for home in bundle_homes())):
        if (folder / "configs" / "metadata.json").is_file():
            if name.startswith(("$", "@", "%")):
                msg = f"The folder of a bundle must not begin with $, @ or %, got {name!r}. Rename it."
                raise InputError(msg)
            return folder
    return None


def _find_model(name: str) -> tuple[Path, Path | None]:
    """Find a bundle, and the weights if others than its own are meant."""
    named, weights = choose_weights(name, bundle_homes())
    if folder := _look_for_bundle(named):
        return folder, weights
    advice = f"The folder to predict comes second: noisylabels predict cdl {name}" if Path(name).is_dir() else ""
    msg = f"{rule_of_models(bundle_homes())}, got {name!r}. {advice or 'Name one of them, or train one'}."
    raise InputError(msg)


def plan_training(bundle: str, presets: Sequence[str], overrides: Mapping[str, Any], *, trust: bool = False) -> Launch:
    """Prepare `noisylabels train`: checkpoints go to the output folder, runs/<bundle> if none is named.

    The number of channels and the class names are those of the dataset folder, where nothing else is given.

    Args:
        bundle: A name (cdl, mdl) or a folder.
        presets: Names of the bundle's own presets, or paths of YAML files.
        overrides: Config values by id; a folder as `ckpt_path` stands for its model.pt.
        trust: Run what is outside the allow-list too.

    Raises:
        InputError: If the bundle, a preset or an override is unknown; the message names the closest. If the dataset's
            channels are the bundle's in another order. If a bundle or a preset of a stranger is outside the allow-list.
    """
    folder = find_bundle(bundle)
    output = str(overrides.get("output_dir", Path("runs") / folder.name))
    dataset = overrides.get("dataset_dir")
    names, classes = channels.read_names(dataset)
    channels.refuse_other_order(names, channels.expected_channels(folder, ()), dataset=str(dataset))
    launch = _checked(Launch(folder, "train", tuple(presets), overrides), trust=trust)
    config = launch.merged()
    filled = channels.fill_names(folder, config, names, classes)
    if "restart_on_change" in config:  # hosts start anew on other data; here nothing is replaced unasked
        filled["restart_on_change"] = "False"
    return Launch(folder, "train", launch.presets, {"output_dir": output, "ckpt_dir": output, **filled, **overrides})


def plan_prediction(
    bundle: str, presets: Sequence[str], overrides: Mapping[str, Any], *, trust: bool = False
) -> Launch:
    """Prepare `noisylabels predict`: weights come from runs/<bundle>, where training puts them, if none are named.

    Where nothing was trained they are those that come with the bundle. The network that was trained, its channels and
    its classes are read from the record beside the checkpoint; what is given here is merged over that. Label maps of a
    plain folder of images go beside it, never into it.

    Args:
        bundle: A name (cdl, mdl), a folder, weights or the folder of a training, or weights that come along (nuclei).
        presets: Names of the bundle's own presets, or paths of YAML files.
        overrides: Config values by id.
        trust: Run what is outside the allow-list too.

    Raises:
        InputError: If the bundle, a preset or an override is unknown; the message names the closest. If the dataset's
            channels are those of the training in another order, or its class
            indices mean something else. If the record names what is not on the allow-list.
    """
    folder, weights = _find_model(bundle)
    given = {**_beside(overrides, name=Path(bundle).stem if weights else folder.name), **overrides}
    if weights is None:
        trained = Path("runs") / folder.name / "model.pt"
        weights = trained if trained.is_file() else shipped_weights(folder)
    if weights is not None:
        given = {"ckpt_path": str(weights), **given}
    if Path(str(given.get("ckpt_path"))).is_dir():
        given["ckpt_path"] = str(Path(str(given["ckpt_path"])) / "model.pt")
    record = read_record(given.get("ckpt_path"))
    names, classes = channels.read_names(given.get("dataset_dir"))
    known = Path(str(given.get("ckpt_path"))).is_file() and not {"output_dir", "class_names"} & set(given)
    if classes and known:
        own = (record.class_names if record else ()) or channels.class_names(folder)
        there = ClassTable(tuple(classes))
        require_same_classes(ClassTable(tuple(own)), there, what="the model", folder=given["dataset_dir"])
    expected = channels.expected_channels(folder, record.channel_names if record else ())
    channels.refuse_other_order(names, expected, dataset=str(given.get("dataset_dir")))
    launch = Launch(folder, "inference", tuple(presets), given)
    if record is None:
        return _checked(launch, trust=trust)
    return _checked(Launch(folder, "inference", launch.presets, _recorded(record, launch) | given), trust=trust)


def _beside(overrides: Mapping[str, Any], *, name: str) -> dict[str, str]:
    """Return where label maps of a plain folder of images go."""
    dataset = overrides.get("dataset_dir")
    if dataset is None or not Path(dataset).is_dir() or (Path(dataset) / "datalist.json").is_file():
        return {}
    images = Path(dataset).resolve() if Path(dataset).name in ("", "..") else Path(dataset)
    return {"output_dir": str(images.with_name(f"{images.name}-{overrides.get('method', name)}"))}


def match_launch(launch: Launch) -> str:
    """Check the images of a prediction against its network, and say which channel is taken for which.

    Returns:
        As `match_channels`; nothing for a bundle that reads its fields in its own way.
    """
    config, values = launch.merged(), launch.values()
    if not _is_own((config.get("dataset") or {}).get("data"), "read_images"):
        return ""
    _check_paths(launch)
    record = read_record(values.get("ckpt_path"))
    known = channels.expected_channels(launch.bundle, record.channel_names if record else ())
    number = int(values.get("n_channels", len(known)))
    expected = known if len(known) == number else [f"channel {place + 1}" for place in range(number)]
    return match_channels(values.get("dataset_dir", launch.bundle / "data"), expected, split=(config | values)["split"])


def find_output(launch: Launch) -> Path:
    """Return where a prediction writes its label maps.

    Examples:
        >>> find_output(plan_prediction("cdl", (), {"dataset_dir": "screen"})).as_posix()
        'screen/labels/cdl'
    """
    given = launch.overrides
    config = launch.merged()
    dataset = Path(given.get("dataset_dir", launch.bundle / "data"))
    return Path(given.get("output_dir", dataset / "labels" / str(given.get("method", config["method"]))))


def parse(launch: Launch) -> "ConfigParser":
    """Return MONAI's parser of the merged config with its overrides; nothing is built yet."""
    from monai.bundle import ConfigParser

    parser = ConfigParser(launch.merged())
    for key, value in {"bundle_root": str(launch.bundle), **launch.values()}.items():
        parser[key] = value
    return parser


def run(launch: Launch, *, verbose: bool = False, ends: bool = False) -> None:
    """Run it in this process. Paths and label sets are looked at before anything heavy is imported.

    Args:
        launch: What to run.
        verbose: Whether MONAI's own lines about its settings are printed.
        ends: Whether this process ends with it: then MONAI is imported without what predictions of the own bundles do
            not need, and stays so.

    Raises:
        InputError: For a mistake in data or settings, as one sentence, however deep it was found.
        FileNotFoundError: For a file that is missing.
    """
    _check_paths(launch)
    own = not launch.presets and launch.bundle.parent in bundle_homes()
    import_monai(NEEDLESS if ends and own and launch.config == "inference" else ())
    import monai.bundle

    warnings.filterwarnings("ignore", message="parsing config_file")
    for name in ("monai.bundle.scripts", "monai.bundle.workflows"):
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.WARNING)
    before = _remember(launch) if launch.config == "train" else None
    try:
        monai.bundle.run(config_file=launch.config_files, bundle_root=str(launch.bundle), **launch.values())
    except Exception as error:
        if before is not None:
            before.restore()
        causes = list(_causes(error))
        mistake = next((cause for cause in causes if isinstance(cause, (InputError, FileNotFoundError))), None)
        lacking = next((sentence for sentence in map(explain, causes) if sentence), None)
        if mistake is None and lacking is not None:
            raise InputError(lacking) from None
        if mistake is None:
            raise
        raise type(mistake)(str(mistake)) from None


@dataclass(frozen=True)
class _Before:
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


def _remember(launch: Launch) -> _Before:
    """Write the record of a training that begins, and keep what was there before."""
    folder = Path(launch.overrides["ckpt_dir"])
    path = folder / RECORD
    before = _Before(folder, path.read_text() if path.is_file() else None, _stamp(folder / "model.pt"))
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


def _recorded(record: Record, launch: Launch) -> dict[str, Any]:
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


def _check_paths(launch: Launch) -> None:
    """Find what is missing before the seconds that torch takes."""
    values = launch.values()
    weights = values.get("ckpt_path")
    if weights is not None and not Path(weights).is_file():
        # Told before the images are compared with channels that are only guessed without the record beside it.
        msg = f"A checkpoint must exist, got {weights}. Train first, or pass --ckpt_path."
        raise FileNotFoundError(msg)
    config = launch.merged()
    dataset = values.get("dataset_dir", str(launch.bundle / "data"))
    trains = launch.config == "train" and _is_own(config.get("fields"), "read_fields")
    data = (config.get("dataset") or {}).get("data") if launch.config == "inference" else None
    predicts = _is_own(data, "read_images")
    if (trains or predicts) and "dataset_dir" not in values and not Path(dataset).is_dir():
        line = "train BUNDLE --dataset_dir FOLDER" if trains else "predict MODEL FOLDER"
        msg = f"There must be a folder of images to work on, got none. Name it: noisylabels {line}."
        raise InputError(msg)
    if trains:
        settings = config | values
        list_fields(dataset, label_name=settings["label_name"], split=settings["split"], seed=settings["seed"])
    if predicts:
        read_images(dataset, split=(config | values)["split"])


def _is_own(component: object, function: str) -> bool:
    return isinstance(component, dict) and component.get("_target_") == f"noisylabels.learning.datalist.{function}"


def _stamp(path: Path) -> tuple[int, int] | None:
    if not path.is_file():
        return None
    status = path.stat()
    return status.st_mtime_ns, status.st_ino


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def bundle_homes() -> tuple[Path, Path]:
    """Return the folders that hold the bundles which come along: of an installation, and of a checkout."""
    room = Path(noisylabels.__file__).parent
    return room / "bundles", room.parent / "bundles"


def _checked(launch: Launch, *, trust: bool) -> Launch:
    configs = launch.bundle / "configs"
    known = sorted(path.stem for path in configs.glob("*.yaml") if path.stem not in NOT_PRESETS)
    for name in launch.presets:
        if name in known or (name.endswith(SUFFIXES) and Path(name).is_file()):
            continue
        msg = (
            f"A preset of {launch.bundle.name} must be one of {', '.join(known)} or a YAML file, got {name!r}. "
            "Name one of them."
        )
        raise InputError(msg)
    if not trust:
        if launch.bundle.resolve().parent not in [home.resolve() for home in bundle_homes()]:
            refuse_untrusted(lint_bundle(launch.bundle), what=str(launch.bundle))
        for name in launch.presets:
            if name not in known:
                refuse_untrusted(lint_config(name), what=name)
    files = launch.config_files
    for place, name in enumerate(launch.presets, 1):
        if name not in known:
            check_preset(name, merge_configs(files[:place]), launch.merged())
    check_overrides(launch.merged(), launch.overrides, source=launch.config_files[0])
    return launch
