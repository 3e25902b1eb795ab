"""Fields, quarters and their images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisylabels.annotation.fields import (
    DatasetMovedError,
    create_project,
    fields_of,
    lot,
    relink,
    start_map,
)
from noisylabels.annotation.images import contrast_of, read_planes
from noisylabels.annotation.project import Project
from noisylabels.data.errors import InputError
from noisylabels.data.hashes import hash_file
from noisylabels.data.images import read_image, read_label_map, write_image, write_label_map
from noisylabels.data.labels import IGNORE_INDEX
from noisylabels.data.quarters import Window, cut_in_quarters
from tests.annotation.desks import make_dataset, make_project, refused


@given(row=st.integers(0, 5), column=st.integers(0, 5), rows=st.integers(2, 30), columns=st.integers(2, 30))
def test_every_pixel_lies_in_exactly_one_quarter(row, column, rows, columns):
    covered = np.zeros((40, 40), int)
    for quarter in cut_in_quarters(Window(row, column, row + rows, column + columns)):
        covered[quarter.slices] += 1
        assert covered[quarter.slices].size > 0
    expected = np.zeros((40, 40), int)
    expected[row : row + rows, column : column + columns] = 1
    assert np.array_equal(covered, expected)


def test_the_papers_field_gives_four_quarters_of_256_by_340():
    sizes = {
        (quarter.row_max - quarter.row_min, quarter.column_max - quarter.column_min)
        for quarter in cut_in_quarters(Window(0, 0, 512, 680))
    }
    assert sizes == {(256, 340)}


def test_a_field_of_one_row_cannot_be_cut():
    with refused("A field must be at least 2 x 2 pixels to be cut in quarters"):
        cut_in_quarters(Window(0, 0, 1, 8))


def test_quarters_show_their_part_of_image_and_start(tmp_path):
    with make_project(tmp_path, 2, quarters=True) as project:
        fields = fields_of(project)
        assert [field.name for field in fields[:4]] == [f"B01_f1_q{number}" for number in (1, 2, 3, 4)]
        assert {field.parent for field in fields[:4]} == {"B01_f1"}
        image = read_image(tmp_path / "dataset/images/B01_f1.ome.tif")
        label_map = read_label_map(tmp_path / "dataset/labels/cdl/B01_f1.tif")
        parts = [(slice(0, 6), slice(0, 8)), (slice(0, 6), slice(8, 16)), (slice(6, 12), slice(0, 8))]
        for field, part in zip(fields, [*parts, (slice(6, 12), slice(8, 16))], strict=False):
            assert np.array_equal(read_planes(project, field), image[:, *part])
            assert np.array_equal(start_map(project, field, "cdl")[0], label_map[part])


def project_of_image(folder, image):
    make_dataset(folder / "dataset", 1)
    placeholder = np.zeros((2, 12, 16), np.uint16)  # what is not two-dimensional has no size to make a field of
    path = folder / "dataset/images/B01_f1.ome.tif"
    write_image(path, placeholder)
    create_project(folder / "screen.desk", folder / "dataset")
    write_image(path, image)
    project = Project(folder / "screen.desk")
    with project.writing() as connection:
        connection.execute("UPDATE field SET image_sha256 = ?", (hash_file(path),))
    return project


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.zeros((2, 12, 16), np.uint16), 0),
        (np.full((2, 12, 16), 7, np.uint8), 7),
        (np.full((2, 12, 16), 65535, np.uint16), 65535),
        (np.full((2, 12, 16), -3.5, np.float32), 0),
        (np.full((2, 12, 16), 70000, np.uint32), 0),
    ],
    ids=["empty", "uint8", "brightest", "constant float", "constant beyond uint16"],
)
def test_any_image_becomes_uint16_with_a_finite_contrast(tmp_path, image, expected):
    with project_of_image(tmp_path, image) as project:
        planes = read_planes(project, fields_of(project)[0])
        assert planes.dtype == np.uint16
        assert np.array_equal(planes, np.full((2, 12, 16), expected))
        for low, high in contrast_of(planes):
            assert np.isfinite([low, high]).all()
            assert low < high


def test_floats_and_negative_numbers_are_stretched_onto_uint16(tmp_path):
    ramp = np.linspace(-1, 3, 2 * 12 * 16).reshape(2, 12, 16).astype(np.float32)
    with project_of_image(tmp_path, ramp) as project:
        planes = read_planes(project, fields_of(project)[0])
        assert (planes.min(), planes.max()) == (0, 65535)
        assert np.allclose(planes / 65535 * 4 - 1, ramp, atol=1e-4)


def test_nan_pixels_are_refused_by_name(tmp_path):
    broken = np.ones((2, 12, 16), np.float32)
    broken[0, 0, 0] = np.nan
    with project_of_image(tmp_path, broken) as project:
        path = tmp_path / "dataset/images/B01_f1.ome.tif"
        with refused(f"Pixels of {path} must be finite, got NaN or infinity in 1."):
            read_planes(project, fields_of(project)[0])


def test_focal_planes_are_projected_to_the_brightest(tmp_path):
    stack = np.random.default_rng(0).integers(0, 4096, (2, 5, 12, 16)).astype(np.uint16)
    with project_of_image(tmp_path, stack) as project:
        assert np.array_equal(read_planes(project, fields_of(project)[0]), stack.max(axis=1))


def test_another_picture_in_the_place_of_an_image_is_refused(tmp_path):
    with make_project(tmp_path, 2) as project:
        path, other = (tmp_path / f"dataset/images/B0{number}_f1.ome.tif" for number in (1, 2))
        path.write_bytes(other.read_bytes())
        with refused(f"{path} must be the file it was when the project was made, got another picture. Put", InputError):
            read_planes(project, fields_of(project)[0])
        assert read_planes(project, fields_of(project)[1]).shape == (2, 12, 16)


def test_a_dataset_folder_that_moved_is_told_and_linked_again(tmp_path):
    with make_project(tmp_path, 2, quarters=True) as project:
        (tmp_path / "dataset").rename(tmp_path / "moved")
        sentence = (
            "The dataset folder of screen.desk must be where it was, but it was moved or is not mounted. Put it back, "
            "or on the server: noisylabels annotate relink screen.desk NEW_FOLDER."
        )
        with refused(sentence, DatasetMovedError):
            read_planes(project, fields_of(project)[0])
        make_dataset(tmp_path / "other", 1)
        with refused(f"{tmp_path}/other must have the cases and classes of screen.desk, got none of B02_f1."):
            relink(project, tmp_path / "other")
        (tmp_path / "moved/images/B02_f1.ome.tif").unlink()
        assert relink(project, tmp_path / "moved") == ["B02_f1"]
        assert read_planes(project, fields_of(project)[0]).shape == (2, 6, 8)


def test_a_start_with_a_class_that_the_project_lacks_is_refused_and_ignored_pixels_are_not(tmp_path):
    with make_project(tmp_path, 1) as project:
        path = tmp_path / "dataset/labels/cip/B01_f1.tif"
        strange = np.zeros((12, 16), np.uint8)
        strange[3, 4] = 3
        write_label_map(path, strange)
        with refused(f"Values of {path} must be class indices 0..2 (background, phagophore, autolysosome)"):
            start_map(project, fields_of(project)[0], "cip")
        strange[3, 4] = IGNORE_INDEX
        write_label_map(path, strange)
        assert np.array_equal(start_map(project, fields_of(project)[0], "cip")[0], strange)


def test_lots_are_uniform():
    drawn = np.array([lot(0, "field", number) for number in range(4000)])
    assert 0 <= drawn.min() < drawn.max() < 1
    counts = np.histogram(drawn, bins=10, range=(0, 1))[0]
    assert np.abs(counts - 400).max() < 5 * np.sqrt(400)
