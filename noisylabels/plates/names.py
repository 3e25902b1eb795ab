"""Names of plates: plain, so that they can be folders, and all different, so that no two plates share one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.data.ids import MOST_BYTES, check_name, safe_name
from noisylabels.plates.plate import Plate


def name_plates(plates: Sequence[Plate], root: Path) -> tuple[Plate, ...]:
    """Return plain names of plates that differ, in capitals or not.

    Args:
        plates: The plates of a folder, named as their files say.
        root: The folder.

    Returns:
        The plates, sorted by name. One whose name is taken by another is called after the first part of its path that
        differs as well, or counted where no part does.
    """
    plain = [plain_name(plate.name) for plate in plates]
    parts = [_parts(plate, root) for plate in plates]
    groups = defaultdict(list)
    for number, name in enumerate(plain):
        groups[name.casefold()].append(number)
    for group in groups.values():
        if len(group) > 1:
            for number, parts_that_differ in zip(group, _differing([parts[number] for number in group]), strict=True):
                plain[number] = plain_name(" ".join([plain[number], *parts_that_differ]))
    taken: dict[str, int] = {}
    for number, name in enumerate(plain):
        count = 1
        while (unique := name if count == 1 else f"{name} ({count})").casefold() in taken:
            count += 1
        taken[unique.casefold()] = number
        plain[number] = unique
    renamed = [_renamed(plate, name) for plate, name in zip(plates, plain, strict=True)]
    return tuple(sorted(renamed, key=lambda plate: plate.name))


def plain_name(name: str) -> str:
    """Make a name plain: one part of a path that leads nowhere else.

    Examples:
        >>> plain_name("Plate 1"), plain_name("../../evil"), plain_name("Plate 1/2")
        ('Plate 1', '_.._evil', 'Plate_1_2')
    """
    stripped = name.strip()
    room = MOST_BYTES // 2  # what tells it apart must fit, too
    if len(stripped.encode()) > room:
        return safe_name(stripped.encode()[:room].decode(errors="ignore"))
    try:
        return check_name(stripped, what="Names of plates")
    except InputError:
        return safe_name(stripped)


def _parts(plate: Plate, root: Path) -> tuple[str, ...]:
    folder = Path(str(plate.folder))
    try:
        return folder.relative_to(root).parts
    except ValueError:
        return folder.parts


def _differing(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Select of each path the first part that differs, and more of it where that is not enough."""
    longest = max(map(len, paths))
    begin = next((place for place in range(longest) if len({path[place : place + 1] for path in paths}) > 1), longest)
    for end in range(begin + 1, longest + 1):
        parts_that_differ = [path[begin:end] for path in paths]
        if len(set(parts_that_differ)) == len(parts_that_differ):
            return parts_that_differ
    return [path[begin:] for path in paths]


def _renamed(plate: Plate, name: str) -> Plate:
    if name == plate.name:
        return plate
    wells = tuple(
        replace(well, fields=tuple(replace(found, plate=name) for found in well.fields)) for well in plate.wells
    )
    return replace(plate, name=name, wells=wells)
