"""Image and label-map files: the one place of the house that knows their formats."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from noisylabels.data.arrays import Image
from noisylabels.data.atomic import replacing
from noisylabels.data.errors import InputError
from noisylabels.data.hashes import hash_bytes
from noisylabels.data.labels import IGNORE_INDEX, ClassTable, LabelMap, check_label_map
from noisylabels.data.tiff import TiffLayout, layout_of, open_tiff, planes_of

TIFF = (".tif", ".tiff")
PNG = (".png",)
JPEG = (".jpg", ".jpeg")
NIFTI = (".nii", ".nii.gz")
IMAGE_SUFFIXES = (*TIFF, *PNG, *JPEG, *NIFTI)


def read_image(path: str | Path, *, n_channels: int | None = None, time: int | None = None) -> Image:
    """Read one field.

    A two-dimensional file is one channel. A colour PNG whose channels are all equal (grey saved as RGB or
    RGBA) is one channel. NIfTI is read as (column, row[, channel]), as MONAI and ITK write it.

    Args:
        path: OME-TIFF or TIFF ((channel, row, column) or (row, column) of any integer or float type), PNG or NIfTI.
        n_channels: How many channels there must be, if that is known.
        time: The time point to read of a TIFF, from 0; None: there must be one only.

    Returns:
        (channel, row, column) of the file's own type; (channel, plane, row, column) if the file has planes.

    Raises:
        FileNotFoundError: If there is no such file; the message says what the folder holds instead.
        InputError: If the file cannot be decoded, has another number of channels or holds NaN or infinity.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "field.ome.tif"
        >>> write_image(path, np.zeros((2, 3, 5), np.uint16))
        >>> read_image(path).shape
        (2, 3, 5)
    """
    array = _decode(Path(path), upright=True, time=time)
    if array.ndim == 2:
        array = array[None]
    if array.ndim not in (3, 4):
        msg = f"{path} must be (channel, row, column), got shape {array.shape}. Split it into single fields."
        raise InputError(msg)
    if n_channels is not None and len(array) != n_channels:
        msg = (
            f"{path} must have {n_channels} channels, got {len(array)}. "
            "Give the same channels everywhere, in training and prediction."
        )
        raise InputError(msg)
    return check_pixels(array, source=path)


def check_pixels(image: Image, *, source: str | Path) -> Image:
    """Check that pixels are real and finite.

    Args:
        image: Pixels of any shape. Not modified.
        source: Where they come from, for the message.

    Returns:
        The image; truth values become 0 and 1.

    Raises:
        InputError: If they are complex, NaN, infinite or no numbers.
    """
    if image.dtype.kind == "b":
        return image.astype(np.uint8)
    if image.dtype.kind not in "uif":
        msg = f"Pixels of {source} must be real numbers, got {image.dtype}. Save their magnitude, or the part you need."
        raise InputError(msg)
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        n_wrong = int((~np.isfinite(image)).sum())
        msg = f"Pixels of {source} must be finite, got NaN or infinity in {n_wrong}. Correct the file."
        raise InputError(msg)
    return image


def invert(image: Image, *, source: str | Path) -> Image:
    """Turn pixels round that were stored with white as zero.

    Raises:
        InputError: If they are not unsigned integers, so that nobody can tell where black is.
    """
    if image.dtype.kind == "b":
        return image  # masks: tifffile writes and reads them with white as zero and means the number
    if image.dtype.kind != "u":
        msg = f"{source} must be stored with black as zero, got white as zero in {image.dtype}. Save it as MinIsBlack."
        raise InputError(msg)
    inverted: Image = np.asarray(np.iinfo(image.dtype.name).max - image)
    return inverted


def read_label_map(path: str | Path, classes: ClassTable | None = None, *, ignore_index: int | None = None) -> LabelMap:
    """Read one label map.

    Args:
        path: TIFF, PNG or NIfTI file of class indices.
        classes: The class table; when given, every value must be in it.
        ignore_index: Value of pixels that count for no class, allowed beside the table's.

    Returns:
        (row, column) uint8 class indices.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it cannot be decoded, is not two-dimensional or holds a value that is not in the table.
    """
    array = _without_single_axes(_decode(Path(path)))
    if array.dtype.kind == "f" and np.array_equal(array, np.round(array)):
        array = array.astype(np.int64)
    if classes is None:
        table = ClassTable(("background", *(f"class {index}" for index in range(1, IGNORE_INDEX))))
        return check_label_map(array, table, source=str(path), ignore_index=IGNORE_INDEX)
    return check_label_map(array, classes, source=str(path), ignore_index=ignore_index)


def write_image(
    path: str | Path,
    image: Image,
    *,
    channel_names: Sequence[str] = (),
    pixel_size_um: float | None = None,
) -> None:
    """Write one field as OME-TIFF, whole or not at all.

    Args:
        path: `*.ome.tif` (or `.tif`); its folder is made when missing.
        image: (channel, row, column) or (channel, plane, row, column). Not modified.
        channel_names: One name per channel, or none.
        pixel_size_um: Side of a pixel in micrometres, if it is known.

    Raises:
        InputError: If the image has another shape, or the names do not match its channels.
    """
    import tifffile

    if image.ndim not in (3, 4):
        msg = f"An image must be (channel, row, column) to be written, got shape {image.shape}. Add the channel axis."
        raise InputError(msg)
    if channel_names and len(channel_names) != len(image):
        msg = f"channel_names must name {len(image)} channels, got {list(channel_names)}. Give one name per channel."
        raise InputError(msg)
    metadata: dict[str, Any] = {"axes": "CYX" if image.ndim == 3 else "CZYX", "UUID": _content_uuid(image)}
    if channel_names:
        metadata["Channel"] = {"Name": list(channel_names)}
    if pixel_size_um is not None:
        metadata |= {"PhysicalSizeX": pixel_size_um, "PhysicalSizeY": pixel_size_um}
        metadata |= {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    with replacing(path) as temporary:
        tifffile.imwrite(temporary, image, ome=True, metadata=metadata, photometric="minisblack")


def write_label_map(path: str | Path, label_map: LabelMap) -> None:
    """Write one label map, whole or not at all.

    Args:
        path: `.tif` (deflate-compressed), `.png` or `.nii`/`.nii.gz`; its folder is made when missing.
        label_map: (row, column) uint8 class indices. Not modified.

    Raises:
        InputError: If the suffix is unknown or the map is not (row, column) uint8.
    """
    if label_map.ndim != 2 or label_map.dtype != np.uint8:
        msg = f"A label map must be (row, column) uint8, got {label_map.shape} {label_map.dtype}. Check it first."
        raise InputError(msg)
    write = _WRITERS[_suffix(Path(path))]
    with replacing(path) as temporary:
        write(temporary, label_map)


def _content_uuid(image: Image) -> str:
    """Return an identifier made from the pixels; the UUID of OME is otherwise made of time and network card."""
    named = hash_bytes(repr((image.shape, image.dtype.str)).encode() + image.tobytes())
    return str(uuid.UUID(named[:32], version=5))


def _decode(path: Path, *, upright: bool = False, time: int | None = None) -> Image:
    # Not so for label maps: ImageJ stores masks with white as zero, and means the number.
    if not path.is_file():
        there = _listing(path.parent)
        msg = f"{path} must be an image file, but it does not exist; its folder holds {there}. Check the path."
        raise FileNotFoundError(msg)
    suffix = _suffix(path)
    try:
        return _read_tiff(path, upright=upright, time=time) if suffix in TIFF else _READERS[suffix](path)
    except InputError:
        raise
    except Exception as error:
        msg = f"{path} must be a whole image file, but it cannot be decoded ({error}). Copy it again from its source."
        raise InputError(msg) from error


def _suffix(path: Path) -> str:
    for suffix in sorted(IMAGE_SUFFIXES, key=len, reverse=True):
        if path.name.lower().endswith(suffix):
            return suffix
    msg = (
        f"{path} must end in one of {', '.join(IMAGE_SUFFIXES)}, got {path.suffix or 'no suffix'!r}. Convert it first."
    )
    raise InputError(msg)


def _listing(folder: Path) -> str:
    if not folder.is_dir():
        return "nothing (no such folder)"
    names = sorted(entry.name for entry in folder.iterdir())
    return f"{len(names)} entries ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})" if names else "nothing"


def _read_tiff(path: Path, *, upright: bool = False, time: int | None = None) -> Image:
    with open_tiff(path) as file:
        layout = layout_of(file, path)
        if layout.n_times > 1 and time is None:
            msg = (
                f"{path} must hold one time point, got {layout.n_times}. "
                "noisylabels import makes an image of each; or save each as a file of its own."
            )
            raise InputError(msg)
        planes = planes_of(file, layout, time=time or 0)
    if upright and layout.white_is_zero:
        planes = invert(planes, source=path)
    if layout.colour:
        return _channels_of_samples(path, planes, layout)
    return planes if layout.n_planes > 1 else planes[:, 0]


def _channels_of_samples(path: Path, planes: Image, layout: TiffLayout) -> Image:
    if planes.shape[:2] != (1, 1):
        msg = f"{path} must hold one colour picture, got {planes.shape[0] * planes.shape[1]}. Save each as a file."
        raise InputError(msg)
    picture = planes[0, 0]
    if layout.planar:
        picture = np.moveaxis(picture, 0, -1)
    return _channels_of_colour(picture, n_colours=picture.shape[-1] - layout.n_alpha)


def _read_png(path: Path) -> Image:
    from imageio.v3 import imread

    array: Image = np.asarray(imread(path))
    return _channels_of_colour(array, array.shape[-1] - (array.shape[-1] in (2, 4))) if array.ndim == 3 else array


def _channels_of_colour(array: Image, n_colours: int) -> Image:
    """Make channels of samples; what follows the colours is their transparency, and equal colours are one grey."""
    colours = array[..., :n_colours]
    if all(np.array_equal(colours[..., 0], colours[..., index]) for index in range(1, n_colours)):
        return np.ascontiguousarray(colours[..., 0])
    return np.ascontiguousarray(np.moveaxis(colours, -1, 0))


def _read_nifti(path: Path) -> Image:
    import nibabel

    array = np.asanyarray(nibabel.load(path).dataobj).T
    return np.ascontiguousarray(_without_single_axes(array))


def _without_single_axes(array: Image) -> Image:
    # np.squeeze would also drop a side of one pixel.
    leading = [length for length in array.shape[:-2] if length > 1]
    return array.reshape(leading + list(array.shape[-2:]))


def _write_tiff(path: Path, label_map: LabelMap) -> None:
    import tifffile

    tifffile.imwrite(path, label_map, compression="zlib", photometric="minisblack", metadata={"axes": "YX"})


def _write_png(path: Path, label_map: LabelMap) -> None:
    from imageio.v3 import imwrite

    imwrite(path, label_map)


def _write_nifti(path: Path, label_map: LabelMap) -> None:
    import nibabel

    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(label_map.T), np.eye(4)), path)


_READERS: Mapping[str, Callable[[Path], Image]] = (
    dict.fromkeys(TIFF, _read_tiff) | dict.fromkeys((*PNG, *JPEG), _read_png) | dict.fromkeys(NIFTI, _read_nifti)
)
_WRITERS: Mapping[str, Callable[[Path, LabelMap], None]] = (
    dict.fromkeys(TIFF, _write_tiff) | dict.fromkeys(PNG, _write_png) | dict.fromkeys(NIFTI, _write_nifti)
)
