"""The report of a run: one self-contained HTML file of plate maps, tables and what failed."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noisylabels.data.atomic import write_bytes, write_text
from noisylabels.screening.measurements import KEYS, Tables
from noisylabels.screening.platemaps import draw_plate_map, measures_to_map, say_measure, well_grid
from noisylabels.screening.screen import Screen

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 400

TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title><style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums }
th, td { padding: .15rem .6rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
th { position: sticky; top: 0; background: #fff } .wide { overflow: auto; max-height: 32rem }
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1rem }
.maps img { max-width: 100%; height: auto }
.bad { color: #b00020; font-weight: 600 }
</style></head><body>
<h1>{{ title }}</h1>
<p>Method <b>{{ method }}</b> on {{ n_plates }} plate{{ "s" if n_plates != 1 }}, {{ n_wells }} wells,
{{ n_fields }} fields, {{ n_events }} events.
{% for state, count in states.items() %}{{ count }} {{ state }}{{ ", " if not loop.last }}{% endfor %}.</p>
<h2>Plate maps</h2><div class="maps">
{% for map in maps %}<img alt="{{ map.title }}" src="data:image/png;base64,{{ map.data }}">{% endfor %}</div>
{% if drift is not none %}<h2>Drift against the reference screen</h2>
<p>Medians over wells; the shift is in robust standard deviations of the reference; p by Kolmogorov and Smirnov,
corrected by Holm.</p><div class="wide">{{ drift }}</div>{% endif %}
{% if failures %}<h2 class="bad">Fields that failed</h2><ul>
{% for failure in failures %}<li>{{ failure }}</li>{% endfor %}</ul>{% endif %}
<h2>Wells</h2>{% if cut %}<p>The first {{ shown }}; all are in wells.csv.</p>{% endif %}
<div class="wide">{{ wells }}</div>
<h2>How this was made</h2><pre>{{ declaration }}</pre>
</body></html>
"""


def write_report(screen: Screen, tables: Tables, folder: Path, *, drift: "pd.DataFrame | None" = None) -> Path:
    """Write `report.html` and one PNG per plate map.

    Args:
        screen: The run.
        tables: Its measurements.
        folder: Where the report goes.
        drift: The comparison with a reference screen.

    Returns:
        The report.
    """
    import json

    import jinja2

    failed = tables.fields[tables.fields["state"] == "failed"]
    failures = [f"{row.plate} {row.well} field {row.field}: {row.message}" for row in failed.itertuples()]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    text = environment.from_string(TEMPLATE).render(
        title=f"Screen {screen.store.folder.name}",
        method=screen.job.method.name,
        n_plates=len(screen.plates),
        n_wells=len(tables.wells),
        n_fields=len(tables.fields),
        n_events=tables.n_events,
        states=screen.count_states(),
        maps=_maps(screen, tables, folder),
        drift=None if drift is None else _as_html(drift),
        failures=failures[:MOST_ROWS],
        cut=len(tables.wells) > MOST_ROWS,
        shown=MOST_ROWS,
        wells=_as_html(tables.wells.drop(columns=["row", "column"]).head(MOST_ROWS)),
        declaration=json.dumps(screen.declaration.to_dict(), indent=1),
    )
    path = folder / "report.html"
    write_text(path, text)
    return path


def _maps(screen: Screen, tables: Tables, folder: Path) -> list[dict[str, str]]:
    maps = []
    for plate in screen.plates:
        wells = tables.wells[tables.wells["plate"] == plate.name]
        for measure in measures_to_map(wells, screen.job.method.classes.foreground):
            title = f"{plate.name}: {say_measure(measure)}"
            picture = draw_plate_map(well_grid(wells, measure, plate.shape), title)
            first = screen.store.path(plate.wells[0].fields[0], "").parent.parent.name
            write_bytes(folder / f"map {first} {measure}.png", picture)
            maps.append({"title": title, "data": base64.b64encode(picture).decode()})
    return maps


def _as_html(table: "pd.DataFrame") -> Any:
    from markupsafe import Markup

    shown = table.rename(columns=lambda name: name if name in KEYS else str(name).replace("_", " "))
    return Markup(shown.to_html(index=False, border=0, na_rep="", float_format=lambda value: f"{value:.4g}"))
