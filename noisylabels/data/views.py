"""Views: dataset folders of some fields that point at the images of another and copy none."""

import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from noisylabels.data.dataset import Dataset, write_dataset
from noisylabels.data.images import write_label_map
from noisylabels.data.labels import IGNORE_INDEX
from noisylabels.data.splits import SPLITS


def view_of(dataset: Dataset, folder: Path, ids: Sequence[str]) -> Dataset:
    """Return a dataset of some fields that lies in another folder; nothing is written.

    Args:
        dataset: The dataset with the images.
        folder: Where the other one will lie: its paths lead from there to the images.
        ids: Which fields, in this order.

    Raises:
        InputError: If there is no such field.

    Examples:
        >>> from noisylabels.data.dataset import Case
        >>> from noisylabels.data.labels import ROSELLA
        >>> whole = Dataset(Path("all"), ROSELLA, ("red",), cases=(Case("a", "a", "test", "images/a.tif"),))
        >>> view_of(whole, Path("few"), ["a"]).cases[0].image
        '../all/images/a.tif'
    """
    cases = [replace(dataset.case(one), image=os.path.relpath(dataset.image_path(one), folder)) for one in ids]
    return replace(dataset, folder=folder, cases=tuple(cases))


def write_view(dataset: Dataset, folder: Path, *, ids: Collection[str], name: str, source: str) -> Path:
    """Write a dataset folder of some fields with one label set, pointing at the images of another.

    Args:
        dataset: The other; its split is kept.
        folder: The folder to write.
        ids: Which fields.
        name: The label set to write.
        source: The label set of the other that it is a copy of.

    Returns:
        The folder.

    Raises:
        InputError: If a label map is missing or wrong.
    """
    kept = [case for case in dataset.cases if case.id in ids]
    view = view_of(dataset, folder, [case.id for case in sorted(kept, key=lambda case: SPLITS.index(case.split))])
    for case in view.cases:
        write_label_map(view.label_path(name, case.id), dataset.label_map(source, case.id, ignore_index=IGNORE_INDEX))
    write_dataset(replace(view, provenance={"of": "screen"}), label_name=name)
    return folder
