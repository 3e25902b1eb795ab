"""Weak labels as further channels of the images: what a label corrector learns from."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from noisylabels.data.arrays import Image
from noisylabels.data.dataset import Dataset, write_dataset
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import IGNORE_INDEX, LabelMap
from noisylabels.data.views import view_of

LEVEL = 1000
"""Count of a label channel where its class is; the network's input is normalised channel by channel."""


def write_pairs_view(
    dataset: Dataset,
    folder: Path,
    trusted: str,
    ids: Sequence[str],
    held: Sequence[str],
    *,
    weak: str | None,
    read_weak: Callable[[str], LabelMap] | None = None,
) -> Dataset:
    """Write a dataset folder that learns trusted labels of some fields, to label others.

    Args:
        dataset: The dataset folder.
        folder: Where to write.
        trusted: The label set to learn.
        ids: Fields to learn from; the first is the validation field too that a bundle asks for; nobody uses its score.
        held: Fields to label: the test fields.
        weak: Label set that becomes channels of the images, one a class of events; None: the images as they are.
        read_weak: Returns the weak label map of a field by its id; the dataset's label set `weak` when None.
    """
    view = view_of(dataset, folder, [*ids, *held])
    cases = [replace(case, split="training" if case.id in ids else "test", group=case.id) for case in view.cases]
    again = replace(cases[0], id=f"{cases[0].id}-again", split="validation", group=f"{cases[0].id}-again")
    cases.insert(len(ids), again)
    names = dataset.channel_names
    if weak is not None:
        for case in view.cases:
            image = dataset.image(case.id)
            label_map = (
                dataset.label_map(weak, case.id, like=image, ignore_index=IGNORE_INDEX)
                if read_weak is None
                else read_weak(case.id)
            )
            stack = _stack(image, label_map, indices=dataset.classes.indices[1:])
            write_image(folder / "images" / f"{case.id}.ome.tif", stack)
        cases = [replace(case, image=f"images/{case.id.removesuffix('-again')}.ome.tif") for case in cases]
        names = (*names, *(f"{weak} {one}" for one in dataset.classes.foreground))
    for case in cases[: len(ids) + 1]:
        label_map = dataset.label_map(trusted, case.id.removesuffix("-again"), ignore_index=IGNORE_INDEX)
        write_label_map(folder / "labels" / trusted / f"{case.id}.tif", label_map)
    made = replace(view, cases=tuple(cases), channel_names=names, provenance={"of": "trusted fields"})
    write_dataset(made, label_name=trusted)
    return made


def _stack(image: Image, label_map: LabelMap, *, indices: Sequence[int]) -> Image:
    shown = [LEVEL * (label_map == index) for index in indices]
    kind = image.dtype if image.dtype.kind == "f" else np.uint16
    return np.concatenate([image, np.stack(shown)]).astype(kind)
