"""Fields cut in four, with all their label maps."""

import numpy as np
import pytest

from noisylabels.cli import main
from noisylabels.data.dataset import Case, Dataset, open_dataset, write_dataset
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ROSELLA


def make(folder):
    image = np.arange(2 * 6 * 8, dtype=np.uint16).reshape(2, 6, 8)
    label_map = (np.arange(48).reshape(6, 8) % 5).astype(np.uint8)  # more classes than the table: phases
    write_image(folder / "images" / "f.ome.tif", image)
    write_label_map(folder / "labels" / "phases" / "f.tif", label_map)
    cases = (Case("f", "w", "test", "images/f.ome.tif"),)
    write_dataset(Dataset(folder, ROSELLA, ("DsRed", "pHluorin"), cases=cases), label_name="phases")
    return image, label_map


def test_quarters_put_together_are_the_field(tmp_path):
    image, label_map = make(tmp_path / "whole")
    with pytest.raises(SystemExit) as stop:
        main(["quarters", str(tmp_path / "whole"), str(tmp_path / "cut")])
    assert stop.value.code == 0
    cut = open_dataset(tmp_path / "cut")
    assert [(case.id, case.group, case.split) for case in cut.cases] == [(f"f_q{n}", "w", "test") for n in range(1, 5)]
    parts = [cut.image(case_id) for case_id in cut.ids()]
    assert np.array_equal(np.block([[parts[0], parts[1]], [parts[2], parts[3]]]), image)
    from noisylabels.data.images import read_label_map

    maps = [read_label_map(cut.label_path("phases", case_id)) for case_id in cut.ids()]
    assert np.array_equal(np.block([maps[:2], maps[2:]]), label_map)


def test_a_folder_that_holds_something_is_refused(tmp_path, capsys):
    make(tmp_path / "whole")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit) as stop:
        main(["quarters", str(tmp_path / "whole"), str(tmp_path / "cut")])
    assert stop.value.code == 2
    sentence = f"noisylabels: {tmp_path / 'cut'} must be a new or empty folder, got 1 entries. Name another.\n"
    assert capsys.readouterr().err == sentence
    assert [entry.name for entry in (tmp_path / "cut").iterdir()] == ["mine.txt"]
