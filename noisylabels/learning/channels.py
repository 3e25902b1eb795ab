"""What a dataset folder says of its channels and classes, compared with what a bundle or its weights expect."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.learning.plain import check_plain


def read_names(dataset_dir: str | Path | None) -> tuple[list[str], list[str]]:
    """Read the names of channels and classes from dataset.json; nothing from a plain folder of images.

    Args:
        dataset_dir: A dataset folder, any other folder, or None.

    Returns:
        The names of the channels in the order of the images, and of the classes, background first. Each is empty if
        the folder does not tell. A file that is no JSON tells nothing here: whoever reads the fields says so.

    Raises:
        InputError: If they are no list of words, or a word is one that MONAI would evaluate.

    Examples:
        >>> read_names(None)
        ([], [])
    """
    path = Path(dataset_dir or "") / "dataset.json"
    try:
        about = json.loads(path.read_text())
    except (OSError, ValueError):
        return [], []
    if dataset_dir is None or not isinstance(about, dict):
        return [], []
    return _names(about, "channel_names", path), _names(about, "class_names", path)


def fill_names(
    bundle: Path, config: Mapping[str, object], channels: Sequence[str], classes: Sequence[str]
) -> dict[str, str]:
    """Pass to a bundle the dataset's number of channels and class names, where they are not the bundle's own.

    Args:
        bundle: The bundle's folder.
        config: Its config; an id that it does not have is not filled.
        channels: The dataset's channels; none if unknown.
        classes: The dataset's classes; none if unknown.

    Returns:
        Overrides as a user would write them; empty for the bundle's own channels and classes.
    """
    own_channels, own_classes = _names_of(bundle)
    filled = {}
    if channels and "n_channels" in config and len(channels) != len(own_channels):
        filled["n_channels"] = str(len(channels))
    if classes and "class_names" in config and list(classes) != own_classes:
        filled["class_names"] = str(list(classes))
    return filled


def class_names(bundle: Path) -> list[str]:
    """Return the class names of a bundle, background first."""
    return _names_of(bundle)[1]


def expected_channels(bundle: Path, recorded: Sequence[str]) -> list[str]:
    """Return the channels that weights were trained on, or else those that the bundle is made for, in order.

    Args:
        bundle: The bundle's folder.
        recorded: The names recorded beside the weights; may be empty.
    """
    return list(recorded or _names_of(bundle)[0])


def refuse_other_order(channels: Sequence[str], expected: Sequence[str], *, dataset: str | Path) -> None:
    """Check that a dataset does not hold the expected channels in another order; other names are no fault.

    Args:
        channels: The dataset's channels, in order.
        expected: Those of the bundle or its weights, in order.
        dataset: What to call the dataset in the error.

    Raises:
        InputError: If they are the same names in another order: a network would take one for the other in silence.

    Examples:
        >>> refuse_other_order(["lysosomes", "mitochondria"], ["DsRed", "pHluorin"], dataset="hela")
        >>> refuse_other_order(["pHluorin", "DsRed"], ["DsRed", "pHluorin"], dataset="hela")
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: Channels of hela must be in the order DsRed, pHluorin, got pHluorin, \
DsRed. Import the images anew with --keep 1,0 --channels DsRed,pHluorin.
    """
    if list(channels) == list(expected) or sorted(channels) != sorted(expected):
        return
    keep = ",".join(str(list(channels).index(name)) for name in expected)
    msg = (
        f"Channels of {dataset} must be in the order {', '.join(expected)}, got {', '.join(channels)}. "
        f"Import the images anew with --keep {keep} --channels {','.join(expected)}."
    )
    raise InputError(msg)


def say_taken(channels: Sequence[str], expected: Sequence[str]) -> str:
    """Say which channel is taken for which; nothing where the names are the same.

    Args:
        channels: The channels of the images, in order.
        expected: Those of the network; as many.

    Examples:
        >>> say_taken(["FITC"], ["nuclei"]), say_taken(["DNA"], ["DNA"])
        ('FITC taken for nuclei', '')
    """
    if list(channels) == list(expected):
        return ""
    return ", ".join(f"{name} taken for {other}" for name, other in zip(channels, expected, strict=True))


def _names(about: Mapping[str, object], key: str, path: Path) -> list[str]:
    names = about.get(key) or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        msg = f"{key} of {path} must be a list of words, got {str(names)[:80]}. Make it anew."
        raise InputError(msg)
    check_plain(names, what=key, source=path)
    return [str(name) for name in names]


def _names_of(bundle: Path) -> tuple[list[str], list[str]]:
    formats = json.loads((bundle / "configs" / "metadata.json").read_text())["network_data_format"]
    tables = (formats["inputs"]["image"].get("channel_def", {}), formats["outputs"]["pred"].get("channel_def", {}))
    channels, classes = ([table[key] for key in sorted(table, key=int)] for table in tables)
    return channels, classes
