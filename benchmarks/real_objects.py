"""Networks that learn touching objects apart, beside networks that learn plain label maps: what their objects score.

`python -m benchmarks.real_instances DATA_ROOT --train` runs it. Both learn the numbered truth of the training fields
with the default recipe (half the width, crops of 64 pixels), for as many steps and from the same seed; the one with the
bundle's preset `instances`. No stop is chosen. Their label maps of the test fields are counted as connected pieces, and
as `noisylabels predict --instances` splits them.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.real_sets import RealSet, list_fields
from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.events import InstanceMap
from noisylabels.data.images import read_image, read_label_map, write_image, write_label_map
from noisylabels.data.instances import write_instance_map
from noisylabels.data.labels import ClassTable, LabelMap
from noisylabels.data.splits import split_groups
from noisylabels.experiments.foresight import train_last
from noisylabels.importing.masks import read_mask
from noisylabels.learning import launcher

WAYS = {"plain": (), "instances": ("instances",)}
"""The presets of either way to train."""


def write_numbered(one: RealSet, data: Path, folder: Path) -> Dataset:
    """Make a dataset folder of a set whose truth keeps the numbers of its objects."""
    fields = list_fields(one, data)
    splits = split_groups([field.group for field in fields], one.fractions, seed=0)
    cases = tuple(
        Case(field.id, field.group, split, f"images/{field.id}.ome.tif")
        for field, split in zip(fields, splits, strict=True)
    )
    dataset = Dataset(folder, ClassTable(("background", one.object)), (one.channel,), None, cases)
    for field in fields:
        numbers = read_mask(field.truth).values.astype(np.int32)
        write_image(dataset.image_path(field.id), read_image(field.image)[:1])
        write_label_map(dataset.label_path("truth", field.id), (numbers > 0).astype(np.uint8))
        write_instance_map(dataset.instance_path("truth", field.id), numbers)
    write_dataset(dataset)
    return dataset


def train(dataset: Dataset, way: str, folder: Path, *, steps: int, seed: int) -> Path:
    """Train a network and predict the test fields.

    Returns:
        The folder of its label maps.
    """
    n_fields = len(dataset.ids("training"))
    train_last(
        dataset.folder, "truth", folder, n_fields=n_fields, steps=steps, seed=seed, bundle="mdl", presets=WAYS[way]
    )
    plan = {"dataset_dir": str(dataset.folder), "split": "test", "ckpt_path": str(folder / "last.pt")}
    launcher.run(launcher.plan_prediction("mdl", (), {**plan, "output_dir": str(folder / "labels")}))
    return folder / "labels"


def read_predictions(dataset: Dataset, labels: Path) -> Iterator[tuple[str, InstanceMap, LabelMap]]:
    """Read the id, the numbered truth and the predicted label map of every test field."""
    for case_id in dataset.ids("test"):
        yield case_id, dataset.instance_map("truth", case_id), read_label_map(labels / f"{case_id}.tif")
