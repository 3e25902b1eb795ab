"""Plain TIFF files named by a pattern: whatever wrote them, the names say which well, field and channel they are.

`{plate}/{well}_f{field}_c{channel}.tif` reads `P1/B07_f3_c2.tif`. Without `{channel}` each file holds all channels
(and focal planes) of a field, as an OME-TIFF does.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.data.tiff import TiffLayout
from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Plane, TiffField
from noisylabels.plates.gathering import Gathering, is_hidden, make_plate
from noisylabels.plates.pages import read_file_layout
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
IMAGES = (".tif", ".tiff", ".png")


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
        elif relative.lower().endswith(IMAGES):
            strangers.append(relative)
    if not found:
        seen = f"{len(strangers)} other images ({strangers[0]}, ...)" if strangers else "no image"
        msg = f"{folder} must hold files named as {pattern}, got {seen}. Try the pattern with --dry-run."
        raise InputError(msg)
    problems = [f"{len(strangers)} images do not follow the pattern, such as {strangers[0]}."] if strangers else []
    return tuple(_plate_of(name, folder, found[name], problems) for name in sorted(found))


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
            text += _literal(part, last=number == len(parts) - 1)
        elif part == "any":
            text += KEYS["any"]
        elif part in seen:
            text += f"(?P={part})"
        else:
            text += f"(?P<{part}>{KEYS[part]})"
            seen.add(part)
    return re.compile(text)


def _literal(part: str, *, last: bool) -> str:
    """Match a part in capitals or not; `.tif` and `.tiff` are one suffix."""
    suffix = next((suffix for suffix in (".tiff", ".tif") if last and part.lower().endswith(suffix)), "")
    begin = re.escape(part.removesuffix(part[len(part) - len(suffix) :]) if suffix else part)
    return f"(?i:{begin}{'[.]tiff?' if suffix else ''})"


def _files(folder: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders.sort()
        base = os.path.relpath(parent, folder)
        for name in sorted(name for name in files if not is_hidden(name)):
            yield name if base == "." else f"{base}/{name}".replace(os.sep, "/")


def _plate_of(name: str, folder: Path, files: list[tuple[Path, dict[str, str]]], problems: list[str]) -> Plate:
    gathering = Gathering(name)
    gathering.problems += problems
    named = frozenset(files[0][1]) & {"channel", "z", "time"}
    usual = _Usual.of_first_whole([path for path, _ in files], named)
    if "channel" in named and usual.n_channels > 1:
        msg = f"Files named with {{channel}} must hold one channel, got {usual.n_channels} in those of {name}."
        raise InputError(msg + " Leave {channel} out of the pattern.")
    names = _distinct_channels([keys["channel"] for _, keys in files]) if "channel" in named else usual.channels
    positions = {channel.casefold(): number for number, channel in enumerate(names)}
    gathering.problems += usual.problems
    for path, keys in files:
        try:
            well = _well_of(keys)
        except InputError as error:
            gathering.problems.append(f"{path.name}: {error}")
            continue
        number = int(keys.get("field") or 1)
        for time, channel, z in product(range(usual.n_times), range(usual.n_channels), range(usual.n_planes)):
            place = (
                int(keys["time"]) if "time" in named else time,
                positions[keys["channel"].casefold()] if "channel" in named else channel,
                int(keys["z"]) if "z" in named else z,
            )
            gathering.add(well, number, Plane(*place, path))
    gathering.expect_equal_fields()
    fields = [
        PatternField(**vars(found), usual=usual) for found in gathering.fields(names, pixel_size_um=usual.pixel_size_um)
    ]
    return make_plate(name, folder, "pattern", fields, problems=gathering.problems)


def _well_of(keys: dict[str, str]) -> WellPosition:
    if "well" in keys:
        return WellPosition.parse(keys["well"])
    if keys["row"].isdigit():
        return WellPosition(int(keys["row"]), int(keys["column"]))
    return WellPosition.parse(f"{keys['row']}{int(keys['column']):02d}")


def _distinct_channels(names: list[str]) -> tuple[str, ...]:
    """List the channels of file names, those once that differ in case only."""
    return tuple(sorted({name.casefold(): name for name in reversed(names)}.values(), key=_natural))


def _natural(text: str) -> tuple[int, str]:
    return (int(text) if text.isdigit() else 0, text)


@dataclass(frozen=True)
class _Usual:
    """What each file of a plate must hold, as its first whole file does: channels, focal planes, time points.

    Args:
        named: Which of channel, z and time stand in the names of the files: of these a file holds one.
        names: Names of the channels within a file, () where files do not name them.
    """

    named: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    n_channels: int = 1
    n_planes: int = 1
    n_times: int = 1
    pixel_size_um: float | None = None
    problems: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        return self.names or tuple(str(number) for number in range(self.n_channels))

    @classmethod
    def of_first_whole(cls, paths: list[Path], named: frozenset[str]) -> "_Usual":
        """Skip torn files: that they are torn is told when they are read."""
        for path in paths[:MOST_TORN]:
            try:
                layout = read_file_layout(path)
            except (InputError, OSError):
                continue
            problems = []
            if layout.n_images > 1:
                problems.append(f"Files such as {path.name} hold {layout.n_images} images: all but the first left out.")
            counts = (layout.n_channels, layout.n_planes, layout.n_times)
            return cls(named, layout.channel_names, *counts, layout.pixel_size_um, tuple(problems))
        return cls(named)

    def page(self, path: Path, layout: TiffLayout, plane: Plane) -> int:
        """Find a plane by the file's own header.

        Raises:
            InputError: If the file holds other channels, planes or times than its plate.
        """
        expected = (self.n_channels, self.n_planes, self.n_times)
        got = (layout.n_channels, layout.n_planes, layout.n_times)
        names = layout.channel_names
        if got != expected or (
            "channel" not in self.named and (set(names) != set(self.names) or bool(names) != bool(self.names))
        ):
            msg = f"{path} must hold {self._extent(expected, self.names)} as its plate, got {self._extent(got, names)}."
            raise InputError(msg + " Read it apart.")
        channel = 0 if "channel" in self.named else plane.channel
        if names and "channel" not in self.named:
            channel = names.index(self.names[channel])
        return layout.places[0 if "time" in self.named else plane.time, channel, 0 if "z" in self.named else plane.z]

    def _extent(self, counts: tuple[int, int, int], names: tuple[str, ...]) -> str:
        channels, planes, times = counts
        listed = f" ({', '.join(names)})" if names else ""
        return f"{channels} channels{listed}, {planes} focal planes and {times} time points"


@dataclass(frozen=True)
class PatternField(TiffField):
    """A field of files that are each laid out by their own header.

    Args:
        usual: What each file must hold.
    """

    usual: _Usual = _Usual()

    def reading(self) -> list[object]:
        """Return what decides how the files are read."""
        usual = self.usual
        return [*super().reading(), sorted(usual.named), usual.names, usual.n_channels, usual.n_planes, usual.n_times]

    def _pages(self, planes: Sequence[Plane]) -> list[tuple[Path, int]]:
        layouts = {path: read_file_layout(path) for path in dict.fromkeys(plane.path for plane in planes)}
        return [(plane.path, self.usual.page(plane.path, layouts[plane.path], plane)) for plane in planes]
