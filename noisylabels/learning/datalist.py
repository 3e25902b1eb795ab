"""The lists of fields that a bundle trains on and predicts: a dataset folder, or a plain folder of images."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from noisylabels.data.dataset import Case, read_cases
from noisylabels.data.errors import InputError
from noisylabels.data.ids import check_name, image_id
from noisylabels.data.images import IMAGE_SUFFIXES
from noisylabels.data.labels import ClassTable
from noisylabels.data.splits import SPLITS, split_groups

Field = dict[str, str]
"""One field: its `id`, `group`, and the paths of its `image` and `label`."""

logger = logging.getLogger(__name__)


def read_class_names(bundle_root: str | Path) -> list[str]:
    """Read the class table of a bundle: `channel_def` of its prediction in configs/metadata.json.

    Args:
        bundle_root: The bundle's folder.

    Returns:
        One name per class index, background first.

    Raises:
        FileNotFoundError: If that folder is no bundle.
    """
    path = Path(bundle_root) / "configs" / "metadata.json"
    if not path.is_file():
        msg = f"bundle_root must be a bundle with configs/metadata.json, got {bundle_root}. Pass --bundle_root."
        raise FileNotFoundError(msg)
    outputs = json.loads(path.read_text())["network_data_format"]["outputs"]
    return list(ClassTable.from_channel_def(outputs["pred"]["channel_def"]))


def list_fields(
    dataset_dir: str | Path, *, label_name: str, split: Sequence[float], seed: int, truth_name: str | None = None
) -> dict[str, list[Field]]:
    """List the training, validation and test fields of a dataset folder.

    The split of datalist.json is kept. If it lists no validation field, the training fields are split here, by group:
    in three, or in two where it lists test fields.

    Args:
        dataset_dir: Folder with datalist.json, images/ and labels/.
        label_name: The label set to learn from: the label map of a field is labels/<label_name>/<id>.tif.
        split: Shares of training, validation and test, used when datalist.json does not split.
        seed: Of that split.
        truth_name: A label set to carry along as `truth`, for curves that tell right labels from wrong ones.

    Returns:
        Fields by split name; paths are whole.

    Raises:
        FileNotFoundError: If the folder is no dataset folder.
        InputError: If there is no such label set, no training or no validation field, or a group is cut.
    """
    root = Path(dataset_dir)
    _require_labels(root, label_name)
    lists = {name: [_field(root, case, label_name) for case in cases] for name, cases in _lists(root).items()}
    if truth_name is not None:
        _require_labels(root, truth_name, key="truth_name")
        lists = {name: [_with_truth(field, truth_name) for field in fields] for name, fields in lists.items()}
    if lists["training"] and not lists["validation"]:
        lists = _split(lists["training"], split, seed, held_out=lists["test"])
    for name in ("training", "validation"):
        if not lists[name]:
            msg = f"{root / 'datalist.json'} must list at least one {name} field, got none. Add fields or split anew."
            raise InputError(msg)
    return lists


def read_fields(
    dataset_dir: str | Path, *, label_name: str, split: Sequence[float], seed: int, truth_name: str | None = None
) -> dict[str, list[Field]]:
    """List the fields as `list_fields` does, and log how many there are."""
    lists = list_fields(dataset_dir, label_name=label_name, split=split, seed=seed, truth_name=truth_name)
    logger.info("fields: %s", ", ".join(f"{len(fields)} {name}" for name, fields in lists.items()))
    return lists


def read_images(dataset_dir: str | Path, *, split: str = "all") -> list[Field]:
    """List the fields to predict.

    Args:
        dataset_dir: A dataset folder, or any folder of images.
        split: "training", "validation", "test" or "all"; a plain folder of images has "all" only.

    Returns:
        The fields, without labels; never an empty list.

    Raises:
        FileNotFoundError: If the folder is missing or holds no image.
        InputError: If the split is unknown or empty.
    """
    root = Path(dataset_dir)
    if not (root / "datalist.json").is_file():
        return _images_of(root, split)
    if split not in (*SPLITS, "all"):
        msg = f"split must be one of {', '.join(SPLITS)}, all; got {split!r}. Name one of them."
        raise InputError(msg)
    fields = [
        {key: value for key, value in _field(root, case, "").items() if key != "label"}
        for name, cases in _lists(root).items()
        for case in cases
        if split in ("all", name)
    ]
    if not fields:
        msg = f"{root / 'datalist.json'} must list at least one field to predict, got none in {split}. Use --split all."
        raise InputError(msg)
    return fields


def choose_split(fields: Mapping[str, list[Field]], split: str) -> list[Field]:
    """Select the fields of one split.

    Raises:
        InputError: If there is no such split, or it is empty.

    Examples:
        >>> choose_split({"training": [], "validation": [], "test": []}, "test")
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: A split to evaluate must hold fields, got test; with fields: none. \
Name another.
    """
    if not fields.get(split):
        full = ", ".join(name for name, part in fields.items() if part) or "none"
        msg = f"A split to evaluate must hold fields, got {split}; with fields: {full}. Name another."
        raise InputError(msg)
    return fields[split]


def share_of(fields: Sequence[Field], *, rank: int, n_processes: int) -> list[Field]:
    """Select one process's share of the fields: every `n_processes`-th, none twice.

    Raises:
        InputError: If there are fewer fields than processes.

    Examples:
        >>> share_of([{"id": "a"}, {"id": "b"}, {"id": "c"}], rank=0, n_processes=2)
        [{'id': 'a'}, {'id': 'c'}]
    """
    if len(fields) < n_processes:
        msg = f"There must be a validation field for each of {n_processes} processes, got {len(fields)}. Start fewer."
        raise InputError(msg)
    return list(fields[rank::n_processes])


def _lists(root: Path) -> dict[str, list[Case]]:
    path = root / "datalist.json"
    if not path.is_file():
        there = ", ".join(sorted(entry.name for entry in root.iterdir())[:5]) if root.is_dir() else "no such folder"
        msg = f"dataset_dir must be a folder with datalist.json, got {root} ({there or 'empty'}). Pass --dataset_dir."
        raise FileNotFoundError(msg)
    cases = read_cases(path)
    return {name: [case for case in cases if case.split == name] for name in SPLITS}


def _field(root: Path, case: Case, label_name: str) -> Field:
    label = root / "labels" / label_name / f"{case.id}.tif"
    return {"id": case.id, "group": case.group, "image": str(root / case.image), "label": str(label)}


def _with_truth(field: Field, truth_name: str) -> Field:
    label = Path(field["label"])
    return field | {"truth": str(label.parent.parent / truth_name / label.name)}


def _require_labels(root: Path, label_name: str, *, key: str = "label_name") -> None:
    check_name(label_name, what=f"Values of {key}")
    labels = root / "labels"
    if (root / "datalist.json").is_file() and not (labels / label_name).is_dir():
        there = ", ".join(sorted(entry.name for entry in labels.iterdir())) if labels.is_dir() else "none"
        msg = f"{key} must be a label set of {root} ({there}), got {label_name!r}. Make it first or name another."
        raise InputError(msg)


def _split(
    fields: list[Field], fractions: Sequence[float], seed: int, *, held_out: list[Field]
) -> dict[str, list[Field]]:
    training, validation, test = fractions
    if held_out:  # no training field is given up for a test that is there already
        training, validation, test = training / (training + validation), validation / (training + validation), 0.0
    dealt = split_groups([field["group"] for field in fields], (training, validation, test), seed=seed)
    lists = {name: [field for field, at in zip(fields, dealt, strict=True) if at == name] for name in SPLITS}
    return lists | {"test": held_out or lists["test"]}


def _images_of(root: Path, split: str) -> list[Field]:
    if split != "all":
        msg = f"split must be all for a folder without datalist.json, got {split!r}. Leave --split out."
        raise InputError(msg)
    entries = sorted(root.iterdir()) if root.is_dir() else []
    paths = list(filter(_is_image, entries))
    if not paths:
        there = ", ".join(entry.name for entry in entries[:5]) if root.is_dir() else "no such folder"
        below = [entry for entry in entries if entry.is_dir() and any(map(_is_image, entry.iterdir()))]
        advice = f"Did you mean {below[0]}?" if below else "Check the path."
        msg = f"dataset_dir must be a dataset folder or hold images, got {root} ({there or 'empty'}). {advice}"
        raise FileNotFoundError(msg)
    fields = [{"id": image_id(path), "group": image_id(path), "image": str(path)} for path in paths]
    for field in fields:
        check_name(field["id"], what="Names of images", source=root)
    _refuse_same_name(fields, root)
    return fields


def _is_image(path: Path) -> bool:
    return path.name.lower().endswith(IMAGE_SUFFIXES) and not path.name.startswith(".")


def _refuse_same_name(fields: Sequence[Field], root: Path) -> None:
    """Two images of one name would be written to one label map."""
    seen: dict[str, str] = {}
    for field in fields:
        other = seen.setdefault(field["id"], field["image"])
        if other != field["image"]:
            msg = f"Images of {root} must differ in name, got {other} and {field['image']}. Rename one of them."
            raise InputError(msg)
