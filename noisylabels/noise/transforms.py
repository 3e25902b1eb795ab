"""Transforms: label noise inside a MONAI pipeline. Only this file and `learning` import torch and monai."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, RandomizableTransform

from noisylabels.data.errors import InputError
from noisylabels.data.ids import image_id
from noisylabels.noise.model import NoiseModel

__all__ = ["CorruptLabeld"]


class CorruptLabeld(MapTransform, RandomizableTransform):
    """Corrupt label maps with a noise model, after loading and before anything that turns, crops or scales them.

    Static noise (the default) depends on the model's seed and the image's id alone: every epoch, worker and process
    sees the same wrong labels, and `noisylabels corrupt` writes the same. Fresh noise is drawn anew each time; MONAI's
    seeds (`set_determinism`, the data loader's workers) make it repeatable.

    Args:
        keys: Keys of the label maps, (1, x, y) each, as MONAI's readers give them.
        model: A noise model, its plain data, or the path of its YAML file.
        image_key: Key of the image, (channel, x, y), for models that look at it.
        id_key: Key of the image's id; when left out or absent, the id is the label's file name without suffixes.
        channel_names: Names of the image's channels.
        fresh: Draw new errors every time instead of always the same.
        transposed: Whether the last two axes are (column, row), as MONAI's readers give them. The errors are drawn in
            (row, column), so that they are those of the command line.
        log_key: Where to put the error log (an `EventTable`); nowhere when None.
        allow_missing_keys: Skip keys that are not there.

    Raises:
        InputError: If a static model is applied to an item that has no id, or a label map is not (1, x, y).

    Examples:
        >>> transform = CorruptLabeld("label", {"missed": {"rate": 1.0}}, id_key="id")
        >>> transform({"id": "field-1", "label": torch.tensor([[[0, 1], [2, 2]]])})["label"]
        tensor([[[0, 0],
                 [0, 0]]])
    """

    backend: Sequence[Any] = ()

    def __init__(
        self,
        keys: KeysCollection,
        model: NoiseModel | Mapping[str, object] | str | Path,
        *,
        image_key: str | None = None,
        id_key: str | None = None,
        channel_names: Sequence[str] | None = None,
        fresh: bool = False,
        transposed: bool = True,
        log_key: str | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob=1.0)
        self.model = _as_model(model)
        self.image_key = image_key
        self.id_key = id_key
        self.channel_names = channel_names
        self.fresh = fresh
        self.transposed = transposed
        self.log_key = log_key

    def __call__(self, data: Mapping[Hashable, object]) -> dict[Hashable, object]:
        """Corrupt the label maps of one item; the item itself is not modified."""
        item = dict(data)
        self.randomize(None)
        model = self.model.with_seed(int(self.R.randint(2**31))) if self.fresh else self.model
        image = None if self.image_key is None else _to_numpy(item[self.image_key], transposed=self.transposed)
        for key in self.key_iterator(item):
            label = item[key]
            clean = _to_numpy(label, transposed=self.transposed)
            if clean.ndim != 3 or len(clean) != 1:
                msg = f"A label map to corrupt must be (1, x, y), got {clean.shape}. Corrupt it before it is one-hot."
                raise InputError(msg)
            made = model.apply(
                clean[0].astype(np.uint8), image, image_id=self._id_of(item, key), channel_names=self.channel_names
            )
            item[key] = _like(made.label_map, label, transposed=self.transposed)
            if self.log_key is not None:
                item[self.log_key] = made.log
        return item

    def _id_of(self, item: Mapping[Hashable, object], key: Hashable) -> str:
        if self.id_key is not None and self.id_key in item:
            return str(item[self.id_key])
        label = item[key]
        path = label.meta.get("filename_or_obj") if isinstance(label, MetaTensor) else None
        if path is None and not self.fresh:
            msg = "Static noise must know which image it is applied to, got an item without id or file. Give id_key."
            raise InputError(msg)
        return image_id(str(path))


def _as_model(model: NoiseModel | Mapping[str, object] | str | Path) -> NoiseModel:
    if isinstance(model, NoiseModel):
        return model
    return NoiseModel.from_dict(model) if isinstance(model, Mapping) else NoiseModel.read(model)


def _to_numpy(array: object, *, transposed: bool) -> Any:
    values = array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else np.asarray(array)
    return np.ascontiguousarray(values.swapaxes(-1, -2)) if transposed else values


def _like(label_map: Any, label: Any, *, transposed: bool) -> Any:
    values = label_map.T[None] if transposed else label_map[None]
    if not isinstance(label, torch.Tensor):
        return np.ascontiguousarray(values).astype(np.asarray(label).dtype)
    made = torch.as_tensor(np.ascontiguousarray(values)).to(label)
    return (
        MetaTensor(made, meta=dict(label.meta), applied_operations=label.applied_operations)
        if isinstance(label, MetaTensor)
        else made
    )
