"""MetaXpress exports of Molecular Devices' ImageXpress: a `.HTD` file and one TIFF per well, site and wavelength."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Plane
from noisylabels.plates.gathering import Gathering, distinct, is_hidden, make_plate
from noisylabels.plates.plate import Choice, Plate

_FILE = re.compile(
    r"(?:TimePoint_(?P<time>\d+)/)?(?:ZStep_(?P<z>\d+)/)?(?P<base>[^/]*?)_(?P<well>[A-Za-z]{1,2}\d{1,3})"
    r"(?:_s(?P<site>\d+))?(?:_w(?P<wave>\d+))?(?!_thumb)(?P<guid>[0-9A-F]{8}-(?:[0-9A-F]{4}-){3}[0-9A-F]{12})?\.tiff?",
    re.IGNORECASE,
)
_CALIBRATION = re.compile(r'id="spatial-calibration-x"[^>]*value="([0-9.eE+-]+)"')


@dataclass(frozen=True)
class HtdFile:
    """What a `.HTD` file declares.

    Args:
        entries: The values of each key.
    """

    entries: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, path: Path) -> "HtdFile":
        """Read the file; its micro signs and line breaks in descriptions are of no fixed encoding.

        Raises:
            InputError: If it is no HTD file.
        """
        lines = _decoded(path.read_bytes()).split("\n")
        rows = [[cell.strip().strip('"') for cell in line.strip("\r").split(",")] for line in lines if "," in line]
        entries = {row[0]: tuple(row[1:]) for row in rows}
        if "HTSInfoFile" not in entries:
            msg = (
                f"{path} must begin with HTSInfoFile, as MetaXpress writes it, got {lines[0][:40]!r}. Export it again."
            )
            raise InputError(msg)
        return cls(entries)

    def number(self, key: str) -> int:
        """Read a count; 1 where it is not given."""
        value = self.entries.get(key, ("1",))[0]
        return max(int(value), 1) if value.isdigit() else 1

    def is_on(self, key: str) -> bool:
        """Read a switch."""
        return self.entries.get(key, ("FALSE",))[0].upper() == "TRUE"

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the wavelengths, equal ones told apart."""
        numbers = [f"w{n + 1}" for n in range(self.number("NWavelengths"))]
        named = [self.entries.get(f"WaveName{key[1:]}", (key,))[0] or key for key in numbers]
        return tuple(distinct(named, numbers))

    @property
    def wells(self) -> list[WellPosition]:
        """The wells chosen for imaging."""
        chosen = []
        for row in range(1, self.number("YWells") + 1):
            switches = self.entries.get(f"WellsSelection{row}", ())
            chosen += [
                WellPosition(row, column) for column, switch in enumerate(switches, 1) if switch.upper() == "TRUE"
            ]
        return chosen

    @property
    def sites(self) -> list[int]:
        """The sites chosen for imaging, numbered row by row."""
        if not self.is_on("Sites"):
            return [1]
        rows = [self.entries.get(f"SiteSelection{row}", ()) for row in range(1, self.number("YSites") + 1)]
        switches = [switch for row in rows for switch in row]
        return [number for number, switch in enumerate(switches, 1) if switch.upper() == "TRUE"] or [1]


def find_htd(folder: Path) -> Path | None:
    """Find a `.HTD` file in a folder."""
    return next(
        (path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".htd" and not is_hidden(path.name)), None
    )


def read_imagexpress(folder: Path, choice: Choice = Choice()) -> Plate:  # noqa: B008
    """Read a MetaXpress export without reading a pixel.

    Args:
        folder: The plate's folder.
        choice: Focal planes or the instrument's projections of them.

    What the `.HTD` declares and no file holds stands in each field's `missing`, by the name it should have.

    Raises:
        InputError: If there is no `.HTD` file or no image of its wells.
    """
    path = find_htd(folder)
    if path is None:
        msg = f"{folder} must hold a .HTD file, got none. Give the plate's folder of the MetaXpress export."
        raise InputError(msg)
    htd, gathering = HtdFile.read(path), Gathering(folder.name)
    found = {folder / name: match for name in _pictures(folder) if (match := _FILE.fullmatch(name))}
    waves = _choose_waves(found, htd, choice.projection, gathering)
    if any(int(match["z"] or 0) > 0 for match in found.values()):
        found = {image: match for image, match in found.items() if (int(match["z"] or 0) == 0) == choice.projection}
    for image, match in found.items():
        try:
            _take(match, image, htd, waves, gathering)
        except InputError as error:
            gathering.problems.append(f"{image.relative_to(folder)}: {error}")
    gathering.name_repeated("Take the older ones out to be sure.")
    _expect(htd, folder, path.stem, waves, gathering)
    first = next(iter(found), None)
    return make_plate(
        folder.name,
        folder,
        "imagexpress",
        gathering.fields([htd.channels[wave - 1] for wave in waves], pixel_size_um=_pixel_size(first)),
        problems=gathering.problems,
        shape=(htd.number("YWells"), htd.number("XWells")),
    )


def _pictures(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if (
            path.suffix.lower() in (".tif", ".tiff")
            and not path.stem.lower().endswith("_thumb")
            and not is_hidden(path.name)
        ):
            yield path.relative_to(folder).as_posix()


def _choose_waves(
    found: Mapping[Path, re.Match[str]], htd: HtdFile, projection: bool, gathering: Gathering
) -> list[int]:
    """Choose the wavelengths that have what is wanted: focal planes, or projections of them.

    A projection lies in no `ZStep_` folder, or in `ZStep_0`. Where no plate has steps, there is nothing to choose.
    """
    everything = list(range(1, len(htd.channels) + 1))
    stepped = {int(match["wave"] or 1) for match in found.values() if int(match["z"] or 0) > 0}
    projected = {int(match["wave"] or 1) for match in found.values() if int(match["z"] or 0) == 0}
    if not stepped:
        return everything
    wanted, other = (projected, stepped - projected) if projection else (stepped, projected - stepped)
    if not wanted:
        msg = f"Plate {gathering.plate} must hold projections, got focal planes only. Leave --projection out."
        raise InputError(msg)
    if other:
        kinds = (
            ("focal planes", "leave --projection out") if projection else ("projections", "read them by --projection")
        )
        names = ", ".join(htd.channels[wave - 1] for wave in sorted(other) if wave in everything)
        gathering.problems.append(f"Channels {names} of {gathering.plate} have {kinds[0]} only: left out; {kinds[1]}.")
    return [wave for wave in everything if wave not in other]


def _take(
    match: re.Match[str],
    path: Path,
    htd: HtdFile,
    waves: list[int],
    gathering: Gathering,
) -> None:
    well, wave, z = WellPosition.parse(match["well"]), int(match["wave"] or 1), int(match["z"] or 0)
    if wave > len(htd.channels):
        msg = f"A wavelength must be one of the .HTD's {len(htd.channels)}, got w{wave}. The file is left out."
        raise InputError(msg)
    if wave not in waves:
        return
    version = (path.stat().st_mtime_ns,) if match["guid"] else None
    plane = Plane(int(match["time"] or 1), waves.index(wave), z, path)
    gathering.add(well, int(match["site"] or 1), plane, version=version)


def _expect(htd: HtdFile, folder: Path, base: str, waves: list[int], gathering: Gathering) -> None:
    levels = sorted({z for planes in gathering.there.values() for _, _, z in planes})
    if htd.is_on("ZSeries") and any(levels):
        levels = list(range(1, htd.number("ZSteps") + 1))
    times = range(1, htd.number("TimePoints") + 1)
    for well, site, time, position, z in product(htd.wells, htd.sites, times, range(len(waves)), levels or [0]):
        if (time, position, z) not in gathering.there.get((well, site), {}):
            step = f"ZStep_{z}/" if z else ""
            name = f"{base}_{well.name}" + (f"_s{site}" if htd.is_on("Sites") else "")
            name += f"_w{waves[position]}" if htd.is_on("Waves") else ""
            place = folder / f"TimePoint_{time}/{step}{name}.TIF"
            gathering.add(well, site, Plane(time, position, z, place), is_there=False)


def _decoded(data: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    return data.decode("latin-1")


def _pixel_size(path: Path | None) -> float | None:
    import tifffile

    if path is None:
        return None
    try:
        with tifffile.TiffFile(path) as file:
            match = _CALIBRATION.search(file.pages[0].description)
    except Exception:
        return None  # a torn first file: told when it is read
    return float(match[1]) if match else None
