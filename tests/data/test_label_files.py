"""Files of label maps for other programs, read back by what reads such files."""

import numpy as np
import pytest
import tifffile

from noisylabels.data.images import read_label_map
from noisylabels.data.label_files import write_label_files
from noisylabels.data.labels import ROSELLA
from noisylabels.data.outlines import fill_outlines, read_outlines

MAP = np.zeros((12, 17), np.uint8)
MAP[2:7, 3:9], MAP[4, 5], MAP[7, 9], MAP[0, :4], MAP[2:5, 9:12] = 1, 0, 1, 255, 2
EMPTY = np.zeros((5, 7), np.uint8)


@pytest.mark.parametrize("label_map", [EMPTY, MAP], ids=["empty", "events"])
@pytest.mark.parametrize("form", ["tiff", "nifti"])
def test_class_indices_are_read_back(tmp_path, form, label_map):
    (path,) = write_label_files(tmp_path, "f1", label_map, ROSELLA, form=form)
    assert np.array_equal(read_label_map(path), label_map)


@pytest.mark.parametrize("label_map", [EMPTY, MAP], ids=["empty", "events"])
@pytest.mark.parametrize("form", ["roi", "geojson"])
def test_outlines_are_read_back_with_holes_and_ignored_pixels(tmp_path, form, label_map):
    (path,) = write_label_files(tmp_path, "f1", label_map, ROSELLA, form=form)
    assert np.array_equal(fill_outlines(read_outlines(path.read_bytes()), label_map.shape, ROSELLA), label_map)


def test_instances_number_the_events_of_each_class_and_leave_ignored_pixels_out(tmp_path):
    first, second = write_label_files(tmp_path, "f1", MAP, ROSELLA, form="instances")
    assert [path.relative_to(tmp_path).as_posix() for path in (first, second)] == [
        "phagophore/f1.tif",
        "autolysosome/f1.tif",
    ]
    one, two = tifffile.imread(first), tifffile.imread(second)
    assert one.dtype == np.uint16
    assert np.array_equal(one > 0, MAP == 1)
    assert one.max() == 1  # the last pixel touches the ring at a corner
    assert np.array_equal(two, MAP == 2)
