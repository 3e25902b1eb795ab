"""Images and label maps of any folder to a dataset folder."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from noisylabels.data.atomic import building
from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import (
    Image,
    find_images,
    image_id,
    read_image,
    read_label_map,
    write_image,
    write_label_map,
)
from noisylabels.data.labels import ClassTable, LabelMap, check_label_map
from noisylabels.data.splits import SPLITS, split_groups
from noisylabels.plates.fields import Projection, project


def import_folder(
    images: str | Path,
    out: str | Path,
    *,
    classes: ClassTable,
    labels: Mapping[str, Path],
    groups: Mapping[str, str] | None = None,
    fractions: tuple[float, float, float] = (0.85, 0.1, 0.05),
    seed: int = 0,
    channel_names: Sequence[str] = (),
    pixel_size_um: float | None = None,
    instances: bool = False,
    keep: Sequence[int] = (),
    planes: Projection = "stack",
) -> Dataset:
    """Copy a folder of images and folders of label maps into a dataset folder.

    Image and label map belong together by name (`cell57.png` and `cell57.tif`). The folder appears when everything
    is read, checked and written: whole or not at all.

    Args:
        images: Folder of images, all with the same channels.
        out: The dataset folder to make; it must be empty or missing.
        classes: The class table of the label maps.
        labels: Folder of label maps by label-set name; each must have one of every image, and of no other.
        groups: Group by image id; each image is its own group when None.
        fractions: Shares of training, validation and test, dealt by group.
        seed: Of the split.
        channel_names: One name per channel that is kept; "channel 1", ... when empty.
        pixel_size_um: Side of a pixel in micrometres, if it is known.
        instances: The label maps hold object numbers, not class indices: every object becomes class 1.
        keep: Positions of the channels to keep, in the order wanted; all when empty.
        planes: What to make of focal planes: `max` projects them, `middle` takes the middle one, `stack` keeps all.

    Returns:
        The dataset.

    Raises:
        FileNotFoundError: If a folder, an image or a label map is missing.
        InputError: If `out` holds something, or an image, a label map or a group does not fit.
    """
    root = Path(out)
    require_new_folder(root)
    if Path(images).is_file():
        msg = f"{images} must be a folder of images, got a file. Put it into a folder of its own and name that."
        raise InputError(msg)
    paths = find_images(images)
    names = [image_id(path) for path in paths]
    groups_in_order = _groups_of(names, groups)
    require_groups(groups_in_order, fractions)
    splits = split_groups(groups_in_order, fractions, seed=seed)
    label_paths = {key: _paths_by_id(Path(folder), names, images) for key, folder in labels.items()}
    n_channels = len(read_image(paths[0]))
    kept = _check_positions(keep, n_channels, source=paths[0])
    dataset = Dataset(
        folder=root,
        classes=classes,
        channel_names=tuple(channel_names) or tuple(f"channel {i + 1}" for i in kept),
        pixel_size_um=pixel_size_um,
        cases=tuple(
            Case(name, group, split, f"images/{name}.ome.tif")
            for name, group, split in sorted(
                zip(names, groups_in_order, splits, strict=True), key=lambda row: SPLITS.index(row[2])
            )
        ),
        provenance={"imported from": Path(images).name, "label sets": sorted(labels), "split seed": seed},
    )
    with building(root) as folder:
        for name, path in zip(names, paths, strict=True):
            image = read_image(path)
            if len(image) != n_channels:
                raise InputError(_describe_unlike(path, paths))
            image = image[kept] if image.ndim == 3 else project(image[kept], planes)
            write_image(_image_path(folder, name), image, channel_names=channel_names, pixel_size_um=pixel_size_um)
            for key, found in label_paths.items():
                label_map = _read(found[name], classes, instances=instances, like=image.shape[-2:])
                write_label_map(folder / "labels" / key / f"{name}.tif", label_map)
        write_dataset(replace(dataset, folder=folder), label_name=next(iter(labels), "truth"))
    return dataset


def require_new_folder(root: Path) -> None:
    """Make sure that a dataset folder can be made here.

    Raises:
        InputError: If the folder holds something.
    """
    if root.is_dir() and any(root.iterdir()):
        msg = f"{root} must be a new or empty folder, got {len(list(root.iterdir()))} entries. Name another."
        raise InputError(msg)


def require_groups(groups: Sequence[str], fractions: tuple[float, float, float]) -> None:
    """Make sure that there is a group (a well, an image of its own) for every part of the split.

    Raises:
        InputError: If there is not.

    Examples:
        >>> require_groups(["B02", "B02"], (1, 0, 0))
        >>> require_groups(["B02", "B02"], (0.5, 0.5, 0))
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: A split into 2 parts must have as many groups (wells, or single images), \
got 1. Bring more, or put all into one part: --split 1,0,0.
    """
    n_parts, n_groups = sum(fraction > 0 for fraction in fractions), len(set(groups))
    if n_groups < n_parts:
        msg = (
            f"A split into {n_parts} parts must have as many groups (wells, or single images), got {n_groups}. "
            "Bring more, or put all into one part: --split 1,0,0."
        )
        raise InputError(msg)


def read_groups(table: str | Path, column: str, *, id_column: str = "id") -> dict[str, str]:
    """Read the group of each image from a CSV table.

    Args:
        table: CSV file with a header.
        column: The column that names the group.
        id_column: The column that holds image ids (file names without suffix).

    Returns:
        Group by image id.

    Raises:
        InputError: If a column is missing; the message lists those there are.
    """
    with Path(table).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = {column, id_column} - set(reader.fieldnames or ())
        if missing:
            there = ", ".join(reader.fieldnames or ())
            msg = f"{table} must have the columns {id_column} and {column}, got {there}. Name the right column."
            raise InputError(msg)
        return {row[id_column]: row[column] for row in reader}


def parse_pairs(pairs: Sequence[str]) -> dict[str, Path]:
    """Read NAME=FOLDER pairs of the command line.

    Raises:
        InputError: If one has no name or no folder.

    Examples:
        >>> parse_pairs(["truth=masks"])
        {'truth': PosixPath('masks')}
    """
    split = [pair.partition("=") for pair in pairs]
    for pair, (name, _, folder) in zip(pairs, split, strict=True):
        if not name or not folder:
            msg = f"Labels must be given as NAME=FOLDER, got {pair!r}. Write for instance truth=path/to/masks."
            raise InputError(msg)
    return {name: Path(folder) for name, _, folder in split}


def parse_positions(text: str) -> tuple[int, ...]:
    """Read positions of channels from the command line.

    Raises:
        InputError: If one is no whole number.

    Examples:
        >>> parse_positions("1,0"), parse_positions("")
        ((1, 0), ())
    """
    words = [word.strip() for word in text.split(",")] if text else []
    if not all(word.isdecimal() for word in words):
        msg = f"Channels to keep must be positions from 0 on with commas, got {text!r}. Write for instance 0,1."
        raise InputError(msg)
    return tuple(int(word) for word in words)


def parse_column(text: str) -> tuple[Path, str]:
    """Read TABLE.csv:COLUMN of the command line.

    Raises:
        InputError: If the table or the column is missing.

    Examples:
        >>> parse_column("index.csv:group")
        (PosixPath('index.csv'), 'group')
    """
    table, _, column = text.rpartition(":")
    if not table or not column:
        msg = f"Groups must be given as TABLE.csv:COLUMN, got {text!r}. Write for instance index.csv:group."
        raise InputError(msg)
    return Path(table), column


def parse_fractions(text: str) -> tuple[float, float, float]:
    """Read the three shares of a split from the command line.

    Raises:
        InputError: If they are not three numbers.

    Examples:
        >>> parse_fractions("0.85,0.1,0.05")
        (0.85, 0.1, 0.05)
    """
    try:
        training, validation, test = (float(share) for share in text.split(","))
    except ValueError as error:
        msg = f"A split must be three shares with commas, got {text!r}. Write for instance 0.85,0.1,0.05."
        raise InputError(msg) from error
    return training, validation, test


def _image_path(root: Path, name: str) -> Path:
    return root / "images" / f"{name}.ome.tif"


def _describe_unlike(odd: Path, paths: Sequence[Path]) -> str:
    """Tell at once what a mixed folder holds, so that it is sorted once."""
    by_number: dict[int, list[str]] = {}
    for path in paths:
        image: Image = read_image(path)
        by_number.setdefault(len(image), []).append(path.name)
    kinds = [
        f"{number} in {found[0]}{f' and {len(found) - 1} more' if found[1:] else ''}"
        for number, found in sorted(by_number.items())
    ]
    n_first = len(read_image(paths[0]))
    return (
        f"{odd} must have {n_first} channels, as {paths[0].name} has; the folder holds {'; '.join(kinds)}. "
        "Sort them into folders and import each alone."
    )


def _check_positions(keep: Sequence[int], n_channels: int, *, source: Path) -> list[int]:
    if keep and (max(keep) >= n_channels or len(set(keep)) < len(keep)):
        msg = (
            f"Channels to keep must be different positions from 0 to {n_channels - 1}, as {source} has {n_channels} "
            f"channels, got {','.join(map(str, keep))}. Correct them."
        )
        raise InputError(msg)
    return list(keep) or list(range(n_channels))


def _groups_of(names: Sequence[str], groups: Mapping[str, str] | None) -> list[str]:
    if groups is None:
        return list(names)
    missing = [name for name in names if name not in groups]
    if missing:
        msg = f"Every image must have a group, got none for {len(missing)} ({missing[0]}, ...). Complete the table."
        raise InputError(msg)
    return [groups[name] for name in names]


def _paths_by_id(folder: Path, names: Sequence[str], images: str | Path) -> dict[str, Path]:
    paths = {image_id(path): path for path in find_images(folder)}
    missing = [name for name in names if name not in paths]
    if missing:
        msg = (
            f"{folder} must hold a label map for every image, got none for {len(missing)} ({missing[0]}, ...). Add it."
        )
        raise FileNotFoundError(msg)
    without = sorted(set(paths) - set(names))
    if without:
        msg = (
            f"{images} must hold an image for every label map of {folder}, got none for {len(without)} "
            f"({without[0]}, ...). Add it, or take the label map away."
        )
        raise FileNotFoundError(msg)
    return paths


def _read(path: Path, classes: ClassTable, *, instances: bool, like: tuple[int, ...]) -> LabelMap:
    label_map = (read_image(path)[0] > 0).astype(np.uint8) if instances else read_label_map(path, classes)
    return check_label_map(label_map, classes, source=str(path), like=(like[0], like[1]))
