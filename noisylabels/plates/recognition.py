"""What a folder holds, by the names of its files: a plate of a known instrument, or what must be named as left out."""

import re
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.plates import cv8000, harmony, omezarr
from noisylabels.plates.pattern import compile_pattern

NONE = "none"
"""A plate that cannot be read: nothing in it is looked at."""

STRANGERS = {
    ".jdce": "ImageXpress Confocal HT.ai or Micro Confocal (MetaXpress Acquire, .jdce)",
    ".columbusidx.xml": "Columbus (ImageIndex.ColumbusIDX.xml)",
    "experiment_descriptor.xml": "Olympus scanR (experiment_descriptor.xml)",
    "experiment_descriptor.dat": "Olympus scanR (experiment_descriptor.dat)",
    ".icarch": "Incucyte (an archive, .icarch)",
    ".zarr.zip": "a zipped OME-Zarr",
}
"""Ends of file names of formats that are known and not read."""

_HARMONY_IMAGE = re.compile(r"r\d{2}c\d{2}f\d{2,}p\d{2,}-ch\d+.*\.tiff?", re.IGNORECASE)
_CV_IMAGE = re.compile(r".*_T\d{4}F\d{3}L\d{2}A\d{2}Z\d{2,}C\d{2}\.(tif|tiff|png)", re.IGNORECASE)
_METAXPRESS_IMAGE = re.compile(r".*_[A-Z]{1,2}\d{2}(_s\d+)?_w\d.*\.tiff?", re.IGNORECASE)

HARMONY_PATTERNS = ("r{row}c{column}f{field}p{z}-ch{channel}sk{time}{any}.tiff",)
CV_PATTERNS = ("{plate}_{well}_T{time}F{field}L{any}A{any}Z{z}C{channel}.tif",)
METAXPRESS_PATTERNS = ("{plate}_{well}_s{field}_w{channel}{any}.tif", "{plate}_{well}_w{channel}{any}.tif")
"""Patterns of the names that each instrument gives, without its index."""


def recognise(place: Path, files: list[str], left_out: list[str]) -> str | None:
    """Return which reader a folder needs.

    Args:
        place: The folder.
        files: Names of its files.
        left_out: Takes a sentence if it holds images that no reader takes.

    Returns:
        The format, NONE if it is a plate that cannot be read, None if it is no plate.
    """
    if "zarr.json" in files or ".zattrs" in files:
        try:
            if "plate" in omezarr.read_metadata(place):
                return "omezarr"
        except (InputError, FileNotFoundError) as error:
            left_out.append(str(error))
            return NONE
    names = {name.lower() for name in files}
    suffixes = {Path(name).suffix for name in names}
    if any(name.lower() in names for name in harmony.INDEX_NAMES):
        return "harmony"
    if cv8000.INDEX_NAME.lower() in names:
        return "cv8000"
    if ".htd" in suffixes:
        return "imagexpress"
    if ".flex" in suffixes:
        return "flex"
    stranger = next((problem for end, problem in STRANGERS.items() for name in names if name.endswith(end)), None)
    if stranger:
        left_out.append(
            f"{place} must be of a format that is read here, got {stranger}. Export it as OME-Zarr or TIFF."
        )
        return NONE
    problem = _without_index(place, files)
    if problem:
        left_out.append(problem)
    return None


def _without_index(place: Path, files: list[str]) -> str:
    for kind, index, names, patterns in (
        ("Harmony", " or ".join(harmony.INDEX_NAMES), _HARMONY_IMAGE, HARMONY_PATTERNS),
        ("CellVoyager", cv8000.INDEX_NAME, _CV_IMAGE, CV_PATTERNS),
        ("ImageXpress", "a .HTD file", _METAXPRESS_IMAGE, METAXPRESS_PATTERNS),
    ):
        images = [name for name in files if names.fullmatch(name)]
        if images:
            fitting = [one for one in patterns if compile_pattern(one).fullmatch(images[0])]
            example = f" '{fitting[0]}'" if fitting else ""
            return (
                f"{place} must hold the index of its {len(images)} {kind} images ({index}), got none. "
                f"Copy it from the instrument, or read them apart with --pattern{example}."
            )
    return ""
