"""Images of several laboratories that several experts annotated: read, and written as dataset folders.

Layout: images/<lab>_<id>.png, labels/expert_<n>/<lab>_<id>.png (0 or 255), perhaps ignored_regions/<lab>_<id>.png, and
index.csv with the columns id, lab, group.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.experts.consensus import staple
from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_image, write_image, write_label_map
from noisylabels.data.labels import ClassTable, LabelMap
from noisylabels.data.splits import SPLITS, split_groups
from noisylabels.experiments.real.scores import IGNORED

CONSENSUS = "consensus"
CLASSES = ClassTable(("background", "cell"))
FOREGROUND = 127  # masks are 0 or 255


def read_labs(data: Path) -> dict[str, list[Mapping[str, str]]]:
    """Read index.csv: the images of each laboratory.

    Raises:
        InputError: If there is no index, or it lacks a column.
    """
    path = data / "index.csv"
    rows = list(csv.DictReader(path.read_text().splitlines())) if path.is_file() else []
    if not rows or not {"id", "lab", "group"} <= set(rows[0]):
        got = ", ".join(rows[0]) if rows else "no rows"
        msg = f"{path} must list images with the columns id, lab and group, got {got}. Name the folder of the data."
        raise InputError(msg)
    labs: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        labs.setdefault(row["lab"], []).append(row)
    return labs


def experts_of(data: Path, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """List the experts who annotated every one of these images, as label sets: "expert-1", ...

    Raises:
        InputError: If there are fewer than two: no expert could be held against another.
    """
    folders = sorted((data / "labels").glob("expert_*"))
    experts = [
        folder.name.replace("_", "-")
        for folder in folders
        if all((folder / f"{row['id']}.png").is_file() for row in rows)
    ]
    if len(experts) < 2:
        got = ", ".join(experts) or "none"
        msg = f"Two experts or more must have annotated all images of {rows[0]['lab']}, got {got}. Add their masks."
        raise InputError(msg)
    return experts


def name_others(expert: str) -> str:
    """Name the consensus of all experts but one.

    Examples:
        >>> name_others("expert-3")
        'without-expert-3'
    """
    return f"without-{expert}"


def fuse(drawn: Sequence[LabelMap], ignored: NDArray[np.bool_]) -> LabelMap:
    """Fuse masks into their consensus by STAPLE, which looks at no ignored pixel; there it is background.

    Args:
        drawn: One (row, column) mask of 0 and 1 per expert. Not modified.
        ignored: (row, column) pixels to leave out. Not modified.

    Examples:
        >>> masks = [np.array([[1, 1, 0, 0]])] * 2 + [np.array([[1, 0, 0, 0]])]
        >>> fuse(masks, np.array([[True, False, False, False]]))
        array([[0, 1, 0, 0]], dtype=uint8)
    """
    fused = np.zeros(ignored.shape, np.uint8)
    if not ignored.all():
        fused[~ignored] = staple([mask[~ignored][None] for mask in drawn], n_classes=len(CLASSES)).label_map[0]
    return fused


def write_lab(
    data: Path, folder: Path, rows: Sequence[Mapping[str, str]], shares: tuple[float, float, float], seed: int
) -> Mapping[str, object]:
    """Write a dataset folder with every expert, the consensus of all (STAPLE), that of all but one, and what to ignore.

    Args:
        data: The folder of the annotators' data.
        folder: Where the dataset goes.
        rows: The images of one laboratory, as `read_labs` gives them.
        shares: Shares of the images that networks train on, that choose the epoch, and that test.
        seed: Of the split.

    Returns:
        The experts, and how many images each split has.
    """
    experts = experts_of(data, rows)
    groups = [row["group"] or row["id"] for row in rows]
    cases = []
    for row, group, split in zip(rows, groups, split_groups(groups, shares, seed=seed), strict=True):
        name = row["id"]
        image = read_image(data / "images" / f"{name}.png")[:1]
        write_image(folder / "images" / f"{name}.ome.tif", image)
        for label_set, label_map in _list_maps(data, experts, name, size=image.shape[-2:]).items():
            write_label_map(folder / "labels" / label_set / f"{name}.tif", label_map)
        cases.append(Case(name, group, split, f"images/{name}.ome.tif"))
    cases.sort(key=lambda case: SPLITS.index(case.split))
    dataset = Dataset(folder, CLASSES, ("cells",), None, tuple(cases), {"experts": experts})
    write_dataset(dataset, label_name=CONSENSUS)
    return {"experts": experts} | {split: len(dataset.ids(split)) for split in SPLITS}


def _list_maps(data: Path, experts: Sequence[str], name: str, *, size: tuple[int, ...]) -> dict[str, LabelMap]:
    """Read the masks of an image and fuse them; an ignored region is background for everybody."""
    path = data / "ignored_regions" / f"{name}.png"
    ignored = _read_mask(path) if path.is_file() else np.zeros(size, bool)
    drawn: dict[str, LabelMap] = {
        one: (_read_mask(data / "labels" / one.replace("-", "_") / f"{name}.png") & ~ignored).astype(np.uint8)
        for one in experts
    }
    fused = {CONSENSUS: fuse(list(drawn.values()), ignored)}
    for one in experts:
        fused[name_others(one)] = fuse([drawn[other] for other in experts if other != one], ignored)
    return {**drawn, **fused, IGNORED: ignored.astype(np.uint8)}


def _read_mask(path: Path) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = read_image(path)[0] > FOREGROUND
    return mask
