"""The report of a run: its tables and fields handed to the one report engine, `evaluation.screen_folders`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.report.galleries import FieldView
from evaluation.report.measured_fields import MeasuredFields
from evaluation.screen_folders import write_measurement_report
from noisylabels.data.images import read_label_map
from noisylabels.screening.measurements import Tables
from noisylabels.screening.screen import Screen

if TYPE_CHECKING:
    import pandas as pd


FAILURE = ("plate", "well", "field", "message")


def write_report(
    screen: Screen, tables: Tables, folder: Path, *, drift: "pd.DataFrame | None" = None
) -> tuple[Path, str]:
    """Write `report.html`, `tables/*.csv` and `figures/*.svg` of a run.

    Args:
        screen: The run.
        tables: Its measurements.
        folder: Where the report goes.
        drift: The comparison with a reference screen.

    Returns:
        The page, and the answer in words: the verdict, and what comes next.
    """
    failed = tables.fields[tables.fields["state"] == "failed"]
    plain = {name: json.dumps(value) for name, value in screen.declaration.to_dict().items()}
    counts = {"fields": str(len(tables.fields)), "events": str(tables.n_events)}
    return write_measurement_report(
        tables.wells,
        folder,
        title=f"Screen {screen.store.folder.name}, method {screen.job.method.name}",
        facts=counts | {state: str(count) for state, count in screen.count_states().items()} | plain,
        classes=screen.job.method.classes.foreground,
        failures=list(zip(*(failed[name].astype(str) for name in FAILURE), strict=True)),
        drift=drift,
        fields=find_measured(screen, tables),
    )


def find_measured(screen: Screen, tables: Tables) -> MeasuredFields:
    """Return the fields that are done with their events, and the way to their pixels."""
    done = tables.fields[tables.fields["state"] == "done"]
    classes = screen.job.method.classes
    events = done[[f"n_{name}" for name in classes.foreground]].sum(axis=1).astype(int)
    places = [_name(*key) for key in zip(done["plate"], done["well"], done["field"], strict=True)]

    def look(name: str) -> FieldView | None:
        field = next(one for one in screen.fields if _name(one.plate, one.well.name, one.number) == name)
        try:
            label_map = read_label_map(screen.store.path(field, ".tif"), classes)
            return FieldView(screen.job.read(field), label_map, {}, field.pixel_size_um)
        except (OSError, ValueError):  # the plate may be on a disk that is taken away by now
            return None

    names = screen.job.names(next(screen.fields))
    return MeasuredFields(dict(zip(places, events, strict=True)), look, classes, tuple(names))


def _name(plate: str, well: str, number: int) -> str:
    return f"{plate} {well}, field {number}"
