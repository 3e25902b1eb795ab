"""Events counted per nucleus, on drawn fields."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from noisylabels.data.errors import InputError
from noisylabels.parallel import InProcess
from noisylabels.screening.measurements import measure_screen
from noisylabels.screening.parents import Parents, assign_parents, describe_parents
from tests.cases import draw
from tests.running import run_command
from tests.screening.faults import Drawn, screen_of, write_plate

EVENTS = draw("11.22. / 11.... / ....1. / 2.....")
NUCLEI = draw("111... / 111... / ....11 / ....11")
EMPTY = draw("...... / ...... / ...... / ......")
CLASSES = {1: "phagophore", 2: "autolysosome"}


def describe(nuclei, events):
    from noisylabels.data.events import label_events

    image = np.stack([np.full(events.shape, 7.0), events * 10.0])
    return describe_parents(label_events(nuclei)[0], events, image, classes=CLASSES, channels=("red", "green"))


def test_no_parents_no_rows_and_every_event_is_outside():
    made, outside = describe(EMPTY, EVENTS)
    assert {len(column) for column in made.values()} == {0}
    assert outside == {"phagophore": 2, "autolysosome": 2}


def test_no_events_are_zeros_and_their_means_undefined():
    made, outside = describe(NUCLEI, EMPTY)
    assert made["n_phagophore"].tolist() == made["area_px_autolysosome"].tolist() == [0, 0]
    assert np.isnan(made["mean_red_phagophore"]).all()
    assert outside == {"phagophore": 0, "autolysosome": 0}


def test_each_nucleus_counts_the_events_in_it():
    made, outside = describe(NUCLEI, EVENTS)
    assert made["parent"].tolist() == [1, 2]
    assert made["area_px"].tolist() == [6, 4]
    assert made["centroid_row"].tolist() == [0.5, 2.5]
    assert made["centroid_column"].tolist() == [1.0, 4.5]
    assert made["n_phagophore"].tolist() == [1, 1]
    assert made["area_px_phagophore"].tolist() == [4, 1]
    assert made["n_autolysosome"].tolist() == [0, 0]
    assert made["mean_green"].tolist() == pytest.approx([40 / 6, 10 / 4])
    assert made["mean_green_phagophore"].tolist() == [10, 10]
    assert outside == {"phagophore": 0, "autolysosome": 2}


def test_an_event_belongs_where_most_of_its_pixels_lie():
    parents = np.array([[1, 1, 2, 2, 2, 0, 0]])
    assert assign_parents(parents, np.array([[1, 1, 1, 1, 1, 1, 1]]), 1).tolist() == [2]
    assert assign_parents(parents, np.array([[0, 0, 0, 0, 1, 1, 1]]), 1).tolist() == [0]
    assert assign_parents(parents, np.array([[0, 1, 1, 0, 0, 0, 0]]), 1).tolist() == [1]  # as many: the smaller number


def runs(tmp_path, nuclei):
    pictures = {("B07", 1): EVENTS, ("B07", 2): EMPTY, ("C03", 1): EVENTS}
    plate = write_plate(tmp_path / "plate", pictures)
    other = write_plate(tmp_path / "other", dict(zip(pictures, nuclei, strict=True)))
    screen = screen_of(plate, tmp_path / "run", Drawn(), channel_names=("red", "green"))
    cells = screen_of(other, tmp_path / "cells", Drawn(fails=102))
    for one in (screen, cells):
        list(one.run(InProcess()))
    (tmp_path / "cells" / "other").rename(tmp_path / "cells" / "plate")
    return screen, Parents(cells.store, 1, "nucleus")


def test_wells_say_events_per_nucleus_and_fields_without_nuclei_are_named(tmp_path):
    screen, parents = runs(tmp_path, [NUCLEI, NUCLEI, NUCLEI])
    tables = measure_screen(screen, tmp_path / "out", parents=parents)
    assert tables.n_parents == 4
    assert [name.startswith("plate/C03") for name in parents.left_out] == [True]
    wells = tables.wells.set_index("well")
    first = wells.loc["B07"]
    assert (first["n_parents"], first["outside_phagophore"], first["outside_autolysosome"]) == (4, 0, 2)
    assert (first["per_parent_phagophore"], first["share_with_phagophore"]) == (2 / 4, 2 / 4)
    assert pd.isna(wells.loc["C03", "n_parents"])
    rows = pd.read_parquet(tmp_path / "out" / "parents.parquet")
    assert rows["parent"].tolist() == [1, 2, 1, 2]
    pd.testing.assert_frame_equal(rows, pd.read_csv(tmp_path / "out" / "parents.csv"), check_dtype=False)


def test_a_run_on_other_plates_is_refused(tmp_path):
    screen, parents = runs(tmp_path, [NUCLEI, NUCLEI, NUCLEI])
    (tmp_path / "cells" / "plate").rename(tmp_path / "cells" / "third")
    message = (
        f"{tmp_path / 'cells'} must hold label maps of the same plates, got none for any field that is done. "
        "Run it on them."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        measure_screen(screen, tmp_path / "out", parents=parents)
    assert not (tmp_path / "out" / "parents.csv").exists()


def test_the_command_counts_per_class_of_a_run_and_writes_profiles(tmp_path, capsys):
    import anndata

    write_plate(tmp_path / "plate", {("B07", 1): EVENTS})
    for run, factor in (("events", "0.5"), ("cells", "0.1")):
        words = ("screen", "run", tmp_path / "plate", tmp_path / run, "--method", "threshold", "--workers", 0)
        assert run_command(*words, "--set", f"factor={factor}", "--pattern", "{well}_f{field}_c{channel}.tif") == 0
    capsys.readouterr()
    words = ("screen", "measure", tmp_path / "events", "--cytomining", "--anndata", "--json")
    code = run_command(*words, "--parents", tmp_path / "cells")
    told = capsys.readouterr()
    assert code == 0, told.err
    assert json.loads(told.out.splitlines()[-1])["fields without"] == []
    target = tmp_path / "events" / "measurements"
    profile = pd.read_csv(target / "profiles" / "wells.csv")
    assert profile["Metadata_Well"].tolist() == ["B07"]
    assert [name for name in profile.columns if not name.startswith(("Metadata_", "Image_"))] == []
    wells = anndata.read_h5ad(target / "wells.h5ad")
    assert wells.obs["well"].tolist() == ["B07"]
    assert wells[:, "n_parents"].X[0, 0] == pd.read_csv(target / "wells.csv")["n_parents"][0]
    assert run_command(*words, "--parents", f"{tmp_path / 'cells'}:nobody") == 2
    assert "got 'nobody'. Name one of them." in capsys.readouterr().err
