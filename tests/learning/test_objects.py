"""Label maps whose touching objects are apart."""

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.instances import write_instance_map
from noisylabels.learning.configs import read_config
from noisylabels.learning.launch import find_bundle
from noisylabels.learning.objects import ObjectReader

TOUCHING = np.array([[0, 1, 1, 2, 2, 0], [0, 1, 1, 2, 2, 0]], np.int32)


def read(path, **options):
    reader = ObjectReader(**options)
    return reader.get_data(reader.read(path))[0]


def test_touching_objects_are_read_apart_in_either_order_of_axes(tmp_path):
    write_label_map(tmp_path / "labels/masks/a.tif", (TOUCHING > 0).astype(np.uint8))
    write_instance_map(tmp_path / "instances/masks/a.tif", TOUCHING)
    apart = [[0, 1, 0, 0, 1, 0]] * 2
    assert read(tmp_path / "labels/masks/a.tif", reverse_indexing=False).tolist() == [apart]
    assert read(tmp_path / "labels/masks/a.tif").tolist() == [np.transpose(apart).tolist()]


def test_images_are_read_as_they_are(tmp_path):
    write_image(tmp_path / "images/a.tif", TOUCHING[None].astype(np.uint16))
    assert np.array_equal(read(tmp_path / "images/a.tif", reverse_indexing=False)[0], TOUCHING)


def test_labels_without_numbered_objects_are_refused(tmp_path):
    write_label_map(tmp_path / "labels/cip/a.tif", (TOUCHING > 0).astype(np.uint8))
    with pytest.raises(InputError, match="learns from numbered objects, but cip has none"):
        read(tmp_path / "labels/cip/a.tif")


def test_the_preset_names_the_reader():
    config = read_config(find_bundle("cdl") / "configs" / "instances.yaml")
    assert config["reader"]["_target_"] == f"{ObjectReader.__module__}.{ObjectReader.__name__}"
