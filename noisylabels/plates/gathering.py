"""From loose planes, in whatever order files or an index list them, to a plate of fields."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition, plate_shape
from noisylabels.plates.fields import Field, Plane, TiffField
from noisylabels.plates.plate import Plate, Well

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

    def add(self, well: WellPosition, number: int, plane: Plane, *, is_there: bool = True) -> None:
        """Take one plane; two different pictures for one place make the whole field unusable."""
        key = (well, number)
        if not is_there:
            self.absent[key].append(plane)
            return
        place = (plane.time, plane.channel, plane.z)
        known = self.there[key].setdefault(place, plane)
        if known != plane and key not in self.refused:
            self.refused.add(key)
            self.problems.append(
                f"Field {well.name}_f{number:03d} of plate {self.plate} must list each plane once, got both "
                f"{known.path.name} and {plane.path.name} for one. Take one out; the field is left out."
            )

    def fields(
        self,
        channels: Sequence[str],
        *,
        pixel_size_um: float | None = None,
        positions_um: "dict[FieldKey, tuple[float, float]] | None" = None,
    ) -> list[Field]:
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
    folder: Path,
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
    told = tuple(problems)
    if not by_well:
        first = f" ({told[0]})" if told else ""
        msg = f"{folder} must hold at least one field of a plate, got none{first}. Check the path and the format."
        raise InputError(msg)
    wells = tuple(
        Well(position, tuple(sorted(by_well[position], key=lambda found: found.number))) for position in sorted(by_well)
    )
    return Plate(name, folder, kind, shape or plate_shape(by_well), wells, told)


def inside(folder: Path, name: str) -> Path:
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
    plain = name.strip().replace("\\", "/")
    whole = os.path.normpath(plain)
    if not plain or plain.startswith("/") or ":" in plain[:3] or whole.split("/")[0] == "..":
        msg = f"Paths of an index must stay inside {folder}, got {name!r}. Do not trust this index."
        raise InputError(msg)
    return folder / whole
