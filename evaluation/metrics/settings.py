"""What was decided before anything was counted: tolerances, thresholds, connectivity, ignored pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, Self

from noisylabels.data.errors import InputError
from noisylabels.data.settings import build

THRESHOLD_STEPS = 20
"""IoU thresholds are k/20, k = 1..19: whole numbers, so that an IoU of exactly 0.1 or 0.5 falls on the right side."""

IOU_THRESHOLDS = tuple(step / THRESHOLD_STEPS for step in range(1, THRESHOLD_STEPS))

Overlap = Literal["box", "mask"]


@dataclass(frozen=True)
class EvaluationSettings:
    """How a prediction is counted against its reference.

    The defaults are those of the paper: MATLAB's boundary F1 and overlap of bounding boxes.

    Args:
        ignore_index: Value of pixels that are left out of every count, or None. A value that is no class is ignored in
            the prediction too, and predicted events that lie mostly in ignored pixels are dropped; a class index is
            ignored where the reference has it.
        tolerance: Boundary tolerance as a fraction of the diagonal sqrt(rows² + columns²); MATLAB's 0.75 %.
        tolerance_px: Boundary tolerance in pixels; overrides `tolerance`.
        inclusive: Whether a distance equal to the tolerance is a hit. Strict (False) as in Csurka et al. 2013
            (DOI 10.5244/C.27.32).
        overlap: What the IoU of two events is measured on: their boxes, as in the paper, or their pixels.
        found_iou: IoU from which a pair counts as found in the detection confusion; a multiple of 0.05.
        min_area_px: Events smaller than this many pixels are left out, on both sides.
        drop_border: Whether events that touch the frame are left out, on both sides.
        instances: Whether events are objects of instance maps, not connected pieces of label maps.
        covered: Share of an event's pixels that must be predicted as any event for it not to be missed: more than
            this, in [0, 1).
        complete: Share of an event's pixels that must be predicted as its own class for it to be complete, in (0, 1].
        swollen: Multiple of an event's area above which the predicted events on it make it swollen, at least 1.
        inside: Share of an event that must lie in another one to count for split and merged, in (0, 1].

    Raises:
        InputError: If a value is outside its range.

    Examples:
        >>> EvaluationSettings().tolerance
        0.0075
        >>> EvaluationSettings.from_dict({"tolerence": 0.01})
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: Evaluation setting tolerence must be one of those there are, got an \
unknown name. Did you mean tolerance, tolerance_px, swollen?
    """

    ignore_index: int | None = None
    tolerance: float = 0.0075  # bfscore's default, 0.75 % of the image diagonal
    tolerance_px: float | None = None
    inclusive: bool = False
    overlap: Overlap = "box"
    found_iou: float = 0.1  # lower edge of the paper's low band
    min_area_px: int = 1
    drop_border: bool = False
    instances: bool = False
    covered: float = 0.0
    complete: float = 0.5  # lower edge of the paper's high band
    swollen: float = 2.0
    inside: float = 0.5

    def __post_init__(self) -> None:
        if self.ignore_index is not None:
            _require("ignore_index", "in 0..255", self.ignore_index, holds=0 <= self.ignore_index <= 255)
        _require("tolerance", "at least 0", self.tolerance, holds=self.tolerance >= 0)
        if self.tolerance_px is not None:
            _require("tolerance_px", "at least 0", self.tolerance_px, holds=self.tolerance_px >= 0)
        _require("overlap", "'box' or 'mask'", self.overlap, holds=self.overlap in ("box", "mask"))
        steps = self.found_iou * THRESHOLD_STEPS
        whole = abs(steps - round(steps)) < 1e-9 and 1 <= round(steps) < THRESHOLD_STEPS
        _require("found_iou", "a multiple of 0.05 from 0.05 to 0.95", self.found_iou, holds=whole)
        _require("min_area_px", "at least 1", self.min_area_px, holds=self.min_area_px >= 1)
        _require("covered", "in [0, 1)", self.covered, holds=0 <= self.covered < 1)
        _require("complete", "in (0, 1]", self.complete, holds=0 < self.complete <= 1)
        _require("swollen", "at least 1", self.swollen, holds=self.swollen >= 1)
        _require("inside", "in (0, 1]", self.inside, holds=0 < self.inside <= 1)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Read the settings from plain data.

        Raises:
            InputError: If a key is unknown or a value outside its range.
        """
        return build(cls, values, what="Evaluation setting")

    def to_dict(self) -> dict[str, object]:
        """Write the settings as plain data."""
        return asdict(self)

    def tolerance_of(self, shape: tuple[int, int]) -> float:
        """Return the boundary tolerance of a field in pixels.

        Args:
            shape: (rows, columns).

        Examples:
            >>> round(EvaluationSettings().tolerance_of((256, 340)), 4)
            3.192
        """
        if self.tolerance_px is not None:
            return float(self.tolerance_px)
        # Squared sides are whole numbers, so 240 x 320 gives exactly 3, where strict and inclusive differ.
        return float(self.tolerance * (shape[0] ** 2 + shape[1] ** 2) ** 0.5)


def _require(name: str, rule: str, value: object, *, holds: bool) -> None:
    if not holds:
        msg = f"{name} must be {rule}, got {value!r}. Change the setting."
        raise InputError(msg)
