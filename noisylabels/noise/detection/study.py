"""Detection in a dataset folder: from labels and predictions to an ordered queue."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from noisylabels.data.atomic import replacing, write_text
from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.noise.detection.events import find_event_issues, join_issues
from noisylabels.noise.detection.outoffold import predict_out_of_fold
from noisylabels.noise.detection.pixel_model import fit_pixel_model
from noisylabels.noise.detection.pixels import LabelledField, LabelledFields, find_issues, score_field
from noisylabels.noise.detection.summary import Tally, tabulate_annotators

Watch = Callable[[Iterable[str]], Iterable[str]]

N_NEXT = 10
"""Fields that a person can correct in an afternoon."""


@dataclass(frozen=True)
class Detected:
    """What was found and where it lies.

    Args:
        issues: One row per probably wrong event.
        n_fields: Fields examined.
        out: The folder.
    """

    issues: EventTable
    n_fields: int
    out: Path

    def describe(self) -> str:
        """Count the issues by kind."""
        kinds = self.issues["kind"].tolist()
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))) or "none"
        return f"{self.out}: {self.n_fields} fields, probably wrong events: {counts}"

    def find_next_step(self) -> str:
        """Return one sentence on which fields a person should look at now, from the expected number of wrong events."""
        expected: dict[str, float] = {}
        for name, score in zip(self.issues["image"].tolist(), self.issues["score"].tolist(), strict=True):
            expected[name] = expected.get(name, 0.0) + score
        if not expected:
            return "look at ten fields at random: no event is doubted, and what is wrong everywhere alike is not found"
        worst = sorted(expected, key=lambda name: (-expected[name], name))[:N_NEXT]
        share = sum(expected[name] for name in worst) / sum(expected.values())
        shown = ", ".join(worst[:3]) + (", ..." if len(worst) > 3 else "")
        return f"correct the {len(worst)} fields with most to doubt ({shown}): {share:.0%} of the expected wrong events"


def detect_in_dataset(
    folder: Path, out: Path, *, labels: str, probabilities: Path | None = None, part: str = "all", n_folds: int = 5,
    ignore_index: int | None = None, min_area_px: int = 4, annotators: Mapping[str, str] | None = None, seed: int = 0,
    watch: Watch = iter,
) -> Detected:  # fmt: skip
    """Find probably wrong labels of a dataset folder; one field at a time is in memory.

    Args:
        folder: The dataset folder.
        out: Where to write issues.parquet, issues.csv and queue.csv (`field`, `value`: the expected number of wrong
            events, `n_issues`, `quality`), ordered, the worst first, and classes.csv: doubted pixels by labelled class
            and the class that the model sees there.
        labels: The label set to examine.
        probabilities: Folder of `<id>.npy`, (class, row, column) probabilities by a network that has not been trained
            on the field. None: the pixel model is trained on the other folds, split by group.
        part: "training", "validation", "test" or "all".
        n_folds: Folds of the pixel model.
        ignore_index: Label of pixels that count neither way.
        min_area_px: Smallest event.
        annotators: Who labelled a field, by its id; writes annotators.csv, a row for each.
        seed: Of the folds and the pixel model.
        watch: Shows progress over the fields.

    Raises:
        InputError: If the label set is unknown, or a prediction is missing or does not fit its field.
    """
    dataset = open_dataset(folder)
    dataset.require_labels(labels)
    ids = dataset.ids(part)
    with TemporaryDirectory(prefix="noisylabels-") as scratch:
        predictions = Path(scratch) if probabilities is None else probabilities
        if probabilities is None:
            _predict(
                dataset, labels, ids, predictions, n_folds=n_folds, seed=seed, watch=watch, ignore_index=ignore_index
            )
        _require(predictions, ids)

        def read() -> Iterator[LabelledField]:
            for name in ids:
                yield dataset.label_map(labels, name, ignore_index=ignore_index), np.load(predictions / f"{name}.npy")

        fields = LabelledFields(read)
        flagged = find_issues(fields, ignore_index=ignore_index).flagged
        tables, queue, tally = [], [], Tally(dataset.classes)
        for name, places, (given, predicted) in zip(ids, flagged, fields, strict=True):
            flags = np.zeros(given.shape, bool)
            flags.reshape(-1)[places] = True
            tally.add(given, predicted, flags)
            tables.append(
                find_event_issues(
                    given, predicted, flags, image_id=name, min_area_px=min_area_px, ignore_index=ignore_index
                )
            )
            queue.append(_queue_row(name, tables[-1], score_field(given, predicted, ignore_index=ignore_index)))
    issues = join_issues(tables)
    by_annotator = None if annotators is None else tabulate_annotators(queue, issues, annotators)
    _write(out, issues, queue)
    write_text(out / "classes.csv", tally.by_class().to_csv(index=False))
    if by_annotator is not None:
        write_text(out / "annotators.csv", by_annotator.to_csv(index=False))
    return Detected(issues, len(ids), out)


def _predict(
    dataset: Any, labels: str, ids: Sequence[str], scratch: Path, *, n_folds: int, seed: int, watch: Watch,
    ignore_index: int | None,
) -> None:  # fmt: skip
    def fit(names: Sequence[str]) -> Any:
        images = ((name, dataset.image(name)) for name in names)
        fields = (
            (image, dataset.label_map(labels, name, like=image, ignore_index=ignore_index)) for name, image in images
        )
        return fit_pixel_model(fields, n_classes=len(dataset.classes), seed=seed)

    def predict(model: Any, name: str) -> str:
        np.save(scratch / f"{name}.npy", model.predict(dataset.image(name)))
        return name

    groups = [dataset.case(name).group for name in ids]
    done = (name for name, _ in predict_out_of_fold(ids, groups, fit, predict, n_folds=n_folds, seed=seed))
    for _ in watch(done):
        pass


def _require(predictions: Path, ids: Sequence[str]) -> None:
    missing = [name for name in ids if not (predictions / f"{name}.npy").is_file()]
    if missing:
        msg = (
            f"{predictions} must hold <id>.npy for every field, but {len(missing)} of {len(ids)} are missing: "
            f"{', '.join(missing[:5])}. Predict those too, or examine another --split."
        )
        raise InputError(msg)


def _queue_row(name: str, issues: EventTable, quality: float) -> dict[str, object]:
    return {"field": name, "value": float(issues["score"].sum()), "n_issues": len(issues), "quality": quality}


def _write(out: Path, issues: EventTable, queue: Sequence[dict[str, object]]) -> None:
    import pandas as pd

    frame = issues.to_pandas()
    for name in ("image", "kind"):
        frame[name] = frame[name].astype("string")
    with replacing(out / "issues.parquet") as temporary:
        frame.to_parquet(temporary, index=False)
    write_text(out / "issues.csv", frame.to_csv(index=False))
    ordered = pd.DataFrame(queue).sort_values("value", ascending=False, kind="stable")
    write_text(out / "queue.csv", ordered.to_csv(index=False))
