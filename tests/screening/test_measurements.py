import re

import numpy as np
import pandas as pd
import pytest

from noisylabels.data.errors import InputError
from noisylabels.parallel import InProcess
from noisylabels.screening.layout import read_layout
from noisylabels.screening.measurements import measure_screen, write_events
from noisylabels.screening.report import write_report
from tests.cases import draw
from tests.screening.faults import Drawn, random_pictures, screen_of, write_plate

EMPTY = draw("...... / ...... / ...... / ......")
BOTH = draw("11.22. / 11.... / ....1. / 2.....")
ONE = draw("...... / .1.... / ...... / ......")


@pytest.fixture
def screen(tmp_path):
    pictures = {("B07", 1): BOTH, ("B07", 2): ONE, ("C03", 1): EMPTY, ("D01", 1): BOTH, ("D01", 2): ONE}
    plate = write_plate(tmp_path / "plate", pictures)
    made = screen_of(plate, tmp_path / "run", Drawn(fails=104), channel_names=("red", "green"))
    list(made.run(InProcess()))
    return made


def test_a_run_without_a_result_is_refused(tmp_path):
    plate = write_plate(tmp_path / "plate", {("B07", 1): EMPTY})
    message = f"{tmp_path / 'run'} must have a field that is done, got 1 missing. Give screen run again."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        measure_screen(screen_of(plate, tmp_path / "run", Drawn()), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_of_other_settings_is_told_to_be_stale(screen, tmp_path):
    other = screen_of(screen.plates[0], tmp_path / "run", Drawn(name="other"), channel_names=("red", "green"))
    message = (
        f"{tmp_path / 'run'} must have a field that is done, got 5 stale. Give screen run again. "
        "Stale: done with other settings, another model or code."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        measure_screen(other, tmp_path / "out")


def test_wells_are_sums_of_their_fields(screen, tmp_path):
    tables = measure_screen(screen, tmp_path / "out")
    assert tables.n_events == 4 + 1 + 0 + 4
    wells = tables.wells.set_index("well")
    assert list(wells.index) == ["B07", "C03", "D01"]
    # B07: phagophores of 4, 1 and 1 pixels, autolysosomes of 2 and 1 pixels, in two fields of 24 pixels.
    first = wells.loc["B07"]
    assert (first["n_fields"], first["n_phagophore"], first["n_autolysosome"]) == (2, 3, 2)
    assert first["per_field_phagophore"] == 1.5
    assert first["fraction_phagophore"] == 3 / 5
    assert first["mean_area_px_phagophore"] == 6 / 3
    assert first["area_fraction_autolysosome"] == 3 / 48
    assert first["mean_red_autolysosome"] == 2000
    # Green is 100 in the first field (two phagophores) and 101 in the second (one).
    assert first["mean_green_phagophore"] == pytest.approx((100 + 100 + 101) / 3)
    assert first["image_mean_green"] == 100.5


def test_undefined_ratios_are_empty_and_zeros_are_zeros(screen, tmp_path):
    wells = measure_screen(screen, tmp_path / "out").wells.set_index("well")
    empty = wells.loc["C03"]
    assert (empty["n_fields"], empty["n_phagophore"], empty["per_field_phagophore"]) == (1, 0, 0)
    assert empty["area_fraction_phagophore"] == 0
    assert np.isnan(empty["fraction_phagophore"])
    assert np.isnan(empty["mean_area_px_phagophore"])
    assert np.isnan(empty["mean_red_phagophore"])


def test_failed_fields_are_counted_and_told(screen, tmp_path):
    tables = measure_screen(screen, tmp_path / "out")
    last = tables.wells.set_index("well").loc["D01"]
    assert (last["n_fields"], last["n_fields_failed"], last["n_phagophore"]) == (1, 1, 2)
    failed = tables.fields[tables.fields["state"] == "failed"]
    assert failed["message"].tolist() == ["no answer for 104"]
    assert failed["n_phagophore"].isna().all()


def test_tables_are_the_same_in_both_formats(screen, tmp_path):
    measure_screen(screen, tmp_path / "out")
    for name in ("events", "fields", "wells"):
        parquet = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
        text = pd.read_csv(tmp_path / "out" / f"{name}.csv")
        assert list(parquet.columns) == list(text.columns)
        assert len(parquet) == len(text) == {"events": 9, "fields": 5, "wells": 3}[name]
    events = pd.read_parquet(tmp_path / "out" / "events.parquet")
    assert events.groupby(["well", "class"])["area_px"].sum().to_dict() == {
        ("B07", "autolysosome"): 3,
        ("B07", "phagophore"): 6,
        ("D01", "autolysosome"): 3,
        ("D01", "phagophore"): 5,
    }


def test_treatments_are_joined_and_unnamed_wells_stay(screen, tmp_path):
    path = tmp_path / "layout.csv"
    path.write_text("row;col;drug;dose_um\nB;7;bafilomycin;0.1\n3;3;DMSO;0\n")
    tables = measure_screen(screen, tmp_path / "out", layout=read_layout(path))
    wells = tables.wells.set_index("well")
    assert wells["drug"].tolist()[:2] == ["bafilomycin", "DMSO"]
    assert pd.isna(wells.loc["D01", "drug"])
    assert wells.loc["B07", "dose_um"] == 0.1
    assert len(tables.fields) == 5


def test_a_layout_that_clashes_or_errs_is_refused(screen, tmp_path):
    path = tmp_path / "layout.csv"
    path.write_text("well,n_fields\nB07,3\n")
    with pytest.raises(InputError, match=r"^Columns of the layout must not be named as measurements, got n_fields\."):
        measure_screen(screen, tmp_path / "out", layout=read_layout(path))
    path.write_text("well,drug\nB07,a\nZ99,b\nb7,c\nhello,d\n")
    message = (
        f"{path} must name each well once: line 3 has 'Z99', no well in A01..AF48; line 5 has 'hello', no well in "
        "A01..AF48; B07 is listed twice. Correct these lines."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_layout(path)
    path.write_text("place,drug\nB07,a\n")
    with pytest.raises(InputError, match="must have the column well, or row and column, got place, drug"):
        read_layout(path)
    with pytest.raises(FileNotFoundError, match="must be a treatment layout, but it does not exist"):
        read_layout(tmp_path / "gone.csv")


def test_the_report_holds_maps_wells_and_failures_and_nothing_from_outside(screen, tmp_path):
    tables = measure_screen(screen, tmp_path / "out")
    page, answer = write_report(screen, tables, tmp_path / "out")
    text = page.read_text()
    assert "3 wells on 1 plate were measured, 1 field failed." in text
    assert answer == (
        "3 wells on 1 plate were measured, 1 field failed.\n"
        "Next: mend what made 1 field fail, then give noisylabels screen run again: only they are done."
    )
    assert "<td>no answer for 104</td>" in text
    shown = re.findall(r"<h4>(.*?)<span>(\d+) events</span>", text)
    assert shown == [
        ("plate B07, field 1", "4"),
        ("plate C03, field 1", "0"),
        ("plate B07, field 2", "1"),
        ("plate D01, field 1", "4"),
    ]
    assert text.count('alt="what was found of ') == 4
    assert "phagophore, events per field" in (tmp_path / "out" / "figures" / "plates.svg").read_text()
    assert "http" not in re.sub(r'src="data:[^"]*"|href="data:[^"]*"', "", text)
    wells = pd.read_csv(tmp_path / "out" / "tables" / "wells.csv")
    assert wells["per_field_phagophore"].tolist() == [1.5, 0, 2]


def test_a_report_of_a_plate_that_is_taken_away_has_no_pictures_and_all_numbers(screen, tmp_path, monkeypatch):
    def gone(job, field):
        raise FileNotFoundError(field.id)

    tables = measure_screen(screen, tmp_path / "out")
    monkeypatch.setattr("noisylabels.screening.job.Job.read", gone)
    page, _ = write_report(screen, tables, tmp_path / "out")
    assert "what was found" not in page.read_text()
    assert pd.read_csv(tmp_path / "out" / "tables" / "wells.csv")["per_field_phagophore"].tolist() == [1.5, 0, 2]


def test_events_of_many_fields_are_written_in_few_groups(tmp_path):
    import pyarrow.parquet as pq

    plate = write_plate(tmp_path / "plate", random_pictures(6, 4))
    screen = screen_of(plate, tmp_path / "run", Drawn())
    list(screen.run(InProcess()))
    n_events = write_events(screen, tmp_path / "out")
    written = pq.ParquetFile(tmp_path / "out" / "events.parquet")
    assert n_events > 0
    assert (written.metadata.num_row_groups, written.metadata.num_rows) == (1, n_events)
