"""Sufficient statistics: whole-number counts per field, class and method, from which every number is computed.

A `CountTable` holds one entry per (field, reference, method) as stacked integer arrays, so that a table, a subset, an
interval or a permutation test is a weighting of entries. `evaluation.metrics.count_files` writes it tidily and
reads it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.settings import IOU_THRESHOLDS, EvaluationSettings
from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable

Counts = NDArray[np.int64]

KEYS = ("method", "reference", "field", "cluster", "well", "plate")
BOUNDARY = ("reference_px", "reference_hit_px", "prediction_px", "prediction_hit_px")
ERRORS = (
    "n_reference", "n_prediction", "missed", "misclassified", "incomplete", "swollen", "spurious", "split", "merged",
)  # fmt: skip


@dataclass(frozen=True)
class FieldKey:
    """Which field was evaluated, by which method, against whose reference.

    Args:
        field: Identifier of the field (or quarter).
        method: What made the prediction: CIP, CDL, MDL, an expert's name.
        reference: What it was compared with: an expert's name, or "reference".
        cluster: The independent unit the field belongs to, never smaller than a field of view: its well, or the field
            of view of a quarter. The field itself when empty.
        well: Well name (`B07`), or empty.
        plate: Plate name, or empty.
    """

    field: str
    method: str
    reference: str = "reference"
    cluster: str = ""
    well: str = ""
    plate: str = ""


@dataclass(frozen=True)
class FieldCounts:
    """Everything counted on one field: a prediction against its reference, with C classes.

    Args:
        confusion: (C, C) pixels, rows = reference class, columns = predicted class.
        boundary: (C, 4) boundary pixels in the order of `BOUNDARY`: of the reference, those of them with a predicted
            boundary pixel within the tolerance, of the prediction, those with a reference boundary pixel.
        detection: (C, C) events, rows = reference class, columns = class of the matched predicted event. Row 0 counts
            spurious events, column 0 missed ones; [0, 0] is 0.
        errors: (C, 9) events in the order of `ERRORS`; row 0 is 0.
        paper: (C, 19) reference events whose best same-class IoU is at least k/20, k = 1..19; predicted events may be
            used many times (the paper's mode).
        one_to_one: (C, 19) pairs of an optimal one-to-one assignment with IoU of at least k/20.
        iou_sum: (C,) sum of the IoU over the one-to-one pairs at 0.5, for the panoptic quality.
        tolerance_px: Boundary tolerance that was used, pixels.
    """

    confusion: Counts
    boundary: Counts
    detection: Counts
    errors: Counts
    paper: Counts
    one_to_one: Counts
    iou_sum: NDArray[np.float64]
    tolerance_px: float


STACKS = ("confusion", "boundary", "detection", "errors", "paper", "one_to_one", "iou_sum", "tolerance_px")


@dataclass(frozen=True)
class CountTable:
    """The counts of n entries, an entry being one (field, reference, method), with C classes.

    Args:
        classes: The class table.
        keys: (n,) text arrays by name, the names of `KEYS`.
        confusion: (n, C, C); see `FieldCounts` for this and the next.
        boundary: (n, C, 4).
        detection: (n, C, C).
        errors: (n, C, 9).
        paper: (n, C, 19).
        one_to_one: (n, C, 19).
        iou_sum: (n, C) float64.
        tolerance_px: (n,) float64.
        settings: How it was counted.

    Examples:
        >>> from noisylabels.data.labels import ROSELLA
        >>> table = CountTable.empty(ROSELLA)
        >>> len(table), table.confusion.shape
        (0, (0, 3, 3))
    """

    classes: ClassTable
    keys: Mapping[str, NDArray[np.str_]]
    confusion: Counts
    boundary: Counts
    detection: Counts
    errors: Counts
    paper: Counts
    one_to_one: Counts
    iou_sum: NDArray[np.float64]
    tolerance_px: NDArray[np.float64]
    settings: EvaluationSettings = field(default_factory=EvaluationSettings)

    def __len__(self) -> int:
        return len(self.tolerance_px)

    def __repr__(self) -> str:
        n_fields = len(set(self.keys["field"].tolist()))
        methods, references = ", ".join(self.methods) or "no method", ", ".join(self.references) or "nothing"
        return f"CountTable({methods} against {references}: {n_fields} fields, {len(self.classes)} classes)"

    def _repr_html_(self) -> str:
        """Show in a notebook what was counted, a row for each field, reference and method."""
        import pandas as pd

        return str(pd.DataFrame(dict(self.keys)).to_html(max_rows=10, notebook=True))

    @property
    def methods(self) -> list[str]:
        """The methods, in the order they first occur."""
        return list(dict.fromkeys(self.keys["method"].tolist()))

    @property
    def references(self) -> list[str]:
        """The references, in the order they first occur."""
        return list(dict.fromkeys(self.keys["reference"].tolist()))

    @classmethod
    def empty(cls, classes: ClassTable, *, settings: EvaluationSettings | None = None) -> Self:
        """Return a table of no entries."""
        return cls.stack([], classes=classes, settings=settings)

    @classmethod
    def stack(
        cls,
        entries: Iterable[tuple[FieldKey, FieldCounts]],
        *,
        classes: ClassTable,
        settings: EvaluationSettings | None = None,
    ) -> Self:
        """Put the counts of fields on top of each other; only the counts are kept in memory.

        Args:
            entries: Keys and counts, one per field, reference and method.
            classes: The class table they were counted with.
            settings: How they were counted.

        Raises:
            InputError: If a key occurs twice.
        """
        keys: list[FieldKey] = []
        counted: list[FieldCounts] = []
        for key, counts in entries:
            keys.append(replace(key, cluster=key.cluster or key.field))
            counted.append(counts)
        _refuse_repeats(keys)
        shapes = entry_shapes(len(classes))
        stacks = {
            name: np.array([getattr(one, name) for one in counted], entry_dtype(name)).reshape(-1, *shapes[name])
            for name in STACKS
        }
        texts = {name: np.array([getattr(key, name) for key in keys], np.str_) for name in KEYS}
        return cls(classes, texts, **stacks, settings=settings or EvaluationSettings())

    def select(self, rows: RealArray | None = None, **keys: str) -> Self:
        """Keep some entries.

        Args:
            rows: (n,) booleans or the positions to keep; all when None.
            **keys: Values that keys must have, for instance `method="CDL"`.

        Raises:
            InputError: If a key is unknown.
        """
        chosen = np.arange(len(self)) if rows is None else np.arange(len(self))[rows]
        for name, value in keys.items():
            if name not in KEYS:
                msg = f"A key of the count table must be one of {', '.join(KEYS)}, got {name}. Correct the name."
                raise InputError(msg)
            chosen = chosen[self.keys[name][chosen] == value]
        texts = {name: column[chosen] for name, column in self.keys.items()}
        return replace(self, keys=texts, **{name: getattr(self, name)[chosen] for name in STACKS})

    def paired(self, methods: Sequence[str]) -> list[Self]:
        """Return one table per method, each with the same fields in the same order, for paired comparisons.

        Only (reference, plate, field) triples that every method has are kept, sorted by reference, plate and field.

        Raises:
            InputError: If the methods have no field in common.
        """
        tables = [self.select(method=method) for method in methods]
        names = ("reference", "plate", "field")
        labels = [list(zip(*(table.keys[name].tolist() for name in names), strict=True)) for table in tables]
        shared = sorted(set.intersection(*map(set, labels))) if labels else []
        if not shared:
            msg = f"Methods must share a field, got none for {', '.join(methods)}. Evaluate them on the same fields."
            raise InputError(msg)
        places = [{label: row for row, label in enumerate(one)} for one in labels]
        return [
            table.select(np.array([place[label] for label in shared]))
            for table, place in zip(tables, places, strict=True)
        ]


def entry_shapes(n_classes: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of one entry by array name."""
    widths = {"confusion": n_classes, "boundary": len(BOUNDARY), "detection": n_classes, "errors": len(ERRORS)}
    widths |= {"paper": len(IOU_THRESHOLDS), "one_to_one": len(IOU_THRESHOLDS)}
    return {name: (n_classes, width) for name, width in widths.items()} | {"iou_sum": (n_classes,), "tolerance_px": ()}


def entry_dtype(name: str) -> type[np.generic]:
    """Return the number type of an array by its name: whole numbers, but for the two that measure."""
    return np.float64 if name in ("iou_sum", "tolerance_px") else np.int64


def _refuse_repeats(keys: list[FieldKey]) -> None:
    seen = [(key.plate, key.field, key.reference, key.method) for key in keys]
    repeated = sorted({key for key in seen if seen.count(key) > 1}) if len(set(seen)) < len(seen) else []
    if repeated:
        plate, name, reference, method = repeated[0]
        msg = (
            f"Each field must be counted once per reference and method, got field {name!r} (plate {plate!r}) twice for "
            f"{reference!r} and {method!r}. Give fields different names."
        )
        raise InputError(msg)
