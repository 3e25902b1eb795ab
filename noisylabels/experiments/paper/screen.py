"""The screen of the study: simulated fields with their truth, to be labelled by the CIP."""

from collections.abc import Mapping
from pathlib import Path

from noisylabels import simulation
from noisylabels.experiments.paper.settings import StudySettings

CIP = "cip"
TRUTH = "truth"


def simulate_screen(folder: Path, settings: StudySettings, *, seed: int) -> Mapping[str, object]:
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
