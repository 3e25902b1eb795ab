"""Views point at the images of another dataset folder and copy none."""

import numpy as np
import pytest

from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.views import view_of, write_view
from tests.datasets import write_fields


@pytest.fixture
def dataset(tmp_path):
    labels = {"cip": [np.zeros((4, 6)), np.ones((4, 6))]}
    return write_fields(tmp_path / "whole", labels, ids=["a", "b"], groups="aw", split=["test", "training"])


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
