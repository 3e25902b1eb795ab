"""Single TIFF files of the shared archive: each is read as its own header says, or refused in one sentence."""

import re

import numpy as np
import pytest
import tifffile

from noisylabels.data.errors import InputError
from noisylabels.data.images import read_image
from tests.plates.archive import needs_cases
from tests.running import run_command

pytestmark = needs_cases


def in_order(pages):
    """One page a channel."""
    return pages


def reversed_(pages):
    """One page a channel, the last first: so its header says."""
    return pages[::-1]


def first(pages):
    """One channel; what follows is a smaller copy or empty."""
    return pages[:1]


def first_two(pages):
    """Two channels; what follows is another image or a smaller copy."""
    return pages[:2]


def samples(pages):
    """Channels beside each other in every pixel."""
    return np.moveaxis(pages[0], -1, 0)


def planar(pages):
    """One page that holds one channel after the other."""
    return pages[0]


def inverted(pages):
    """Stored with white as zero."""
    return np.iinfo(pages.dtype).max - pages


def channel_fastest(pages):
    """Three planes of two channels, the channel counted first."""
    return pages.reshape(3, 2, *pages.shape[1:]).swapaxes(0, 1)


def plane_fastest(pages):
    """Two channels of three planes, the plane counted first."""
    return pages.reshape(2, 3, *pages.shape[1:])


TORN = "must be a whole image file, but it cannot be decoded"
TIMES = (
    "must hold one time point, got {}. noisylabels import makes an image of each; or save each as a file of its own."
)

SINGLE = {
    "binary_only.ome.tif": in_order,
    **{f"comp_{codec}.ome.tif": first_two for codec in ("be", "big", "jpeg2000", "jxr", "lerc", "lzma", "lzw_pred")},
    "comp_png.ome.tif": first_two,
    "comp_zstd.ome.tif": first_two,
    "dtype_bool.tif": in_order,
    "dtype_complex64.tif": "must be real numbers, got complex64",
    "dtype_float16.tif": in_order,
    "dtype_uint64.tif": in_order,
    **{f"dtype_{kind}.ome.tif": in_order for kind in ("float16", "float32", "float64", "int8", "int16", "int32")},
    **{f"dtype_{kind}.ome.tif": in_order for kind in ("uint8", "uint32", "uint64")},
    "fewer_pages.ome.tif": "must have the page of channel 2, plane 0, time 0 that its header names",
    "holes_None.ome.tif": first,
    "holes_lzw.ome.tif": TORN,
    "holes_zlib.ome.tif": TORN,
    "imagej_t.tif": TIMES.format(4),
    "imagej_tc.tif": TIMES.format(4),
    "imagej_tzc.tif": TIMES.format(2),
    "imagej_zc.tif": channel_fastest,
    **{f"minisblack_{count}samples.tif": samples for count in (2, 4, 5)},
    "miniswhite.tif": inverted,
    **{f"ome_{order}.ome.tif": channel_fastest for order in ("XYCTZ", "XYCZT", "XYTCZ")},
    **{f"ome_{order}.ome.tif": plane_fastest for order in ("XYTZC", "XYZCT", "XYZTC")},
    "pyr_pages.tif": first,
    "pyramid.ome.tif": first_two,
    "rgb_planar.tif": planar,
    "separate_4samples.tif": planar,
    "tiffdata_reversed.ome.tif": reversed_,
    **{
        f"time{count}_{order}.ome.tif": TIMES.format(count) for count in (2, 3) for order in ("XYCZT", "XYTCZ", "XYZTC")
    },
    **{f"torn_{codec}_{share}.ome.tif": TORN for codec in ("None", "lzw", "zlib") for share in (0.3, 0.6, 0.9, 0.99)},
    "two_series.ome.tif": first_two,
    "whole.ome.tif": first_two,
    "xml_no_end.ome.tif": in_order,
}
"""File: how its pages, as they lie in the file, become (channel[, plane], row, column); or what is said instead."""


def pages_of(path):
    with tifffile.TiffFile(path, is_ome=False) as file:
        pages = [page.asarray() for page in file.pages if page.asarray().size]
    return np.stack([page for page in pages if page.shape == pages[0].shape])


@pytest.mark.parametrize("name", [name for name, right in SINGLE.items() if callable(right)])
def test_a_file_is_read_as_its_header_says(cases, name):
    path = cases / "tiff" / name
    image = read_image(path)
    expected = SINGLE[name](pages_of(path))
    assert image.shape == expected.shape
    assert (image == expected).all()


@pytest.mark.parametrize("name", [name for name, right in SINGLE.items() if isinstance(right, str)])
def test_a_file_that_cannot_be_read_whole_is_one_sentence(cases, name):
    path = cases / "tiff" / name
    with pytest.raises(InputError, match=f"^(Pixels of )?{re.escape(f'{path} {SINGLE[name]}')}"):
        read_image(path)


def test_every_lossless_codec_gives_the_same_pixels(cases):
    images = [read_image(path) for path in (cases / "tiff").glob("comp_*.ome.tif")]
    assert len(images) == 9
    assert all((image == images[0]).all() for image in images)
    assert images[0].std() > 0


def test_an_import_of_all_names_the_first_that_is_wrong_and_leaves_nothing(cases, tmp_path, capsys):
    assert run_command("import", cases / "tiff", tmp_path / "set") == 2
    told = capsys.readouterr().err
    assert told.startswith("noisylabels: ")
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
