"""Formats: what is written is read again; what cannot be read says so in one sentence."""

import re

import numpy as np
import pytest
import tifffile

from noisylabels.data.errors import InputError
from noisylabels.data.ids import image_id
from noisylabels.data.images import read_image, read_label_map, write_image, write_label_map
from noisylabels.data.labels import ROSELLA
from tests.cases import draw


def ramp(shape, dtype):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("shape", [(2, 3, 5), (1, 3, 5), (4, 3, 5), (2, 5, 3, 7)])
def test_a_field_of_any_depth_makes_the_round_trip(tmp_path, shape, dtype):
    image = ramp(shape, dtype)
    write_image(tmp_path / "a.ome.tif", image)
    again = read_image(tmp_path / "a.ome.tif")
    assert again.dtype == dtype
    assert again.tolist() == image.tolist()


def test_names_and_pixel_size_stand_in_the_file(tmp_path):
    write_image(
        tmp_path / "a.ome.tif", ramp((2, 3, 5), np.uint16), channel_names=("DsRed", "pHluorin"), pixel_size_um=0.2152
    )
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as file:
        xml = file.ome_metadata
    assert 'Name="DsRed"' in xml
    assert 'Name="pHluorin"' in xml
    assert 'PhysicalSizeX="0.2152"' in xml


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.nii", "a.nii.gz"])
def test_a_label_map_that_is_not_square_makes_the_round_trip(tmp_path, name):
    label_map = draw("1..2./.12.. /...21")
    write_label_map(tmp_path / name, label_map)
    assert read_label_map(tmp_path / name, ROSELLA).tolist() == label_map.tolist()


def test_a_nifti_has_its_columns_first_as_the_world_outside_expects(tmp_path):
    import nibabel

    write_label_map(tmp_path / "a.nii", draw("12./..."))
    assert nibabel.load(tmp_path / "a.nii").shape == (3, 2)


def test_a_plain_two_dimensional_tiff_is_one_channel(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", ramp((3, 5), np.uint16))
    assert read_image(tmp_path / "a.tif").shape == (1, 3, 5)


def test_planes_before_channels_are_put_in_order(tmp_path):
    image = ramp((5, 2, 3, 7), np.uint16)
    tifffile.imwrite(tmp_path / "a.ome.tif", image, metadata={"axes": "ZCYX"})
    assert read_image(tmp_path / "a.ome.tif").tolist() == image.swapaxes(0, 1).tolist()


def test_planes_of_one_channel_are_no_channels(tmp_path):
    image = ramp((5, 3, 7), np.uint16)
    tifffile.imwrite(tmp_path / "a.ome.tif", image, metadata={"axes": "ZYX"})
    assert read_image(tmp_path / "a.ome.tif").tolist() == image[None].tolist()
    with pytest.raises(InputError, match="must have 5 channels, got 1"):
        read_image(tmp_path / "a.ome.tif", n_channels=5)


def test_grey_saved_as_colour_is_one_channel_and_real_colour_is_three(tmp_path):
    from skimage.io import imsave

    grey = ramp((4, 6), np.uint8)
    imsave(tmp_path / "grey.png", np.stack([grey] * 3, axis=-1), check_contrast=False)
    imsave(tmp_path / "colour.png", ramp((4, 6, 3), np.uint8), check_contrast=False)
    assert read_image(tmp_path / "grey.png").tolist() == grey[None].tolist()
    assert read_image(tmp_path / "colour.png").shape == (3, 4, 6)


def test_a_missing_image_names_its_folders_content(tmp_path):
    (tmp_path / "b.tif").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"its folder holds 1 entries \(b\.tif\)"):
        read_image(tmp_path / "a.tif")


def test_a_truncated_tiff_is_named(tmp_path):
    write_image(tmp_path / "a.ome.tif", ramp((2, 64, 64), np.uint16))
    whole = (tmp_path / "a.ome.tif").read_bytes()
    (tmp_path / "a.ome.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"^{re.escape(str(tmp_path / 'a.ome.tif'))} must be a whole image file"):
        read_image(tmp_path / "a.ome.tif")


def test_the_wrong_number_of_channels_is_refused(tmp_path):
    write_image(tmp_path / "a.tif", ramp((3, 4, 4), np.uint8))
    advice = "Give the same channels everywhere, in training and prediction."
    message = f"{tmp_path / 'a.tif'} must have 2 channels, got 3. {advice}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_image(tmp_path / "a.tif", n_channels=2)


def test_nan_pixels_are_refused_and_counted(tmp_path):
    image = ramp((1, 2, 3), np.float32)
    image[0, 1, 1] = np.nan
    write_image(tmp_path / "a.tif", image)
    with pytest.raises(InputError, match=r"must be finite, got NaN or infinity in 1\. Correct the file\."):
        read_image(tmp_path / "a.tif")


def test_a_class_outside_the_table_names_file_and_value(tmp_path):
    write_label_map(tmp_path / "a.png", draw("0140"))
    with pytest.raises(InputError, match=rf"{re.escape(str(tmp_path / 'a.png'))}.* got 4 in 1 pixels"):
        read_label_map(tmp_path / "a.png", ROSELLA)


def test_an_unknown_suffix_lists_the_known_ones(tmp_path):
    (tmp_path / "a.czi").write_bytes(b"x")
    with pytest.raises(InputError, match=r"must end in one of \.tif, .*\.jpeg, \.nii, \.nii\.gz, got '\.czi'"):
        read_image(tmp_path / "a.czi")


def test_the_id_of_a_field_is_its_name_without_format():
    assert [image_id(name) for name in ("x/B07.ome.tif", "B07.TIF", "B07.v2.nii.gz", "B07")] == [
        "B07",
        "B07",
        "B07.v2",
        "B07",
    ]
