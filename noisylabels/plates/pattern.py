"""Plain TIFF files named by a pattern: whatever wrote them, the names say which well, field and channel they are.

`{plate}/{well}_f{field}_c{channel}.tif` reads `P1/B07_f3_c2.tif`. Without `{channel}` each file holds all channels
(and focal planes) of a field, as an OME-TIFF does.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Plane
from noisylabels.plates.gathering import Gathering, make_plate
from noisylabels.plates.markup import local_name, read_xml
from noisylabels.plates.plate import Plate

KEYS = {
    "plate": r"[^/]+?",
    "well": r"[A-Za-z]{1,3}\d{1,3}",
    "row": r"[A-Za-z]{1,2}|\d{1,2}",
    "column": r"\d{1,2}",
    "field": r"\d+",
    "channel": r"[^/]+?",
    "z": r"\d+",
    "time": r"\d+",
    "any": r"[^/]*?",
}
"""What may stand in braces, and what each stands for; `any` is skipped."""


MOST_TORN = 20


def read_pattern(folder: Path, pattern: str) -> tuple[Plate, ...]:
    """Find the plates of a folder by a naming pattern, without reading a pixel.

    Args:
        folder: Where the pattern starts.
        pattern: File names with `{well}` (or `{row}` and `{column}`), and as needed `{plate}`, `{field}`, `{channel}`,
            `{z}`, `{time}` and `{any}`.

    Returns:
        One plate per `{plate}`; one, named as the folder, without it.

    Raises:
        InputError: If the pattern has an unknown key or no well, or no file follows it.
    """
    named = compile_pattern(pattern)
    if not folder.is_dir():
        msg = f"{folder} must be a folder of TIFF files, but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    found: dict[str, list[tuple[Path, dict[str, str]]]] = defaultdict(list)
    strangers = []
    for relative in _files(folder):
        match = named.fullmatch(relative)
        if match:
            found[match.groupdict().get("plate") or folder.name].append((folder / relative, match.groupdict()))
        elif relative.lower().endswith((".tif", ".tiff")):
            strangers.append(relative)
    if not found:
        seen = f"{len(strangers)} other TIFF files ({strangers[0]}, ...)" if strangers else "no TIFF file"
        msg = f"{folder} must hold files named as {pattern}, got {seen}. Try the pattern with --dry-run."
        raise InputError(msg)
    told = [f"{len(strangers)} TIFF files do not follow the pattern, such as {strangers[0]}."] if strangers else []
    return tuple(_plate_of(name, folder, found[name], told) for name in sorted(found))


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Turn a naming pattern into a regular expression.

    Raises:
        InputError: If it has an unknown key, or neither `{well}` nor `{row}` and `{column}`.

    Examples:
        >>> compile_pattern("{well}_f{field}.tif").fullmatch("B07_f3.tif").groupdict()
        {'well': 'B07', 'field': '3'}
    """
    parts = re.split(r"\{(\w*)\}", pattern)
    keys, seen = parts[1::2], set()
    unknown = [key for key in keys if key not in KEYS]
    if unknown:
        msg = (
            f"Keys of a pattern must be among {', '.join(KEYS)}, got {unknown[0]!r} in {pattern!r}. Rename or use any."
        )
        raise InputError(msg)
    if "well" not in keys and not {"row", "column"} <= set(keys):
        msg = f"A pattern must have {{well}}, or {{row}} and {{column}}, got {pattern!r}. Add the well."
        raise InputError(msg)
    text = ""
    for number, part in enumerate(parts):
        if number % 2 == 0:
            text += re.escape(part)
        elif part == "any":
            text += KEYS["any"]
        elif part in seen:
            text += f"(?P={part})"
        else:
            text += f"(?P<{part}>{KEYS[part]})"
            seen.add(part)
    return re.compile(text)


def _files(folder: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders.sort()
        base = os.path.relpath(parent, folder)
        for name in sorted(files):
            yield name if base == "." else f"{base}/{name}".replace(os.sep, "/")


def _plate_of(name: str, folder: Path, files: list[tuple[Path, dict[str, str]]], told: list[str]) -> Plate:
    gathering = Gathering(name)
    gathering.problems += told
    separate = "channel" in files[0][1]
    layout = _Layout.of_first_whole([path for path, _ in files])
    if separate and len(layout.channels) > 1:
        msg = f"Files named with {{channel}} must hold one channel, got {len(layout.channels)} in those of {name}."
        raise InputError(msg + " Leave {channel} out of the pattern.")
    names = sorted({keys["channel"] for _, keys in files}, key=_natural) if separate else list(layout.channels)
    for path, keys in files:
        try:
            well = _well_of(keys)
        except InputError as error:
            gathering.problems.append(f"{path.name}: {error}")
            continue
        number, time = int(keys.get("field") or 1), int(keys.get("time") or 0)
        for channel, z, page in layout.pages(only_first_channel=separate):
            position = names.index(keys["channel"]) if separate else channel
            gathering.add(well, number, Plane(time, position, int(keys.get("z") or z), path, page))
    gathering.expect_equal_fields()
    return make_plate(
        name,
        folder,
        "pattern",
        gathering.fields(names, pixel_size_um=layout.pixel_size_um),
        problems=gathering.problems,
    )


def _well_of(keys: dict[str, str]) -> WellPosition:
    if "well" in keys:
        return WellPosition.parse(keys["well"])
    if keys["row"].isdigit():
        return WellPosition(int(keys["row"]), int(keys["column"]))
    return WellPosition.parse(f"{keys['row']}{int(keys['column']):02d}")


def _natural(text: str) -> tuple[int, str]:
    return (int(text) if text.isdigit() else 0, text)


@dataclass(frozen=True)
class _Layout:
    """How channels and planes are laid over the pages of a file; taken from the first whole file of a plate."""

    channels: tuple[str, ...]
    n_planes: int
    channel_fastest: bool
    pixel_size_um: float | None

    @classmethod
    def of_first_whole(cls, paths: list[Path]) -> "_Layout":
        """Skip torn files: that they are torn is told when they are read."""
        found = (cls.of(path) for path in paths[:MOST_TORN])
        return next((layout for layout in found if layout is not None), cls(("0",), 1, False, None))

    @classmethod
    def of(cls, path: Path) -> "_Layout | None":
        import tifffile

        try:
            with tifffile.TiffFile(path) as file:
                sizes = dict(zip(file.series[0].axes, file.series[0].shape, strict=False))
                order, description = file.series[0].axes, file.ome_metadata
        except (FileNotFoundError, PermissionError):
            raise
        except Exception:
            return None
        n_channels, n_planes = sizes.get("C", 1), sizes.get("Z", 1)
        known = set("CZYXTQI")
        if not set(order) <= known:
            msg = f"{path} must have the axes channel, plane, row and column, got {order}. Export grey pictures."
            raise InputError(msg)
        unnamed = next((sizes[axis] for axis in "QIT" if sizes.get(axis, 1) > 1), 0)
        if unnamed:
            n_channels = unnamed
        names, pixel_size = _described(description)
        channels = names if len(names) == n_channels else tuple(str(number) for number in range(n_channels))
        return cls(channels, n_planes, "Z" in order and order.find("Z") < order.find("C"), pixel_size)

    def pages(self, *, only_first_channel: bool) -> Iterator[tuple[int, int, int]]:
        """Go through (channel, plane, page)."""
        for channel in range(1 if only_first_channel else len(self.channels)):
            for z in range(self.n_planes):
                page = z * len(self.channels) + channel if self.channel_fastest else channel * self.n_planes + z
                yield channel, z, page


def _described(description: str | None) -> tuple[tuple[str, ...], float | None]:
    if not description:
        return (), None
    root = read_xml(description.encode(), name="The OME-XML of the first file")
    names = tuple(element.get("Name", "") for element in root.iter() if local_name(element) == "Channel")
    pixels = next((element for element in root.iter() if local_name(element) == "Pixels"), None)
    size = pixels.get("PhysicalSizeX") if pixels is not None else None
    unit = pixels.get("PhysicalSizeXUnit", "µm") if pixels is not None else "µm"
    factor = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3}.get(unit)
    return (names if all(names) else ()), (float(size) * factor if size and factor else None)
