import re
from pathlib import Path

import numpy as np
import pytest
from monai.transforms import Compose, LoadImage, SaveImage

from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map, write_image, write_label_map
from noisylabels.learning.monai_io import FieldReader, LabelLayout, LabelMapWriter
from tests.cases import draw


@pytest.mark.parametrize("picture", [".... / .... / ....", "11.. / 1122 / ..22"], ids=["empty", "two classes"])
@pytest.mark.parametrize("suffix", [".tif", ".png", ".nii.gz"])
def test_a_label_map_that_monai_reads_and_writes_is_unchanged(tmp_path: Path, picture: str, suffix: str) -> None:
    label_map = draw(picture)
    write_label_map(tmp_path / f"f1{suffix}", label_map)
    load = LoadImage(reader=FieldReader(), ensure_channel_first=True)
    save = SaveImage(
        folder_layout=LabelLayout(tmp_path / "out"),
        output_ext=".tif",
        writer="noisylabels.learning.monai_io.LabelMapWriter",
    )
    loaded = Compose([load, save])(tmp_path / f"f1{suffix}")
    assert loaded.shape == (1, 4, 3)  # MONAI's order: channel, x, y
    assert np.array_equal(read_label_map(tmp_path / "out" / "f1.tif"), label_map)


def test_every_channel_is_read_and_rows_become_the_last_axis(tmp_path: Path) -> None:
    image = np.arange(2 * 3 * 5, dtype=np.uint16).reshape(2, 3, 5)
    write_image(tmp_path / "f1.ome.tif", image)
    loaded = LoadImage(reader=FieldReader(), ensure_channel_first=True)(tmp_path / "f1.ome.tif")
    assert np.array_equal(np.asarray(loaded), image.transpose(0, 2, 1))
    kept = LoadImage(reader=FieldReader(reverse_indexing=False), ensure_channel_first=True)(tmp_path / "f1.ome.tif")
    assert np.array_equal(np.asarray(kept), image)


def test_a_file_per_channel_is_one_field(tmp_path: Path) -> None:
    paths = [tmp_path / "red.tif", tmp_path / "green.tif"]
    for value, path in enumerate(paths):
        write_image(path, np.full((1, 3, 5), value, np.uint16))
    reader = FieldReader(n_channels=2)
    image, _ = reader.get_data(reader.read(paths))
    assert image.shape == (2, 5, 3)
    assert image[:, 0, 0].tolist() == [0, 1]


def test_the_reader_takes_the_formats_of_the_house_only() -> None:
    reader = FieldReader()
    assert reader.verify_suffix(["a.ome.tif", "b.PNG", "c.nii.gz"])
    assert not reader.verify_suffix("a.czi")


def test_a_file_with_other_channels_is_refused_through_monai_too(tmp_path: Path) -> None:
    path = tmp_path / "f1.ome.tif"
    write_image(path, np.zeros((3, 4, 4), np.uint16))
    message = f"{path} must have 2 channels, got 3. Give the same channels everywhere, in training and prediction."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        LoadImage(reader=FieldReader(n_channels=2))(path)


def test_a_written_label_map_can_keep_the_order_of_its_array(tmp_path: Path) -> None:
    writer = LabelMapWriter(reverse_indexing=False)
    writer.set_data_array(draw("11.. / ..22"), channel_dim=None)
    writer.set_metadata({})
    writer.write(tmp_path / "a.png")
    assert np.array_equal(read_label_map(tmp_path / "a.png"), draw("11.. / ..22"))
