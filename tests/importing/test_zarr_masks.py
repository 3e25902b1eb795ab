"""Label maps in OME-Zarr, on their own or under an image."""

import json

import numpy as np
import pytest
import zarr

from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image
from noisylabels.importing.folder import import_folder
from noisylabels.importing.zarr_masks import read_zarr_mask

OBJECTS = np.array([[0, 3, 3, 0], [0, 0, 0, 0], [700, 700, 0, 5]])


def write_label_image(folder, values, path="0"):
    """A label image of OME-Zarr 0.4, as napari and Fractal write it."""
    group = zarr.open_group(folder, mode="w", zarr_format=2)
    group.create_array(path, shape=values.shape, dtype=values.dtype)[...] = values
    axes = [{"name": name} for name in "tczyx"[5 - values.ndim :]]
    scale = [{"type": "scale", "scale": [1.0] * values.ndim}]
    datasets = [{"path": path, "coordinateTransformations": scale}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    return folder


def write_image_with(folder, **labels):
    write_label_image(folder, np.zeros((1, 3, 4), np.uint16))
    group = zarr.open_group(folder / "labels", mode="w", zarr_format=2)
    group.attrs["labels"] = list(labels)
    for name, values in labels.items():
        write_label_image(folder / "labels" / name, values)
    return folder


def test_object_numbers_of_zarr_become_a_class(tmp_path):
    for name in "abc":
        write_image(tmp_path / "raw" / f"{name}.tif", np.zeros((1, 3, 4), np.uint8))
    write_label_image(tmp_path / "masks" / "a.zarr", OBJECTS.astype(np.int32))
    write_label_image(tmp_path / "masks" / "b.ome.zarr", OBJECTS[None, None].astype(np.uint16))
    write_image_with(tmp_path / "masks" / "c.zarr", nuclei=OBJECTS.astype(np.uint16))
    data, notes = import_folder(
        tmp_path / "raw", tmp_path / "out", labels={"truth": tmp_path / "masks"}, fractions=(1, 0, 0)
    )
    assert notes[-1] == "truth: label maps, object numbers; every object is object"
    for name in "abc":
        np.testing.assert_array_equal(data.label_map("truth", name), OBJECTS > 0)


def test_several_label_maps_planes_or_fractions_are_refused(tmp_path):
    several = write_image_with(tmp_path / "a.zarr", one=OBJECTS, two=OBJECTS)
    with pytest.raises(InputError) as fault:
        read_zarr_mask(several)
    assert str(fault.value) == (
        f"{several} must hold one label map, got one, two. Copy the one that is meant elsewhere."
    )
    for values in (np.stack([OBJECTS, OBJECTS]), OBJECTS / 2):
        place = write_label_image(tmp_path / "b.zarr", values)
        with pytest.raises(InputError, match=f"must hold one plane of whole numbers, got shape .* of {values.dtype}"):
            read_zarr_mask(place)


def test_a_path_out_of_the_folder_is_refused(tmp_path):
    place = write_label_image(tmp_path / "a.zarr", OBJECTS)
    write_label_image(tmp_path / "secret.zarr", OBJECTS)
    about = json.loads((place / ".zattrs").read_text())
    about["multiscales"][0]["datasets"][0]["path"] = "../secret.zarr/0"
    (place / ".zattrs").write_text(json.dumps(about))
    with pytest.raises(InputError, match=r"must lie in it, got '\.\./secret\.zarr/0'"):
        read_zarr_mask(place)
