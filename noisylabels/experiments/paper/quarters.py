"""Quarters of held-out fields: what the experts correct, rate and draw boxes on, and what MDL learns from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map, write_image, write_label_map
from noisylabels.data.quarters import Window, cut_in_quarters
from noisylabels.data.splits import SPLITS, split_groups
from noisylabels.experiments.paper.settings import StudySettings


def cut_fields(screen: Dataset, folder: Path, settings: StudySettings, *, seed: int) -> Mapping[str, object]:
    """Cut the test fields of a screen into a dataset folder of quarters, as many as are to be corrected.

    Quarters of one well stay together in the split. Images and truth are written here; label maps that methods made
    of whole fields come by `cut_label_set`.

    Args:
        screen: The screen.
        folder: The dataset folder of quarters.
        settings: How many, and how they are split.
        seed: Of the choice and the split.

    Returns:
        The number of quarters by split.

    Raises:
        InputError: If the wells cannot be split.
    """
    pieces = [
        (field, place, window)
        for field in sorted(screen.ids("test"))
        for place, window in _windows(screen, field, settings)
    ]
    order = np.random.default_rng([seed, 1]).permutation(len(pieces))[: settings.corrected]
    chosen = [pieces[position] for position in sorted(order.tolist())]
    groups = [screen.case(field).group for field, _, _ in chosen]
    splits = split_groups(groups, settings.corrected_split, seed=seed)
    cases = []
    for (field, place, window), group, split in zip(chosen, groups, splits, strict=True):
        name = f"{field}{place}"
        image = screen.image(field)[:, *window.slices]
        write_image(
            folder / "images" / f"{name}.ome.tif",
            np.ascontiguousarray(image),
            channel_names=screen.channel_names,
            pixel_size_um=screen.pixel_size_um,
        )
        cases.append(Case(name, group, split, f"images/{name}.ome.tif"))
    cases.sort(key=lambda case: SPLITS.index(case.split))
    provenance = {
        "cut from": "screen",
        "windows": {f"{field}{place}": [field, *window] for field, place, window in chosen},
    }
    dataset = Dataset(folder, screen.classes, screen.channel_names, screen.pixel_size_um, tuple(cases), provenance)
    write_dataset(dataset, label_name="corrected")
    return {split: len(dataset.ids(split)) for split in SPLITS}


def cut_label_set(fields: Path, quarters: Dataset, *, name: str) -> None:
    """Cut the label maps of whole fields into those of their quarters.

    Args:
        fields: Folder of label maps, one file per field.
        quarters: The quarters.
        name: Name of their label set.
    """
    for case_id, (field, *window) in quarters.provenance["windows"].items():
        whole = read_label_map(fields / f"{field}.tif", quarters.classes)
        part = np.ascontiguousarray(whole[Window(*window).slices])
        write_label_map(quarters.label_path(name, case_id), part)


def fields_of(quarters: Dataset) -> list[str]:
    """List the fields that quarters were cut from."""
    return sorted({entry[0] for entry in quarters.provenance["windows"].values()})


def _windows(screen: Dataset, field: str, settings: StudySettings) -> Sequence[tuple[str, Window]]:
    whole = Window(0, 0, settings.rows, settings.columns)
    if screen.image(field).shape[-2:] != (settings.rows, settings.columns):
        msg = f"Field {field} must be {settings.rows} x {settings.columns} pixels, got another size. Simulate it anew."
        raise InputError(msg)
    if not settings.cut:
        return [("", whole)]
    return [(f"_q{place}", window) for place, window in enumerate(cut_in_quarters(whole), 1)]
