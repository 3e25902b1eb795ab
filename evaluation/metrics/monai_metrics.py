"""Boundary F1 as a MONAI metric, for use in bundles and with ignite handlers."""

from typing import Literal

import torch
from monai.metrics import CumulativeIterationMetric

from evaluation.metrics.boundary import count_boundaries, score_boundaries
from evaluation.metrics.pixels import Absent, mean_defined
from evaluation.metrics.settings import EvaluationSettings
from noisylabels.data.errors import InputError


class BoundaryF1Metric(CumulativeIterationMetric):
    """Mean boundary F1 over fields, from the same counts as the evaluation room.

    A class that only one side has in a field scores 0 there, one that neither has is skipped. MATLAB's MeanBFScore
    (`one_sided="skip"`) skips both, which rewards a network that finds nothing. Counts are kept per field; means are
    over the classes of a field, then over fields. They are computed on the CPU in numpy (or numba, when installed);
    tensors on a GPU are copied.

    Args:
        n_classes: C, background included; needed only where neither tensor is one-hot.
        tolerance: Boundary tolerance as a fraction of the diagonal; MATLAB's 0.75 %.
        tolerance_px: Boundary tolerance in pixels; overrides `tolerance`.
        inclusive: Whether a distance equal to the tolerance is a hit.
        include_background: Whether the background counts as a class, as it does in MATLAB.
        absent: Whether undefined scores are skipped in means, as in MATLAB, or count as 0.
        one_sided: Whether a class that only one side has in a field counts as 0 there, or is undefined as in MATLAB.
        reduction: `mean` gives the data set's score, `mean_batch` the (class,) means over fields, `none` the (field,
            class) scores.

    Examples:
        >>> metric = BoundaryF1Metric(n_classes=2)
        >>> y = torch.tensor([[[[0, 0, 0], [0, 1, 1], [0, 1, 1]]]])  # (batch, 1, row, column) class indices
        >>> _ = metric(y_pred=y, y=y)
        >>> float(metric.aggregate())
        1.0
    """

    def __init__(
        self,
        *,
        n_classes: int | None = None,
        tolerance: float = EvaluationSettings.tolerance,
        tolerance_px: float | None = None,
        inclusive: bool = False,
        include_background: bool = True,
        absent: Absent = "skip",
        one_sided: Absent = "zero",
        reduction: Literal["mean", "mean_batch", "none"] = "mean",
    ) -> None:
        super().__init__()
        if reduction not in ("mean", "mean_batch", "none"):
            msg = f"reduction must be 'mean', 'mean_batch' or 'none', got {reduction!r}. Use one of these."
            raise InputError(msg)
        self.settings = EvaluationSettings(tolerance=tolerance, tolerance_px=tolerance_px, inclusive=inclusive)
        self.n_classes = n_classes
        self.include_background = include_background
        self.absent = absent
        self.one_sided = one_sided
        self.reduction = reduction

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **_: object) -> torch.Tensor:
        """Count the boundaries of a batch.

        Args:
            y_pred: (batch, C, row, column) one-hot prediction, or (batch, 1, row, column) class indices.
            y: The reference in either form.

        Returns:
            (batch, C, 4) counts, as `count_boundaries` gives them.
        """
        if y is None:
            msg = "The boundary F1 must have a reference, got none. Pass y."
            raise InputError(msg)
        n_classes = self.n_classes or max(y_pred.shape[1], y.shape[1])
        if n_classes > 1:
            maps = [_label_maps(tensor, n_classes, name) for tensor, name in ((y, "y"), (y_pred, "y_pred"))]
        if n_classes == 1:
            msg = "The number of classes must be known, got two tensors of class indices. Pass n_classes, or one-hot."
            raise InputError(msg)
        if maps[0].shape != maps[1].shape:
            msg = f"y and y_pred must have one shape, got {tuple(maps[0].shape)} and {tuple(maps[1].shape)}. Pair them."
            raise InputError(msg)
        tolerance = self.settings.tolerance_of((maps[0].shape[1], maps[0].shape[2]))
        counts = [
            count_boundaries(
                reference.numpy(),
                prediction.numpy(),
                n_classes=n_classes,
                tolerance_px=tolerance,
                inclusive=self.settings.inclusive,
            )
            for reference, prediction in zip(*maps, strict=True)
        ]
        return torch.stack([torch.from_numpy(one) for one in counts])

    def aggregate(self) -> torch.Tensor:
        """Score what was counted so far.

        Returns:
            float64, of the shape that `reduction` says; nan where undefined.
        """
        buffer = self.get_buffer()
        if not isinstance(buffer, torch.Tensor):
            msg = "The boundary F1 must have counted a batch, got none. Call the metric before aggregate."
            raise InputError(msg)
        scores = score_boundaries(buffer.cpu().numpy())["f1" if self.one_sided == "skip" else "f1_strict"]
        scores = scores if self.include_background else scores[:, 1:]
        if self.reduction == "none":
            return torch.from_numpy(scores)
        if self.reduction == "mean_batch":
            return torch.from_numpy(mean_defined(scores, absent=self.absent, axis=0))
        fields = mean_defined(scores, absent=self.absent)
        return torch.from_numpy(mean_defined(fields, axis=0))


def _label_maps(tensor: torch.Tensor, n_classes: int, name: str) -> torch.Tensor:
    """(batch, row, column) uint8 class indices of a one-hot or index tensor, on the CPU."""
    maps = (tensor[:, 0] if tensor.shape[1] == 1 else tensor.argmax(1)).detach().cpu()
    strange = ~((maps >= 0) & (maps < n_classes) & (maps == maps.round() if maps.is_floating_point() else True))
    if strange.any():
        msg = (
            f"Values of {name} must be class indices 0..{n_classes - 1}, got {maps[strange][0].item()} in "
            f"{int(strange.sum())} pixels. Map or drop that class first."
        )
        raise InputError(msg)
    return maps.to(torch.uint8).contiguous()
