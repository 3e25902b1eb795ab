"""Which label map belongs to which image, by the names that programs give."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from noisylabels.data.errors import InputError
from noisylabels.importing.files import find_files, name_files
from noisylabels.importing.zarr_masks import find_zarrs

Content = Literal["classes", "objects", "ilastik", "unknown"]
"""What a program's label maps hold: class indices, object numbers, ilastik's classes from 1 on, or nobody knows."""


class Ending(NamedTuple):
    """How a program ends the names of its label maps, what it is called and what the maps hold."""

    text: str
    tool: str
    content: Content


WORDS = ("masks", "mask", "labels", "label", "segmentation", "seg")

ENDINGS = (
    Ending("_cp_masks", "Cellpose", "objects"),
    Ending("_Object Identities", "ilastik (objects)", "objects"),
    Ending("_Object Predictions", "ilastik (object classes)", "classes"),
    Ending("_Simple Segmentation", "ilastik (pixels)", "ilastik"),
    Ending("_Objects", "CellProfiler", "objects"),
    Ending("_instances", "label images", "objects"),
    Ending(".labels", "StarDist", "objects"),
    *(Ending(f"{mark}{word}", "masks", "unknown") for word in WORDS for mark in "_-."),
)
"""From the longest to be told apart first; case does not matter."""

PICTURES_OF_PROBABILITIES = ("_probabilities", "_probability", "_prob", "_flows", "_cp_outlines")
"""Endings of files that programs lay beside their label maps, and that are none."""


class Pairs(NamedTuple):
    """Label maps by image id, the program that named them so, and what is without a partner."""

    paths: dict[str, Path]
    tool: str
    content: Content
    without_mask: list[str]
    without_image: list[str]


def set_masks_aside(named: dict[str, Path]) -> tuple[dict[str, Path], dict[str, Path]]:
    """Distinguish images from label maps that lie beside them: `a_mask.png` is one where there is an `a.tif`.

    Args:
        named: Path by id.

    Returns:
        The images, and the files that are none.

    Examples:
        >>> images, masks = set_masks_aside({name: Path(f"{name}.tif") for name in ("a", "a_cp_masks", "b_mask")})
        >>> list(images), list(masks)
        (['a', 'b_mask'], ['a_cp_masks'])
    """
    ids = {name.casefold(): name for name in named}
    masks = {}
    for name, path in named.items():
        image, ending = _strip(name, {key: other for key, other in ids.items() if other != name})
        probabilities = any(_is_side_picture(name, other) for other in ids)
        if (image is not None and ending is not None) or probabilities:
            masks[name] = path
    return {name: path for name, path in named.items() if name not in masks}, masks


def pair_masks(
    folder: str | Path, ids: Sequence[str], suffixes: Sequence[str], *, images: Sequence[Path] = ()
) -> Pairs:
    """Pair the label maps of a folder with images by name: `cell57.tif` with `cell57.png` or `cell57_cp_masks.png`.

    Args:
        folder: Folder of label maps, or one file.
        ids: Ids of the images.
        suffixes: Suffixes of files that can hold a label map.
        images: Files of the folder that are images.

    Returns:
        The pairs. Images without a label map are listed; label maps without an image too.

    Raises:
        FileNotFoundError: If the folder is missing or holds no label map.
        InputError: If no label map belongs to an image, two belong to one, or the files are Cellpose's `_seg.npy`.
    """
    root = Path(folder)
    _refuse_pickles(root)
    files = find_zarrs(root) or find_files(root, suffixes)
    theirs = {path.resolve() for path in images}
    named = name_files([path for path in files if path.resolve() not in theirs], root)
    wanted = {name.casefold(): name for name in ids}
    pairs: dict[str, Path] = {}
    without_image, endings = [], []
    for name, path in named.items():
        if name.casefold().endswith(PICTURES_OF_PROBABILITIES):
            continue
        image, ending = _strip(name, wanted)
        if image is None:
            without_image.append(name)
            continue
        if image in pairs:
            msg = f"{folder} must hold one label map for each image, got {pairs[image].name} and {path.name}. Keep one."
            raise InputError(msg)
        pairs[image] = path
        endings.append(ending)
    if not pairs:
        msg = (
            f"Label maps of {folder} must be named as their images, got {_shown(list(named))} for the images "
            f"{_shown(list(ids))}. Name them alike; endings such as _mask or _cp_masks may follow."
        )
        raise InputError(msg)
    tool, content = _agree(endings)
    return Pairs(pairs, tool, content, [name for name in ids if name not in pairs], without_image)


def _is_side_picture(name: str, image: str) -> bool:
    return any(name.casefold() == f"{image}{ending}" for ending in PICTURES_OF_PROBABILITIES)


def _strip(name: str, wanted: dict[str, str]) -> tuple[str | None, Ending | None]:
    folded = name.casefold()
    if folded in wanted:
        return wanted[folded], None
    for ending in ENDINGS:
        stem = folded.removesuffix(ending.text.casefold())
        if stem != folded and stem in wanted:
            return wanted[stem], ending
    return None, None


def _agree(endings: Sequence[Ending | None]) -> tuple[str, Content]:
    contents = {ending.content if ending else "unknown" for ending in endings}
    tools = sorted({ending.tool for ending in endings if ending})
    content: Content = contents.pop() if len(contents) == 1 else "unknown"
    return " and ".join(tools) or "label maps", content


def _refuse_pickles(root: Path) -> None:
    """Cellpose's `_seg.npy` is a pickle, which runs code when it is read."""
    pickles = sorted(root.rglob("*_seg.npy")) if root.is_dir() else []
    if pickles and not any(root.rglob("*_cp_masks.*")):
        msg = (
            f"Label maps must be images, got Cellpose's {pickles[0].name}, which holds code. "
            "Save the masks as PNG or TIFF (in Cellpose: File > Save masks as PNG/tif; `--save_png` or `--save_tif`)."
        )
        raise InputError(msg)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
