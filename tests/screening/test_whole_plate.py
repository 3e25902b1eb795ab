"""A plate of 384 wells, 9 fields and 2 channels, end to end."""

import numpy as np
import pandas as pd
import pytest
from skimage.measure import label

from evaluation.report.measured_section import by_plate
from noisylabels.parallel import LocalPool
from noisylabels.screening.measurements import measure_screen
from noisylabels.screening.report import write_report
from tests.screening.faults import Drawn, random_pictures, screen_of, write_plate


@pytest.mark.slow
def test_a_whole_plate_comes_out_as_it_was_drawn(tmp_path):
    pictures = random_pictures(384, 9, (16, 24))
    plate = write_plate(tmp_path / "plate", pictures)
    assert (plate.shape, len(plate.wells)) == ((16, 24), 384)
    screen = screen_of(plate, tmp_path / "run", Drawn())
    outcomes = list(screen.run(LocalPool(2), fields_per_task=64))
    assert [outcome.state for outcome in outcomes] == ["done"] * 3456
    assert screen.count_states() == {"done": 3456, "failed": 0, "missing": 0, "stale": 0}
    tables = measure_screen(screen, tmp_path / "out")
    expected = {}
    for (well, _), picture in pictures.items():
        counts = expected.setdefault(well, np.zeros(2, int))
        counts += [label(picture == index, connectivity=2).max() for index in (1, 2)]
    found = tables.wells.set_index("well")[["n_phagophore", "n_autolysosome"]]
    assert {well: list(row) for well, row in zip(found.index, found.to_numpy(), strict=True)} == {
        well: list(counts) for well, counts in expected.items()
    }
    assert len(pd.read_parquet(tmp_path / "out" / "events.parquet")) == sum(map(sum, expected.values()))
    (drawn,) = by_plate(tables.wells, "n_phagophore").values()
    assert drawn["B07"] == expected["B07"][0]
    assert len(drawn) == 384
    assert write_report(screen, tables, tmp_path / "out")[0].stat().st_size < 5e6
