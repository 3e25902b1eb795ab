"""Real images that nobody here drew, beside the checkout: import, groups, the nuclei pipeline, the CIP."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from evaluation.metrics.pixels import count_pixels, score_classes
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.images import read_image, read_label_map
from noisylabels.data.labels import ClassTable
from tests.running import run_command

DATA = Path(__file__).parents[3] / "shared" / "data"
NUCLEUS = ClassTable(("background", "nucleus"))

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not DATA.is_dir(), reason="real images, ../shared/data, are not beside the checkout"),
]


def call(*words: object) -> None:
    assert run_command(*words) == 0


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """Some rows of the nuclei's index: two whole groups of adjacent tiles, and fields of every size."""
    with (DATA / "dsb2018_nuclei/index.csv").open(newline="") as file:
        index = list(csv.DictReader(file))
    sizes = {(row["height"], row["width"]): row for row in index}
    return [row for row in index if row["group"] in ("s135", "s138") or row in sizes.values()]


@pytest.fixture(scope="module")
def nuclei(rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    home = tmp_path_factory.mktemp("nuclei")
    for folder in ("images", "labels_curated"):
        (home / folder).mkdir()
        for row in rows:
            shutil.copy(DATA / "dsb2018_nuclei" / folder / f"{row['id']}.png", home / folder)
    call(
        "import", home / "images", home / "nuclei", "--labels", f"truth={home / 'labels_curated'}",
        "--masks", "objects", "--classes", "background,nucleus", "--channels", "DNA",
        "--groups", f"{DATA / 'dsb2018_nuclei/index.csv'}:group", "--fractions", "0.5,0.25,0.25",
    )  # fmt: skip
    return open_dataset(home / "nuclei")


def test_no_group_of_adjacent_tiles_is_cut(nuclei: Dataset, rows: list[dict[str, str]]) -> None:
    groups = {row["id"]: row["group"] for row in rows}
    assert sorted(groups) == sorted(nuclei.ids())
    splits = {(groups[case.id], case.split) for case in nuclei.cases}
    assert len(splits) == len(set(groups.values()))
    assert len({split for _, split in splits}) == 3
    assert len(rows) - len(splits) > 5  # so that a split by image would have cut some


def test_every_pixel_of_images_and_masks_arrives(nuclei: Dataset, rows: list[dict[str, str]]) -> None:
    for row in rows:
        image = read_image(DATA / f"dsb2018_nuclei/images/{row['id']}.png")
        objects = read_image(DATA / f"dsb2018_nuclei/labels_curated/{row['id']}.png")[0]
        assert image.shape == (1, int(row["height"]), int(row["width"]))
        np.testing.assert_array_equal(nuclei.image(row["id"]), image)
        label_map = nuclei.label_map("truth", row["id"])
        np.testing.assert_array_equal(label_map, objects > 0)
        assert label_map.mean() == pytest.approx(float(row["fg_fraction"]), abs=1e-4)  # told by another author


def test_the_nuclei_pipeline_is_near_the_curated_masks_and_not_equal(nuclei: Dataset) -> None:
    call("cip", nuclei.folder, "--preset", "nuclei")
    maps = [(nuclei.label_map("truth", name), nuclei.label_map("cip", name)) for name in nuclei.ids()]
    confusion = sum(count_pixels(*pair, n_classes=len(NUCLEUS)) for pair in maps)
    assert 0.6 < score_classes(confusion)["iou"][1] < 0.98


def test_weak_labels_of_two_classes_are_imported_as_they_are(tmp_path: Path) -> None:
    source = DATA / "nucleolus_2class_weak"
    call(
        "import", source / "images", tmp_path / "nucleoli", "--labels", f"ilastik={source / 'labels_weak'}",
        "--classes", "background,nucleolus,nucleoplasm", "--channels", "NPM1", "--fractions", "0.6,0.15,0.25",
    )  # fmt: skip
    dataset = open_dataset(tmp_path / "nucleoli")
    assert [len(dataset.ids(split)) for split in ("training", "validation", "test")] == [7, 2, 3]
    for name in dataset.ids():
        weak = read_image(source / f"labels_weak/{name}.png")[0]
        np.testing.assert_array_equal(dataset.label_map("ilastik", name), weak)
        assert set(np.unique(weak)) == {0, 1, 2}


def test_the_pipeline_finds_bright_lysosomes_on_a_real_two_channel_image(tmp_path: Path) -> None:
    path = DATA / "real_two_channel_unlabelled/hela_lyso_mito_nuc_672x512.tif"
    call("cip", path, "--channels", "0,1", "--out", tmp_path)
    label_map = read_label_map(tmp_path / f"{path.stem}.tif")
    red = read_image(path)[0].astype(float)
    assert label_map.shape == red.shape
    assert 0.005 < (label_map > 0).mean() < 0.2
    assert np.median(red[label_map > 0]) > 1.5 * np.median(red[label_map == 0])
    assert json.loads((tmp_path / "settings.json").read_text())["channels"] == [0, 1]
