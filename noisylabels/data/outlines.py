"""Outlines: label maps as ImageJ's ROI zips and as GeoJSON (QuPath), out and in again, equal to the pixel.

An outline runs along the edges of pixels; a pixel belongs to a shape when its centre does, by the even-odd rule over
all rings of the shape, so that holes stay open. x is the column and y the row, in pixels, from the corner of the image.
"""

import io
import json
import math
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.data.errors import InputError
from noisylabels.data.events import InstanceMap
from noisylabels.data.labels import IGNORE_INDEX, ClassTable, LabelMap

if TYPE_CHECKING:
    from roifile import ImagejRoi

Ring = NDArray[np.float64]
Format = Literal["roi", "geojson"]

IGNORE = "ignore"
"""Name of outlines around ignored pixels."""

MOST_OUTLINES = 100_000
MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, eq=False)
class Outline:
    """One event as rings.

    Args:
        name: Name of its class, or "ignore".
        rings: (corner, 2) row and column of each ring, not closed; the order and direction of rings do not matter.
    """

    name: str
    rings: tuple[Ring, ...]


def trace_outlines(label_map: LabelMap, classes: ClassTable) -> list[Outline]:
    """Trace every event of a label map: one outline per 8-connected component of a class, holes as rings of their own.

    Args:
        label_map: (row, column) class indices, or 255 for ignored pixels. Not modified.
        classes: The class table.

    Returns:
        The outlines, class by class, then row by row; ignored pixels last.

    Examples:
        >>> table = ClassTable(("background", "vesicle"))
        >>> traced = trace_outlines(np.array([[0, 1, 1]], np.uint8), table)
        >>> [outline.name for outline in traced], traced[0].rings[0].tolist()
        (['vesicle'], [[0.0, 1.0], [0.0, 3.0], [1.0, 3.0], [1.0, 1.0]])
    """
    named = [*enumerate(classes), (IGNORE_INDEX, IGNORE)][1:]
    traced = []
    for value, name in named:
        components, _ = ndi.label(label_map == value, np.ones((3, 3), bool))
        for number, place in enumerate(ndi.find_objects(components), start=1):
            traced.append(Outline(name, _trace(components[place] == number, (place[0].start, place[1].start))))
    return traced


def fill_outlines(outlines: Iterable[Outline], shape: tuple[int, int], classes: ClassTable) -> LabelMap:
    """Paint outlines into a label map; where they overlap, the later one wins.

    Args:
        outlines: As `trace_outlines` or `read_outlines` gives them; parts outside the map are cut off.
        shape: (rows, columns) of the map.
        classes: The class table.

    Raises:
        InputError: If a name is no class of the table.
    """
    label_map = np.zeros(shape, np.uint8)
    for outline in outlines:
        label_map[_inside(outline.rings, shape)] = class_of(outline.name, classes)
    return label_map


def number_outlines(outlines: Iterable[Outline], shape: tuple[int, int]) -> InstanceMap:
    """Paint each outline's own number, so that touching ones stay apart; where they overlap, the later one wins.

    Args:
        outlines: As `trace_outlines` or `read_outlines` gives them; what is to be ignored is no object.
        shape: (rows, columns) of the map.

    Returns:
        (row, column) int32: 1, 2, ... in the order of the outlines, 0 elsewhere.
    """
    instances = np.zeros(shape, np.int32)
    for number, outline in enumerate(outlines, 1):
        instances[_inside(outline.rings, shape)] = 0 if outline.name.strip().lower().startswith(IGNORE) else number
    return instances


def class_of(name: str, classes: ClassTable) -> int:
    """Find the class that the name of an outline means: the class's own, in any case, perhaps with a number behind.

    Returns:
        Its class index, or 255 for "ignore".

    Raises:
        InputError: If it is no class of the table, or the background.

    Examples:
        >>> class_of("Vesicle 12", ClassTable(("background", "vesicle")))
        1
    """
    bare = name.strip().lower()
    meant = {**{known.lower(): index for index, known in enumerate(classes) if index}, IGNORE: IGNORE_INDEX}
    for word in (bare, bare.rstrip("0123456789").rstrip(" _-.#")):
        if word in meant:
            return meant[word]
    known = ", ".join([*classes.foreground, IGNORE])
    msg = f"The name of an outline must be a class ({known}), perhaps with a number behind, got {name!r}. Rename it."
    raise InputError(msg)


def write_outlines(outlines: Sequence[Outline], form: Format) -> bytes:
    """Write outlines as a file's content.

    Args:
        outlines: What to write.
        form: "roi" for ImageJ's zip of ROIs, "geojson" for a GeoJSON FeatureCollection as QuPath reads it.

    Returns:
        The bytes of the file: same outlines, same bytes.
    """
    counts: dict[str, int] = defaultdict(int)
    numbers = []
    for outline in outlines:
        counts[outline.name] += 1
        numbers.append(counts[outline.name])
    pairs = list(zip(outlines, numbers, strict=True))
    if form == "geojson":
        features = [_feature(outline, number) for outline, number in pairs]
        return json.dumps({"type": "FeatureCollection", "features": features}).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, (outline, number) in enumerate(pairs, start=1):
            entry = zipfile.ZipInfo(f"{place:05d}-{outline.name} {number}.roi")  # dated 1980: the same bytes every time
            archive.writestr(entry, _roi(outline, f"{outline.name} {number}").tobytes())
    return stream.getvalue()


def read_outlines(content: bytes) -> list[Outline]:
    """Read the content of an ROI zip or a GeoJSON file; which one it is, it tells itself.

    Of GeoJSON polygons and multipolygons are read, their class from `classification.name`, `class` or `name` of the
    properties; of ROIs all that enclose an area.

    Raises:
        InputError: If it is neither, is damaged or too large, or holds something without an area.
    """
    if len(content) > MOST_BYTES:
        msg = f"A file of outlines must have at most {MOST_BYTES} bytes, got {len(content)}. Give one field at a time."
        raise InputError(msg)
    outlines = _read_rois(content) if content[:2] == b"PK" else _read_geojson(content)
    if len(outlines) > MOST_OUTLINES:
        msg = f"A file must hold at most {MOST_OUTLINES} outlines, got {len(outlines)}. Give one field at a time."
        raise InputError(msg)
    return outlines


_TURNS = {(0, 1): (1, 0), (1, 0): (0, -1), (0, -1): (-1, 0), (-1, 0): (0, 1)}
"""The direction after a right turn: along the same pixel."""


def _trace(mask: NDArray[np.bool_], corner: tuple[int, int]) -> tuple[Ring, ...]:
    """Walk around a component, the inside on the right; where two pixels touch at a corner, a ring stays with one."""
    padded = np.pad(mask, 1)
    inside = padded[1:-1, 1:-1]
    sides = (
        (inside & ~padded[:-2, 1:-1], (0, 0), (0, 1)),
        (inside & ~padded[1:-1, 2:], (0, 1), (1, 0)),
        (inside & ~padded[2:, 1:-1], (1, 1), (0, -1)),
        (inside & ~padded[1:-1, :-2], (1, 0), (-1, 0)),
    )
    ways: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for edge, (down, right), way in sides:
        for row, column in np.argwhere(edge).tolist():
            ways[row + down, column + right].append(way)
    rings = []
    for start in sorted(ways):
        while ways[start]:
            rings.append(_walk(ways, start) + np.array(corner, float))
    return tuple(rings)


def _walk(ways: dict[tuple[int, int], list[tuple[int, int]]], start: tuple[int, int]) -> Ring:
    at, way, corners = start, ways[start].pop(0), [start]
    while True:
        at = (at[0] + way[0], at[1] + way[1])
        if at == start and not (_TURNS[way] in ways[at] and len(ways[at]) == 2):
            break
        following = _TURNS[way] if _TURNS[way] in ways[at] else ways[at][0]
        ways[at].remove(following)
        if following != way:
            corners.append(at)
        way = following
    ring = np.array(corners, float)
    before, after = ring[-1] - ring[0], ring[1] - ring[0]
    straight = before[0] * after[1] == before[1] * after[0]  # the start lies in the middle of a side
    return ring[1:] if straight else ring


def _inside(rings: Sequence[Ring], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark the pixels whose centre lies within rings, even-odd: each crossing of a row toggles what follows."""
    toggles = np.zeros((shape[0], shape[1] + 1), np.int64)
    for ring in rings:
        ends = np.roll(ring, -1, axis=0)
        for (row, column), (row_end, column_end) in zip(ring.tolist(), ends.tolist(), strict=True):
            if row == row_end:
                continue
            (low, left), (high, right) = sorted([(row, column), (row_end, column_end)])
            first, behind = max(0, math.ceil(low - 0.5)), min(shape[0], math.ceil(high - 0.5))
            rows = np.arange(first, behind)
            crossed = left + (rows + 0.5 - low) * (right - left) / (high - low)
            columns = np.clip(np.ceil(crossed - 0.5), 0, shape[1]).astype(np.intp)
            np.add.at(toggles, (rows, columns), 1)
    marked: NDArray[np.bool_] = np.cumsum(toggles, axis=1)[:, :-1] % 2 == 1
    return marked


def _area(ring: Ring) -> float:
    """Compute the signed area of a ring; positive where the inside is on the right."""
    ends = np.roll(ring, -1, axis=0)
    return float((ring[:, 1] * ends[:, 0] - ends[:, 1] * ring[:, 0]).sum() / 2)


def _polygons(rings: Sequence[Ring]) -> list[list[Ring]]:
    """Assign every hole to the smallest ring around it."""
    outer = [[ring] for ring in rings if _area(ring) > 0]
    for hole in (ring for ring in rings if _area(ring) <= 0):
        way = hole[1] - hole[0]
        way = way / np.abs(way).max()
        beside = hole[0] + way / 2 + np.array([way[1], -way[0]]) / 2  # the centre of a pixel on its right: of the event
        around = [polygon for polygon in outer if _holds(polygon[0], beside)]
        min(around or outer, key=lambda polygon: _area(polygon[0])).append(hole)
    return outer


def _holds(ring: Ring, point: Ring) -> bool:
    ends = np.roll(ring, -1, axis=0)
    crosses = (ring[:, 0] > point[0]) != (ends[:, 0] > point[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = ring[:, 1] + (point[0] - ring[:, 0]) * (ends[:, 1] - ring[:, 1]) / (ends[:, 0] - ring[:, 0])
    return bool((crosses & (columns > point[1])).sum() % 2)


def _feature(outline: Outline, number: int) -> dict[str, object]:
    shapes = [
        [[[*map(_plain, corner[::-1])] for corner in [*ring.tolist(), ring[0].tolist()]] for ring in polygon]
        for polygon in _polygons(outline.rings)
    ]
    single = len(shapes) == 1
    geometry = {"type": "Polygon" if single else "MultiPolygon", "coordinates": shapes[0] if single else shapes}
    about = {"objectType": "annotation", "name": f"{outline.name} {number}", "classification": {"name": outline.name}}
    return {"type": "Feature", "geometry": geometry, "properties": about}


def _plain(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _roi(outline: Outline, name: str) -> "ImagejRoi":
    from roifile import ROI_TYPE, ImagejRoi

    paths = [ring[:, ::-1] for ring in outline.rings]
    if len(paths) == 1:
        roi = ImagejRoi.frompoints(paths[0].astype(np.int32))
        roi.roitype = ROI_TYPE.POLYGON
        roi.name = name
        return roi
    roi = ImagejRoi()
    roi.roitype = ROI_TYPE.RECT
    corners = np.concatenate(paths)
    roi.left, roi.top = (int(value) for value in corners.min(axis=0))
    roi.right, roi.bottom = (int(value) for value in corners.max(axis=0))
    segments: list[float] = []
    for path in paths:
        (x, y), *others = path.tolist()
        segments += [0, x, y]  # java.awt.geom.PathIterator: move, line, close
        for x_next, y_next in others:
            segments += [1, x_next, y_next]
        segments.append(4)
    roi.multi_coordinates = np.array(segments, np.float32)
    roi.shape_roi_size = len(segments)
    roi.name = name
    return roi


def _read_rois(content: bytes) -> list[Outline]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".roi")]
            _refuse_large(entries)
            return [_outline_of_roi(archive.read(entry), entry.filename) for entry in entries]
    except InputError:
        raise
    except Exception as error:  # the zip and ROI readers raise whatever a damaged file makes them stumble over
        msg = f"A file of outlines must be an ROI zip of ImageJ, got one that cannot be read ({error}). Save it again."
        raise InputError(msg) from error


def _refuse_large(entries: Sequence[zipfile.ZipInfo]) -> None:
    if sum(entry.file_size for entry in entries) > MOST_BYTES or len(entries) > MOST_OUTLINES:
        msg = f"An ROI zip must hold at most {MOST_OUTLINES} ROIs and {MOST_BYTES} bytes, got more. Split it."
        raise InputError(msg)


def _outline_of_roi(data: bytes, entry: str) -> Outline:
    from roifile import ROI_TYPE, ImagejRoi

    roi = ImagejRoi.frombytes(data)
    areas = (ROI_TYPE.POLYGON, ROI_TYPE.RECT, ROI_TYPE.OVAL, ROI_TYPE.FREEHAND, ROI_TYPE.TRACED)
    if roi.roitype not in areas:
        msg = f"An ROI must enclose an area, got {roi.roitype.name.lower()} {entry!r}. Delete it from the ROI manager."
        raise InputError(msg)
    name = roi.name or entry.rsplit("/", 1)[-1][: -len(".roi")]
    return Outline(name, tuple(_ring(path) for path in roi.coordinates(multi=True)))


def _read_geojson(content: bytes) -> list[Outline]:
    try:
        found = json.loads(content)
        features = found.get("features", [found]) if isinstance(found, dict) else found
        return [_outline_of_feature(feature) for feature in features]
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        kind = type(error).__name__
        msg = f"A file of outlines must be an ROI zip or GeoJSON, got one that cannot be read ({kind}). Save it again."
        raise InputError(msg) from error


def _outline_of_feature(feature: dict[str, dict[str, object]]) -> Outline:
    about, geometry = feature.get("properties") or {}, feature["geometry"]
    classification = about.get("classification")
    named = classification.get("name") if isinstance(classification, dict) else classification
    name = str(named or about.get("class") or about.get("name") or "")
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if kind not in ("Polygon", "MultiPolygon") or not isinstance(coordinates, list):
        msg = f"An outline must be a Polygon or MultiPolygon, got {kind} {name!r}. Delete it, or draw around it."
        raise InputError(msg)
    polygons = [coordinates] if kind == "Polygon" else coordinates
    return Outline(name, tuple(_ring(np.array(ring, float)) for polygon in polygons for ring in polygon))


def _ring(path: NDArray[np.generic]) -> Ring:
    """Turn (x, y) corners to (row, column), without the repeated last one."""
    ring = np.asarray(path, float)[:, :2][:, ::-1]
    if not np.isfinite(ring).all():
        msg = "Corners of outlines must be finite numbers, got others. Save the file again."
        raise InputError(msg)
    closed = len(ring) > 1 and bool((ring[0] == ring[-1]).all())
    return np.ascontiguousarray(ring[:-1] if closed else ring)
