"""Other people's images for an experiment: stock pipelines as teachers, and folders that the command line names."""

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image
from noisylabels.experiments.grid import list_runs, recipe_of
from noisylabels.experiments.imported import write_imported
from noisylabels.experiments.reading import read_declaration

SETTINGS = {
    "images": "$data/images",
    "labels": {"truth": "$data/truth"},
    "classes": ["background", "nucleus"],
    "instances": True,
    "split": [0.4, 0.3, 0.3],
}


@pytest.fixture
def root(tmp_path):
    """Three fields, each with a bright square of 12 x 12 pixels."""
    for place in range(3):
        truth = np.zeros((1, 40, 48), np.uint16)
        truth[0, 10:22, 14:26] = 7
        image = np.random.default_rng(place).normal(100, 3, truth.shape) + 80 * (truth > 0)
        write_image(tmp_path / "images" / f"f{place}.tif", image.astype(np.uint16))
        write_image(tmp_path / "truth" / f"f{place}.tif", truth)
    return tmp_path


def test_teachers_and_their_majority_are_label_sets(root, tmp_path):
    teachers = {"otsu": {}, "li": None, "high": {"preset": "fixed", "level": 500.0}}
    made = write_imported(tmp_path / "made", SETTINGS | {"teachers": teachers}, root=str(root))
    assert made.label_names() == ["high", "li", "otsu", "truth", "voters"]
    assert not made.label_map("high", "f0").any()
    truth, voters = (made.label_map(name, "f0") > 0 for name in ("truth", "voters"))
    assert (truth & voters).sum() / (truth | voters).sum() > 0.8
    assert made.instance_map("truth", "f0").max() == 1


def test_a_teacher_that_is_none_is_refused_before_anything_is_written(root, tmp_path):
    with pytest.raises(InputError, match="The preset of teacher 'ots' must be one of otsu, li"):
        write_imported(tmp_path / "made", SETTINGS | {"teachers": {"ots": {}}}, root=str(root))
    with pytest.raises(InputError, match="In teacher 'otsu' the key levle must be one of"):
        write_imported(tmp_path / "made", SETTINGS | {"teachers": {"otsu": {"levle": 1}}}, root=str(root))
    assert not (tmp_path / "made").exists()


def test_where_images_lie_decides_no_result(root):
    declared = [read_declaration("real_u2os", data=where) for where in (None, root)]
    first, second = ([recipe_of(run, one) for run in list_runs(one)] for one in declared)
    assert first == second
