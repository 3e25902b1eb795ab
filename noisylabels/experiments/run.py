"""One run of a grid: train on its labels, predict the test fields, count against the truth."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.metrics.fields import examine_field
from noisylabels.data.atomic import replacing, write_text
from noisylabels.data.dataset import Dataset
from noisylabels.data.images import read_label_map
from noisylabels.data.labels import LabelMap
from noisylabels.experiments.declaration import Declaration
from noisylabels.experiments.grid import Run, hash_sources, recipe_of
from noisylabels.experiments.stages import plan_stages
from noisylabels.experiments.workspace import Workspace, noisy_labels, prepare_labels

RESULT = "result.json"


@dataclass(frozen=True)
class Outcome:
    """What a run left behind.

    Args:
        run_id: The run's id.
        seconds: Wall time of training and prediction.
        commands: The `python -m monai.bundle run` lines that repeat it.
    """

    run_id: str
    seconds: float
    commands: tuple[str, ...]


def execute(workspace: Workspace, data: Dataset, run: Run, run_id: str) -> Outcome:
    """Train, predict and count one run; `result.json` is written last, so a run that has it is whole.

    Args:
        workspace: The experiment's folder.
        data: Its fields.
        run: What to run.
        run_id: Its id.

    Raises:
        InputError: For a mistake in the declaration that shows only now, as one sentence.
    """
    start = time.perf_counter()
    folder = workspace.run_folder(run_id)
    write_text(folder / "recipe.json", json.dumps(recipe_of(run, workspace.declaration), indent=1, sort_keys=True))
    view = prepare_labels(workspace, data, run)
    commands = _train_and_predict(workspace.declaration, data, view, run, folder)
    fields, events = measure(workspace.declaration, data, run, folder / "labels")
    _write_table(fields, folder / "fields.parquet")
    _write_table(events, folder / "events.parquet")
    seconds = time.perf_counter() - start
    result = {"id": run_id, **vars(run), "seconds": seconds, "commands": commands}
    result |= {"epochs": _epochs(folder / "model"), "code": hash_sources()}
    write_text(folder / RESULT, json.dumps(result, indent=1))
    return Outcome(run_id, seconds, tuple(commands))


def measure(
    declaration: Declaration, data: Dataset, run: Run, predictions: Path
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Count the predictions of the test fields, and the run's own labels of the same fields, against the truth.

    The labels of test fields are never trained on: they are corrupted here only to score the teacher ("labels").

    Returns:
        Columns of one row per field x source (prediction, labels): the confusion matrix; and columns of one row per
        true event: its class, area, brightness, and what became of it.
    """
    fields: dict[str, list[Any]] = {}
    events: dict[str, list[Any]] = {}
    for case_id in data.ids("test"):
        truth, labels, _ = noisy_labels(run, declaration, data, case_id)
        predicted = read_label_map(predictions / f"{case_id}.tif", data.classes)
        for source, label_map in (("prediction", predicted), ("labels", labels)):
            counts, errors = examine_field(truth, label_map, classes=data.classes, source=f"field {case_id!r}")
            row: dict[str, Any] = {"field": case_id, "group": data.case(case_id).group, "source": source}
            row |= {f"confusion_{i}_{j}": int(counts.confusion[i, j]) for i, j in np.ndindex(*counts.confusion.shape)}
            _append(fields, row)
            if source == "prediction":
                _append_events(events, case_id, errors.reference, _brightness(data, case_id, truth))
    return fields, events


def _train_and_predict(declaration: Declaration, data: Dataset, view: Dataset, run: Run, folder: Path) -> list[str]:
    import torch

    from noisylabels.learning import launcher

    torch.set_num_threads(1)  # small fields spin on more, tens of times slower on a busy machine: use shards for cores
    method = declaration.methods[run.method]
    stages = plan_stages(declaration, data, view, run, folder)
    commands = []
    for stage in stages:
        launch = launcher.plan_training(declaration.bundle, (*declaration.preset, *method.preset), stage)
        launcher.run(launch)
        commands.append(launch.command_line())
    # Without validation the last epoch counts; "noisy" and "clean" choose the best.
    weights = Path(stages[-1]["output_dir"]) / ("last.pt" if declaration.validation == "none" else "model.pt")
    settings: dict[str, Any] = {
        "dataset_dir": stages[-1]["dataset_dir"] if method.use == "correct" else str(view.folder),
        "split": "test",
        "ckpt_path": str(weights),
        "output_dir": str(folder / "labels"),
    }
    presets: tuple[str, ...] = ()
    if method.threshold:
        from noisylabels.experiments.probabilities import find_threshold

        settings["threshold"] = find_threshold(declaration.bundle, settings)
        presets = ("marginal",)
    launch = launcher.plan_prediction(declaration.bundle, presets, settings)
    launcher.run(launch)
    return [*commands, launch.command_line()]


def _brightness(data: Dataset, case_id: str, truth: LabelMap) -> dict[int, float]:
    """Brightness of each true event by its number."""
    from noisylabels.data.events import label_events
    from noisylabels.data.features import brightness
    from noisylabels.data.footprints import Footprints

    instances, classes = label_events(truth)
    values = brightness(Footprints.of(instances, len(classes)), data.image(case_id))
    return dict(enumerate(values.tolist(), start=1))


def _append_events(
    columns: dict[str, list[Any]], case_id: str, events: Mapping[str, Any], brightness: dict[int, float]
) -> None:
    for position, event in enumerate(events["event"].tolist()):
        row = {"field": case_id, "event": event, "brightness": brightness[event]}
        names = ("class_index", "area_px", "missed", "misclassified", "incomplete")
        _append(columns, row | {name: events[name][position].item() for name in names})


def _append(columns: dict[str, list[object]], row: Mapping[str, object]) -> None:
    for name, value in row.items():
        columns.setdefault(name, []).append(value)


def _write_table(columns: dict[str, list[object]], path: Path) -> None:
    import pandas as pd

    with replacing(path) as temporary:
        pd.DataFrame(columns).to_parquet(temporary, index=False)


def _epochs(model: Path) -> Any:
    """Metrics by epoch as the bundle wrote them, or None."""
    path = model / "metrics.json"
    return json.loads(path.read_text()) if path.is_file() else None
