"""The dataset folder: the seam between the rooms.

    images/<id>.ome.tif         (channel, row, column)
    labels/<name>/<id>.tif      (row, column) class indices, one folder per method: truth, cip, cdl, ...
    instances/<name>/<id>.tif   (row, column) object numbers of the same, where touching objects are told apart
    datalist.json               MONAI's lists `training`, `validation`, `test` of {"id", "image", "label", "group"}
    dataset.json                class names, channel names, pixel size, provenance

Cases that must stay together when the data is split (a well, a field's quarters, adjacent tiles) share a `group`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noisylabels.data.arrays import Image
from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.data.ids import check_name, image_id
from noisylabels.data.images import IMAGE_SUFFIXES, read_image, read_label_map
from noisylabels.data.labels import ClassTable, LabelMap, check_label_map
from noisylabels.data.splits import SPLITS

if TYPE_CHECKING:
    from noisylabels.data.events import InstanceMap

FORMAT = "noisylabels dataset 1"


@dataclass(frozen=True)
class Case:
    """One field of a dataset.

    Args:
        id: Its name, unique in the dataset; files are named after it.
        group: Cases of one group are never split apart; the id itself when nothing binds them.
        split: "training", "validation" or "test".
        image: Path of its image below the dataset folder.
    """

    id: str
    group: str
    split: str
    image: str


@dataclass(frozen=True, repr=False)
class Dataset:
    """An open dataset folder.

    Args:
        folder: Where it lies.
        classes: The class table of every label map in it.
        channel_names: One name per channel of every image.
        pixel_size_um: Side of a pixel in micrometres, None when unknown.
        cases: Its fields, in the order of the lists: training, validation, test.
        provenance: Where the data comes from; free, kept as it is.
    """

    folder: Path
    classes: ClassTable
    channel_names: tuple[str, ...]
    pixel_size_um: float | None = None
    cases: tuple[Case, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        labels = ", ".join(self.label_names()) or "none"
        channels = " + ".join(self.channel_names)
        return f"Dataset({str(self.folder)!r}, {len(self.cases)} images, {channels}, labels: {labels})"

    def ids(self, split: str | None = None) -> list[str]:
        """List the ids of one split, or of all."""
        return [case.id for case in self.cases if split in (None, "all", case.split)]

    def case(self, case_id: str) -> Case:
        """Find a case by its id.

        Raises:
            InputError: If there is none.
        """
        for case in self.cases:
            if case.id == case_id:
                return case
        msg = f"A case of {self.folder} must be one of its {len(self.cases)} ids, got {case_id!r}. See datalist.json."
        raise InputError(msg)

    def image_path(self, case_id: str) -> Path:
        """Return where the image of a case lies."""
        return self.folder / self.case(case_id).image

    def label_path(self, name: str, case_id: str) -> Path:
        """Return where the label map `name` of a case lies, or would lie."""
        return self.folder / "labels" / check_name(name, what="Names of label sets") / f"{case_id}.tif"

    def instance_path(self, name: str, case_id: str) -> Path:
        """Return where the instance map of a label map lies, or would lie: instances/<name>/<id>.tif."""
        return self.folder / "instances" / check_name(name, what="Names of label sets") / f"{case_id}.tif"

    def instance_map(self, name: str, case_id: str) -> InstanceMap:
        """Read the object numbers of a label set, (row, column) int32, 0 = background.

        Args:
            name: The label set.
            case_id: The case.

        Raises:
            FileNotFoundError: If it has none.
            InputError: If they cannot be read.
        """
        from noisylabels.data.instances import read_instance_map

        path = self.instance_path(name, case_id)
        if not path.is_file():
            msg = (
                f"{path} must hold the object numbers of {name}, but there is none. Import label maps of objects, "
                "or predict with --instances."
            )
            raise FileNotFoundError(msg)
        return read_instance_map(path)

    def label_names(self) -> list[str]:
        """List the label sets there are: truth, cip, ..."""
        labels = self.folder / "labels"
        return sorted(entry.name for entry in labels.iterdir() if entry.is_dir()) if labels.is_dir() else []

    def image(self, case_id: str) -> Image:
        """Read the image of a case, (channel, row, column)."""
        return read_image(self.image_path(case_id), n_channels=len(self.channel_names))

    def label_map(
        self, name: str, case_id: str, *, like: Image | None = None, ignore_index: int | None = None
    ) -> LabelMap:
        """Read a label map of a case, (row, column) uint8.

        Args:
            name: The label set.
            case_id: The case.
            like: The image it belongs to; when given, the sizes must agree.
            ignore_index: Value of pixels that count for no class, allowed beside the class indices.

        Raises:
            InputError: If the label set is unknown; the message lists those there are.
            FileNotFoundError: If this case has no such label map.
        """
        self.require_labels(name)
        path = self.label_path(name, case_id)
        label_map = read_label_map(path, self.classes, ignore_index=ignore_index)
        size = None if like is None else (like.shape[-2], like.shape[-1])
        return check_label_map(label_map, self.classes, source=str(path), like=size, ignore_index=ignore_index)

    def require_labels(self, name: str) -> None:
        """Check that there is a label set of this name.

        Raises:
            InputError: If there is not; the message lists those there are.
        """
        check_name(name, what="Names of label sets")
        if not (self.folder / "labels" / name).is_dir():
            there = ", ".join(self.label_names()) or "none"
            msg = f"A label set of {self.folder} must be one of: {there}; got {name!r}. Make it first or name another."
            raise InputError(msg)


def open_dataset(folder: str | Path) -> Dataset:
    """Open a dataset folder.

    Args:
        folder: A folder with dataset.json and datalist.json.

    Raises:
        FileNotFoundError: If either file is missing; the message says what the folder holds.
        InputError: If a file is not what the format says, an id repeats, or a group is in two splits.
    """
    root = Path(folder)
    about = _read_json(root / "dataset.json")
    if about.get("format") != FORMAT or "class_names" not in about or "channel_names" not in about:
        path = root / "dataset.json"
        msg = f"{path} must say format, class_names and channel_names, got {sorted(about)}. Make it anew."
        raise InputError(msg)
    cases = read_cases(root / "datalist.json")
    if not cases:
        msg = (
            f"{root / 'datalist.json'} must list at least one image, got none. Add some ({', '.join(IMAGE_SUFFIXES)})."
        )
        raise InputError(msg)
    return Dataset(
        folder=root,
        classes=ClassTable(tuple(about["class_names"])),
        channel_names=tuple(about["channel_names"]),
        pixel_size_um=about.get("pixel_size_um"),
        cases=cases,
        provenance=about.get("provenance", {}),
    )


def write_dataset(dataset: Dataset, *, label_name: str = "truth") -> None:
    """Write dataset.json and datalist.json (not images or label maps).

    Args:
        dataset: What to write, and where.
        label_name: The label set that the lists point at; training may name another.

    Raises:
        InputError: If an id repeats or a group is in two splits.
    """
    check_cases(dataset.cases, source=str(dataset.folder))
    about = {
        "format": FORMAT,
        "class_names": list(dataset.classes),
        "channel_names": list(dataset.channel_names),
        "pixel_size_um": dataset.pixel_size_um,
        "provenance": dict(dataset.provenance),
    }
    lists: dict[str, list[dict[str, str]]] = {split: [] for split in SPLITS}
    for case in dataset.cases:
        entry = asdict(case)
        lists[entry.pop("split")].append(entry | {"label": f"labels/{label_name}/{case.id}.tif"})
    write_text(dataset.folder / "datalist.json", json.dumps(lists, indent=1))
    write_text(dataset.folder / "dataset.json", json.dumps(about, indent=1))


def read_list_label(folder: Path) -> str:
    """Read which label set the lists of a dataset folder point at; "truth" where they do not say."""
    lists = _read_json(folder / "datalist.json")
    entries = [entry for split in SPLITS for entry in _entries(lists, split, folder / "datalist.json")]
    words = [Path(str(entry["label"])).parts for entry in entries if isinstance(entry, dict) and entry.get("label")]
    return words[0][-2] if words and len(words[0]) > 1 else "truth"


def check_cases(cases: Sequence[Case], *, source: str) -> None:
    """Check that ids differ, splits are known and no group is cut by a split.

    Args:
        cases: The cases of one dataset.
        source: What to call it in an error.

    Raises:
        InputError: If one of these does not hold.
    """
    ids = [case.id for case in cases]
    repeated = sorted({case_id for case_id in ids if ids.count(case_id) > 1}) if len(set(ids)) < len(ids) else []
    if repeated:
        msg = f"Ids of {source} must differ, got {repeated[0]!r} {ids.count(repeated[0])} times. Rename its files."
        raise InputError(msg)
    split_of: dict[str, str] = {}
    for case in cases:
        if case.split not in SPLITS:
            msg = f"A split of {source} must be one of {', '.join(SPLITS)}, got {case.split!r}. Use MONAI's names."
            raise InputError(msg)
        if split_of.setdefault(case.group, case.split) != case.split:
            msg = (
                f"A group of {source} must lie in one split, got {case.group!r} in {split_of[case.group]} and "
                f"{case.split}. Split by group: its fields show the same cells."
            )
            raise InputError(msg)


def read_cases(path: Path) -> tuple[Case, ...]:
    """Read the lists of MONAI's form: `training`, `validation` and `test`, each of {"image", "id", "group"}.

    Args:
        path: datalist.json of a dataset folder.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is not what the format says, an id is no plain name or repeats, or a group is cut.
    """
    lists = _read_json(path)
    cases = [_case_of(entry, split, path) for split in SPLITS for entry in _entries(lists, split, path)]
    check_cases(cases, source=str(path))
    return tuple(cases)


def _entries(lists: Mapping[str, object], split: str, path: Path) -> list[object]:
    entries = lists.get(split, [])
    if not isinstance(entries, list):
        msg = f"{split} of {path} must be a list, got {type(entries).__name__}. Make the list anew."
        raise InputError(msg)
    return entries


def _case_of(entry: object, split: str, path: Path) -> Case:
    image = entry.get("image") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(image, str):
        msg = f"Entries of {path} must be objects that name an image, got {str(entry)[:80]}. Make the list anew."
        raise InputError(msg)
    case_id = check_name(entry.get("id") or image_id(image), what="Ids", source=path)
    group = entry.get("group", case_id)
    return Case(case_id, str(group), split, image)


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        there = sorted(entry.name for entry in path.parent.iterdir())[:5] if path.parent.is_dir() else "no such folder"
        msg = f"{path.parent} must be a dataset folder with {path.name}, got {there}. Make one: simulate or import."
        raise FileNotFoundError(msg)
    try:
        content = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        msg = f"{path} must be JSON, got a fault in {place}. Correct it or make it anew."
        raise InputError(msg) from error
    if not isinstance(content, dict):
        msg = f"{path} must hold a JSON object, got {type(content).__name__}. Make it anew."
        raise InputError(msg)
    return content
