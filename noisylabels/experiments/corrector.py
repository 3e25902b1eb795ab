"""A label corrector: from an image and its weak labels to what a few trusted fields say, then used on all other fields.

The weak labels enter as further channels of the image (Vadineanu et al. 2024, DOI 10.3390/jimaging10070172, upgrade
labels by a network of few pairs). Trusted fields alone are often enough, so it is controlled: each group of trusted
fields is left out in turn, and a corrector that is not above a network of the trusted fields alone there, and above the
labels as they are, is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map, write_label_map
from noisylabels.data.labels import IGNORE_INDEX, LabelMap
from noisylabels.experiments.confusions import Confusions, mean_iou
from noisylabels.experiments.foresight import require_training, train_last
from noisylabels.experiments.label_channels import write_pairs_view


class Learner(Protocol):
    """Learns a label set of the training fields of a dataset folder and labels its test fields."""

    def __call__(self, dataset: Dataset, labels: str, folder: Path) -> Callable[[str], LabelMap]:
        """Return the label map of a test field by its id."""


@dataclass(frozen=True)
class Control:
    """Mean IoU on trusted fields that were left out of training.

    Args:
        corrector: Of the network that sees image and labels.
        gold_only: Of the network that sees the image alone, trained on the same fields.
        labels: Of the labels as they are.
    """

    corrector: float
    gold_only: float
    labels: float

    def require_gain(self) -> None:
        """Make sure that the corrector is worth its while.

        Raises:
            InputError: If a network of the trusted fields alone, or the labels as they are, do as well.
        """
        if not self.corrector > max(self.gold_only, self.labels):
            better = "labels as they are" if self.labels > self.gold_only else "trusted fields alone"
            msg = (
                "The corrector must do better on trusted fields left out than trusted fields alone and the labels "
                f"as they are, got {self.corrector:.3f} against {self.gold_only:.3f} and {self.labels:.3f}. Use the "
                f"{better}."
            )
            raise InputError(msg)


def train_learner(*, steps: int = 100, seed: int = 0, overrides: Mapping[str, object] | None = None) -> Learner:
    """Return the learner that trains the bundle cdl, half as wide, and keeps its last weights.

    Args:
        steps: Of each training.
        seed: Of the trainings.
        overrides: Further values of the bundle's config.
    """
    from noisylabels.learning import launcher

    def learn(dataset: Dataset, labels: str, folder: Path) -> Callable[[str], LabelMap]:
        n_fields = len(dataset.ids("training"))
        train_last(dataset.folder, labels, folder, n_fields=n_fields, steps=steps, seed=seed, overrides=overrides)
        plan = {"dataset_dir": str(dataset.folder), "split": "test", "ckpt_path": str(folder / "last.pt")}
        launcher.run(launcher.plan_prediction("cdl", (), plan | {"output_dir": str(folder / "labels")}))
        return lambda case_id: read_label_map(folder / "labels" / f"{case_id}.tif", dataset.classes)

    return learn


def correct_labels(
    dataset: Dataset,
    labels: str,
    *,
    trusted: str,
    ids: Sequence[str],
    name: str,
    folder: Path,
    learn: Learner,
) -> Control:
    """Correct the labels of all fields by what few trusted fields say, if that is better than the trusted fields alone.

    Args:
        dataset: The dataset folder.
        labels: The weak label set.
        trusted: The label set to rely on.
        ids: Training fields that have it, of at least two groups (wells).
        name: The label set to write: trusted fields keep their trusted labels, all others are corrected.
        folder: For the trainings; what is there is gone on with.
        learn: Trains, `train_learner` for instance.

    Returns:
        The scores of the leave-one-group-out control.

    Raises:
        InputError: If a trusted field is held out or all are of one group, `name` is there already, or the control
            says no.
    """
    for one in (labels, trusted):
        dataset.require_labels(one)
    require_training(dataset, ids)
    groups = sorted({dataset.case(case_id).group for case_id in ids})
    if len(groups) < 2:
        msg = f"Trusted fields must be of at least two groups (wells), got {len(groups)}. Correct a field of another."
        raise InputError(msg)
    if dataset.label_path(name, "x").parent.is_dir():
        msg = f"--name must be a new label set, got {name!r}, which {dataset.folder} has. Choose another name."
        raise InputError(msg)
    counts: dict[str, Confusions] = {}
    for group in groups:
        held = [case_id for case_id in ids if dataset.case(case_id).group == group]
        kept = [case_id for case_id in ids if case_id not in held]
        for kind, weak in (("corrector", labels), ("gold_only", None)):
            place = folder / f"without-{group}" / kind
            view = write_pairs_view(dataset, place / "fields", trusted, kept, held, weak=weak)
            _add(counts, kind, dataset, trusted, held, learn(view, trusted, place / "run"))
        _add(counts, "labels", dataset, trusted, held, lambda one: _read(dataset, labels, one))
    control = Control(**{kind: float(mean_iou(table)) for kind, table in counts.items()})
    control.require_gain()
    others = [case_id for case_id in dataset.ids() if case_id not in ids]
    view = write_pairs_view(dataset, folder / "all" / "fields", trusted, ids, others, weak=labels)
    corrected = learn(view, trusted, folder / "all" / "run")
    for case_id in dataset.ids():
        label_map = _read(dataset, trusted, case_id) if case_id in ids else corrected(case_id)
        write_label_map(dataset.label_path(name, case_id), label_map)
    return control


def _read(dataset: Dataset, labels: str, case_id: str) -> LabelMap:
    return dataset.label_map(labels, case_id, ignore_index=IGNORE_INDEX)


def _add(
    counts: dict[str, Confusions],
    kind: str,
    dataset: Dataset,
    trusted: str,
    held: Sequence[str],
    predict: Callable[[str], LabelMap],
) -> None:
    n = len(dataset.classes)
    for case_id in held:
        truth, found = _read(dataset, trusted, case_id).astype(np.int64), predict(case_id)
        known = (truth != IGNORE_INDEX) & (found != IGNORE_INDEX)
        table = np.bincount(truth[known] * n + found[known], minlength=n * n).reshape(n, n)
        counts[kind] = counts.get(kind, np.zeros((n, n), np.int64)) + table
