"""Real image sets as dataset folders: images, truth and the labels of stock pipelines, groups kept apart.

Everything that was chosen stands in `SETS`: where a set lies below the root of the data, what is kept together, how
many fields are taken, and which stock pipelines are its teachers. The split is dealt by group with seed 0. Teachers and
their vote see whole fields as they were taken; networks, and all scores, get the middle of large fields, and of large
objects every second pixel, which keeps a training under a minute of one core.
"""

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from noisylabels.cip.labelling import label_files, plan_dataset, prepare_label_set
from noisylabels.cip.stock import STOCK, StockSettings
from noisylabels.data.arrays import Image
from noisylabels.data.dataset import Case, Dataset, open_dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_image, write_image, write_label_map
from noisylabels.data.labels import ClassTable
from noisylabels.data.splits import SPLITS, split_groups
from noisylabels.noise.fusing import Vote, fuse_dataset

VOTERS = "voters"


@dataclass(frozen=True)
class Source:
    """Where a set lies below the root of the data: images, truth (all but 0 is object), and a table of groups."""

    folder: str
    truth: str
    starts: str = ""
    """Take only the fields whose id begins so."""
    rows: str = ""
    """Take only the fields of so many rows, by the column `height`."""


@dataclass(frozen=True)
class RealSet:
    """A real image set, its split and its teachers.

    Args:
        name: What to call it.
        object: The class of its objects.
        channel: The one channel.
        sources: Where it lies.
        n_fields: Fields to take at most, whole groups at random; 0 takes all.
        fractions: Shares of training, validation and test.
        middle_px: Largest side of the window that is kept of a labelled field.
        shrink: Of images the mean of so many pixels squared, of label maps the first of them.
        teachers: Stock pipelines by the name of their label set; their order is that of the runs.
    """

    name: str
    object: str
    channel: str
    sources: tuple[Source, ...]
    n_fields: int
    fractions: tuple[float, float, float]
    teachers: tuple[StockSettings, ...]
    middle_px: int = 1024
    shrink: int = 1


FIXED_700 = replace(STOCK["fixed"], name="fixed", level=700.0)
"""The plate threshold of BBBC039 in counts."""

SETS = (
    RealSet(
        "u2os nuclei", "nucleus", "Hoechst", (Source("bbbc039_u2os", "truth"),), 80, (0.4, 0.15, 0.45),
        (STOCK["brightest"], FIXED_700, STOCK["otsu"], STOCK["local"]), shrink=2,
    ),
    RealSet(
        "t98g phase", "cell", "phase", (Source("usiigaci_t98g_phase", "truth"),), 40, (0.4, 0.15, 0.45),
        (STOCK["deviation"], STOCK["gradient"], replace(STOCK["dog"], level=2.0)), shrink=2,
    ),
    RealSet(
        "cfos", "cFOS nucleus", "cFOS",
        (Source("multirater_cfos", "labels/est_GT", starts="lab-wue1"), Source("cfos_wue1_extra", "truth")),
        0, (0.3, 0.2, 0.5),
        (STOCK["dog"], STOCK["brightest"], STOCK["local"]), middle_px=512,
    ),
    RealSet(
        "dsb nuclei", "nucleus", "DNA", (Source("dsb2018_nuclei", "labels_curated", rows="256"),), 120,
        (0.4, 0.1, 0.5),
        (STOCK["brightest"], STOCK["otsu"], STOCK["li"], STOCK["local"]),
    ),
)  # fmt: skip
"""Teachers: the pipeline that a lab would try first on such images, one that one bright object spoils, one of another
kind. Their numbers are the presets', but for a fixed threshold (700 counts, as the set's own description tells) and
the phase images' difference of Gaussians (2 deviations, as objects there have hardly any brightness)."""


def find_set(name: str) -> RealSet:
    """Find a set by its name.

    Raises:
        InputError: If there is none; the message lists those there are.
    """
    for one in SETS:
        if one.name == name:
            return one
    msg = f"A real set must be one of {', '.join(one.name for one in SETS)}, got {name!r}. Use one of those names."
    raise InputError(msg)


@dataclass(frozen=True)
class Field:
    """One field of a source: its id, its group, its two files."""

    id: str
    group: str
    image: Path
    truth: Path


def prepare(one: RealSet, data: Path, folder: Path) -> Dataset:
    """Make the dataset folder of a set: images, truth, one label set a teacher, and their majority.

    Args:
        one: The set.
        data: The root of the data.
        folder: Where the dataset folder goes; one that is complete is used as it is.

    Raises:
        InputError: If the set is not below the root.
    """
    if (folder / "datalist.json").is_file():
        return open_dataset(folder)
    whole = _copy(one, data, folder / "whole")
    for settings in one.teachers:
        labeller, tasks, _ = plan_dataset(whole.folder, settings, name=settings.name)
        prepare_label_set(tasks, labeller)
        failures = [told.failure for _, told in label_files(tasks, labeller) if told.failure]
        if failures:
            raise InputError(failures[0])
    fuse_dataset(whole, [settings.name for settings in one.teachers], Vote("majority"), name=VOTERS)
    made = replace(whole, folder=folder)
    for case_id in whole.ids():
        window = _middle(whole.image(case_id).shape[-2:], one.middle_px)
        write_image(made.image_path(case_id), _shrink(whole.image(case_id)[:, *window], one.shrink))
        for name in whole.label_names():
            label_map = whole.label_map(name, case_id)[window][:: one.shrink, :: one.shrink]
            write_label_map(made.label_path(name, case_id), np.ascontiguousarray(label_map))
    write_dataset(made)
    shutil.rmtree(whole.folder)
    return made


def _middle(shape: tuple[int, ...], side: int) -> tuple[slice, slice]:
    starts = [max(0, (size - side) // 2) for size in shape]
    row, column = (slice(start, start + min(size, side)) for start, size in zip(starts, shape, strict=True))
    return row, column


def _shrink(image: Image, factor: int) -> Image:
    """Take the mean of blocks, an odd last row or column of its own, in the image's type."""
    if factor == 1:
        return image
    rows, columns = (-(-size // factor) * factor for size in image.shape[-2:])
    room = ((0, 0), (0, rows - image.shape[-2]), (0, columns - image.shape[-1]))
    blocks = np.pad(image, room, mode="edge").reshape(len(image), rows // factor, factor, columns // factor, factor)
    return np.round(blocks.mean(axis=(2, 4))).astype(image.dtype)


def list_fields(one: RealSet, data: Path) -> list[Field]:
    """List the fields that are taken: all, or whole groups at random (seed 0) until there are enough."""
    found = [field for source in one.sources for field in _read_source(source, data)]
    if not one.n_fields or len(found) <= one.n_fields:
        return found
    groups = sorted({field.group for field in found})
    taken: list[Field] = []
    for place in np.random.default_rng(0).permutation(len(groups)):
        members = [field for field in found if field.group == groups[place]]
        if len(taken) + len(members) <= one.n_fields:
            taken += members
    return sorted(taken, key=lambda field: field.id)


def _read_source(source: Source, data: Path) -> Iterator[Field]:
    folder = data / source.folder
    table = folder / "index.csv"
    if not table.is_file():
        msg = f"{data} must hold {source.folder}/index.csv, but there is none. Give the folder of the image sets."
        raise InputError(msg)
    images = {path.stem: path for path in sorted((folder / "images").iterdir())}
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["id"].startswith(source.starts) and source.rows in ("", row.get("height")):
                truth = folder / source.truth / f"{row['id']}.png"
                yield Field(row["id"], row["group"] or row["id"], images[row["id"]], truth)


def _copy(one: RealSet, data: Path, folder: Path) -> Dataset:
    fields = list_fields(one, data)
    splits = split_groups([field.group for field in fields], one.fractions, seed=0)
    pairs = sorted(zip(fields, splits, strict=True), key=lambda pair: SPLITS.index(pair[1]))
    cases = tuple(Case(field.id, field.group, split, f"images/{field.id}.ome.tif") for field, split in pairs)
    shutil.rmtree(folder, ignore_errors=True)
    made = Dataset(folder, ClassTable(("background", one.object)), (one.channel,), None, cases)
    for field in fields:
        write_image(made.image_path(field.id), read_image(field.image)[:1])
        write_label_map(made.label_path("truth", field.id), _read_truth(field.truth))
    write_dataset(made)
    return made


def _read_truth(path: Path) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    from noisylabels.importing.masks import read_mask

    return np.asarray(read_mask(path).values > 0, np.uint8)
