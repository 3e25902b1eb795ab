"""From loose planes, in whatever order files or an index list them, to a plate of fields."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition, plate_shape
from noisylabels.plates.fields import Field, Plane, TiffField
from noisylabels.plates.plate import Plate, Well
from noisylabels.plates.remote import Place, RemoteFolder


class Files:
    """The files of a folder, found whatever their capitals and whether they end in `.tif` or `.tiff`.

    Args:
        folder: The folder; sub-folders are looked at when asked for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[Path, dict[str, str]] = {}

    def find(self, name: str) -> tuple[Path, bool]:
        """Find a file by the name that an index gives it.

        Returns:
            Its path, and whether it is there.

        Raises:
            InputError: If the name leads out of the folder.
        """
        path = inside(self.folder, name)
        if path.parent not in self._known:
            there = path.parent.iterdir() if path.parent.is_dir() else ()
            names = sorted(entry.name for entry in there)
            self._known[path.parent] = {_folded(one): one for one in names} | {one: one for one in names}
        known = self._known[path.parent]
        exact = known.get(path.name, known.get(_folded(path.name)))
        return (path, False) if exact is None else (path.with_name(exact), True)


def find_file(folder: Path, *names: str) -> Path | None:
    """Find the first of these files, whatever their capitals."""
    there = {entry.name.lower(): entry for entry in folder.iterdir()} if folder.is_dir() else {}
    return next((there[name.lower()] for name in names if name.lower() in there), None)


def _folded(name: str) -> str:
    lower = name.lower()
    return lower[:-1] if lower.endswith(".tiff") else lower


def distinct(names: Sequence[str], keys: Sequence[str]) -> list[str]:
    """Make equal names different by their keys."""
    return [name if names.count(name) == 1 else f"{name} ({key})" for name, key in zip(names, keys, strict=True)]


def is_hidden(name: str) -> bool:
    """Return the shadow files that macOS leaves on foreign disks: `._name` beside `name`."""
    return name.startswith("._")


FieldKey = tuple[WellPosition, int]


@dataclass
class Gathering:
    """Planes as they come, sorted into fields; what is wrong with single ones is kept as sentences.

    Args:
        plate: Name of the plate.
    """

    plate: str
    there: dict[FieldKey, dict[tuple[int, int, int], Plane]] = field(default_factory=lambda: defaultdict(dict))
    absent: dict[FieldKey, list[Plane]] = field(default_factory=lambda: defaultdict(list))
    refused: set[FieldKey] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    versions: dict[tuple[FieldKey, tuple[int, int, int]], tuple[float, ...]] = field(default_factory=dict)
    owners: dict[Path, tuple[FieldKey, tuple[int, int, int]]] = field(default_factory=dict)
    repeated: int = 0

    def add(
        self,
        well: WellPosition,
        number: int,
        plane: Plane,
        *,
        is_there: bool = True,
        version: tuple[float, ...] | None = None,
    ) -> None:
        """Add one plane.

        Of two different pictures for one place the later version is taken, and that is noted; where nothing tells
        which is later, or the picture is that of another place, the whole field is unusable.
        """
        key = (well, number)
        if not is_there:
            self.absent[key].append(plane)
            return
        place = (plane.time, plane.channel, plane.z)
        known = self.there[key].setdefault(place, plane)
        if version is not None and self.owners.setdefault(plane.path, (key, place)) == (key, place):
            before = self.versions.setdefault((key, place), version)
            if known != plane:
                self.repeated += 1
                if version >= before:
                    self.there[key][place], self.versions[key, place] = plane, version
        elif known != plane and key not in self.refused:
            self.refused.add(key)
            self.problems.append(
                f"Field {well.name}_f{number:03d} of plate {self.plate} must list each plane once, got both "
                f"{known.path.name} and {plane.path.name} for one. Take one out; the field is left out."
            )

    def name_repeated(self, hint: str) -> None:
        """Note that of several pictures of a plane the latest was taken."""
        if self.repeated:
            self.problems.append(
                f"Plate {self.plate} holds {self.repeated} more pictures of planes that it has: the latest are read. "
                f"{hint}"
            )

    def fields(
        self,
        channels: Sequence[str],
        *,
        pixel_size_um: float | None = None,
        positions_um: "dict[FieldKey, tuple[float, float]] | None" = None,
    ) -> list[TiffField]:
        """Make the fields, row by row of the plate; those refused are left out."""
        keys = sorted((set(self.there) | set(self.absent)) - self.refused)
        return [
            TiffField(
                self.plate,
                well,
                number,
                tuple(channels),
                pixel_size_um,
                (positions_um or {}).get((well, number)),
                planes=tuple(sorted(self.there.get((well, number), {}).values())),
                absent=tuple(sorted(self.absent.get((well, number), ()))),
            )
            for well, number in keys
        ]

    def expect_equal_fields(self) -> None:
        """Note as absent whatever plane other fields of the plate have: for formats without an index."""
        places = {place for planes in self.there.values() for place in planes}
        for key, planes in self.there.items():
            known = next(iter(planes.values()))
            for time, channel, z in sorted(places - set(planes)):
                self.absent[key].append(Plane(time, channel, z, known.path.parent / "(no such file)"))


def make_plate(
    name: str,
    folder: Place,
    kind: str,
    fields: Iterable[Field],
    *,
    problems: Iterable[str] = (),
    shape: tuple[int, int] | None = None,
) -> Plate:
    """Group fields by well.

    Raises:
        InputError: If there is no field at all.
    """
    by_well: dict[WellPosition, list[Field]] = defaultdict(list)
    for found in fields:
        by_well[found.well].append(found)
    stated = tuple(problems)
    if not by_well:
        first = f" ({stated[0]})" if stated else ""
        msg = f"{folder} must hold at least one field of a plate, got none{first}. Check the path and the format."
        raise InputError(msg)
    wells = tuple(
        Well(position, tuple(sorted(by_well[position], key=lambda found: found.number))) for position in sorted(by_well)
    )
    return Plate(name, folder, kind, shape or plate_shape(by_well), wells, stated)


@overload
def inside(folder: Path, name: str) -> Path: ...
@overload
def inside(folder: RemoteFolder, name: str) -> RemoteFolder: ...
def inside(folder: Place, name: str) -> Place:
    """Join a path from an index to the plate's folder; it may not lead out of it.

    Raises:
        InputError: If it does.

    Examples:
        >>> inside(Path("plate"), "../secret.tif")
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: Paths of an index must stay inside plate, got '../secret.tif'. \
Do not trust this index.
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+]+)://", name.strip())
    if scheme:
        msg = f"Images of {folder} must be files, got the {scheme[1]} address {name!r}. Export the images themselves."
        raise InputError(msg)
    plain = name.strip().replace("\\", "/")
    whole = os.path.normpath(plain)
    if not plain or plain.startswith("/") or ":" in plain[:3] or whole.split("/")[0] == "..":
        msg = f"Paths of an index must stay inside {folder}, got {name!r}. Do not trust this index."
        raise InputError(msg)
    return folder / whole
