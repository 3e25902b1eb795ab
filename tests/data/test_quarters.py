"""Fields cut in four, with all their label maps."""

import numpy as np

from noisylabels.data.dataset import open_dataset
from tests.datasets import write_fields
from tests.running import run_command


def make(folder):
    image = np.arange(2 * 6 * 8, dtype=np.uint16).reshape(2, 6, 8)
    label_map = (np.arange(48).reshape(6, 8) % 5).astype(np.uint8)  # more classes than the table: phases
    write_fields(
        folder, {"phases": [label_map]}, ids=["f"], groups=["w"], split="test", images=[image], label_name="phases"
    )
    return image, label_map


def test_quarters_put_together_are_the_field(tmp_path):
    image, label_map = make(tmp_path / "whole")
    assert run_command("quarters", tmp_path / "whole", tmp_path / "cut") == 0
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
    assert run_command("quarters", tmp_path / "whole", tmp_path / "cut") == 2
    sentence = f"noisylabels: {tmp_path / 'cut'} must be a new or empty folder, got 1 entries. Name another.\n"
    assert capsys.readouterr().err == sentence
    assert [entry.name for entry in (tmp_path / "cut").iterdir()] == ["mine.txt"]
