"""Plates that differ, and splits that keep a plate together."""

import numpy as np

from noisylabels import simulation
from noisylabels.data.dataset import open_dataset
from noisylabels.simulation.variation import RANGES, vary_plate
from tests.running import run_command


def test_every_plate_draws_its_own_within_the_ranges():
    screen = simulation.SimulationSettings()
    plates = [vary_plate(screen, seed=5, plate=f"P{n}") for n in range(40)]
    assert plates[3] == vary_plate(screen, seed=5, plate="P3")
    offsets = [plate.camera.offset_counts for plate in plates]
    assert len(set(offsets)) == 40
    low, high = RANGES["offset_counts"]
    assert low <= min(offsets) < low + 20
    assert high - 20 < max(offsets) <= high
    stain = np.log([plate.cells.cytosol_counts[0] / screen.cells.cytosol_counts[0] for plate in plates])
    assert 0.15 < stain.std() < 0.35  # 0.25, of 40 draws
    assert all(plate.optics.haze_range[0] < plate.optics.haze_range[1] <= RANGES["haze"][1] for plate in plates)


def test_the_command_splits_by_plate_and_the_plates_differ(tmp_path):
    words = ["--plates", "3", "--fields", "7", "--rows", "32", "--columns", "48", "--fractions", "0.4,0.3,0.3"]
    assert run_command("simulate", tmp_path / "s", *words) == 0
    dataset = open_dataset(tmp_path / "s")
    plates = {split: {id.split("_")[0] for id in dataset.ids(split)} for split in ("training", "validation", "test")}
    assert sorted(name for names in plates.values() for name in names) == ["P1", "P2", "P3"]
    assert all(len(names) == 1 for names in plates.values())
    darkest = {}
    for case_id in dataset.ids():
        darkest.setdefault(case_id.split("_")[0], []).append(float(np.median(dataset.image(case_id)[0])))
    means = [np.mean(values) for values in darkest.values()]
    assert max(means) > 1.05 * min(means)


def test_more_plates_than_fields_is_one_sentence(tmp_path, capsys):
    assert run_command("simulate", tmp_path / "s", "--plates", "3", "--fields", "2") == 2
    assert capsys.readouterr().err == (
        "noisylabels: There must be a plate, and a field for each, got 3 plates and 2 fields. Ask for more.\n"
    )
