"""Amend what a dataset folder says of itself: classes, channels, the size of a pixel, the split; never a pixel."""

from collections.abc import Sequence
from dataclasses import replace

from noisylabels.data.dataset import Dataset, read_list_label, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map
from noisylabels.data.labels import ClassTable
from noisylabels.data.splits import split_groups

IGNORED = 255
"""A pixel value that is no class."""


def amend_dataset(
    dataset: Dataset,
    *,
    class_names: Sequence[str] = (),
    channel_names: Sequence[str] = (),
    pixel_size_um: float | None = None,
    fractions: tuple[float, float, float] | None = None,
    seed: int = 0,
) -> Dataset:
    """Write other names of classes and channels, another pixel size or split; what is not given stays.

    Args:
        dataset: The dataset folder. Its images and label maps are not modified.
        class_names: One per class index, background first; as many as the label maps need.
        channel_names: One per channel, in the order of the images.
        pixel_size_um: Side of a pixel in micrometres.
        fractions: Shares of training, validation and test; groups are dealt anew, and what was trained before has seen
            other fields.
        seed: Of the new split.

    Returns:
        The dataset as it is now.

    Raises:
        InputError: If there are too few class names for some label map, not one name per channel, no size above 0, or
            too few groups for the split.
    """
    classes = ClassTable(tuple(class_names)) if class_names else dataset.classes
    if len(classes) < len(dataset.classes):
        _require_enough(dataset, classes)
    channels = tuple(channel_names) or dataset.channel_names
    if len(channels) != len(dataset.channel_names) or len(set(channels)) != len(channels):
        msg = (
            f"Channels of {dataset.folder} must be {len(dataset.channel_names)} different names, got "
            f"{', '.join(channels)}. Name each once."
        )
        raise InputError(msg)
    if pixel_size_um is not None and not pixel_size_um > 0:
        msg = f"The pixel size must be above 0 micrometres, got {pixel_size_um:g}. Correct it."
        raise InputError(msg)
    size = dataset.pixel_size_um if pixel_size_um is None else pixel_size_um
    cases = dataset.cases
    if fractions is not None:
        splits = split_groups([case.group for case in cases], fractions, seed=seed)
        cases = tuple(replace(case, split=split) for case, split in zip(cases, splits, strict=True))
    amended = replace(dataset, classes=classes, channel_names=channels, pixel_size_um=size, cases=cases)
    write_dataset(amended, label_name=read_list_label(dataset.folder))
    return amended


def _require_enough(dataset: Dataset, classes: ClassTable) -> None:
    for name in dataset.label_names():
        for case_id in dataset.ids():
            path = dataset.label_path(name, case_id)
            values = read_label_map(path) if path.is_file() else None
            most = 0 if values is None else int(values[values != IGNORED].max(initial=0))
            if most >= len(classes):
                msg = (
                    f"Classes of {dataset.folder} must name every class index of its label maps, got {len(classes)} "
                    f"names and index {most} in {path}. Name more classes."
                )
                raise InputError(msg)
