"""Retraining: a network learns on from its weights in use, is scored on fields it did not see, and replaces nothing.

Fields of one group (a well, a field's quarters) are always seen or left out together.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.pixels import count_pixels, score_all
from evaluation.statistics.intervals import jackknife_interval
from noisylabels.annotation.networks import load_network, read_for_network
from noisylabels.data.atomic import write_text
from noisylabels.data.dataset import Case, Dataset, open_dataset, write_dataset
from noisylabels.data.images import read_label_map
from noisylabels.data.labels import IGNORE_INDEX, LabelMap

LABEL_NAME = "corrected"
MEASURE = "mean_iou"
MOST_FOLDS = 3
STEPS = 40  # of the optimizer in one pass; more would only fit a few fields by heart
BATCH_SIZE = 4  # the paper's
RANDOM, LEFT_OUT = "random stratum", "left-out fields"

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """One retraining.

    Args:
        bundle: Name or folder of the bundle.
        init: Weights to learn on from; None to begin from random ones.
        dataset: Dataset folder of the accepted fields, label set "corrected".
        output: Folder for the passes; the new weights become `output/final/model.pt`.
        folds: Ids that are left out together in one pass each; empty if nothing can be left out.
        decided_by: "random stratum" or "left-out fields".
        steps: Steps of the optimizer in one pass.
    """

    bundle: str
    init: str | None
    dataset: str
    output: str
    folds: list[list[str]]
    decided_by: str
    steps: int = STEPS


@dataclass(frozen=True)
class Score:
    """How well a network does before and after retraining, on fields that the scored network did not learn from.

    Args:
        measure: "mean_iou": the mean over all classes of the pooled intersection over union (MATLAB's mean IoU).
        before: Of the weights in use; None without any.
        after: Of networks retrained without the fields they are scored on.
        low: Lower end of the 95 % interval of after - before; None if it is not known.
        high: Its upper end.
        n_fields: Fields that were scored.
        decided_by: "random stratum" or "left-out fields".
    """

    measure: str
    before: float | None
    after: float
    low: float | None
    high: float | None
    n_fields: int
    decided_by: str


def plan_folds(groups: Mapping[str, str], random: set[str], *, most: int = MOST_FOLDS) -> tuple[list[list[str]], str]:
    """Choose which fields are left out to score a retrained network.

    The groups with fields of the random stratum, if there are two of them and two others: they represent the screen.
    Else every group is left out once, in at most `most` passes.

    Args:
        groups: Group by id of field.
        random: Ids of the random stratum.
        most: Passes at most.

    Returns:
        Ids that are left out together, and "random stratum" or "left-out fields". No folds for a single group.

    Examples:
        >>> plan_folds({"a": "a", "b": "b", "c": "c"}, set())
        ([['a'], ['b'], ['c']], 'left-out fields')
        >>> plan_folds({"a": "a", "b": "b", "c": "c", "d": "d"}, {"b", "d"})
        ([['b', 'd']], 'random stratum')
    """
    by_lot = {groups[field] for field in random}
    names = sorted(set(groups.values()))
    others = [name for name in names if name not in by_lot]
    if len(by_lot) >= 2 and len(others) >= 2:
        return [[field for field, group in groups.items() if group in by_lot]], RANDOM
    if len(names) < 2:
        return [], LEFT_OUT
    n_folds = min(most, len(names))
    parts = [set(names[place::n_folds]) for place in range(n_folds)]
    return [[field for field, group in groups.items() if group in part] for part in parts], LEFT_OUT


def retrain(plan: Plan) -> Score | None:
    """Score the weights in use and retrained ones on left-out fields, then train on all fields.

    Returns:
        The scores; None if there was no field to leave out.

    Raises:
        InputError: If the training refuses the fields or the weights.
    """
    dataset = open_dataset(plan.dataset)
    n_passes = len(plan.folds) + 1
    before: dict[str, Counts] = {}
    after: dict[str, Counts] = {}
    for number, fold in enumerate(plan.folds):
        name = f"pass_{number + 1}"
        write_progress(plan, number, n_passes, f"scoring: pass {number + 1} of {len(plan.folds)}", name)
        weights = train(plan, dataset, fold, name)
        after |= count_fields(plan, dataset, fold, weights)
        if plan.init is not None:
            before |= count_fields(plan, dataset, fold, Path(plan.init))
    write_progress(plan, len(plan.folds), n_passes, "training on all fields", "final")
    train(plan, dataset, [], "final")
    write_progress(plan, n_passes, n_passes, "done", "")
    if not plan.folds:
        return None
    groups = {case.id: case.group for case in dataset.cases}
    return score(before, after, groups, plan.decided_by)


def score(before: Mapping[str, Counts], after: Mapping[str, Counts], groups: Mapping[str, str], by: str) -> Score:
    """Pool the pixel counts of fields, and tell how sure the difference is.

    The interval is a jackknife over groups with Student's t: with few groups it is wide.

    Args:
        before: (class, class) pixel counts by field, of the weights in use; empty without any.
        after: The same of the retrained network.
        groups: Group by field.
        by: What decided which fields were left out.
    """
    fields = sorted(after)
    after_all = mean_iou([after[field] for field in fields])
    if not before:
        return Score(MEASURE, None, after_all, None, None, len(fields), by)
    before_all = mean_iou([before[field] for field in fields])

    def gain(kept: Sequence[str]) -> float:
        return mean_iou([after[field] for field in kept]) - mean_iou([before[field] for field in kept])

    low, high = jackknife(gain, {field: groups[field] for field in fields})
    return Score(MEASURE, before_all, after_all, low, high, len(fields), by)


def jackknife(
    measure: Callable[[Sequence[str]], float], groups: Mapping[str, str]
) -> tuple[float | None, float | None]:
    """Compute a 95 % interval of a measure by leaving out one group after another.

    Args:
        measure: Of a list of fields.
        groups: Group by field.

    Returns:
        Its ends; None, None with fewer than three groups.
    """
    names = sorted(set(groups.values()))
    left = [measure([field for field in groups if groups[field] != name]) for name in names] if len(names) > 2 else []
    if not left:
        return None, None
    interval = jackknife_interval(left, estimate=measure(list(groups)))
    return interval.low, interval.high


def read_plan(path: Path) -> Plan:
    """Read what `write_plan` wrote."""
    return Plan(**json.loads(path.read_text()))


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan for another process."""
    write_text(path, json.dumps(asdict(plan), indent=1))


def read_progress(output: Path) -> tuple[float | None, str]:
    """Read how far a retraining is.

    Returns:
        A share in [0, 1], None before it began; and what it does.
    """
    path = output / "progress.json"
    if not path.is_file():
        return None, "starting"
    progress = json.loads(path.read_text())
    metrics = output / progress["folder"] / "metrics.json"
    done = len(json.loads(metrics.read_text())) / progress["n_epochs"] if metrics.is_file() else 0.0
    return min(1.0, (progress["pass"] + min(done, 1.0)) / progress["n_passes"]), str(progress["message"])


def write_progress(plan: Plan, number: int, n_passes: int, message: str, folder: str) -> None:
    """Write down how far a plan is, for `read_progress`."""
    n_epochs = _n_epochs(plan, len(open_dataset(plan.dataset).cases))
    progress = {"pass": number, "n_passes": n_passes, "message": message, "folder": folder, "n_epochs": n_epochs}
    write_text(Path(plan.output) / "progress.json", json.dumps(progress))


def _n_epochs(plan: Plan, n_fields: int) -> int:
    return max(1, math.ceil(plan.steps / math.ceil(n_fields / BATCH_SIZE)))


def train(plan: Plan, dataset: Dataset, left_out: Sequence[str], folder: str) -> Path:
    """Train on all fields but some; the weights of the last epoch, whatever a validation says.

    The bundle wants a validation list and keeps the best epoch: it gets one validation, after the last epoch, on a
    field that it learns from, so that no choice is made by what is left out.
    """
    from noisylabels.learning.launcher import plan_prediction, plan_training, run

    kept = [case for case in dataset.cases if case.id not in left_out]
    view = Path(plan.output) / "datasets" / folder
    _write_view(dataset, kept, view)
    n_epochs = _n_epochs(plan, len(kept))
    output = Path(plan.output) / folder
    overrides: dict[str, object] = {
        "dataset_dir": str(view),
        "label_name": LABEL_NAME,
        "output_dir": str(output),
        "num_epochs": n_epochs,
        "val_interval": n_epochs,
        "num_workers": 0,
    }
    presets: tuple[str, ...] = ()
    if plan.init is not None:
        trained = plan_prediction(plan.bundle, (), {"ckpt_path": plan.init})
        shared = ("n_channels", "class_names", "network_def")
        overrides |= {key: value for key, value in trained.overrides.items() if key.split("::")[0] in shared}
        overrides["init"] = plan.init
        presets = trained.presets
    run(plan_training(plan.bundle, presets, overrides))
    return output / "model.pt"


def _write_view(dataset: Dataset, kept: Sequence[Case], view: Path) -> None:
    """Write a dataset folder that lists some of the fields and links their files."""
    validation = kept[0]
    again = f"{validation.id}_again"
    named = Case(again, f"{validation.group} again", "validation", f"images/{again}.ome.tif")
    for case, source in [*((case, case) for case in kept), (named, validation)]:
        for there, here in (
            (dataset.folder / source.image, view / "images" / f"{case.id}.ome.tif"),
            (dataset.label_path(LABEL_NAME, source.id), view / "labels" / LABEL_NAME / f"{case.id}.tif"),
        ):
            here.parent.mkdir(parents=True, exist_ok=True)
            here.unlink(missing_ok=True)
            here.hardlink_to(there)
    cases = (*(Case(case.id, case.group, "training", f"images/{case.id}.ome.tif") for case in kept), named)
    write_dataset(
        Dataset(view, dataset.classes, dataset.channel_names, dataset.pixel_size_um, cases), label_name=LABEL_NAME
    )


def count_fields(plan: Plan, dataset: Dataset, fields: Sequence[str], weights: Path) -> dict[str, Counts]:
    """Count the pixels of corrected and predicted classes of fields; ignored pixels are left out."""
    network = load_network(plan.bundle, weights)
    n_classes = len(dataset.classes)
    counts = {}
    for field in fields:
        reference: LabelMap = read_label_map(
            dataset.label_path(LABEL_NAME, field), dataset.classes, ignore_index=IGNORE_INDEX
        )
        predicted = network.predict(read_for_network(dataset.image_path(field)))
        counts[field] = count_pixels(reference, predicted, n_classes=n_classes, ignore_index=IGNORE_INDEX)
    return counts


def mean_iou(counts: Sequence[Counts]) -> float:
    """Compute MATLAB's mean IoU of pooled pixel counts; a class that is nowhere is left out."""
    return float(score_all(np.sum(counts, axis=0))["MeanIoU"])
