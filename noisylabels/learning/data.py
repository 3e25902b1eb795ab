"""The dataset of a bundle: fields read from disk when they are needed, randomness keyed by field and epoch."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import monai.data
from monai.transforms import Randomizable

from noisylabels.learning.datalist import field_id
from noisylabels.learning.seeding import Draw, derive_seed


class FieldDataset(monai.data.Dataset):
    """Fields that are read, never kept: a screen of 4,000 two-channel fields is 11 GB as float32.

    Random transforms are seeded by (seed, epoch, index) before each field, so the same epoch gives the same
    pixels with any number of workers, in any order, and after a restart.

    Args:
        data: One mapping per field with `image`, usually `label`, and `id` (the image's name when missing).
        transform: MONAI transforms, usually a `Compose` that starts with `LoadImaged`.
        seed: Of the random transforms.
        track_meta: Whether MONAI's transforms carry along what was done to a field. Training needs none of it, and it
            costs as much time as reading a small field does; the pixels are the same.

    Examples:
        >>> FieldDataset([{"image": "images/B07_f3.ome.tif"}])[0]["id"]
        'B07_f3'
    """

    def __init__(
        self,
        data: Sequence[Mapping[str, Any]],
        transform: Callable[..., Any] | None = None,
        *,
        seed: int = 0,
        track_meta: bool = True,
    ) -> None:
        super().__init__(data, transform)
        self.seed = seed
        self.track_meta = track_meta

    def __getitem__(self, index: Any) -> Any:
        """Load one field: `index` is a position, or a `Draw` of position and epoch."""
        if isinstance(index, (slice, list)):
            return super().__getitem__(index)
        epoch, position = index if isinstance(index, Draw) else (0, int(index))
        field = dict(self.data[position])
        field.setdefault("id", field_id(str(field["image"])))
        if isinstance(self.transform, Randomizable):
            self.transform.set_random_state(seed=derive_seed(self.seed, epoch, position))
        if self.transform is None:
            return field
        with _tracking(self.track_meta):
            return self.transform(field)


@contextlib.contextmanager
def _tracking(wanted: bool) -> Iterator[None]:
    """Set MONAI's switch, which is one for the whole process, and put it back."""
    before = monai.data.get_track_meta()
    monai.data.set_track_meta(wanted and before)
    try:
        yield
    finally:
        monai.data.set_track_meta(before)
