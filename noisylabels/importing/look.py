"""A first look at a folder of images: what is in it, and what can be done with it."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import Image
from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.data.ids import image_id
from noisylabels.data.labels import ROSELLA, LabelMap

IMAGE_FOLDERS = ("images", "image", "raw", "imgs")
MASK_FOLDERS = ("masks", "mask", "labels", "label", "segmentations", "annotations")
"""Names of sub-folders that hold images, and label maps of them, as people call them."""


STAINS = ("hoechst", "dapi", "draq5", "nucle", "dna", "h2b")
"""What channels of nuclei are called, in small letters."""


class Layout(NamedTuple):
    """Where images and label maps lie; label maps by the name of their set."""

    images: Path
    labels: dict[str, Path]


def find_layout(folder: str | Path) -> Layout:
    """Find the images and label maps of a folder as people keep them.

    `images/` beside `masks/` (or names like these) are told apart; otherwise all is images, label maps among them by
    their names.

    Raises:
        FileNotFoundError: If there is no such folder.

    Examples:
        >>> import tempfile
        >>> root = Path(tempfile.mkdtemp())
        >>> for name in ("images", "masks"): (root / name).mkdir()
        >>> layout = find_layout(root)
        >>> layout.images.name, list(layout.labels)
        ('images', ['masks'])
    """
    root = Path(folder)
    if not root.exists():
        msg = f"{folder} must be a folder of images or an image file, but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    below = {path.name.lower(): path for path in sorted(root.iterdir()) if path.is_dir()} if root.is_dir() else {}
    images = next((below[name] for name in IMAGE_FOLDERS if name in below), None)
    if images is None:
        return Layout(root, {})
    return Layout(images, {path.name: path for name, path in below.items() if name in MASK_FOLDERS})


def is_plate(folder: str | Path) -> bool:
    """Return whether a folder holds a plate as its microscope wrote it."""
    from noisylabels.plates.formats import open_plates

    try:
        return Path(folder).is_dir() and bool(open_plates(folder))
    except InputError:
        return False


def describe_dataset(dataset: Dataset) -> list[tuple[str, str]]:
    """Return what a dataset folder holds, as rows of a table: channels, sizes, depth, splits, groups, labels."""
    images = [dataset.image(case.id) for case in dataset.cases]
    sizes = sorted({f"{image.shape[-1]} x {image.shape[-2]}" for image in images})
    depths = sorted({f"{image.dtype}, {image.min()} to {image.max()}" for image in (images[0], images[-1])})
    groups = {case.group for case in dataset.cases}
    splits = ", ".join(f"{len(dataset.ids(split))} {split}" for split in ("training", "validation", "test"))
    if all(image.max() == image.min() for image in images):
        depths.append("every image is even: nothing can be seen in it")
    size = f"{dataset.pixel_size_um:.4g} um" if dataset.pixel_size_um else "unknown"
    kept = "every image for itself" if len(groups) == len(dataset.cases) else f"{len(groups)} groups"
    return [
        ("images", f"{len(images)} ({splits})"),
        ("channels", ", ".join(dataset.channel_names)),
        ("width x height", ", ".join(sizes[:3]) + (", ..." if len(sizes) > 3 else "")),
        ("values", "; ".join(depths)),
        ("pixel size", size),
        ("kept together", kept),
        ("label sets", ", ".join(dataset.label_names()) or "none"),
        ("classes", ", ".join(dataset.classes)),
    ]


def draw_overlay(image: Image, channel_names: tuple[str, ...], label_map: LabelMap | None) -> NDArray[np.uint8]:
    """Draw an image in colours, with the outlines of its label map in those of the classes.

    Args:
        image: (channel, row, column) or (channel, plane, row, column). Not modified.
        channel_names: One name per channel.
        label_map: (row, column) class indices, None for none. Not modified.

    Returns:
        (row, column, 3) uint8.
    """
    from skimage.segmentation import find_boundaries

    from evaluation.report.canvas import class_colour
    from evaluation.report.pictures import compose

    picture = compose(image, channel_names)
    if label_map is not None:
        edges = find_boundaries(label_map, mode="inner")
        for index in np.unique(label_map[edges]):
            colour = class_colour(int(index)) if index else "#ffffff"
            picture[edges & (label_map == index)] = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return picture


def next_commands(dataset: Dataset, folder: Path) -> list[str]:
    """Return the commands that come next: label if nothing is labelled, train, predict, and a report.

    Where there is no validation image, as in a single one, nothing can be trained: weights that come along are tried.
    """
    labels = dataset.label_names()
    preset = "" if dataset.classes == ROSELLA else " --preset nuclei"
    preset += f" --channels {_nuclear(dataset.channel_names)}" if preset and len(dataset.channel_names) > 1 else ""
    data, model, weights, report = (quote(f"{folder}{end}") for end in ("", "-model", "-model/model.pt", "-report"))
    prepare = [] if labels else [f"noisylabels cip {data}{preset}"]
    name = quote(labels[0]) if labels else "cip"
    train = f"noisylabels train cdl --dataset_dir {data} --label_name {name} --output_dir {model}"
    predict = f"noisylabels predict cdl --dataset_dir {data} --ckpt_path {weights}"
    evaluate = f"noisylabels evaluate {data} --reference {name} --methods cdl --out {report}"
    survey = f"noisylabels survey {data} --methods cip,cdl"
    if not dataset.ids("validation"):
        single = len(dataset.channel_names) == 1
        images = quote(f"{folder}/images")
        ready = [f"noisylabels predict nuclei {images}"] if single else []
        return [*ready, *prepare, f"noisylabels survey {data} --methods {name}"]
    return [*prepare, train, predict, survey] if prepare else [train, predict, evaluate]


def _nuclear(channel_names: Sequence[str]) -> int:
    """Return the position of the first channel named as a stain of nuclei, else of the first."""
    stains = [place for place, name in enumerate(channel_names) if any(word in name.casefold() for word in STAINS)]
    return stains[0] if stains else 0


def place_beside(source: Path) -> Path:
    """Return where the dataset folder of a folder of images goes: beside it, never into it.

    Raises:
        InputError: If something is there already.

    Examples:
        >>> str(place_beside(Path("raw/plate 1")))
        'raw/plate 1-dataset'
    """
    known = source if source.name not in ("", ".", "..") else source.resolve()
    place = known.with_name(f"{image_id(known) if known.is_file() else known.name}-dataset")
    if place.exists():
        msg = f"{place} must be free for the dataset folder, got something there. Name another place: --out FOLDER."
        raise InputError(msg)
    return place
