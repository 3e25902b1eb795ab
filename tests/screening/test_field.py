import json
import os
import re

import numpy as np
import pytest
import tifffile

from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map
from noisylabels.parallel import InProcess
from noisylabels.screening.batches import process_batch
from noisylabels.screening.field import Outcome, state_of
from noisylabels.screening.methods import Threshold
from tests.cases import draw
from tests.screening.faults import Drawn, leftovers, read_results, screen_of, write_plate

EMPTY = draw("...... / ...... / ...... / ......")
PICTURE = draw("11.22. / 11.... / ....1. / 2.....")


@pytest.fixture
def plate(tmp_path):
    return write_plate(tmp_path / "plate", {("B07", 1): EMPTY, ("B07", 2): PICTURE, ("C03", 1): PICTURE.T[:4, :4]})


@pytest.fixture
def screen(plate, tmp_path):
    return screen_of(plate, tmp_path / "run", Drawn(), channel_names=("red", "green"))


def process_field(field, job, store):
    return process_batch([field], job, store)[0]


def states(screen):
    return [state for _, state in screen.survey()]


def record_of(screen, identifier):
    return screen.store.read_record(screen.plates[0].field(identifier))


def test_an_empty_field_is_done_with_counts_of_zero(plate, screen):
    field = plate.field("B07_f001")
    assert process_field(field, screen.job, screen.store) == Outcome("plate", "B07_f001", "done")
    record = record_of(screen, "B07_f001")
    assert record["counts"] == {name: {"events": 0, "pixels": 0} for name in ("phagophore", "autolysosome")}
    assert np.array_equal(read_label_map(screen.store.path(field, ".tif")), EMPTY)


def test_counts_and_sums_are_those_of_the_drawing(plate, screen):
    process_field(plate.field("B07_f002"), screen.job, screen.store)
    record = record_of(screen, "B07_f002")
    # Two phagophores of 4 and 1 pixels, two autolysosomes of 2 and 1 pixels.
    assert record["counts"] == {
        "phagophore": {"events": 2, "pixels": 5},
        "autolysosome": {"events": 2, "pixels": 3},
    }
    # Each phagophore has a mean of 1000 in red, each autolysosome of 2000; green is 101 everywhere.
    assert record["sums"] == {
        "phagophore": {"red": 2000.0, "green": 202.0},
        "autolysosome": {"red": 4000.0, "green": 202.0},
    }
    assert record["image"]["green"]["mean"] == 101.0
    assert record["image"]["red"]["mean"] == pytest.approx((5 * 1000 + 3 * 2000) / 24)
    assert record["image"]["red"]["at_max_px"] == 3


def test_a_second_run_does_nothing(screen, tmp_path):
    outcomes = list(screen.run(InProcess()))
    assert [outcome.state for outcome in outcomes] == ["done"] * 3
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    assert list(screen.run(InProcess())) == []
    field = next(screen.fields)
    assert process_field(field, screen.job, screen.store).state == "skipped"
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before
    assert leftovers(tmp_path) == []


def test_what_a_result_depends_on_makes_it_stale(plate, screen, tmp_path):
    list(screen.run(InProcess()))
    assert states(screen) == ["done"] * 3
    assert states(screen_of(plate, tmp_path / "run", Drawn("other"), channel_names=("red", "green"))) == ["stale"] * 3
    assert states(screen_of(plate, tmp_path / "run", Drawn(), channels=("2", "1"))) == ["stale"] * 3
    flat = {"plate": (((1.0,),), ((1.0,),))}
    lit = screen_of(plate, tmp_path / "run", Drawn(), channel_names=("red", "green"), flatfields=flat)
    assert states(lit) == ["stale"] * 3


def test_changed_pixels_are_stale_but_a_copied_plate_is_not(plate, screen, tmp_path):
    list(screen.run(InProcess()))
    path = tmp_path / "plate" / "B07_f1_c1.tif"
    os.utime(path, (1, 1))
    assert states(screen) == ["done"] * 3
    tifffile.imwrite(path, EMPTY.astype(np.uint16) + 1000)
    assert states(screen) == ["stale", "done", "done"]
    assert [outcome.field for outcome in screen.run(InProcess())] == ["B07_f001"]
    assert states(screen) == ["done"] * 3


def test_a_lost_or_changed_result_is_missing(screen):
    list(screen.run(InProcess()))
    fields = list(screen.fields)
    screen.store.path(fields[0], ".tif").unlink()
    changed = screen.store.path(fields[1], ".events.parquet")
    data = bytearray(changed.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    screen.store.path(fields[2], ".json").write_text('{"state": "do')
    assert states(screen) == ["missing", "done", "missing"]
    assert [state for _, state in screen.survey(verify=True)] == ["missing"] * 3


def test_an_error_is_a_record_and_the_others_go_on(plate, screen, tmp_path):
    torn = tmp_path / "plate" / "B07_f1_c2.tif"
    torn.write_bytes(torn.read_bytes()[:100])
    failing = screen_of(plate, tmp_path / "run", Drawn(fails=102))
    outcomes = list(failing.run(InProcess()))
    assert [outcome.state for outcome in outcomes] == ["failed", "done", "failed"]
    record = record_of(failing, "B07_f001")
    assert record["error"]["type"] == "InputError"
    assert re.match(
        rf"{re.escape(str(torn))} must be a whole image file, but it cannot be decoded", outcomes[0].message
    )
    assert "Traceback" in record["error"]["traceback"]
    assert record_of(failing, "C03_f001")["error"]["message"] == "no answer for 102"
    assert states(failing) == ["failed", "done", "failed"]


def test_what_failed_is_tried_again_and_mended(plate, tmp_path):
    list(screen_of(plate, tmp_path / "run", Drawn(fails=102)).run(InProcess()))
    mended = screen_of(plate, tmp_path / "run", Drawn())
    assert states(mended) == ["done", "done", "failed"]
    assert [(outcome.field, outcome.state) for outcome in mended.run(InProcess())] == [("C03_f001", "done")]


def test_a_field_with_a_missing_plane_fails_alone(plate, tmp_path):
    from noisylabels.plates import open_plate
    from tests.screening.faults import PATTERN

    (tmp_path / "plate" / "B07_f2_c2.tif").unlink()
    screen = screen_of(open_plate(tmp_path / "plate", pattern=PATTERN), tmp_path / "run", Drawn())
    assert [outcome.state for outcome in screen.run(InProcess())] == ["done", "failed", "done"]
    assert states(screen) == ["done", "failed", "done"]


def test_batches_of_mixed_sizes_and_faults_give_what_single_fields_give(plate, tmp_path):
    alone = screen_of(plate, tmp_path / "alone", Drawn(fails=101))
    together = screen_of(plate, tmp_path / "together", Drawn(fails=101), batch_size=3)
    assert [outcome.state for outcome in together.run(InProcess())] == ["done", "failed", "done"]
    list(alone.run(InProcess()))
    assert read_results(tmp_path / "together") == read_results(tmp_path / "alone")


def test_an_error_of_the_file_system_is_tried_again(plate, screen, monkeypatch):
    calls = []
    read = type(screen.job).read

    def unsteady(job, field):
        calls.append(field.id)
        if len(calls) <= 2:
            raise OSError(5, "Input/output error")
        return read(job, field)

    monkeypatch.setattr(type(screen.job), "read", unsteady)
    assert process_field(plate.field("B07_f002"), screen.job, screen.store).state == "done"
    assert calls == ["B07_f002"] * 3
    calls.clear()
    assert (
        process_field(
            plate.field("C03_f001"), screen_of(plate, screen.store.folder, Drawn(), retries=1).job, screen.store
        ).state
        == "failed"
    )


def test_label_maps_of_foreign_classes_are_refused(plate, tmp_path):
    tifffile.imwrite(tmp_path / "plate" / "B07_f1_c1.tif", EMPTY.astype(np.uint16) + 3000)
    screen = screen_of(plate, tmp_path / "run", Drawn())
    (outcome,) = [process_field(plate.field("B07_f001"), screen.job, screen.store)]
    assert outcome.message.startswith("Values of label map of B07_f001 must be class indices 0..2")
    assert not screen.store.path(plate.field("B07_f001"), ".tif").exists()


def test_states_compare_code_and_settings_by_hash(plate, screen):
    field = plate.field("B07_f001")
    assert state_of(field, screen.job, screen.store) == "missing"
    process_field(field, screen.job, screen.store)
    path = screen.store.path(field, ".json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "settings_key": "0" * 64}))
    assert state_of(field, screen.job, screen.store) == "stale"
    assert Threshold(factor=3.0).fingerprint() != Threshold(factor=4.0).fingerprint()
    assert Threshold(factor=3.0).fingerprint() == Threshold(factor=3.0).fingerprint()


def test_what_killed_processes_left_is_removed_and_what_is_written_now_is_not(screen, tmp_path):
    list(screen.run(InProcess()))
    place = screen.store.path(next(screen.fields), ".tif").parent
    for name, age_s in (("old", 3600), ("new", 0)):
        path = place / f".writing-{name}.tif"
        path.touch()
        os.utime(path, (path.stat().st_mtime - age_s,) * 2)
    list(screen.run(InProcess()))
    assert [path.name for path in leftovers(tmp_path)] == [".writing-new.tif"]


class Broken(Drawn):
    """A method whose model cannot be loaded."""

    def load(self):
        msg = "model.pt must be whole, but it is torn."
        raise InputError(msg)


def test_a_model_that_cannot_be_loaded_touches_no_result(plate, screen, tmp_path):
    list(screen.run(InProcess()))
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    torn = screen_of(plate, tmp_path / "run", Broken("other"))
    assert states(torn) == ["stale"] * 3
    with pytest.raises(InputError, match=r"^model\.pt must be whole, but it is torn\.$"):
        list(torn.run(InProcess()))
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before
