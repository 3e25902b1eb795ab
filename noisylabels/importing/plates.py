"""Fields of a plate, as its microscope wrote it, to a dataset folder that can be trained on."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from noisylabels.data.atomic import building
from noisylabels.data.claims import require_new_folder
from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image
from noisylabels.data.labels import ClassTable
from noisylabels.data.splits import SPLITS, split_groups
from noisylabels.importing.folder import require_groups, table_of_assay, usual_fractions
from noisylabels.plates.fields import Field
from noisylabels.plates.formats import open_plates
from noisylabels.plates.plate import Plate


def import_plates(
    source: str | Path,
    out: str | Path,
    *,
    classes: ClassTable | None = None,
    pattern: str | None = None,
    channels: Sequence[str] = (),
    channel_names: Sequence[str] = (),
    n_fields: int | None = None,
    fractions: tuple[float, float, float] | None = None,
    seed: int = 0,
    pixel_size_um: float | None = None,
    time: int | None = None,
) -> tuple[Dataset, list[str]]:
    """Copy fields of plates into a dataset folder; a split never cuts a well.

    Focal planes are projected to their brightest value, as `noisylabels screen` does. The folder appears when
    every field is read and written: whole or not at all.

    Args:
        source: A plate, or a folder of plates.
        out: The dataset folder to make; it must be empty or missing.
        classes: The class table of the label maps to come; when None it is that of the assay the channels tell.
        pattern: Naming pattern of plain TIFF files; when None the format is recognised.
        channels: The plate's names of the channels to take, in order; all when empty.
        channel_names: What to call them in the dataset folder; the plate's names when empty.
        n_fields: How many fields to take, at random; all when None.
        fractions: Shares of training, validation and test, dealt by well; None as in `import_folder`.
        seed: Of the lot and the split.
        pixel_size_um: Side of a pixel in micrometres; what the plate says when None.
        time: Time point; the first when None, and that is told where there are more.

    Returns:
        The dataset, and one sentence for each field that was left out or thing that was wrong with the plates.

    Raises:
        FileNotFoundError: If there is no such folder.
        InputError: If `out` holds something, the source is no plate, a channel is unknown, no field is whole, a
            field cannot be read, or there are too few wells to split.
    """
    root = Path(out)
    require_new_folder(root)
    plates = open_plates(source, pattern=pattern)
    fields, problems = _whole_fields(plates, channels or None)
    problems += [sentence for plate in plates for sentence in plate.times_left_out(time)]
    fields = _draw(fields, n_fields, seed=seed)
    groups = [_group(field) for field in fields]
    fractions = fractions or usual_fractions(groups)
    require_groups(groups, fractions)
    splits = split_groups(groups, fractions, seed=seed)
    names = tuple(channel_names) or tuple(channels) or fields[0].channels
    size = pixel_size_um if pixel_size_um is not None else fields[0].pixel_size_um
    dataset = Dataset(
        folder=root,
        classes=classes or table_of_assay(names),
        channel_names=names,
        pixel_size_um=size,
        cases=tuple(
            Case(name_field(field), group, split, f"images/{name_field(field)}.ome.tif")
            for field, group, split in sorted(
                zip(fields, groups, splits, strict=True), key=lambda row: SPLITS.index(row[2])
            )
        ),
        provenance={"imported from": Path(source).name, "plates": [plate.name for plate in plates], "seed": seed},
    )
    with building(root) as folder:
        for field in fields:
            image = field.read(channels=channels or None, time=time)
            path = folder / "images" / f"{name_field(field)}.ome.tif"
            write_image(path, image, channel_names=names, pixel_size_um=size)
        write_dataset(replace(dataset, folder=folder))
    return dataset, problems


def name_field(field: Field) -> str:
    """Build the id of a field of a screen from its plate, well and number, as a file may be called.

    Examples:
        >>> from noisylabels.data.wells import WellPosition
        >>> name_field(Field("Plate 7/a", WellPosition.parse("B7"), 3, ("DsRed",)))
        'Plate_7_a_B07_f3'
    """
    return f"{_group(field)}_f{field.number}"


def parse_channels(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read `name=channel,...` or `channel,...` of the command line into channels of the plate, and their names.

    Examples:
        >>> parse_channels("DsRed=Alexa 568,pHluorin")
        (('Alexa 568', 'pHluorin'), ('DsRed', 'pHluorin'))
    """
    pairs = [entry.partition("=") for entry in text.split(",")] if text else []
    names = tuple(name.strip() for name, _, _ in pairs)
    return tuple((channel if equals else name).strip() for name, equals, channel in pairs), names


def _group(field: Field) -> str:
    return re.sub(r"[^\w.-]+", "_", f"{field.plate}_{field.well.name}")


def _whole_fields(plates: Sequence[Plate], channels: Sequence[str] | None) -> tuple[list[Field], list[str]]:
    fields, problems = [], [problem for plate in plates for problem in plate.problems]
    for field in _fields_of(plates):
        positions = field.channel_positions(channels)
        lost = [plane for plane in field.missing if plane.channel in positions]
        if lost:
            problems.append(f"{field.plate} {field.id}: left out, {len(lost)} planes are missing ({lost[0].path}, ...)")
        else:
            fields.append(field)
    if not fields:
        msg = f"A plate must have at least one whole field, got none ({'; '.join(problems[:1])}). Copy it again."
        raise InputError(msg)
    return fields, problems


def _fields_of(plates: Sequence[Plate]) -> Iterator[Field]:
    return (field for plate in plates for field in plate.fields)


def _draw(fields: list[Field], n_fields: int | None, *, seed: int) -> list[Field]:
    if n_fields is None:
        return fields
    if not 1 <= n_fields <= len(fields):
        msg = f"The number of fields must be from 1 to {len(fields)}, got {n_fields}. Correct --fields or leave it out."
        raise InputError(msg)
    chosen = np.random.default_rng(seed).choice(len(fields), n_fields, replace=False)
    return [fields[place] for place in sorted(chosen)]
