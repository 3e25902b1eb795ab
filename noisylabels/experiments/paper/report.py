"""The end of a study: numbers, tables and the page, from the results of its steps."""

import json
from collections.abc import Sequence
from pathlib import Path

from noisylabels.data.atomic import write_text
from noisylabels.experiments.paper.experts import Correction
from noisylabels.experiments.paper.page import Findings, render_page
from noisylabels.experiments.paper.results import measure
from noisylabels.experiments.paper.settings import StudySettings
from noisylabels.experiments.paper.study import read_study, screen_folder
from noisylabels.experiments.paper.tables import make_tables, tabulate_numbers, write_tables

PAGE = "paper.md"


def write_page(folder: Path, settings: StudySettings, *, preset: str, seeds: Sequence[int]) -> Path:
    """Write paper.md and tables/*.csv into the folder of a study whose steps are done.

    Args:
        folder: The folder of the study.
        settings: Its settings.
        preset: Their name.
        seeds: Its screens.

    Returns:
        The page.

    Raises:
        InputError: If a screen is not done.
    """
    counted = read_study(folder, seeds=seeds)
    steps = {
        f"seed {seed}": {
            path.stem: json.loads(path.read_text())
            for path in sorted((screen_folder(folder, seed) / "steps").glob("*.json"))
        }
        for seed in seeds
    }
    numbers = measure(counted, resamples=settings.resamples)
    tables = make_tables(counted, steps) | {"numbers": tabulate_numbers(numbers, list(steps))}
    kinds = Correction._fields[1:]
    events = {kind: sum(done["corrections"][kind] for done in steps.values()) for kind in kinds}
    machine = steps[f"seed {seeds[0]}"]["counts"]["machine"]
    write_tables(tables, folder / "tables")
    findings = Findings(preset, settings, tuple(seeds), numbers, tables, machine, events)
    write_text(folder / PAGE, render_page(findings))
    return folder / PAGE
