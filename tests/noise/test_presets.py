"""Presets and annotators."""

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA, ClassTable
from noisylabels.noise.model import NoiseModel
from noisylabels.noise.presets import PRESETS, as_annotator, load_noise, make_preset
from tests.noise.fields import crowded_field

NUCLEI = ClassTable(("background", "nucleus"))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_corrupts_a_field_and_survives_its_file(name, tmp_path):
    label_map, image = crowded_field(1)
    model = make_preset(name, ROSELLA)
    noisy, log, _ = model.apply(label_map, image, image_id="a")
    assert len(log) > 0
    assert not np.array_equal(noisy, label_map)
    model.write(tmp_path / "model.yaml")
    again = load_noise(str(tmp_path / "model.yaml"), NUCLEI)
    assert again.classes == ROSELLA
    assert np.array_equal(again.apply(label_map, image, image_id="a").label_map, noisy)


def missed_by_contrast(name):
    label_map = np.zeros((260, 260), np.uint8)
    label_map[2::10, 2::10] = label_map[3::10, 2::10] = 1
    rng = np.random.default_rng(0)
    image = rng.normal(100, 1, (1, 260, 260))
    contrast = rng.uniform(5, 60, (26, 26))
    for (row, column), value in np.ndenumerate(contrast):
        image[0, 10 * row + 2 : 10 * row + 4, 10 * column + 2] += value
    _, log, _ = make_preset(name, NUCLEI).apply(label_map, image, image_id="a")
    missed = np.isin(np.arange(1, 677), log["event"][log["kind"] == "missed"])
    return missed[np.argsort(contrast.ravel())].reshape(4, -1).mean(axis=1), log


def test_the_conservative_annotator_misses_nearly_all_of_the_dimmest_quarter():
    by_quarter, _ = missed_by_contrast("conservative")
    assert 0.35 < by_quarter.mean() < 0.7
    assert by_quarter[0] > 0.85
    assert by_quarter[3] < 0.15


def test_the_careful_annotator_misses_few_and_the_liberal_none():
    careful, _ = missed_by_contrast("careful")
    liberal, log = missed_by_contrast("liberal")
    assert 0.03 < careful.mean() < 0.25
    assert careful[0] > 3 * careful[3]
    assert liberal.sum() == 0
    assert 0.25 < (log["kind"] == "spurious").sum() / 676 < 0.7


def test_the_pipelines_preset_needs_its_classes():
    with pytest.raises(
        InputError, match=r"^A class name must be one of \['background', 'nucleus'\], got 'phagophore'\."
    ):
        make_preset("cip-lcsb", NUCLEI)


def test_the_pipelines_misses_swing_between_fields():
    label_map, image = crowded_field(1, n_events=80)
    model = make_preset("cip-lcsb", ROSELLA)
    shares = [
        doses["struck"][:2].sum() / doses["eligible"][:2].sum()
        for doses in (model.apply(label_map, image, image_id=str(field)).doses for field in range(40))
    ]
    n_events = 50
    assert np.std(shares) > 1.2 * np.sqrt(0.24 * 0.76 / n_events)


def test_annotators_differ_in_severity_and_in_outline_but_not_from_themselves():
    general = NoiseModel.from_dict({"missed": {"rate": 0.3}, "boundary": {"rate": 1.0, "shift_px": 0.0}})
    people = [as_annotator(general, f"expert {number}") for number in range(300)]
    severities = np.array([person.errors[0].dose.severity for person in people])
    shifts = np.array([person.errors[1].shift_px for person in people])
    assert np.std(severities) == pytest.approx(0.5, rel=0.15)
    assert np.std(shifts) == pytest.approx(0.5, rel=0.15)
    assert abs(np.corrcoef(severities, shifts)[0, 1]) < 0.2
    assert as_annotator(general, "expert 0") == people[0]
    assert as_annotator(general.with_seed(1), "expert 0").errors != people[0].errors
