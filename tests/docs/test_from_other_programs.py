"""The pages for people who come from another program: their commands run on files of that program's form."""

import numpy as np
import pytest
from PIL import Image
from tifffile import imwrite

from noisylabels.data.dataset import open_dataset
from noisylabels.data.images import read_label_map
from tests.docs.pages import ROOT, read_blocks, run_blocks

SMALLER = {"--out evaluation": "--out evaluation --resamples 20 --gallery 1"}
NAMES = [f"a{number}" for number in range(4)]


def draw_objects(number):
    """Draw two numbered objects, which do not touch: (row, column) uint16."""
    objects = np.zeros((48, 64), np.uint16)
    objects[8:20, 10 + number : 24] = 1
    objects[30:40, 40:52] = 7
    return objects


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with four images of one channel, brighter where the objects are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    for number, name in enumerate(NAMES):
        image = rng.poisson(100, (48, 64)) + 400 * (draw_objects(number) > 0)
        imwrite(tmp_path / f"images/{name}.tif", image.astype(np.uint16))
    return tmp_path


def run_page(name, smaller=None):
    assert run_blocks(read_blocks_of(name), source=f"docs/{name}", smaller=smaller) == 2


def read_blocks_of(name):
    """List the blocks that are ours; what the other program runs stands in blocks of its own language."""
    return [block for block in read_blocks((ROOT / "docs" / name).read_text()) if block.language == "console"]


def check_label_maps(label_set):
    dataset = open_dataset("nuclei")
    assert dataset.classes.names == ("background", "nucleus")
    assert sorted(dataset.ids()) == NAMES
    for number, name in enumerate(NAMES):
        found = read_label_map(f"nuclei/labels/{label_set}/{name}.tif")
        np.testing.assert_array_equal(found, draw_objects(number) > 0)


def test_masks_of_cellpose_beside_their_images(folder):
    for number, name in enumerate(NAMES):
        imwrite(folder / f"images/{name}_cp_masks.tif", draw_objects(number))
    run_page("from-cellpose.md")
    check_label_maps("cellpose")
    assert (folder / "survey/report.html").is_file()


def test_objects_of_cellprofiler_with_their_wells(folder):
    (folder / "objects").mkdir()
    for number, name in enumerate(NAMES):
        imwrite(folder / f"objects/{name}_Objects.tiff", draw_objects(number))
    (folder / "wells.csv").write_text("id,well\na0,B02\na1,B02\na2,B03\na3,B04\n")
    run_page("from-cellprofiler.md")
    check_label_maps("cellprofiler")
    dataset = open_dataset("nuclei")
    assert [dataset.case(name).group for name in NAMES] == ["B02", "B02", "B03", "B04"]


def test_simple_segmentations_of_ilastik_count_from_one(folder):
    for number, name in enumerate(NAMES):
        segmented = 1 + (draw_objects(number) > 0)
        imwrite(folder / f"images/{name}_Simple Segmentation.tiff", segmented.astype(np.uint8))
    run_page("from-ilastik.md")
    check_label_maps("ilastik")


def test_pixel_labels_of_matlab_are_class_indices(folder):
    for place, shift in (("labels", 0), ("segmented", 1)):
        (folder / place).mkdir()
        for number, name in enumerate(NAMES):
            Image.fromarray((draw_objects(number + shift) > 0).astype(np.uint8)).save(folder / f"{place}/{name}.png")
    run_page("from-matlab.md", SMALLER)
    check_label_maps("drawn")
    scores = (folder / "evaluation/tables/data_set_scores.csv").read_text()
    assert [name for name in ("GlobalAccuracy", "MeanIoU", "WeightedIoU", "MeanBFScore") if name not in scores] == []
    for table in ("field_scores", "class_scores"):
        assert (folder / f"evaluation/tables/{table}.csv").is_file()


def test_the_second_label_as_background_is_said_with_values(folder):
    """The row of ilastik's table on which label is the background."""
    from noisylabels.importing.folder import import_folder

    for number, name in enumerate(NAMES):
        segmented = 2 - (draw_objects(number) > 0)
        imwrite(folder / f"images/{name}_Simple Segmentation.tiff", segmented.astype(np.uint8))
    import_folder("images", "nuclei", labels={"ilastik": folder / "images"}, values={"1": "nucleus", "2": "background"})
    check_label_maps("ilastik")


@pytest.mark.parametrize("program", ["cellpose", "cellprofiler", "ilastik", "matlab"])
def test_a_page_for_people_of_another_program_is_one_screen(program):
    assert len((ROOT / f"docs/from-{program}.md").read_text().splitlines()) <= 45
