"""Views point at the images of another dataset folder and copy none."""

import numpy as np
import pytest

from noisylabels.data.dataset import Case, Dataset, open_dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ROSELLA
from noisylabels.data.views import view_of, write_view

CASES = (Case("a", "a", "test", "images/a.tif"), Case("b", "w", "training", "images/b.tif"))


@pytest.fixture
def dataset(tmp_path):
    whole = Dataset(tmp_path / "whole", ROSELLA, ("red",), cases=CASES)
    for number, case in enumerate(CASES):
        image = np.full((1, 4, 6), number, np.uint16)
        write_image(whole.folder / case.image, image, channel_names=("red",), pixel_size_um=None)
        write_label_map(whole.label_path("cip", case.id), np.full((4, 6), number, np.uint8))
    write_dataset(whole, label_name="cip")
    return open_dataset(whole.folder)


def test_a_view_of_nothing_has_no_case(dataset, tmp_path):
    assert view_of(dataset, tmp_path / "none", []).cases == ()


def test_a_written_view_reads_the_images_of_the_other_and_its_own_label_maps(dataset, tmp_path):
    view = open_dataset(write_view(dataset, tmp_path / "deep" / "few", ids={"a", "b"}, name="train", source="cip"))
    assert [case.id for case in view.cases] == ["b", "a"]  # training first
    assert view.case("b").group == "w"
    assert not (view.folder / "images").exists()
    assert np.array_equal(view.image("b"), dataset.image("b"))
    assert view.label_map("train", "b").tolist() == [[1] * 6] * 4


def test_a_view_of_an_unknown_field_is_refused(dataset, tmp_path):
    with pytest.raises(InputError, match="c"):
        view_of(dataset, tmp_path / "few", ["c"])
