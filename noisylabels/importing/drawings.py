"""Label maps that come as outlines: ImageJ's ROI zips and QuPath's GeoJSON, one file an image, or COCO's polygons."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from noisylabels.data.errors import InputError
from noisylabels.data.events import InstanceMap
from noisylabels.data.ids import image_id
from noisylabels.data.labels import ClassTable, LabelMap
from noisylabels.data.outlines import (
    IGNORE,
    MOST_BYTES,
    Outline,
    class_of,
    fill_outlines,
    number_outlines,
    read_outlines,
)
from noisylabels.importing.files import find_files, name_file

SUFFIXES = (".zip", ".geojson", ".json")
ENDINGS = ("_roiset", "_rois", "-rois", "_roi", "_annotations", "_outlines")
"""How programs and people end the name of an image's file of outlines; case does not matter."""

MOST_CLASSES = 20
"""More different names are names of objects, not of classes."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """The outlines of a set of images, and the classes that their names mean.

    Args:
        tool: What wrote them.
        files: File by image id.
        outlines: Outlines by image id, each named after a class or "ignore".
        classes: The class table.
    """

    tool: str
    files: Mapping[str, Path]
    outlines: Mapping[str, Sequence[Outline]]
    classes: ClassTable

    def describe(self) -> str:
        """Return one line that tells how many outlines became which class."""
        names = [outline.name for found in self.outlines.values() for outline in found]
        return ", ".join(f"{names.count(name)} {name}" for name in (*self.classes.foreground, IGNORE) if name in names)

    def paint(self, name: str, shape: tuple[int, int]) -> LabelMap:
        """Paint the outlines of one image, (row, column) class indices; 255 where they say "ignore"."""
        return fill_outlines(self.outlines[name], shape, self.classes)

    def number(self, name: str, shape: tuple[int, int]) -> InstanceMap:
        """Paint the number of each outline of one image, (row, column) int32; 0 where they say "ignore"."""
        return number_outlines(self.outlines[name], shape)


def find_drawing(
    place: Path, *, classes: ClassTable | None = None, objects: bool = False, images: Sequence[Path] = ()
) -> Drawing | None:
    """Read the outlines of a folder, or of one file.

    Args:
        place: Folder of `<id>.zip` (ROIs) or `<id>.geojson`, or of one COCO file; or such a file.
        classes: The class table; when None it comes from the names of the outlines.
        objects: Every outline is an object of the one class, whatever its name.
        images: Files of the folder that are images.

    Returns:
        None if there are no outlines, or label images lie there too.

    Raises:
        InputError: If a file cannot be read, or names and classes do not agree.
    """
    try:
        there = [path for path in find_files(place, ("",)) if path not in set(images)]
    except FileNotFoundError:
        return None
    files = [path for path in there if path.name.lower().endswith(SUFFIXES)]
    if not files or any(path.name.lower().endswith((".tif", ".tiff", ".png", ".nii", ".nii.gz")) for path in there):
        return None
    found: dict[str, list[Outline]] = {}
    source: dict[str, Path] = {}
    tools = set()
    for path in files:
        content = path.read_bytes()
        coco = _parse_coco(content)
        tools.add("COCO" if coco is not None else "ImageJ ROIs" if content[:2] == b"PK" else "GeoJSON")
        named = _read_coco(coco, path) if coco is not None else {_image_of(path, place): read_outlines(content)}
        for name, outlines in named.items():
            if name in source:
                msg = f"{place} must hold one file of outlines for each image, got {source[name].name} and {path.name} \
for {name}. Keep one."
                raise InputError(msg)
            source[name], found[name] = path, outlines
    table = classes or _table_of((o.name for outlines in found.values() for o in outlines), objects, place)
    settled = {name: [_settle(o, table, objects=objects) for o in outlines] for name, outlines in found.items()}
    return Drawing(" and ".join(sorted(tools)), source, settled, table)


def _image_of(path: Path, place: Path) -> str:
    """Return the id of the image: the file's name without its suffix, the image's own one, and the program's ending."""
    bare = path.with_suffix("")
    name = image_id(name_file(bare, bare if path == place else place))
    ending = next((word for word in ENDINGS if name.lower().endswith(word)), "")
    return name[: len(name) - len(ending)]


def _table_of(names: Iterable[str], objects: bool, place: Path) -> ClassTable:
    bare = {name.strip().rstrip("0123456789").rstrip(" _-.#") for name in names if not _is_automatic(name)}
    bare = {name for name in bare if name.lower() != IGNORE}
    if objects or not bare:
        return ClassTable(("background", "object"))
    if len(bare) > MOST_CLASSES:
        msg = (
            f"Outlines of {place} must be named after at most {MOST_CLASSES} classes, got {len(bare)} names "
            f"({', '.join(sorted(bare)[:3])}, ...). If each is an object of one class: --masks objects."
        )
        raise InputError(msg)
    return ClassTable(("background", *sorted(bare)))


def _is_automatic(name: str) -> bool:
    """Distinguish a number that ImageJ gave, as 0012-0345, from a name; QuPath leaves outlines unnamed."""
    return re.search(r"[^\W\d_]", name) is None


def _settle(outline: Outline, table: ClassTable, *, objects: bool) -> Outline:
    if outline.name.strip().lower() == IGNORE:
        return replace(outline, name=IGNORE)
    if objects or _is_automatic(outline.name):
        if len(table) == 2:
            return replace(outline, name=table.names[1])
        msg = (
            f"Outlines must be named after the classes {', '.join(table.foreground)}, got {outline.name!r}. "
            "Name them in the program that drew them, or give one class: --classes background,NAME."
        )
        raise InputError(msg)
    index = class_of(outline.name, table)
    return replace(outline, name=IGNORE if index >= len(table) else table.names[index])


def _parse_coco(content: bytes) -> dict[str, list[dict[str, object]]] | None:
    """Parse COCO's JSON; None for anything else."""
    if content[:2] == b"PK" or b'"annotations"' not in content:
        return None
    if len(content) > MOST_BYTES:
        msg = f"A file of outlines must have at most {MOST_BYTES} bytes, got {len(content)}. Split it."
        raise InputError(msg)
    try:
        found = json.loads(content)
    except ValueError:
        return None  # the reader of GeoJSON says what is wrong
    keys = ("images", "annotations", "categories")
    return found if isinstance(found, dict) and all(isinstance(found.get(key), list) for key in keys) else None


def _read_coco(coco: dict[str, list[dict[str, object]]], path: Path) -> dict[str, list[Outline]]:
    """Read the polygons of COCO, each part of an annotation an outline of its own; an image may have none."""
    try:
        names = {image["id"]: image_id(Path(str(image["file_name"])).name) for image in coco["images"]}
        categories = {category["id"]: str(category["name"]) for category in coco["categories"]}
        found: dict[str, list[Outline]] = {name: [] for name in names.values()}
        for annotation in coco["annotations"]:
            name, outlines = categories[annotation["category_id"]], found[names[annotation["image_id"]]]
            outlines += [Outline(name, (_ring(part),)) for part in _parts(annotation, path)]
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        kind = type(error).__name__
        msg = (
            f"{path} must be COCO's JSON of images, categories and annotations, got a fault ({kind}). Export it again."
        )
        raise InputError(msg) from error
    return found


def _parts(annotation: dict[str, object], path: Path) -> list[object]:
    parts = annotation["segmentation"]
    if not isinstance(parts, list):
        msg = (
            f"Annotations of {path} must be polygons, got run lengths in annotation {annotation.get('id')}. "
            "Export polygons, or label images."
        )
        raise InputError(msg)
    return parts


def _ring(part: object) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    ring = np.asarray(part, np.float64).reshape(-1, 2)[:, ::-1]
    if len(ring) < 3 or not np.isfinite(ring).all():
        msg = f"Polygons must have at least three finite corners, got {len(ring)}. Correct or delete them."
        raise InputError(msg)
    return np.ascontiguousarray(ring)
