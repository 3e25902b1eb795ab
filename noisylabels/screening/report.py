"""The report of a run: its tables handed to the one report engine, `evaluation.screen_folders`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.screen_folders import write_measurement_report
from noisylabels.screening.measurements import Tables
from noisylabels.screening.screen import Screen

if TYPE_CHECKING:
    import pandas as pd


FAILURE = ("plate", "well", "field", "message")


def write_report(screen: Screen, tables: Tables, folder: Path, *, drift: "pd.DataFrame | None" = None) -> Path:
    """Write `report.html`, `tables/*.csv` and `figures/*.svg` of a run.

    Args:
        screen: The run.
        tables: Its measurements.
        folder: Where the report goes.
        drift: The comparison with a reference screen.

    Returns:
        The page.
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
    )
