"""Images and label maps of any folder to a dataset folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from noisylabels.data.arrays import Image
from noisylabels.data.atomic import building
from noisylabels.data.claims import require_new_folder
from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.events import InstanceMap
from noisylabels.data.image_metadata import read_metadata
from noisylabels.data.images import read_image, write_image, write_label_map
from noisylabels.data.instances import write_instance_map
from noisylabels.data.labels import ROSELLA, ClassTable, LabelMap, check_label_map
from noisylabels.data.splits import SPLITS, split_groups
from noisylabels.data.wells import find_well
from noisylabels.importing.drawings import Drawing, find_drawing
from noisylabels.importing.files import Source, channel_words, find_files, group_sources, name_files, split_times
from noisylabels.importing.masks import MASK_SUFFIXES, Holds, Reading, decide_reading, read_mask
from noisylabels.importing.pairing import Pairs, pair_masks, set_masks_aside
from noisylabels.plates.fields import Projection, project

ROSELLA_CHANNELS = ("DsRed", "pHluorin")
"""Who has these channels wants the paper's classes, if nothing else is said."""

FEW_GROUPS = 40
PAPER_SHARES = (0.85, 0.1, 0.05)


class Imported(NamedTuple):
    """A dataset folder made of other people's files, and one sentence for each thing a person should know of it."""

    dataset: Dataset
    notes: list[str]


class _LabelSet(NamedTuple):
    pairs: Pairs
    reading: Reading | Drawing

    def label_map(self, name: str, shape: tuple[int, int]) -> LabelMap:
        """Read the label map of one image, (row, column) class indices."""
        if isinstance(self.reading, Drawing):
            return self.reading.paint(name, shape)
        path = self.pairs.paths[name]
        label_map = self.reading.apply(read_mask(path), source=str(path))
        return check_label_map(label_map, self.reading.classes, source=str(path), like=shape)

    def instance_map(self, name: str, label_map: LabelMap) -> InstanceMap | None:
        """Number the objects of one image, (row, column); None where the label map does not tell them apart."""
        if isinstance(self.reading, Drawing):
            return self.reading.number(name, (label_map.shape[0], label_map.shape[1]))
        return self.reading.number(read_mask(self.pairs.paths[name])) if self.reading.holds == "objects" else None


def import_folder(
    images: str | Path,
    out: str | Path,
    *,
    classes: ClassTable | None = None,
    labels: Mapping[str, Path] | None = None,
    masks: Holds = "auto",
    values: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    fractions: tuple[float, float, float] | None = None,
    seed: int = 0,
    channel_names: Sequence[str] = (),
    pixel_size_um: float | None = None,
    keep: Sequence[int] = (),
    planes: Projection = "stack",
) -> Imported:
    """Copy a folder of images and folders of label maps into a dataset folder.

    Image and label map belong together by name (`cell57.tif` with `cell57.png`, `cell57_mask.png` or Cellpose's
    `cell57_cp_masks.png`); label maps that lie beside the images are found by these names. Images without a label map
    are put into the test split, so that they are predicted and not trained on. The folder appears when everything is
    read, checked and written: whole or not at all.

    Args:
        images: Folder of images, sub-folders too, or one image file; all with the same channels.
        out: The dataset folder to make; it must be empty or missing.
        classes: The class table of the label maps; when None it comes from what is in them.
        labels: Folder of label maps by label-set name.
        masks: What the label maps hold: class indices, object numbers or colours; `auto` looks.
        values: Class name by number or colour in the label maps, as `255` or `#ff0000`.
        groups: Group by image id; an image that it does not name is a group of its own. When None, a sub-folder is
            one, if there are three or more or fractions are given, or else a well where the names of all images tell
            theirs, three or more, or else a file with its time points.
        fractions: Shares of training, validation and test, dealt by group among images with a label map; when None
            85, 10 and 5 %; 60, 20 and 20 % of fewer than forty groups; all for training of fewer than three.
        seed: Of the split.
        channel_names: One name per channel that is kept; when empty what the files say, else "channel 1", ...
        pixel_size_um: Side of a pixel in micrometres; what the files say when None.
        keep: Positions of the channels to keep, in the order wanted; all when empty.
        planes: What to make of focal planes: `max` projects them, `middle` takes the middle one, `stack` keeps all.

    Returns:
        The dataset, and notes: what was taken for what, and what a person should look at.

    Raises:
        FileNotFoundError: If a folder is missing or holds nothing of use.
        InputError: If `out` holds something, or an image, a label map or a group does not fit.
    """
    root, source = Path(out), Path(images)
    require_new_folder(root)
    named, beside = set_masks_aside(name_files(find_files(source), source))
    sources = split_times(group_sources(named, source))
    folders = labels or ({"masks": source} if beside else {})
    sets = _read_sets(folders, sources, classes=classes, masks=masks, values=values)
    first = read_source(sources[0])
    kept = _check_positions(keep, len(first), source=sources[0].paths[0])
    names, size, notes = _describe_channels(sources, kept, channel_names, pixel_size_um, n_channels=len(first))
    dataset = Dataset(
        folder=root,
        classes=_one_table(sets, classes, names),
        channel_names=names,
        pixel_size_um=size,
        cases=_deal(sources, sets, groups, fractions, seed=seed),
        provenance={"imported from": source.name, "label sets": sorted(sets), "split seed": seed},
    )
    with building(root) as folder:
        for each in sources:
            image = read_source(each)
            if len(image) != len(first):
                raise InputError(_describe_unlike(each, sources))
            image = image[kept] if image.ndim == 3 else project(image[kept], planes)
            path = folder / "images" / f"{each.id}.ome.tif"
            write_image(path, image, channel_names=names, pixel_size_um=size)
            _write_label_maps(folder, each.id, sets, image)
        write_dataset(replace(dataset, folder=folder), label_name=next(iter(sets), "truth"))
    notes += _describe_groups(sources, chosen=groups is not None or fractions is not None)
    return Imported(dataset, notes + _describe_sets(sets))


def read_source(source: Source) -> Image:
    """Read an image that lies in one file, or in one file a channel.

    Returns:
        (channel, row, column), or (channel, plane, row, column) where the file has planes.

    Raises:
        InputError: If the files of one image differ in size or have several channels each.
    """
    if len(source.paths) == 1:
        return read_image(source.paths[0], time=source.time)
    channels = [read_image(path, n_channels=1) for path in source.paths]
    sizes = {channel.shape for channel in channels}
    if len(sizes) > 1:
        msg = f"Channels of {source.id} must have one size, got {', '.join(map(str, sorted(sizes)))}. Sort the files."
        raise InputError(msg)
    return np.concatenate(channels)


def usual_fractions(groups: Sequence[str]) -> tuple[float, float, float]:
    """Return the paper's shares of training, validation and test; of few groups more are kept for the test.

    Five percent of thirty fields is one or two: nothing can be judged on them. Fewer than three groups are all for
    training.

    Examples:
        >>> usual_fractions("ab"), usual_fractions("abc"), usual_fractions([str(n) for n in range(40)])
        ((1.0, 0.0, 0.0), (0.6, 0.2, 0.2), (0.85, 0.1, 0.05))
    """
    n_groups = len(set(groups))
    return (1.0, 0.0, 0.0) if n_groups < len(SPLITS) else (0.6, 0.2, 0.2) if n_groups < FEW_GROUPS else PAPER_SHARES


def require_groups(groups: Sequence[str], fractions: tuple[float, float, float]) -> None:
    """Check that there is a group (a well, an image of its own) for every part of the split.

    Raises:
        InputError: If there is not.

    Examples:
        >>> require_groups(["B02", "B02"], (1, 0, 0))
        >>> require_groups(["B02", "B02"], (0.5, 0.5, 0))
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: A split into 2 parts must have as many groups (wells, or single images), \
got 1. Bring more, or put all into one part: --fractions 1,0,0.
    """
    n_parts, n_groups = sum(fraction > 0 for fraction in fractions), len(set(groups))
    if n_groups < n_parts:
        msg = (
            f"A split into {n_parts} parts must have as many groups (wells, or single images), got {n_groups}. "
            "Bring more, or put all into one part: --fractions 1,0,0."
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


def _describe_unlike(odd: Source, sources: Sequence[Source]) -> str:
    """Report at once what a mixed folder holds, so that it is sorted once."""
    by_number: dict[int, list[str]] = {}
    for source in sources:
        by_number.setdefault(len(read_source(source)), []).append(source.paths[0].name)
    kinds = [
        f"{number} in {found[0]}{f' and {len(found) - 1} more' if found[1:] else ''}"
        for number, found in sorted(by_number.items())
    ]
    return (
        f"{odd.paths[0]} must have {len(read_source(sources[0]))} channels, as {sources[0].paths[0].name} has; the "
        f"folder holds {'; '.join(kinds)}. Sort them into folders and import each alone."
    )


def _check_positions(keep: Sequence[int], n_channels: int, *, source: Path) -> list[int]:
    if keep and (max(keep) >= n_channels or len(set(keep)) < len(keep)):
        msg = (
            f"Channels to keep must be different positions from 0 to {n_channels - 1}, as {source} has {n_channels} "
            f"channels, got {','.join(map(str, keep))}. Correct them."
        )
        raise InputError(msg)
    return list(keep) or list(range(n_channels))


def _read_sets(
    labels: Mapping[str, Path],
    sources: Sequence[Source],
    *,
    classes: ClassTable | None,
    masks: Holds,
    values: Mapping[str, str] | None,
) -> dict[str, _LabelSet]:
    sets = {}
    ids, images = [each.id for each in sources], [path for each in sources for path in each.paths]
    for name, folder in labels.items():
        drawing = find_drawing(folder, classes=classes, objects=masks == "objects", images=images)
        if drawing is not None:
            sets[name] = _LabelSet(_pair_outlines(drawing, folder, ids, values=values), drawing)
            continue
        pairs = pair_masks(folder, ids, MASK_SUFFIXES, images=images)
        _require_images(pairs, folder)
        reading = decide_reading(
            pairs.paths.values(), holds=masks, content=pairs.content, classes=classes, values=values, source=str(folder)
        )
        sets[name] = _LabelSet(pairs, reading)
    return sets


def _pair_outlines(drawing: Drawing, folder: Path, ids: Sequence[str], *, values: Mapping[str, str] | None) -> Pairs:
    if values:
        msg = f"--values must be given with label maps of numbers or colours, got outlines in {folder}. Leave it out."
        raise InputError(msg)
    paths = {name: path for name, path in drawing.files.items() if name in ids}
    strangers = [name for name in drawing.files if name not in ids]
    pairs = Pairs(paths, drawing.tool, "classes", [name for name in ids if name not in paths], strangers)
    _require_images(pairs, folder)
    return pairs


def _require_images(pairs: Pairs, folder: Path) -> None:
    if pairs.without_image:
        msg = (
            f"Label maps of {folder} must belong to images, got none for {len(pairs.without_image)} "
            f"({pairs.without_image[0]}, ...). Add the image, or take the label map away."
        )
        raise FileNotFoundError(msg)


def _one_table(sets: Mapping[str, _LabelSet], classes: ClassTable | None, channels: Sequence[str]) -> ClassTable:
    """Choose the table of the label maps; without any, the one given, or that of the assay that the channels tell."""
    tables = {entry.reading.classes: name for name, entry in sets.items()}
    if len(tables) > 1:
        (one, first), (other, second), *_ = tables.items()
        msg = (
            f"Label sets of one dataset must have one class table, got {', '.join(one)} in {first} and "
            f"{', '.join(other)} in {second}. Name the classes: --classes, with --values for other numbers."
        )
        raise InputError(msg)
    return next(iter(tables), classes or table_of_assay(channels))


def table_of_assay(channels: Sequence[str]) -> ClassTable:
    """Return the class table that channels tell: the paper's for DsRed and pHluorin, else background and object."""
    return ROSELLA if set(ROSELLA_CHANNELS) <= set(channels) else ClassTable(("background", "object"))


def _describe_channels(
    sources: Sequence[Source],
    kept: Sequence[int],
    channel_names: Sequence[str],
    pixel_size_um: float | None,
    *,
    n_channels: int,
) -> tuple[tuple[str, ...], float | None, list[str]]:
    """Choose names and pixel size from what is given, else from the files, and tell which was taken for which."""
    about = read_metadata(sources[0].paths[0], n_channels=n_channels)
    in_files = channel_words(sources) or about.channel_names
    size = pixel_size_um if pixel_size_um is not None else about.pixel_size_um
    names = tuple(channel_names) or tuple(in_files[place] for place in kept if in_files)
    if len(names) not in (0, len(kept)):
        msg = f"Channel names must be {len(kept)}, one for each channel kept, got {', '.join(names)}. Correct them."
        raise InputError(msg)
    notes = []
    if len(sources[0].paths) > 1:
        files = ", ".join(path.name for path in sources[0].paths)
        notes.append(f"one file a channel: {files} are the channels of one image")
    if in_files and channel_names and tuple(in_files[place] for place in kept) != names:
        pairs = ", ".join(f"{in_files[place]} is taken for {name}" for place, name in zip(kept, names, strict=True))
        notes.append(f"the files name their channels otherwise: {pairs}. Check the order (--keep)")
    if sources[0].paths[0].suffix.lower() in (".jpg", ".jpeg"):
        notes.append("JPEG changes pixel values; take the original files where there are any")
    return names or tuple(f"channel {place + 1}" for place in kept), size, notes


def _deal(
    sources: Sequence[Source],
    sets: Mapping[str, _LabelSet],
    groups: Mapping[str, str] | None,
    fractions: tuple[float, float, float] | None,
    *,
    seed: int,
) -> tuple[Case, ...]:
    """Deal images to the splits by group; those without any label map go to the test split, in groups of their own."""
    labelled = (
        {name for entry in sets.values() for name in entry.pairs.paths} if sets else {each.id for each in sources}
    )
    chosen = [each for each in sources if each.id in labelled]
    group_of = _groups_of(sources, groups, by_folder=fractions is not None or not _has_few_folders(sources))
    in_order = [group_of[each.id] for each in chosen]
    fractions = fractions or usual_fractions(in_order)
    require_groups(in_order, fractions)
    split_of = dict(zip([each.id for each in chosen], split_groups(in_order, fractions, seed=seed), strict=True))
    cases = [
        Case(
            each.id,
            group_of[each.id] if each.id in labelled else f"{group_of[each.id]} (no label map)",
            split_of.get(each.id, "test"),
            f"images/{each.id}.ome.tif",
        )
        for each in sources
    ]
    return tuple(sorted(cases, key=lambda case: SPLITS.index(case.split)))


def _groups_of(sources: Sequence[Source], groups: Mapping[str, str] | None, *, by_folder: bool) -> dict[str, str]:
    if groups is None:
        files = {each.id: each.stack or each.id for each in sources}
        wells = {name: find_well(file) for name, file in files.items()}
        are_named = all(place.well for place in wells.values()) and len(set(wells.values())) >= len(SPLITS)
        own = {name: "_".join(filter(None, place)) if are_named else files[name] for name, place in wells.items()}
        return {each.id: (by_folder and each.group) or own[each.id] for each in sources}
    if not set(groups) & {each.id for each in sources}:
        msg = f"Groups must name images, such as {sources[0].id}, got {next(iter(groups), 'none')}. Correct the table."
        raise InputError(msg)
    return {each.id: groups.get(each.id) or each.id for each in sources}


def _has_few_folders(sources: Sequence[Source]) -> bool:
    """Return whether there are too few sub-folders for one to be held out: control and treated, say."""
    return len({each.group or each.id for each in sources}) < len(SPLITS)


def _describe_groups(sources: Sequence[Source], *, chosen: bool) -> list[str]:
    notes = []
    stacks = {each.stack for each in sources if each.stack}
    if stacks:
        n_points = sum(bool(each.stack) for each in sources)
        notes.append(f"{n_points} time points of {len(stacks)} files are images; those of one file are kept together")
    folders = sorted({each.group for each in sources if each.group})
    if folders and not chosen and _has_few_folders(sources) and len(sources) >= len(SPLITS):
        notes.append(
            f"too few sub-folders to hold one out ({', '.join(folders)}): training and test have images of the same"
        )
    return notes


def _write_label_maps(folder: Path, name: str, sets: Mapping[str, _LabelSet], image: Image) -> None:
    for key, entry in sets.items():
        if name in entry.pairs.paths:
            label_map = entry.label_map(name, (image.shape[-2], image.shape[-1]))
            write_label_map(folder / "labels" / key / f"{name}.tif", label_map)
            instances = entry.instance_map(name, label_map)
            if instances is not None:
                write_instance_map(folder / "instances" / key / f"{name}.tif", instances)


def _describe_sets(sets: Mapping[str, _LabelSet]) -> list[str]:
    notes = []
    for name, entry in sets.items():
        without = entry.pairs.without_mask
        lacking = f"; {len(without)} images without one ({without[0]}, ...) go to the test split" if without else ""
        notes.append(f"{name}: {entry.pairs.tool}, {entry.reading.describe()}{lacking}")
    return notes
