"""Boxes of experts from files: CSV (the annotation desk's too), COCO JSON and Pascal VOC.

Each format is turned into half-open boxes (row_min, column_min, row_max, column_max), the only form used inside. All
faults of a file are collected and reported at once, one line each.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.metrics.events import Events
from noisylabels.data.errors import InputError
from noisylabels.data.ids import image_id
from noisylabels.data.labels import ClassTable

if TYPE_CHECKING:
    import pandas as pd

CORNERS = ("row_min", "column_min", "row_max", "column_max")

FieldBoxes = dict[str, Events]
"""The boxes of every field that someone looked at, by field; a field without boxes has an entry without events."""

Shape = tuple[int, int]


def read_csv_boxes(
    path: str | Path, *, classes: ClassTable, shapes: Mapping[str, Shape] | None = None
) -> dict[str, FieldBoxes]:
    """Read boxes from a CSV file, one row a box, as the annotation desk exports them.

    Columns: `field` (or `image`), `class` (a name of the class table), `row_min`, `column_min`, `row_max`,
    `column_max` (half-open) and, if several experts share the file, `expert`. Others are passed over.

    Args:
        path: The file.
        classes: The class table.
        shapes: (rows, columns) of every field that was looked at. With it, fields without a box are known to have none,
            and boxes outside their field are refused.

    Returns:
        Boxes by expert (one named "expert" if there is no such column), then by field.

    Raises:
        InputError: If a column is missing or any row is wrong; the message has one line per fault.
    """
    import pandas as pd

    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame = frame.rename(columns={"image": "field"}) if "field" not in frame else frame
    lacking = [name for name in ("field", "class", *CORNERS) if name not in frame]
    if lacking:
        wanted = ", ".join(("field", "class", *CORNERS))
        msg = f"{path} must have the columns {wanted}, got none named {', '.join(lacking)}. Add them."
        raise InputError(msg)
    sheet = _Sheet(str(path), classes, dict(shapes or {}), sized=shapes is not None)
    experts = frame["expert"] if "expert" in frame else pd.Series(["expert"] * len(frame), dtype=str)
    for line, (expert, row) in enumerate(zip(experts, _rows(frame), strict=True), start=2):
        sheet.add(f"line {line}", expert, row["field"], row["class"], [row[name] for name in CORNERS])
    return sheet.finish(fields=shapes or ())


def read_coco_boxes(path: str | Path, *, classes: ClassTable, expert: str | None = None) -> dict[str, FieldBoxes]:
    """Read boxes from a COCO JSON file: `bbox` is [x, y, width, height], continuous and half-open.

    Fields are named by `file_name` without folder and suffix; where two images would have one name, by their folders
    too, as `noisylabels import` does: `plate1/A01.tif` is `plate1_A01`. Classes are named by their category.
    Annotations with `iscrowd` mark groups, no events, and are left out (`count_crowds` tells how many).

    Args:
        path: The file.
        classes: The class table.
        expert: Whose boxes they are; the file's name without suffixes when None.

    Returns:
        Boxes by expert, then by field; images without annotations have none.

    Raises:
        InputError: If it is not COCO JSON or any box is wrong; the message has one line per fault.
    """
    content = json.loads(Path(path).read_text())
    try:
        images = {image["id"]: image for image in content["images"]}
        names = {category["id"]: category["name"] for category in content["categories"]}
        annotations = content["annotations"]
    except (KeyError, TypeError) as error:
        msg = f"{path} must be COCO JSON with images, categories and annotations, got none for {error}. Export it anew."
        raise InputError(msg) from error
    stems = _name_fields({number: str(image["file_name"]) for number, image in images.items()}, source=str(path))
    shapes = {stems[number]: (image["height"], image["width"]) for number, image in images.items()}
    sheet = _Sheet(str(path), classes, shapes)
    who = expert or Path(path).name.split(".")[0]
    for annotation in annotations:
        if annotation.get("iscrowd"):
            continue
        column, row, width, height = annotation["bbox"]
        corners = [row, column, row + height, column + width]
        place = f"annotation {annotation.get('id', '?')}"
        name = names.get(annotation["category_id"], f"category {annotation['category_id']}")
        sheet.add(place, who, stems.get(annotation["image_id"], f"image {annotation['image_id']}"), name, corners)
    return sheet.finish(fields=shapes, expert=who)


def count_crowds(path: str | Path) -> int:
    """Count the annotations of a COCO JSON file that mark a group of events (`iscrowd`)."""
    return sum(bool(annotation.get("iscrowd")) for annotation in json.loads(Path(path).read_text())["annotations"])


def _name_fields(files: Mapping[Any, str], *, source: str) -> dict[Any, str]:
    """Identify each image; by its folders too where names alone are not enough."""
    short = {number: image_id(name) for number, name in files.items()}
    long = {number: "_".join([*PurePosixPath(name).parent.parts, short[number]]) for number, name in files.items()}
    often = Counter(short.values())
    chosen = {number: long[number] if often[name] > 1 else name for number, name in short.items()}
    repeated = [name for name, n in Counter(chosen.values()).items() if n > 1]
    if repeated:
        msg = f"Images of {source} must have different file names, got {repeated[0]} twice. Rename one."
        raise InputError(msg)
    return chosen


def read_voc_boxes(
    folder: str | Path, *, classes: ClassTable, expert: str | None = None, first_pixel: int = 1
) -> dict[str, FieldBoxes]:
    """Read boxes from a folder of Pascal VOC XML files, one a field.

    VOC's corners are pixels and **inclusive**: xmin = xmax is a box one pixel wide. The standard counts them from 1;
    some tools from 0.

    Args:
        folder: The folder.
        classes: The class table.
        expert: Whose boxes they are; the folder's name when None.
        first_pixel: Number of the first row and column, 1 or 0.

    Returns:
        Boxes by expert, then by field (the name of the XML file without suffix).

    Raises:
        FileNotFoundError: If the folder has no XML file.
        InputError: If any box is wrong; the message has one line per fault.
    """
    from defusedxml import ElementTree

    paths = sorted(Path(folder).glob("*.xml"))
    if not paths:
        msg = f"No .xml file in {folder}. Name the folder with the Pascal VOC annotations."
        raise FileNotFoundError(msg)
    sheet = _Sheet(str(folder), classes, {})
    who = expert or Path(folder).name
    for path in paths:
        root = ElementTree.fromstring(path.read_bytes())
        if root.find("size") is not None:
            sheet.shapes[path.stem] = (int(root.findtext("size/height", "0")), int(root.findtext("size/width", "0")))
        for number, item in enumerate(root.iter("object"), start=1):
            place = f"{path.name}, object {number}"
            corners = [item.findtext(f"bndbox/{name}", "") for name in ("ymin", "xmin", "ymax", "xmax")]
            sheet.add(place, who, path.stem, item.findtext("name", ""), corners, inclusive_from=first_pixel)
    return sheet.finish(fields=[path.stem for path in paths], expert=who)


@dataclass
class _Sheet:
    """Gathers the boxes of a file, and its faults."""

    source: str
    classes: ClassTable
    shapes: dict[str, Shape]
    sized: bool = False
    boxes: dict[str, dict[str, list[tuple[int, list[float]]]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(
        self, place: str, expert: str, name: str, class_name: str, corners: list[Any], inclusive_from: int | None = None
    ) -> None:
        """Read one box, or note what is wrong with it."""
        try:
            numbers = [float(corner) for corner in corners]
        except ValueError:
            self.faults.append(f"{place}: corners must be numbers, got {corners}")
            return
        if inclusive_from is not None:  # the last pixel of an inclusive box is inside it
            shift = np.array([0, 0, 1, 1]) - inclusive_from
            numbers = [float(value) for value in np.array(numbers) + shift]
        faults = list(self._check(name, class_name, numbers))
        self.faults += [f"{place}: {fault}" for fault in faults]
        if not faults:
            mine = self.boxes.setdefault(expert, {}).setdefault(name, [])
            mine.append((self.classes.index(class_name), numbers))

    def _check(self, name: str, class_name: str, box: list[float]) -> Iterator[str]:
        if class_name not in self.classes.foreground:
            yield f"class must be one of {', '.join(self.classes.foreground)}, got {class_name!r}"
        if not (box[0] < box[2] and box[1] < box[3]):
            yield f"box must have row_min < row_max and column_min < column_max, got {_shown(box)}"
        shape = self.shapes.get(name)
        if shape is None and self.sized:
            yield f"field must be one of those given, got {name!r}"
        elif shape is not None and not (box[0] >= 0 and box[1] >= 0 and box[2] <= shape[0] and box[3] <= shape[1]):
            yield f"box must lie inside its field of {shape[0]} rows and {shape[1]} columns, got {_shown(box)}"

    def finish(
        self, *, fields: "Mapping[str, object] | list[str] | tuple[str, ...]", expert: str = ""
    ) -> dict[str, FieldBoxes]:
        """Return the boxes, or raise all faults at once."""
        if self.faults:
            lines = "\n".join(f"  {fault}" for fault in self.faults)
            msg = f"{self.source} must have no faulty boxes, got {len(self.faults)} faults. Correct these:\n{lines}"
            raise InputError(msg)
        experts = list(self.boxes) or [expert or "expert"]
        return {
            name: {one: _events(self.boxes.get(name, {}).get(one, [])) for one in self._fields(fields, name)}
            for name in experts
        }

    def _fields(self, fields: "Mapping[str, object] | list[str] | tuple[str, ...]", expert: str) -> list[str]:
        return list(dict.fromkeys([*fields, *self.boxes.get(expert, {})]))


def _events(boxes: list[tuple[int, list[float]]]) -> Events:
    corners = np.array([box for _, box in boxes]).reshape(-1, 4)
    if (corners == corners.round()).all():
        corners = corners.astype(np.int64)  # whole pixels: overlaps stay exact
    return Events.from_boxes(corners, [kind for kind, _ in boxes])


def _rows(frame: "pd.DataFrame") -> Iterator[dict[str, str]]:
    for values in frame.itertuples(index=False, name=None):
        yield dict(zip(frame.columns, values, strict=True))


def _shown(box: list[float]) -> str:
    return "(" + ", ".join(f"{corner:g}" for corner in box) + ")"
