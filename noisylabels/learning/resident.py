"""Fields that lie on the device: flipped and rotated there, batch by batch, with no process that loads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from monai.transforms import DivisiblePadd, EnsureTyped, RandCropByLabelClassesd, RandFlipd, RandRotated
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch.nn import functional
from torch.utils.data import DataLoader

from noisylabels.data.errors import InputError
from noisylabels.learning.data import FieldDataset
from noisylabels.learning.seeding import EpochSampler, derive_seed

SHARE = 0.8
"""Of the free memory of a GPU that fields may take."""


@dataclass(frozen=True)
class Augmentation:
    """What a chain of random transforms does to a field, as one affine map.

    Args:
        flips: (probability, axis) of each reflection, axis 0 or 1 of (x, y).
        rotation: Probability, least and largest angle in radians.
        modes: Interpolation by key: bilinear or nearest.
        padding: What lies outside a field: reflection, border or zeros.
        multiple: Sides are padded by reflection to a multiple of this.
    """

    flips: tuple[tuple[float, int], ...] = ()
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    modes: tuple[tuple[str, str], ...] = (("image", "bilinear"), ("label", "nearest"))
    padding: str = "reflection"
    multiple: int = 1

    def draw(self, n_fields: int, size: tuple[int, int], *, seed: int) -> NDArray[np.float32]:
        """Draw one map per field.

        Args:
            n_fields: How many.
            size: (x, y) pixels of a field.
            seed: Same seed, same maps.

        Returns:
            (field, 2, 3) maps of normalised coordinates, for `torch.nn.functional.affine_grid`.

        Examples:
            >>> Augmentation(flips=((1.0, 1),)).draw(1, (4, 8), seed=0)[0] + 0  # y is the first coordinate there
            array([[-1.,  0.,  0.],
                   [ 0.,  1.,  0.]], dtype=float32)
        """
        rng = np.random.default_rng(seed)
        signs = np.ones((n_fields, 2))
        for probability, axis in self.flips:
            signs[:, 1 - axis] *= np.where(rng.random(n_fields) < probability, -1, 1)
        probability, least, largest = self.rotation
        angles = np.where(rng.random(n_fields) < probability, rng.uniform(least, largest, n_fields), 0.0)
        turned = np.array([[np.cos(angles), np.sin(angles)], [-np.sin(angles), np.cos(angles)]]).transpose(2, 0, 1)
        # Normalised coordinates have another scale along each side; the grid counts y first.
        sides = np.array([size[1], size[0]])
        maps = np.zeros((n_fields, 2, 3), np.float32)
        maps[:, :, :2] = signs[:, :, None] * turned * sides[None, None, :] / sides[None, :, None]
        return maps


def read_augmentation(transforms: Sequence[Any]) -> Augmentation:
    """Read the random part of a bundle's preprocessing.

    Args:
        transforms: From the first random one on: crops to the whole field, reflections, a rotation, padding.

    Raises:
        InputError: If there is another, or one that is set as it cannot be done here.
    """
    flips: list[tuple[float, int]] = []
    found: dict[str, Any] = {}
    keys: set[tuple[str, ...]] = set()
    for transform in transforms:
        if isinstance(transform, EnsureTyped) or _keeps_all(transform):
            continue
        keys.add(tuple(map(str, getattr(transform, "keys", ()))))
        if _reflects(transform):
            flips.append((transform.prob, int(transform.flipper.spatial_axis)))
        elif _turns(transform) and "rotation" not in found:
            found["rotation"] = (transform.prob, *map(float, transform.rand_rotate.range_x))
            found["modes"] = tuple(zip(map(str, transform.keys), map(str, transform.mode), strict=True))
            found["padding"] = str(transform.padding_mode[0])
        elif _fills_up(transform):
            found["multiple"] = int(np.max(transform.padder.k))
        else:
            _refuse(f"{type(transform).__name__} as it is set")
    if len(keys) > 1 or (keys and "modes" not in found and keys != {("image", "label")}):
        _refuse(f"transforms of {' and of '.join(', '.join(one) for one in sorted(keys))}")
    return Augmentation(flips=tuple(flips), **found)


def _refuse(got: str) -> NoReturn:
    msg = (
        "Fields on the device must be flipped, rotated and padded only, all keys alike, got "
        f"{got}. Leave out the preset resident, or that transform."
    )
    raise InputError(msg)


def _keeps_all(transform: object) -> bool:
    return isinstance(transform, RandCropByLabelClassesd) and np.max(transform.cropper.spatial_size) <= 0


def _reflects(transform: object) -> bool:
    return isinstance(transform, RandFlipd) and transform.flipper.spatial_axis in (0, 1)


def _turns(transform: object) -> bool:
    alike = len(set(getattr(transform, "padding_mode", ()))) == 1
    return isinstance(transform, RandRotated) and transform.rand_rotate.keep_size and alike


def _fills_up(transform: object) -> bool:
    reflects = all(str(mode) == "reflect" for mode in getattr(transform, "mode", ()))
    return isinstance(transform, DivisiblePadd) and np.ndim(transform.padder.k) == 0 and reflects


class ResidentLoader(DataLoader):  # type: ignore[type-arg]
    """Batches of a dataset's fields, all of which lie on the device from the first epoch on.

    They are read once, up to the first random transform; what comes after is done here, for a whole batch at once.
    The maps are drawn by (seed, epoch, field), so a restart does not change them; they are others than those that the
    transforms themselves would draw.

    Args:
        dataset: The fields.
        sampler: Their order in each epoch.
        batch_size: Fields per batch.
        device: Where they lie.

    Raises:
        InputError: If a random transform is none that can be done here, or the fields do not fit.
    """

    def __init__(
        self, dataset: FieldDataset, sampler: EpochSampler, batch_size: int, device: torch.device | str
    ) -> None:
        super().__init__(dataset, batch_size=batch_size, sampler=sampler)
        self.fields = dataset
        self.device = torch.device(device)
        self.augmentation = read_augmentation(dataset.random_transforms())
        self._fields: dict[str, torch.Tensor] = {}
        self._ids: list[str] = []

    def __iter__(self) -> Iterator[dict[str, object]]:  # type: ignore[override]
        """Return the batches of one epoch."""
        if not self._fields:
            self._read()
        draws = list(self.sampler)
        order = torch.as_tensor([draw.position for draw in draws], device=self.device)
        rows, columns = self._fields["image"].shape[-2:]
        seed = derive_seed(self.fields.seed, draws[0].epoch, len(self._ids))
        maps = self.augmentation.draw(len(self._ids), (rows, columns), seed=seed)
        maps_there = torch.as_tensor(maps, device=self.device)
        for start in range(0, len(draws), self.batch_size or 1):
            chosen = order[start : start + (self.batch_size or 1)]
            batch: dict[str, Any] = self._transformed(chosen, maps_there[chosen])
            yield batch | {"id": [self._ids[draw.position] for draw in draws[start : start + len(chosen)]]}

    def _transformed(self, chosen: torch.Tensor, maps: torch.Tensor) -> dict[str, torch.Tensor]:
        shape = [len(chosen), 1, *self._fields["image"].shape[-2:]]
        grid = functional.affine_grid(maps, shape, align_corners=False)
        return {
            key: _padded(
                functional.grid_sample(
                    self._fields[key][chosen].float(), grid, mode, self.augmentation.padding, align_corners=False
                ),
                self.augmentation.multiple,
            )
            for key, mode in self.augmentation.modes
        }

    def _read(self) -> None:
        n_fields = len(self.fields)
        fields: dict[str, torch.Tensor] = {}
        ids = []
        console = Console(stderr=True)
        what = f"fields to {self.device}"
        for position in track(range(n_fields), what, console=console, disable=not console.is_terminal, transient=True):
            field = self.fields.read_fixed(position)
            values = {key: _compact(field[key], mode) for key, mode in self.augmentation.modes}
            if not fields:
                self._refuse_too_many(n_fields * sum(value.nbytes for value in values.values()))
                fields = {
                    key: torch.empty((n_fields, *value.shape), dtype=value.dtype, device=self.device)
                    for key, value in values.items()
                }
            for key, value in values.items():
                if value.shape != fields[key].shape[1:]:
                    sizes = " and ".join(str(tuple(one.shape[-2:])) for one in (fields[key], value))
                    _refuse(f"fields of unequal size, {sizes}")
                fields[key][position] = value.to(self.device)
            ids.append(str(field["id"]))
        self._fields, self._ids = fields, ids

    def _refuse_too_many(self, n_bytes: int) -> None:
        if self.device.type == "cuda":
            free = SHARE * torch.cuda.mem_get_info(self.device)[0]
            if n_bytes > free:
                room, wanted = (f"{amount / 2**20:.0f} MiB" for amount in (free, n_bytes))
                msg = (
                    f"Fields must fit into {SHARE:.0%} of the free memory of {self.device}, {room}, got {wanted}. "
                    "Leave out the preset resident."
                )
                raise InputError(msg)


def _compact(value: object, mode: str) -> torch.Tensor:
    """Keep images as float32, class indices as bytes."""
    plain = torch.as_tensor(value).as_subclass(torch.Tensor)
    return plain.to(torch.float32 if mode == "bilinear" else torch.uint8)


def _padded(values: torch.Tensor, multiple: int) -> torch.Tensor:
    """Pad both sides of (batch, channel, x, y) alike, as `DivisiblePadd` does."""
    lacking = [-length % multiple for length in values.shape[-2:]]
    before = [width // 2 for width in lacking]
    (left, top), (right, bottom) = before, (lacking[0] - before[0], lacking[1] - before[1])
    return functional.pad(values, (top, bottom, left, right), mode="reflect") if any(lacking) else values
