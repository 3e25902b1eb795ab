import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ROSELLA
from noisylabels.learning.checks import check_fields
from noisylabels.learning.datalist import read_fields
from noisylabels.learning.monai_io import FieldReader
from tests.bundles.small_screen import write_screen


@pytest.fixture
def screen(tmp_path: Path) -> Path:
    return write_screen(tmp_path / "screen", size=(16, 20))


def check(screen: Path, **changed: object) -> object:
    fields = read_fields(screen, label_name="cip", split=(0.85, 0.1, 0.05), seed=0)
    settings = {"class_names": ROSELLA.names, "n_channels": 2, "reader": FieldReader(), "batch_size": 4}
    return check_fields(fields["training"], fields["validation"], **(settings | changed))


def refused(screen: Path, message: str, **changed: object) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check(screen, **changed)


def test_good_fields_pass_and_are_counted(screen: Path) -> None:
    found = check(screen)
    assert (found.n_training, found.n_validation) == (6, 2)
    labels = np.stack([tifffile.imread(screen / f"labels/cip/f{i}.tif") for i in range(6)])
    assert found.fractions == pytest.approx({n: (labels == i).mean() for i, n in enumerate(ROSELLA)})


def test_the_digest_tells_whether_a_pixel_changed(screen: Path) -> None:
    before = check(screen).digest
    assert check(screen).digest == before
    label_map = tifffile.imread(screen / "labels/cip/f3.tif")
    label_map[0, 0] = 1 - label_map[0, 0] % 2
    write_label_map(screen / "labels/cip/f3.tif", label_map)
    assert check(screen).digest != before


def test_a_missing_image_is_named(screen: Path) -> None:
    (screen / "images/f2.ome.tif").unlink()
    with pytest.raises(FileNotFoundError, match=re.escape(f"{screen}/images/f2.ome.tif must be an image file")):
        check(screen)


def test_a_truncated_image_is_named(screen: Path) -> None:
    path = screen / "images/f2.ome.tif"
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(InputError, match=re.escape(f"{path} must be a whole image file")):
        check(screen)


def test_another_number_of_channels_is_refused(screen: Path) -> None:
    write_image(screen / "images/f1.ome.tif", np.zeros((1, 16, 20), np.uint16))
    refused(screen, f"{screen}/images/f1.ome.tif must have 2 channels, got 1. Pass --n_channels 1.")


def test_nan_is_refused(screen: Path) -> None:
    image = np.zeros((2, 16, 20), np.float32)
    image[0, 3, 4] = np.nan
    write_image(screen / "images/f1.ome.tif", image)
    refused(screen, f"Pixels of {screen}/images/f1.ome.tif must be finite, got NaN or infinity in 1. Correct the file.")


def test_a_label_map_of_another_size_is_refused(screen: Path) -> None:
    write_label_map(screen / "labels/cip/f1.tif", np.zeros((20, 16), np.uint8))
    refused(
        screen,
        f"{screen}/labels/cip/f1.tif must have the size of its image, (16, 20), got (20, 16) in 1 channels. "
        "Pair it with its own image.",
    )


def test_a_class_outside_the_table_is_refused(screen: Path) -> None:
    label_map = np.zeros((16, 20), np.uint8)
    label_map[:2, :2] = 4
    write_label_map(screen / "labels/cip/f1.tif", label_map)
    refused(
        screen,
        f"Values of {screen}/labels/cip/f1.tif must be class indices 0..2 (background, phagophore, autolysosome), "
        "or 255 to be ignored, got 4 in 4 pixels. Map or drop that class first.",
    )


def test_a_class_that_no_training_field_shows_is_refused(screen: Path) -> None:
    for path in (screen / "labels/cip").iterdir():
        label_map = tifffile.imread(path)
        write_label_map(path, np.where(label_map == 2, 0, label_map).astype(np.uint8))
    refused(
        screen,
        "Training label maps must show every class, got no pixel of autolysosome in 6 fields "
        f"({screen}/labels/cip/f0.tif, ...). Add such fields, or train without that class: --class_names.",
    )


def test_unequal_sizes_need_patches(screen: Path) -> None:
    write_image(screen / "images/f1.ome.tif", np.zeros((2, 8, 20), np.uint16))
    write_label_map(screen / "labels/cip/f1.tif", np.zeros((8, 20), np.uint8))
    refused(
        screen,
        f"Fields of one batch must have one size, got (8, 20) of {screen}/images/f1.ome.tif beside (16, 20) of "
        f'{screen}/images/f0.ome.tif. Cut patches: --patch_size "[256,256]".',
    )
    check(screen, patch_size=[8, 8])
    check(screen, batch_size=1)


def test_focal_planes_are_told_before_training(screen: Path) -> None:
    path = screen / "images/f1.ome.tif"
    write_image(path, np.zeros((2, 5, 16, 20), np.uint16))
    refused(screen, f"{path} must be one plane, got 5 planes of (16, 20). Import the stacks anew with --project max.")
