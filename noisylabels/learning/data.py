"""The dataset of a bundle: fields read from disk when they are needed, randomness keyed by field and epoch."""

from collections.abc import Callable, Mapping, Sequence
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

    Examples:
        >>> FieldDataset([{"image": "images/B07_f3.ome.tif"}])[0]["id"]
        'B07_f3'
    """

    def __init__(
        self, data: Sequence[Mapping[str, Any]], transform: Callable[..., Any] | None = None, *, seed: int = 0
    ) -> None:
        super().__init__(data, transform)
        self.seed = seed

    def __getitem__(self, index: Any) -> Any:
        """Load one field: `index` is a position, or a `Draw` of position and epoch."""
        if isinstance(index, (slice, list)):
            return super().__getitem__(index)
        epoch, position = index if isinstance(index, Draw) else (0, int(index))
        field = dict(self.data[position])
        field.setdefault("id", field_id(str(field["image"])))
        if isinstance(self.transform, Randomizable):
            self.transform.set_random_state(seed=derive_seed(self.seed, epoch, position))
        return field if self.transform is None else self.transform(field)
