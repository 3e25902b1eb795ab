"""The dataset of a bundle: fields read from disk when they are needed, randomness keyed by field and epoch."""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import monai.data
import numpy as np
import torch
from monai.transforms import Compose, Randomizable, RandomizableTrait, Transform

from noisylabels.data.ids import image_id
from noisylabels.learning.seeding import Draw, derive_seed


class FieldDataset(monai.data.Dataset):
    """Fields that are read when they are needed: a screen of 4,000 two-channel fields is 11 GB as float32.

    Random transforms are seeded by (seed, epoch, index) before each field, so the same epoch gives the same
    pixels with any number of workers, in any order, and after a restart.

    Args:
        data: One mapping per field with `image`, usually `label`, and `id` (the image's name when missing).
        transform: MONAI transforms, usually a `Compose` that starts with `LoadImaged`.
        seed: Of the random transforms.
        track_meta: Whether MONAI's transforms carry along what was done to a field. Training needs none of it, and it
            costs as much time as reading a small field does; the pixels are the same.
        keep_mib: Memory for fields as they are before the first random transform of a `Compose`, so that they are
            read once and not in every epoch; fields beyond it are read each time. The workers of a data loader share
            it out among them, and keep what they have as long as they live (`persistent_workers`).

    Examples:
        >>> FieldDataset([{"image": "images/B07_f3.ome.tif"}])[0]["id"]
        'B07_f3'
    """

    def __init__(
        self,
        data: Sequence[Mapping[str, object]],
        transform: Callable[..., Any] | None = None,
        *,
        seed: int = 0,
        track_meta: bool = True,
        keep_mib: float = 0.0,
    ) -> None:
        super().__init__(data, transform)
        self.seed = seed
        self.track_meta = track_meta
        self.keep_mib = keep_mib
        self._kept_bytes = 0.0
        self._kept: dict[int, Any] = {}

    def __getitem__(self, index: Any) -> Any:
        """Load one field: `index` is a position, or a `Draw` of position and epoch."""
        if isinstance(index, (slice, list)):
            return super().__getitem__(index)
        epoch, position = index if isinstance(index, Draw) else (0, int(index))
        field = self._entry(position)
        if isinstance(self.transform, Randomizable):
            self.transform.set_random_state(seed=derive_seed(self.seed, epoch, position))
        if self.transform is None:
            return field
        with _tracking(self.track_meta):
            if self.keep_mib and isinstance(self.transform, Compose):
                return self._finish(self.transform, field, position)
            return self.transform(field)

    def read_fixed(self, position: int) -> dict[str, object]:
        """Read a field and transform it up to the first random transform of the `Compose`."""
        with _tracking(self.track_meta):
            field: dict[str, Any] = self.transform(self._entry(position), end=_first_random(self.transform))
        return field

    def random_transforms(self) -> list[Any]:
        """Return the transforms of the `Compose` from the first random one on."""
        return list(self.transform.transforms[_first_random(self.transform) :])

    def _entry(self, position: int) -> dict[str, object]:
        field = dict(self.data[position])
        field.setdefault("id", image_id(str(field["image"])))
        return field

    def _finish(self, transform: Compose, field: dict[str, object], position: int) -> Any:
        """Transform a field, from where it is kept if it is."""
        first = _first_random(transform)
        if position not in self._kept:
            field = transform(field, end=first)
            kept = self._kept_bytes + _nbytes(field)
            if kept > self.keep_mib * 2**20 / _n_processes():
                return transform(field, start=first)
            self._kept_bytes = kept
            self._kept[position] = field
        return transform(copy.deepcopy(self._kept[position]), start=first)


def _first_random(transform: Any) -> int:
    first = transform.get_index_of_first(_may_differ)
    return len(transform.transforms) if first is None else int(first)


def _n_processes() -> int:
    worker = torch.utils.data.get_worker_info()
    return 1 if worker is None else worker.num_workers


def _may_differ(transform: object) -> bool:
    return isinstance(transform, RandomizableTrait) or not isinstance(transform, Transform)


def _nbytes(field: object) -> float:
    if not isinstance(field, Mapping):  # several crops of a field: where they end is not known
        return float("inf")
    return float(sum(value.nbytes for value in field.values() if isinstance(value, (torch.Tensor, np.ndarray))))


@contextlib.contextmanager
def _tracking(wanted: bool) -> Iterator[None]:
    """Set MONAI's switch, which is one for the whole process, and put it back."""
    before = monai.data.get_track_meta()
    monai.data.set_track_meta(wanted and before)
    try:
        yield
    finally:
        monai.data.set_track_meta(before)
