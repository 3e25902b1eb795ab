"""A dataset folder of simulated fields: whole files only, and a second run goes on where the first stopped.

images/<id>.ome.tif           both channels
labels/truth/<id>.tif         the paper's three classes, events that could be seen
labels/truth_in_plane/...     the same, all events in the plane
labels/phases/...             the five phases of `ROSELLA_PHASES`, all events in the plane
instances/<id>.ome.tif        event ids of the plane
events/<id>.csv, events.parquet   one row per event
fields.csv                    well, treatment, brightness, focus ... of each field
simulation.json               settings, seed and version, by which a second run knows its own
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from noisylabels import __version__
from noisylabels.data.atomic import replacing, write_text
from noisylabels.data.claims import require_new_folder
from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import PHASES_TO_ROSELLA, ROSELLA, merge_classes
from noisylabels.data.splits import split_groups
from noisylabels.parallel import WorkerDiedError, local, run
from noisylabels.simulation.detectability import CHANNELS
from noisylabels.simulation.field import SimulatedField, simulate_field
from noisylabels.simulation.layout import PlannedField
from noisylabels.simulation.plate import draw_effects
from noisylabels.simulation.settings import SimulationSettings
from noisylabels.simulation.variation import vary_plate


def simulate_dataset(
    folder: str | Path,
    settings: SimulationSettings,
    plan: Sequence[PlannedField],
    *,
    seed: int,
    fractions: tuple[float, float, float] = (0.85, 0.1, 0.05),
    varied: bool = False,
    workers: int = 1,
    on_field: Callable[[str], object] = lambda _: None,
) -> Dataset:
    """Simulate the planned fields into a dataset folder.

    Fields that are there already, from an earlier run with the same settings, are kept. dataset.json is written last:
    a folder that has it is whole.

    Args:
        folder: The dataset folder: new, empty, or left by an earlier run.
        settings: What to simulate.
        plan: The fields; the well is the group that a split never cuts.
        seed: Seed of the screen and of the split.
        fractions: Shares of training, validation and test: of the wells, or of the plates where these differ.
        varied: Whether every plate has a day and a stain of its own (`vary_plate`); then no plate is cut by the split.
        workers: Processes; the files are the same for any number.
        on_field: Called with the id of each field that is done.

    Returns:
        The dataset.

    Raises:
        InputError: If the folder holds something else, or the plan cannot be split.
    """
    root = Path(folder)
    splits = split_groups([field.plate if varied else field.well for field in plan], fractions, seed=seed)
    own = {field.plate: vary_plate(settings, seed=seed, plate=field.plate) if varied else settings for field in plan}
    provenance = {"simulator": f"noisylabels {__version__}", "seed": seed, "settings": settings.to_dict()}
    provenance |= {"plates differ": True} if varied else {}
    _claim(root, provenance, {field.id: f"{field.condition} {field.dose:g}" for field in plan})
    for field_id in _finished(root, own, plan, seed, workers):
        on_field(field_id)
    _write_fields(root, own, plan, seed)
    _merge_events(root, plan)
    dataset = Dataset(
        folder=root,
        classes=ROSELLA,
        channel_names=CHANNELS,
        pixel_size_um=settings.frame.pixel_size_um,
        cases=tuple(
            Case(
                field.id,
                f"{field.plate}_{field.well}" if varied else field.well,
                split,
                f"images/{field.id}.ome.tif",
            )
            for field, split in zip(plan, splits, strict=True)
        ),
        provenance=provenance,
    )
    write_dataset(dataset)
    return dataset


def write_field(folder: Path, field_id: str, simulated: SimulatedField, *, pixel_size_um: float) -> None:
    """Write the files of one field, its image last: a field with an image is whole.

    Args:
        folder: The dataset folder.
        field_id: Name of the field.
        simulated: What to write.
        pixel_size_um: Side of a pixel.
    """
    maps = {
        "phases": simulated.label_map,
        "truth_in_plane": merge_classes(simulated.label_map, PHASES_TO_ROSELLA),
        "truth": merge_classes(simulated.detectable_label_map, PHASES_TO_ROSELLA),
    }
    for name, label_map in maps.items():
        write_label_map(folder / "labels" / name / f"{field_id}.tif", label_map)
    instances = simulated.instance_map[None].astype(np.uint16)
    write_image(folder / "instances" / f"{field_id}.ome.tif", instances, pixel_size_um=pixel_size_um)
    write_text(folder / "events" / f"{field_id}.csv", _as_csv(list(simulated.events), _rows(simulated.events)))
    write_image(
        folder / "images" / f"{field_id}.ome.tif",
        simulated.image,
        channel_names=CHANNELS,
        pixel_size_um=pixel_size_um,
    )


def _claim(root: Path, provenance: Mapping[str, object], treatments: Mapping[str, str]) -> None:
    """Refuse a folder that holds anything but a part of the same simulation; write down what it will hold."""
    record = root / "simulation.json"
    wanted = json.loads(json.dumps({**provenance, "treatments": treatments}))
    if record.is_file():
        found = _read_record(record)
        earlier = found.pop("treatments")
        everything = {**earlier, **treatments}
        # More fields may follow; what is there must have been made with the same settings and treatments.
        if {**found, "treatments": {**everything, **earlier}} != {**wanted, "treatments": everything}:
            msg = (
                f"{root} must hold the same simulation to go on, got other settings, treatments, seed or version. "
                "Name another."
            )
            raise InputError(msg)
        wanted["treatments"] = everything
    else:
        require_new_folder(root)
    write_text(record, json.dumps(wanted, indent=1))


def _read_record(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except json.JSONDecodeError:
        found = {}
    if not isinstance(found, dict) or not isinstance(found.get("treatments"), dict):
        msg = f"{path} must be the record of a simulation, got something else. Name another folder."
        raise InputError(msg)
    return found


def _finished(
    root: Path, own: Mapping[str, SimulationSettings], plan: Sequence[PlannedField], seed: int, workers: int
) -> Iterator[str]:
    """Simulate what is missing; give the id of every field as it is done."""
    done = [field for field in plan if (root / "images" / f"{field.id}.ome.tif").is_file()]
    yield from (field.id for field in done)
    missing = [field for field in plan if field not in done]
    work = partial(_simulate_into, root, own, seed)
    for planned, ended in run(work, missing, engine=local(min(workers, len(missing)))):
        if isinstance(ended, WorkerDiedError):
            msg = f"Field {planned.id} must not end its worker, but each did. Look for a shortage of memory."
            raise WorkerDiedError(msg)
        yield ended


def _simulate_into(root: Path, own: Mapping[str, SimulationSettings], seed: int, planned: PlannedField) -> str:
    settings = own[planned.plate]
    simulated = simulate_field(
        settings,
        seed=seed,
        plate=planned.plate,
        well=planned.well,
        field=planned.field,
        condition=planned.condition,
        dose=planned.dose,
    )
    write_field(root, planned.id, simulated, pixel_size_um=settings.frame.pixel_size_um)
    return planned.id


def _write_fields(root: Path, own: Mapping[str, SimulationSettings], plan: Sequence[PlannedField], seed: int) -> None:
    """Write fields.csv; effects are keyed, so they need not be remembered from the simulation."""
    rows = []
    for planned in plan:
        settings = own[planned.plate]
        effects = draw_effects(
            settings.plate,
            seed=seed,
            plate=planned.plate,
            well=planned.well,
            field=planned.field,
            focus_sigma_um=settings.optics.focus_sigma_um,
            condition=planned.condition,
            dose=planned.dose,
        )
        red, green = effects.brightness
        drawn = [effects.accident, f"{red:.4f}", f"{green:.4f}", f"{effects.cover:.4f}", f"{effects.focus_um:.4f}"]
        rows.append([*asdict(planned).values(), *drawn])
    names = ["id", "plate", "well", "field", "condition", "dose"]
    drawn_names = ["accident", "brightness_DsRed", "brightness_pHluorin", "cover_factor", "focus_um"]
    write_text(root / "fields.csv", _as_csv([*names, *drawn_names], rows))


def _merge_events(root: Path, plan: Sequence[PlannedField]) -> None:
    import pandas as pd

    tables = [pd.read_csv(root / "events" / f"{planned.id}.csv").assign(id=planned.id) for planned in plan]
    filled = [table for table in tables if len(table)] or tables[:1]
    with replacing(root / "events.parquet") as temporary:
        pd.concat(filled, ignore_index=True).to_parquet(temporary)


def _rows(table: EventTable) -> list[list[str]]:
    columns = [
        [f"{value:.5g}" if column.dtype.kind == "f" else str(value) for value in column] for column in table.values()
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _as_csv(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return text.getvalue()
