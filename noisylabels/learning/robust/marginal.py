"""Marginal thresholding inside a MONAI pipeline."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.transforms.transform import MapTransform

from noisylabels.learning.robust.threshold import apply_threshold


class MarginalThresholdd(MapTransform):
    """Turn class probabilities into class indices: an event wherever P(event) exceeds a threshold.

    Args:
        keys: Entries of (class, x, y) probabilities; replaced by (1, x, y) class indices.
        threshold: In [0, 1]; `marginal_threshold` finds it, 0.5 is nearly argmax.

    Examples:
        >>> unsure = torch.tensor([0.6, 0.1, 0.3]).view(3, 1, 1)
        >>> MarginalThresholdd("pred", threshold=0.3)({"pred": unsure})["pred"].tolist()
        [[[2.0]]]
    """

    def __init__(self, keys: Sequence[Hashable] | Hashable, threshold: float) -> None:
        super().__init__(keys)
        self.threshold = threshold

    def __call__(self, data: Mapping[Hashable, object]) -> dict[Hashable, object]:
        """Threshold every key."""
        result = dict(data)
        for key in self.key_iterator(result):
            probabilities = torch.as_tensor(result[key])
            indices = apply_threshold(probabilities.detach().cpu().numpy(), self.threshold)
            cut = torch.as_tensor(indices[None], dtype=probabilities.dtype)
            result[key] = _with_meta_of(result[key], cut)
        return result


def _with_meta_of(source: object, values: torch.Tensor) -> Any:
    from monai.data.meta_tensor import MetaTensor

    if not isinstance(source, MetaTensor):
        return values
    return MetaTensor(values, meta=source.meta, applied_operations=source.applied_operations)
