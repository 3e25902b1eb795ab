"""Label maps of a run into OME-Zarr plates, under `labels/<method>_<hash>` of each field."""

from pathlib import Path
from typing import TypedDict

import numpy as np

from noisylabels.data.disk import writing
from noisylabels.data.images import read_label_map
from noisylabels.plates import Field, Plate, open_plate, write_labels, write_plate
from noisylabels.plates.omezarr import ZarrField
from noisylabels.plates.omezarr_labels import list_labels
from noisylabels.plates.omezarr_tables import list_tables, write_field_table
from noisylabels.plates.omezarr_writer import field_folder
from noisylabels.screening.measurements import read_events
from noisylabels.screening.screen import Screen

HASH_DIGITS = 8


class Export(TypedDict):
    """What was put into one plate: `problems` are one sentence each, `kept` label maps were there already."""

    folder: str
    name: str
    added: int
    kept: int
    problems: list[str]


def export_labels(screen: Screen, target: str | Path, *, tables: bool = False) -> list[Export]:
    """Add every label map that is done to its plate; a plate that is not there yet is converted first.

    Args:
        screen: The run.
        target: Folder of the plates, `<plate>.ome.zarr` each.
        tables: Put the events of each field beside its label map, as a table of the same name.

    Returns:
        Per plate: its `folder`, the labels' `name`, how many were `added` or `kept` (there already, from the same
        input, settings, model and code), and `problems`, one sentence each.

    Raises:
        DiskFullError: If the disk of `target` is full.
    """
    with writing(target):
        return [_export_plate(screen, plate, Path(target), tables=tables) for plate in screen.plates]


def _same_pixels(field: Field, there: Field, screen: Screen) -> bool:
    """Compare what was labelled with what the label map would be laid on."""
    names = [name for name in screen.job.channels or field.channels if name in there.channels]
    if not names:
        return False
    moments = there.times
    time = field.time_point(screen.job.time)
    place = moments[field.times.index(time)] if len(moments) == len(field.times) else moments[0]
    return np.array_equal(field.read_stack(channels=names, time=time), there.read_stack(channels=names, time=place))


def _export_plate(screen: Screen, plate: Plate, target: Path, *, tables: bool) -> Export:
    root = target / f"{plate.name}.ome.zarr"
    was_there = (root / "zarr.json").is_file()
    problems = [] if was_there else write_plate(root, plate, channels=screen.job.channels, time=screen.job.time)
    there = {field.id: field for field in open_plate(root).fields if isinstance(field, ZarrField)}
    name = f"{screen.job.method.name}_{screen.job.plate_key(plate.name)[:HASH_DIGITS]}"
    report: Export = {"folder": str(root), "name": name, "added": 0, "kept": 0, "problems": problems}
    for field, state in screen.survey():
        if field.plate != plate.name or state != "done" or field.id not in there:
            continue
        if was_there and not _same_pixels(field, there[field.id], screen):
            report["problems"].append(
                f"{root} must hold the pixels of {field.plate} {field.id} to take its label map, got others. "
                "Export to another folder."
            )
            continue
        folder = field_folder(root, field)
        if tables and name not in list_tables(folder):
            write_field_table(folder, read_events(screen, field), name=name)
        if name in list_labels(folder):
            report["kept"] += 1
            continue
        record = screen.store.read_record(field) or {}
        provenance = {
            "declaration": dict(screen.declaration.method),
            "method_sha256": screen.job.method_hash,
            "settings_sha256": record["settings_key"],
            "input_sha256": record["input"],
            "key": record["key"],
        }
        classes = screen.job.method.classes
        label_map = read_label_map(screen.store.path(field, ".tif"), classes)
        write_labels(folder, label_map, name=name, classes=classes, provenance=provenance)
        report["added"] += 1
    return report
