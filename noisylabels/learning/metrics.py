"""The bundles' key metric: mean intersection over union of pixels pooled over all fields."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from ignite.metrics import Metric
from ignite.metrics.metric import reinit__is_reduced, sync_all_reduce

Fields = torch.Tensor | Sequence[torch.Tensor]


class PooledIoU(Metric):
    r"""Intersection over union of classes, from one confusion matrix over all pixels of all fields.

    $$\mathrm{IoU}_c = \frac{n_{cc}}{\sum_j n_{cj} + \sum_i n_{ic} - n_{cc}}$$

    with $n_{ij}$ the pixels of reference class i predicted as j; the mean is over the classes that occur in
    reference or prediction, the background included (MATLAB's MeanIoU over a data set). Pooling lets a false
    event in an empty field count, which means over fields that skip absent classes do not. Pixels whose reference is
    outside the class table (`noisylabels.data.labels.IGNORE_INDEX`) are left out.

    Args:
        n_classes: Number of classes, background included.
        class_index: One class, or None for the mean.
        output_transform: Takes the engine's output to (predictions, references): lists of (1, x, y) class indices, or
            batches of them. Predictions may be (class, x, y) scores where references are (1, x, y): the highest counts.
        device: Where the counts start; they follow the predictions to their device.

    Returns:
        nan when no such class occurs.

    Examples:
        >>> metric = PooledIoU(n_classes=3)
        >>> metric.update(([torch.tensor([[0, 1, 1]])], [torch.tensor([[0, 0, 1]])]))
        >>> float(metric.compute())  # background 1/2, class 1 1/2, class 2 does not occur
        0.5
    """

    def __init__(
        self,
        n_classes: int,
        class_index: int | None = None,
        output_transform: Callable[[Any], Any] = lambda output: output,
        device: str | torch.device = "cpu",
    ) -> None:
        self.n_classes = n_classes
        self.class_index = class_index
        super().__init__(output_transform=output_transform, device=device)

    @reinit__is_reduced  # type: ignore[untyped-decorator]
    def reset(self) -> None:
        """Forget all counts."""
        self._counts = torch.zeros(self.n_classes, self.n_classes, dtype=torch.int64, device=self._device)

    @reinit__is_reduced  # type: ignore[untyped-decorator]
    def update(self, output: tuple[Fields, Fields]) -> None:
        """Count the pixels of some fields: a batch of them, or a list."""
        for prediction, reference in zip(*map(_batches, output), strict=True):
            scored = prediction.ndim == reference.ndim > 2 and prediction.shape[-3] > reference.shape[-3]
            predicted = most_probable(prediction) if scored else prediction
            pairs = torch.add(predicted.int(), reference.int(), alpha=self.n_classes).flatten()
            # Labels beyond the table, of pixels that are not believed, fall behind the part that is kept.
            counts = torch.bincount(pairs, minlength=self.n_classes**2)[: self.n_classes**2]
            self._counts = self._counts.to(counts.device) + counts.view(self.n_classes, self.n_classes)

    @sync_all_reduce("_counts")  # type: ignore[untyped-decorator]
    def compute(self) -> float:
        """Return the score of everything counted since the last reset."""
        counts = self._counts.double()
        both = counts.diagonal()
        either = counts.sum(0) + counts.sum(1) - both
        iou = both / either  # 0/0 = nan: the class occurs nowhere
        return float(iou.nanmean() if self.class_index is None else iou[self.class_index])


def _batches(fields: Fields) -> list[torch.Tensor]:
    """Return plain tensors: MONAI's carry metadata through every operation."""
    parts = [fields] if isinstance(fields, torch.Tensor) else fields
    return [torch.as_tensor(part).as_subclass(torch.Tensor).detach() for part in parts]


def most_probable(scores: torch.Tensor) -> torch.Tensor:
    """Return the class with the highest score, the first of several.

    As `argmax` does, which takes ten times as long on a CPU where the scores of a class lie together in memory.

    Args:
        scores: (..., class, x, y).

    Returns:
        (..., 1, x, y) class indices.

    Examples:
        >>> most_probable(torch.tensor([[[0.2, 0.5]], [[0.7, 0.5]], [[0.1, 0.0]]]))
        tensor([[[1, 0]]])
    """
    return scores.max(dim=-3, keepdim=True).indices


def class_ious(
    class_names: Sequence[str], output_transform: Callable[[Any], Any], prefix: str = "val_iou"
) -> dict[str, PooledIoU]:
    """Make one metric per class, for the scalars beside the key metric.

    Args:
        class_names: One name per class index.
        output_transform: As for `PooledIoU`.
        prefix: What their names start with.

    Examples:
        >>> list(class_ious(["background", "early autolysosome"], lambda output: output))
        ['val_iou_background', 'val_iou_early_autolysosome']
    """
    return {
        f"{prefix}_{name.replace(' ', '_')}": PooledIoU(len(class_names), index, output_transform)
        for index, name in enumerate(class_names)
    }
