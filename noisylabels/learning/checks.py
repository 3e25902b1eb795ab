"""What must hold of the fields before training starts, each fault said in one sentence that names the file."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.hashes import Hasher
from noisylabels.data.labels import IGNORE_INDEX, ClassTable, check_label_map
from noisylabels.learning.datalist import Field

logger = logging.getLogger(__name__)


class Reader(Protocol):
    """What reads a file: `noisylabels.learning.monai_io.FieldReader`, or any reader of MONAI's."""

    def read(self, data: object) -> Any:
        """Open it."""

    def get_data(self, img: object) -> tuple[RealArray, Mapping[str, object]]:
        """Return (channel, x, y) pixels and metadata."""


@dataclass(frozen=True)
class CheckedFields:
    """What was found in the fields.

    Args:
        n_training: How many fields there are to learn from.
        n_validation: How many to validate with.
        fractions: Share of pixels of each class in the training label maps, by class name.
        digest: SHA-256 of all training pixels, in order: two runs with the same digest learn from the same data.
        validation_digest: The same of all validation pixels: they choose the weights that are kept.
    """

    n_training: int
    n_validation: int
    fractions: Mapping[str, float]
    digest: str
    validation_digest: str


def check_fields(
    training: Sequence[Field],
    validation: Sequence[Field],
    *,
    class_names: Sequence[str],
    n_channels: int,
    reader: Reader,
    batch_size: int = 1,
    patch_size: int | Sequence[int] = -1,
) -> CheckedFields:
    """Read every training and validation field once and make sure that it can be trained on.

    Pixels labelled 255 are ignored: they train nothing and count for no score.

    Args:
        training: Fields with `image` and `label`, as `read_fields` lists them.
        validation: The same, for the key metric.
        class_names: One name per class index, background first.
        n_channels: Channels of every image.
        reader: Reads images and label maps.
        batch_size: Fields per batch; more than one must have one size.
        patch_size: Side or sides of the patch cut from each field; -1 takes the whole field.

    Returns:
        What was found.

    Raises:
        FileNotFoundError: If a file is missing.
        InputError: If a file cannot be read, an image has other channels, several planes or NaN, a label map has
            another size or a class outside the table, sizes differ within a batch, or no training field shows
            some class.
    """
    classes = ClassTable(tuple(class_names))
    counts = np.zeros(len(classes), np.int64)
    digest, chosen_by = Hasher(), Hasher()
    first: tuple[Field, tuple[int, ...]] | None = None
    for field in training:
        image, label_map = _read_pair(field, classes, n_channels, reader)
        first = first or (field, image.shape)
        _refuse_other_size(field, image.shape, first, batch_size, patch_size)
        counts += np.bincount(label_map.ravel(), minlength=IGNORE_INDEX + 1)[: len(classes)]
        digest.add(image)
        digest.add(label_map)
    for field in validation:
        for part in _read_pair(field, classes, n_channels, reader):
            chosen_by.add(part)
    _refuse_missing_class(counts, classes, training)
    fractions = dict(zip(classes, (counts / counts.sum()).tolist(), strict=True))
    logger.info("training pixels: %s", ", ".join(f"{share:.2%} {name}" for name, share in fractions.items()))
    return CheckedFields(len(training), len(validation), fractions, digest.value, chosen_by.value)


def check_images(fields: Sequence[Field], *, n_channels: int, reader: Reader) -> int:
    """Read every image once and make sure that it can be predicted, so that a fault is said before any is.

    Args:
        fields: Fields with `image`, as `read_images` lists them.
        n_channels: Channels of every image.
        reader: Reads images.

    Returns:
        How many there are.

    Raises:
        FileNotFoundError: If a file is missing.
        InputError: If a file cannot be read, or an image has other channels, several planes or NaN.
    """
    _refuse_one_image_twice(fields)
    for field in fields:
        _read_image(field, n_channels, reader)
    return len(fields)


def _refuse_one_image_twice(fields: Sequence[Field]) -> None:
    """The label map of one field would replace that of the other."""
    seen: dict[str, str] = {}
    for field in fields:
        other = seen.setdefault(field["image"], field.get("id", ""))
        if other != field.get("id", ""):
            msg = (
                f"Fields must have an image each, got {field['image']} for {other} and {field['id']}. Correct the list."
            )
            raise InputError(msg)


def _read_image(field: Field, n_channels: int, reader: Reader) -> RealArray:
    image, _ = reader.get_data(reader.read(field["image"]))
    if len(image) != n_channels:
        msg = f"{field['image']} must have {n_channels} channels, got {len(image)}. Pass --n_channels {len(image)}."
        raise InputError(msg)
    if image.ndim != 3:
        planes, sides = image.shape[1:-2], image.shape[:-3:-1]
        msg = (
            f"{field['image']} must be one plane, got {' x '.join(map(str, planes))} planes of {sides}. "
            "Import the stacks anew with --project max."
        )
        raise InputError(msg)
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        n_wrong = int((~np.isfinite(image)).sum())
        msg = f"Pixels of {field['image']} must be finite, got NaN or infinity in {n_wrong}. Correct the file."
        raise InputError(msg)
    return image


def _read_pair(
    field: Field, classes: ClassTable, n_channels: int, reader: Reader
) -> tuple[RealArray, NDArray[np.uint8]]:
    image = _read_image(field, n_channels, reader)
    stored, _ = reader.get_data(reader.read(field["label"]))
    if len(stored) != 1 or stored.shape[1:] != image.shape[1:]:
        msg = (
            f"{field['label']} must have the size of its image, {image.shape[:0:-1]}, got {stored.shape[:0:-1]} "
            f"in {len(stored)} channels. Pair it with its own image."
        )
        raise InputError(msg)
    return image, check_label_map(stored[0], classes, source=field["label"], ignore_index=IGNORE_INDEX)


def _refuse_other_size(
    field: Field, shape: tuple[int, ...], first: tuple[Field, tuple[int, ...]], batch_size: int, patch: Any
) -> None:
    if shape == first[1] or batch_size == 1 or np.min(patch) > 0:
        return
    msg = (
        f"Fields of one batch must have one size, got {shape[:0:-1]} of {field['image']} beside {first[1][:0:-1]} of "
        f'{first[0]["image"]}. Cut patches: --patch_size "[256,256]".'
    )
    raise InputError(msg)


def _refuse_missing_class(counts: NDArray[np.int64], classes: ClassTable, training: Sequence[Field]) -> None:
    missing = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    if missing:
        msg = (
            f"Training label maps must show every class, got no pixel of {', '.join(missing)} in {len(training)} "
            f"fields ({training[0]['label']}, ...). Add such fields, or train without that class: --class_names."
        )
        raise InputError(msg)
