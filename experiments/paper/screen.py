"""The screen of the study: simulated fields with their truth, labelled by the CIP."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.paper.settings import StudySettings
from imaging import labelling, simulation
from noisylabels.errors import InputError

PIPELINE = "lcsb-rosella-lc3-2017"
CIP = "cip"
TRUTH = "truth"


def simulate_screen(folder: Path, settings: StudySettings, *, seed: int) -> Mapping[str, Any]:
    """Simulate the fields of a screen into a dataset folder; fields that are there already are kept.

    Args:
        folder: The dataset folder.
        settings: Number and size of the fields.
        seed: Of the screen and its split.

    Returns:
        The number of fields by split.
    """
    rosella = simulation.preset("rosella-lc3").replaced({"frame": {"rows": settings.rows, "columns": settings.columns}})
    layout = simulation.lay_out("untreated", rosella.plate)
    plan = simulation.plan_fields(layout, n_fields=settings.fields, seed=seed)
    dataset = simulation.simulate_dataset(
        folder, rosella, plan, seed=seed, fractions=settings.screen_split, workers=settings.workers
    )
    return {split: len(dataset.ids(split)) for split in ("training", "validation", "test")}


def label_screen(folder: Path, settings: StudySettings) -> Mapping[str, Any]:
    """Label every field with the original CIP; fields that are labelled already are kept.

    Returns:
        The number of fields labelled now; 0 if all were there.

    Raises:
        InputError: If a field cannot be labelled.
    """
    labeller, tasks, _ = labelling.plan_dataset(folder, labelling.load_pipeline(PIPELINE), name=CIP)
    labelling.prepare_label_set(tasks, labeller)
    waiting = sum(not task.target.exists() for task in tasks)
    failures = [failure for _, failure in labelling.label_files(tasks, labeller, workers=settings.workers) if failure]
    if failures:
        raise InputError(failures[0])
    return {"fields": waiting}
