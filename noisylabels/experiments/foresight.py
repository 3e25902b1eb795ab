"""What a network can repair of its labels, before any truth: how well labels can be foretold on fields it never saw.

A student learns a teacher's labels and predicts held-out fields. Where it does not agree with its own teacher there,
equal patches carry unequal labels: errors that have no cause in the picture, which a network cannot copy. So a low
agreement promises a gain over the teacher. It does not tell which teacher is right: what is wrong in every patch alike,
such as swelling, is foretold perfectly. benchmarks/teachers.py measures how far both hold.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics.intervals import Interval, jackknife_interval, leave_clusters_out
from noisylabels.data.arrays import RealArray
from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map
from noisylabels.data.labels import IGNORE_INDEX, LabelMap
from noisylabels.data.views import write_view
from noisylabels.experiments.pairs import Pair, describe_gain, expect_gain
from noisylabels.experiments.paper.presets import HALF_WIDTH

Confusions = NDArray[np.int64]

PROBE: Mapping[str, object] = {**HALF_WIDTH, "patch_size": [64, 64]}
"""What is changed of the bundle for a student that is only asked how well labels can be foretold, as in `pairs.csv`."""


@dataclass(frozen=True)
class Student:
    """How a student of one label set did on held-out fields.

    Args:
        labels: The label set that it learnt.
        agreement: Mean IoU of its predictions with that label set, interval over groups (wells).
        classes: (class,) IoU with that label set, pooled over fields; nan for a class that neither shows.
        folder: Its label maps.
    """

    labels: str
    agreement: Interval
    classes: NDArray[np.float64]
    folder: Path

    @property
    def inconsistency(self) -> float:
        """One minus the agreement."""
        return 1 - self.agreement.estimate


def mean_iou(confusions: RealArray) -> NDArray[np.float64]:
    """Score confusion matrices by the mean IoU of the classes that occur.

    Args:
        confusions: (..., class, class) pixels by reference and prediction. Not modified.

    Examples:
        >>> float(mean_iou(np.array([[8, 0], [2, 2]])).round(2))
        0.65
    """
    ious = class_ious(confusions)
    n_known = np.isfinite(ious).sum(-1)
    return np.asarray(np.divide(np.nansum(ious, -1), n_known, out=np.full(n_known.shape, np.nan), where=n_known > 0))


def class_ious(confusions: RealArray) -> NDArray[np.float64]:
    """Score confusion matrices by the IoU of each class; nan for one that does not occur."""
    counts = np.asarray(confusions, float)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    union = counts.sum(-1) + counts.sum(-2) - hits
    return np.asarray(np.divide(hits, union, out=np.full(hits.shape, np.nan), where=union > 0))


def confuse(
    dataset: Dataset, reference: Callable[[str], LabelMap], prediction: Callable[[str], LabelMap], *, split: str
) -> Confusions:
    """Count pixels by class for every field of a split; pixels that either map ignores (255) do not count.

    Args:
        dataset: The dataset folder.
        reference: Gives the label map of a field.
        prediction: Gives the other.
        split: Which fields.

    Returns:
        (field, class, class) counts.
    """
    n = len(dataset.classes)
    tables = []
    for case_id in dataset.ids(split):
        first, second = reference(case_id).astype(np.int64), prediction(case_id)
        counted = (first != IGNORE_INDEX) & (second != IGNORE_INDEX)
        tables.append(np.bincount(first[counted] * n + second[counted], minlength=n * n).reshape(n, n))
    return np.stack(tables)


def estimate_score(dataset: Dataset, confusions: Confusions, *, split: str) -> Interval:
    """Return the mean IoU of a split with its jackknife interval over groups."""
    groups = [dataset.case(case_id).group for case_id in dataset.ids(split)]
    without, _ = leave_clusters_out(confusions, mean_iou, clusters=groups)
    return jackknife_interval(without, estimate=float(mean_iou(confusions.sum(0))), bounds=(0, 1))


def train_student(
    dataset: Dataset,
    labels: str,
    folder: Path,
    *,
    split: str = "test",
    steps: int = 100,
    seed: int = 0,
    training_ids: Sequence[str] = (),
    overrides: Mapping[str, object] | None = None,
) -> Student:
    """Train a student of a label set and compare it with its own teacher on fields that it never saw.

    Args:
        dataset: The dataset folder; the student learns the training fields.
        labels: The label set.
        folder: Where the run and its label maps go; a run that is there is continued.
        split: The held-out fields: validation or test.
        steps: Steps of the optimizer, as whole epochs.
        seed: Of the training.
        training_ids: Learn from these fields only; all training fields if there are none.
        overrides: Further values of the bundle's config; `PROBE` if there are none.

    Raises:
        InputError: If the split is not held out or empty, a label set is missing, or a field to learn from is held out.
    """
    from noisylabels.learning import launcher

    if split not in ("validation", "test") or not dataset.ids(split):
        n_fields = len(dataset.ids(split))
        msg = f"--split must be held out, validation or test, got {split!r} with {n_fields} fields. Name another split."
        raise InputError(msg)
    dataset.require_labels(labels)
    require_training(dataset, training_ids)
    source = dataset.folder
    if training_ids:
        kept = {*training_ids, *dataset.ids("validation")}
        source = write_view(dataset, folder / "fields", ids=kept, name=labels, source=labels)
    n_fields = len(training_ids) or len(dataset.ids("training"))
    plan = {"dataset_dir": str(dataset.folder), "split": split, "output_dir": str(folder / "labels")}
    train_last(source, labels, folder / "model", n_fields=n_fields, steps=steps, seed=seed, overrides=overrides)
    launcher.run(launcher.plan_prediction("cdl", (), plan | {"ckpt_path": str(folder / "model" / "last.pt")}))
    target = folder / "labels"
    confusions = confuse(
        dataset,
        lambda case_id: dataset.label_map(labels, case_id, ignore_index=IGNORE_INDEX),
        lambda case_id: read_label_map(target / f"{case_id}.tif", dataset.classes),
        split=split,
    )
    agreement = estimate_score(dataset, confusions, split=split)
    return Student(labels, agreement, class_ious(confusions.sum(0)), target)


def train_last(
    source: Path,
    labels: str,
    folder: Path,
    *,
    n_fields: int,
    steps: int,
    seed: int,
    overrides: Mapping[str, object] | None = None,
    bundle: str = "cdl",
    presets: Sequence[str] = (),
) -> None:
    """Train a bundle on labels for so many steps; its learning rate has fallen to 0 at the last, which is kept.

    Args:
        source: The dataset folder.
        labels: The label set to learn.
        folder: Where last.pt goes; a run that is there is continued.
        n_fields: How many training fields there are.
        steps: Steps of the optimizer, as whole epochs.
        seed: Of the training.
        overrides: Further values of the bundle's config; `PROBE` if there are none.
        bundle: Its name.
        presets: Config files merged over its own.
    """
    from noisylabels.learning import launcher

    values = dict(PROBE if overrides is None else overrides)
    per_epoch = -(-n_fields // int(str(values.get("batch_size", 8))))
    epochs = max(1, round(steps / per_epoch))
    values |= {"dataset_dir": str(source), "label_name": labels, "output_dir": str(folder)}
    values |= {"num_epochs": epochs, "val_interval": epochs, "seed": seed}
    launcher.run(launcher.plan_training(bundle, presets, values))


def require_training(dataset: Dataset, ids: Sequence[str]) -> None:
    """Make sure that fields to learn from are training fields, so that no score is of a field that was learnt.

    Raises:
        InputError: If one is not.
    """
    for case_id in ids:
        split = dataset.case(case_id).split
        if split != "training":
            msg = f"Trusted fields must be training fields, got {case_id} of the {split} fields. Choose another field."
            raise InputError(msg)


def describe_students(students: Sequence[Student], class_names: Sequence[str], pairs: Sequence[Pair]) -> str:
    """Return what can be expected, most inconsistent labels first.

    Args:
        students: One per label set.
        class_names: One name per class index.
        pairs: Teachers and students whose truth is known, to expect the like from.
    """
    lines = []
    for student in sorted(students, key=lambda one: -one.inconsistency):
        found = student.agreement
        ends = "no interval: fewer than three wells" if np.isnan(found.low) else f"[{found.low:.3f}, {found.high:.3f}]"
        parts = ", ".join(f"{name} {iou:.3f}" for name, iou in zip(class_names, student.classes, strict=True))
        lines.append(f"{student.labels}: held-out agreement {found.estimate:.3f} {ends} ({parts})")
        lines.append(f"  {describe_gain(expect_gain(student.inconsistency, pairs))}")
    return "\n".join([*lines, ADVICE])


def find_next_step(students: Sequence[Student], pairs: Sequence[Pair], dataset: str | Path) -> str:
    """Return what a person should do now, with the command, from the gain that the least consistent labels let expect.

    Args:
        students: One per label set.
        pairs: Teachers and students whose truth is known.
        dataset: The dataset folder, for the command.
    """
    best = max(students, key=lambda one: one.inconsistency)
    gain = expect_gain(best.inconsistency, pairs)
    if gain is not None and gain.low > 0:
        train = f"noisylabels train cdl --dataset_dir {dataset} --label_name {best.labels} --output_dir runs/cdl"
        return f"Next: train a network on {best.labels}, for a gain over it is expected.\n  {train}"
    correct = f"noisylabels annotate create {dataset}.desk {dataset} --start {best.labels}"
    if gain is not None and gain.expected <= 0:
        why = f"{best.labels} is consistent, so a network learns its errors too, and more of its labels buy nothing"
        return f"Next: correct fields by hand: {why}.\n  {correct}"
    why = "whether a network gains over them cannot be told from the labels alone"
    return f"Next: correct ten test fields, and score {best.labels} and a network on them: {why}.\n  {correct}"


ADVICE = """\
The lower the agreement, the more of the labels' errors have no cause in the picture, and the more a network trained on
them can gain over them. A high agreement does not say that labels are right: what is wrong everywhere alike, such as
swollen outlines, is foretold perfectly. Look at the outlines of some isolated events beside this."""
