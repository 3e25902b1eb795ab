"""Run a bundle as `python -m monai.bundle run` does, but refuse what that would silently ignore."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable, require_same_classes
from noisylabels.learning import channels
from noisylabels.learning.datalist import list_fields, read_images
from noisylabels.learning.first_image import match_channels
from noisylabels.learning.imports import NEEDLESS, import_monai
from noisylabels.learning.launch import Launch, bundle_homes, check_launch, find_bundle, look_for_bundle
from noisylabels.learning.machine_errors import explain
from noisylabels.learning.records import read_record
from noisylabels.learning.shipped import choose_weights, rule_of_models, shipped_weights
from noisylabels.learning.training_records import overrides_of, remember


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
    launch = check_launch(Launch(folder, "train", tuple(presets), overrides), trust=trust)
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
        return check_launch(launch, trust=trust)
    return check_launch(Launch(folder, "inference", launch.presets, overrides_of(record, launch) | given), trust=trust)


def _find_model(name: str) -> tuple[Path, Path | None]:
    """Find a bundle, and the weights if others than its own are meant."""
    named, weights = choose_weights(name, bundle_homes())
    if folder := look_for_bundle(named):
        return folder, weights
    advice = f"The folder to predict comes second: noisylabels predict cdl {name}" if Path(name).is_dir() else ""
    msg = f"{rule_of_models(bundle_homes())}, got {name!r}. {advice or 'Name one of them, or train one'}."
    raise InputError(msg)


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
    before = remember(launch) if launch.config == "train" else None
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


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
