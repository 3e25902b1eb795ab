import numpy as np
import pytest
import tifffile

from noisylabels.cip.flatfield import polynomial_profile
from noisylabels.data.errors import InputError
from noisylabels.plates import open_plate
from noisylabels.screening.flatfield import choose_sample, estimate_flatfield, plate_flatfield, stored_flatfield
from noisylabels.screening.job import Job
from tests.plates.made_plates import SHARED
from tests.screening.faults import Drawn

SHADE = (((1.2,), (0.1, -0.2), (-0.9, 0.0, -0.6)), ((1.0,), (0.3, 0.1)))
SHAPE = (64, 96)


def write_lit_plate(folder, *, n_fields=12, brightness=1.0):
    rng = np.random.default_rng(5)
    folder.mkdir()
    for field in range(1, n_fields + 1):
        for channel, coefficients in enumerate(SHADE, 1):
            scene = np.full(SHAPE, 1000.0 * brightness * rng.uniform(0.5, 2))
            row, column = rng.integers(0, 48), rng.integers(0, 80)
            scene[row : row + 12, column : column + 12] *= 5
            lit = rng.poisson(scene * polynomial_profile(coefficients, SHAPE))
            tifffile.imwrite(folder / f"B07_f{field}_c{channel}.tif", lit.astype(np.uint16))
    return open_plate(folder, pattern="{well}_f{field}_c{channel}.tif")


def test_a_plate_of_no_field_is_refused():
    with pytest.raises(InputError, match=r"^Illumination must be estimated from fields of one size, got \[\]\."):
        estimate_flatfield([])


def test_the_illumination_of_each_channel_is_found_again(tmp_path):
    plate = write_lit_plate(tmp_path / "plate")
    found = estimate_flatfield(plate.fields)
    for estimated, true in zip(found, SHADE, strict=True):
        error = polynomial_profile(estimated, SHAPE) - polynomial_profile(true, SHAPE)
        assert np.abs(error).max() < 0.05
    assert np.abs(polynomial_profile(found[0], SHAPE) - polynomial_profile(SHADE[1], SHAPE)).max() > 0.1


def test_reading_takes_the_illumination_out(tmp_path):
    plate = write_lit_plate(tmp_path / "plate")
    job = Job.of(Drawn(), flatfields={"plate": SHADE})
    image = job.read(next(plate.fields))
    raw = next(plate.fields).read()
    assert image.dtype == np.float32
    assert np.allclose(image[0], raw[0] / polynomial_profile(SHADE[0], SHAPE), rtol=1e-5)
    background = np.median(image, axis=(1, 2), keepdims=True)
    corners = image[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert np.abs(corners / background[..., 0] - 1).max() < 0.2


def test_the_estimate_is_kept_and_made_again_only_when_the_plate_changes(tmp_path):
    plate = write_lit_plate(tmp_path / "plate", n_fields=4)
    path = tmp_path / "flatfield.json"
    first = plate_flatfield(plate, path)
    before = path.stat().st_mtime_ns
    assert plate_flatfield(plate, path) == first
    assert path.stat().st_mtime_ns == before
    tifffile.imwrite(tmp_path / "plate" / "B07_f1_c1.tif", np.full(SHAPE, 7, np.uint16))
    assert plate_flatfield(plate, path) != first
    assert path.stat().st_mtime_ns > before


def test_the_sample_hangs_on_the_seed_only(tmp_path):
    plate = write_lit_plate(tmp_path / "plate")
    sample = [field.id for field in choose_sample(plate, 5, 0)]
    assert len(set(sample)) == 5
    assert sample == [field.id for field in choose_sample(plate, 5, 0)]
    assert sample != [field.id for field in choose_sample(plate, 5, 1)]


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="left out: needs the real plates of ../shared/data/hcs_plates")
def test_the_instruments_own_profile_is_used_as_it_says():
    plate = open_plate(SHARED / "operetta_sonata_1well_2fields")
    field = next(plate.fields)
    job = Job.of(Drawn(), flatfields={plate.name: stored_flatfield(plate, None)})
    # The polynomial of the index at the corner x = y = -0.5, by hand; the profile's mean is 1.
    coefficients = [[1.1282], [-0.0165, 0.0298], [-0.8004, -0.0792, -0.2953], [-0.3127, 0.1014, -0.0155, 0.0063]]
    coefficients.append([-0.7439, 0.2779, -1.4485, -0.2966, -1.4036])
    corner = sum(sum(order) * (-0.5) ** n for n, order in enumerate(coefficients))
    assert job.read(field)[0, 0, 0] == pytest.approx(field.read()[0, 0, 0] / corner, rel=0.01)


def test_a_plate_without_stored_profiles_is_refused(tmp_path):
    plate = write_lit_plate(tmp_path / "plate", n_fields=1)
    with pytest.raises(InputError, match=r"^Plate plate must have illumination profiles in its index, got none\."):
        stored_flatfield(plate, None)
