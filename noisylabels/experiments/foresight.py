"""What a network can repair of its labels, before any truth: how well labels can be foretold on fields it never saw.

A student learns a teacher's labels and predicts held-out fields. Where it does not agree with its own teacher there,
equal patches carry unequal labels: errors that have no cause in the picture, which a network cannot copy. So a low
agreement promises a gain over the teacher. It does not tell which teacher is right: what is wrong in every patch alike,
such as swelling, is foretold perfectly. benchmarks/teachers.py measures how far both hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics.intervals import Interval
from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map
from noisylabels.data.labels import IGNORE_INDEX, LabelMap
from noisylabels.data.views import write_view
from noisylabels.experiments.confusions import class_ious, confuse, estimate_gain, estimate_score
from noisylabels.experiments.paper.presets import HALF_WIDTH

PROBE: Mapping[str, object] = {**HALF_WIDTH, "patch_size": [64, 64], "learning_rate": 0.01, "warm_up": 0.2}
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

    def read(self, case_id: str) -> LabelMap:
        """Read its label map of a held-out field."""
        return read_label_map(self.folder / f"{case_id}.tif")


def judge(dataset: Dataset, student: Student, referee: Student, *, split: str) -> Interval:
    """Return a student's gain over its labels, the referee's label maps of held-out fields taken for the truth.

    The referee is the student of labels that vote: nearer to the truth than each voter, and known without one. It is
    more like another student than the truth is, so the gain is too large as it stands; it ranks labels, and
    `pairs.expect_gain` takes from pairs whose truth is known what it comes to.

    Args:
        dataset: The dataset folder, with the label set that the student learnt.
        student: Of the labels that are asked about.
        referee: Of the labels that vote; its own gain cannot be judged by it.
        split: Held-out fields of both.

    Returns:
        Difference of mean IoU, with its jackknife interval over groups.
    """
    own = partial(dataset.label_map, student.labels, ignore_index=IGNORE_INDEX)
    teacher, learnt = (confuse(dataset, referee.read, read, split=split) for read in (own, student.read))
    return estimate_gain(dataset, teacher, learnt, split=split)


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
