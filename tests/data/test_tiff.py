"""Every file is laid out by its own header: each page's number says which channel, plane and time it is."""

import re

import numpy as np
import pytest
import tifffile

from noisylabels.data.errors import InputError
from noisylabels.data.images import read_image
from noisylabels.data.tiff import read_layout, read_planes

HEAD = '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{own}">'


def page(number):
    return np.full((3, 5), number, np.uint16)


def write_ome(path, numbers, *, own="a", images):
    """Write pages and an OME-XML of images: (order, (C, Z, T), TiffData elements)."""
    text = HEAD.format(own=own)
    for order, (c, z, t), entries in images:
        text += f'<Image><Pixels DimensionOrder="{order}" SizeX="5" SizeY="3" SizeC="{c}" SizeZ="{z}" SizeT="{t}">'
        text += "".join(f'<Channel Name="{name}"/>' for name in ("DsRed", "pHluorin", "DAPI")[:c])
        text += "".join(entries) + "</Pixels></Image>"
    with tifffile.TiffWriter(path) as writer:
        for number, value in enumerate(numbers):
            description = text + "</OME>" if number == 0 else None
            writer.write(page(value), description=description, metadata=None, contiguous=False)
    return path


def entry(home=None, name="", **first):
    attributes = "".join(f' {key}="{value}"' for key, value in first.items())
    inside = f'<UUID FileName="{name}">urn:uuid:{home}</UUID>' if home else ""
    return f"<TiffData{attributes}>{inside}</TiffData>"


@pytest.mark.parametrize("order", ["XYCZT", "XYZCT", "XYCTZ", "XYTCZ", "XYZTC", "XYTZC"])
def test_planes_lie_where_the_order_of_dimensions_says(tmp_path, order):
    sizes = {"C": 2, "Z": 3, "T": 2}
    axes = order[:1:-1]  # slowest first
    numbers = [
        int("".join(str(dict(zip(axes, place, strict=True))[axis]) for axis in "TCZ"))
        for place in np.ndindex(*(sizes[axis] for axis in axes))
    ]
    path = write_ome(tmp_path / "a.ome.tif", numbers, images=[(order, (2, 3, 2), ["<TiffData/>"])])
    for time in (0, 1):
        planes = read_planes(path, time=time)[:, :, 0, 0]
        assert planes.tolist() == [[100 * time + 10 * channel + z for z in range(3)] for channel in range(2)]
    layout = read_layout(path)
    assert (layout.n_times, layout.n_channels, layout.n_planes) == (2, 2, 3)
    assert layout.channel_names == ("DsRed", "pHluorin")


def test_a_file_of_a_set_gives_its_own_pages_only(tmp_path):
    entries = [[entry(home, f"{home}.ome.tif", FirstC=c, IFD=c, PlaneCount=1) for c in (0, 1)] for home in "abc"]
    images = [("XYCZT", (2, 1, 1), one) for one in entries]
    for number, home in enumerate("abc"):
        write_ome(tmp_path / f"{home}.ome.tif", (10 * number, 10 * number + 1), own=home, images=images)
    found = [read_image(tmp_path / f"{home}.ome.tif")[:, 0, 0].tolist() for home in "abc"]
    assert found == [[0, 1], [10, 11], [20, 21]]
    renamed = (tmp_path / "b.ome.tif").rename(tmp_path / "renamed.ome.tif")
    assert read_image(renamed)[:, 0, 0].tolist() == [10, 11]  # known by its UUID


def test_one_file_a_channel_is_read_alone_but_not_without_the_others(tmp_path):
    entries = [entry(home, f"{home}.ome.tif", FirstC=c, IFD=0, PlaneCount=1) for c, home in enumerate("ab")]
    for number, home in enumerate("ab"):
        write_ome(tmp_path / f"{home}.ome.tif", [number], own=home, images=[("XYCZT", (2, 1, 1), entries)])
    assert read_image(tmp_path / "b.ome.tif")[:, 0, 0].tolist() == [1]
    assert read_layout(tmp_path / "b.ome.tif").channel_names == ("pHluorin",)
    (tmp_path / "a.ome.tif").unlink()
    message = (
        f"{tmp_path / 'b.ome.tif'} must have the page of channel 0, plane 0, time 0 that its header names, but its set "
        "has it in a.ome.tif, which is not there. Copy it again from its source, with the files that belong to it."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_image(tmp_path / "b.ome.tif")


def test_a_page_that_the_header_promises_must_be_there(tmp_path):
    path = write_ome(tmp_path / "a.ome.tif", (1, 2), images=[("XYCZT", (3, 1, 1), ["<TiffData/>"])])
    message = (
        f"{path} must have the page of channel 2, plane 0, time 0 that its header names, but it has 2 pages. "
        "Copy it again from its source, with the files that belong to it."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_layout(path)


def test_pages_that_are_listed_backwards_are_read_so(tmp_path):
    entries = [entry(FirstC=0, IFD=1), entry(FirstC=1, IFD=0)]
    path = write_ome(tmp_path / "a.ome.tif", (7, 8), images=[("XYCZT", (2, 1, 1), entries)])
    assert read_image(path)[:, 0, 0].tolist() == [8, 7]


def test_a_second_image_of_a_file_is_counted(tmp_path):
    images = [("XYCZT", (1, 1, 1), [entry(IFD=number)]) for number in (0, 1)]
    path = write_ome(tmp_path / "a.ome.tif", (7, 8), images=images)
    assert read_layout(path).n_images == 2
    assert read_image(path)[:, 0, 0].tolist() == [7]


def test_time_points_are_no_channels(tmp_path):
    path = tmp_path / "a.tif"
    stack = np.stack([np.stack([page(10 * time + channel) for channel in range(2)]) for time in range(3)])
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "TCYX"})
    message = (
        f"{path} must hold one time point, got 3. "
        "noisylabels import makes an image of each; or save each as a file of its own."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_image(path)
    assert read_planes(path, time=2)[:, :, 0, 0].tolist() == [[20], [21]]
    assert read_image(path, time=2)[:, 0, 0].tolist() == [20, 21]


@pytest.mark.parametrize(
    ("n_samples", "photometric", "extra", "n_channels"),
    [
        pytest.param(4, "minisblack", ["unspecified"] * 3, 4, id="four channels"),
        pytest.param(4, "rgb", ["unassalpha"], 3, id="colour and alpha"),
        pytest.param(2, "minisblack", ["unspecified"], 2, id="two channels"),
        pytest.param(2, "minisblack", ["unassalpha"], 1, id="grey and alpha"),
    ],
)
def test_only_what_is_called_alpha_is_left_out(tmp_path, n_samples, photometric, extra, n_channels):
    picture = np.stack([page(number) for number in range(n_samples)], axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric=photometric, extrasamples=extra, planarconfig="contig")
    assert read_image(tmp_path / "a.tif")[:, 0, 0].tolist() == list(range(n_channels))


def test_white_as_zero_is_turned_round(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", page(5), photometric="miniswhite")
    assert read_image(tmp_path / "a.tif")[0, 0, 0] == 65535 - 5


def test_complex_pixels_are_refused_and_truth_values_are_numbers(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", page(1).astype(np.complex64))
    with pytest.raises(InputError, match=r"a\.tif must be real numbers, got complex64\."):
        read_image(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", page(1).astype(bool))
    assert read_image(tmp_path / "b.tif").dtype == np.uint8
