"""The user's path: `noisylabels simulate` and the dataset folder that it writes."""

import csv
import doctest
import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pytest

from noisylabels import cip, simulation
from noisylabels.data.dataset import open_dataset
from noisylabels.data.images import read_image, read_label_map
from noisylabels.data.labels import PHASES_TO_ROSELLA, ROSELLA_PHASES, merge_classes
from noisylabels.simulation import lay_out, plan_fields, preset, simulate_dataset, simulate_field
from noisylabels.simulation.writing import write_field
from tests.docs.pages import read_blocks, read_part, run_blocks
from tests.running import run_command

SMALL = ["--rows", "64", "--columns", "80", "--seed", "3", "--plate", "treatments"]


def run(*words):
    return run_command("simulate", *words)


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "dataset"
    assert run(out, "--fields", 4, *SMALL) == 0
    return out


def test_the_command_writes_a_whole_dataset(folder):
    dataset = open_dataset(folder)
    assert dataset.channel_names == ("DsRed", "pHluorin")
    assert dataset.pixel_size_um == pytest.approx(0.2152)
    assert dataset.label_names() == ["phases", "truth", "truth_in_plane"]
    assert len(dataset.ids()) == 4
    assert {len(dataset.ids(split)) > 0 for split in ("training", "validation", "test")} == {True}
    for case in dataset.cases:
        assert case.group in case.id
        image = dataset.image(case.id)
        assert image.shape == (2, 64, 80)
        phases = read_label_map(dataset.label_path("phases", case.id), ROSELLA_PHASES)
        in_plane, truth = (dataset.label_map(name, case.id, like=image) for name in ("truth_in_plane", "truth"))
        np.testing.assert_array_equal(in_plane, merge_classes(phases, PHASES_TO_ROSELLA))
        assert ((truth == in_plane) | (truth == 0)).all()
        instances = read_image(folder / "instances" / f"{case.id}.ome.tif")[0]
        np.testing.assert_array_equal(instances > 0, phases > 0)


def test_files_hold_what_simulate_field_returns(folder):
    dataset = open_dataset(folder)
    settings = preset("rosella-lc3").replaced({"frame": {"rows": 64, "columns": 80}})
    planned = plan_fields(lay_out("treatments", settings.plate), n_fields=4, seed=3)[2]
    simulated = simulate_field(
        settings, seed=3, well=planned.well, field=planned.field, condition=planned.condition, dose=planned.dose
    )
    np.testing.assert_array_equal(dataset.image(planned.id), simulated.image)
    with (folder / "events" / f"{planned.id}.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["area_px"]) for row in rows] == simulated.events["area_px"].tolist()
    with (folder / "fields.csv").open() as file:
        field = next(row for row in csv.DictReader(file) if row["id"] == planned.id)
    assert field["condition"] == planned.condition
    assert float(field["brightness_DsRed"]) == pytest.approx(simulated.effects.brightness[0], abs=1e-4)


def test_truth_leaves_out_what_nobody_could_see(tmp_path):
    frame, blind = {"rows": 64, "columns": 80}, {"min_snr": 1e9}
    settings = preset("rosella-lc3").replaced({"frame": frame, "detectability": blind})
    simulated = simulate_field(settings, seed=3, well="C03", condition="starvation")
    write_field(tmp_path, "f", simulated, pixel_size_um=0.2152)
    assert not read_label_map(tmp_path / "labels" / "truth" / "f.tif").any()
    assert read_label_map(tmp_path / "labels" / "truth_in_plane" / "f.tif").any()


def test_the_merged_table_has_every_event_of_every_field(folder):
    import pandas as pd

    merged = pd.read_parquet(folder / "events.parquet")
    parts = [pd.read_csv(path) for path in (folder / "events").iterdir()]
    assert len(merged) == sum(map(len, parts)) > 0
    assert set(merged["id"]) <= set(open_dataset(folder).ids())


def test_two_workers_write_the_same_bytes(folder, tmp_path):
    assert run(tmp_path / "again", "--fields", 4, "--workers", 2, *SMALL) == 0
    assert files_of(tmp_path / "again") == files_of(folder)


def test_a_stopped_run_goes_on_where_it_was(folder, tmp_path):
    settings = preset("rosella-lc3").replaced({"frame": {"rows": 64, "columns": 80}})
    plan = plan_fields(lay_out("treatments", settings.plate), n_fields=4, seed=3)
    done = []

    def stop_after_two(field_id):
        done.append(field_id)
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_dataset(tmp_path, settings, plan, seed=3, on_field=stop_after_two)
    assert not (tmp_path / "dataset.json").exists()
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "images").iterdir()}
    assert len(kept) == 2
    simulate_dataset(tmp_path, settings, plan, seed=3)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert files_of(tmp_path) == files_of(folder)


def test_more_fields_can_follow_and_other_settings_cannot(folder, tmp_path, capsys):
    out = tmp_path / "growing"
    assert run(out, "--fields", 3, *SMALL) == 0
    assert run(out, "--fields", 4, *SMALL) == 0
    assert {k: v for k, v in files_of(out).items() if "images" in str(k)} == {
        k: v for k, v in files_of(folder).items() if "images" in str(k)
    }
    before = files_of(out)
    capsys.readouterr()
    for words in (["--plate", "untreated"], ["--seed", 4], ["--rows", 72]):
        assert run(out, "--fields", 4, *SMALL, *words) == 2
        assert capsys.readouterr().err == (
            f"noisylabels: {out} must hold the same simulation to go on, got other settings, treatments, seed or "
            "version. Name another.\n"
        )
    assert files_of(out) == before


def test_five_planes_are_written_as_a_stack(tmp_path):
    assert run(tmp_path / "stack", "--fields", 3, "--planes", 5, "--rows", 32, "--columns", 40) == 0
    dataset = open_dataset(tmp_path / "stack")
    assert dataset.image(dataset.ids()[0]).shape == (2, 5, 32, 40)
    assert dataset.label_map("truth", dataset.ids()[0]).shape == (32, 40)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--fields", 2], "There must be at least 3 groups to split, got 2. Add wells or set a fraction to 0."),
        (["--planes", 4], "planes must be odd and at least 1, got 4. Use 1 or 5: the middle plane is labelled."),
        (
            ["--preset", "rosela"],
            "A preset must be one of rosella-lc3, rosella-lc3-new-screen, rosella-mito, got 'rosela'. "
            "Use a name of the list.",
        ),
    ],
    ids=["fields", "planes", "preset"],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(tmp_path, capsys, words, message):
    assert run(tmp_path / "out", *words) == 2
    assert capsys.readouterr().err == f"noisylabels: {message}\n"
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_else_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    assert run(tmp_path, "--fields", 3) == 2
    assert capsys.readouterr().err == (
        f"noisylabels: {tmp_path} must be a new or empty folder, got 1 entries. Name another.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_field_of_a_well_can_be_left_out_of_the_split(tmp_path):
    assert run(tmp_path / "two", "--fields", 2, "--rows", 32, "--columns", 32, "--fractions", "1,0,0") == 0
    assert len(open_dataset(tmp_path / "two").ids("training")) == 2


def test_every_example_in_the_simulator_is_true():
    modules = [name for _, name, _ in pkgutil.walk_packages(simulation.__path__, "noisylabels.simulation.")]
    results = [doctest.testmod(importlib.import_module(name)) for name in modules]
    assert sum(result.failed for result in results) == 0
    assert sum(result.attempted for result in results) > 25


def test_the_readme_runs(tmp_path, monkeypatch):
    readme = (Path(cip.__file__).parent / "README.md").read_text()
    blocks = read_blocks(read_part(readme, "## Simulation"))
    assert {block.language for block in blocks} == {"python", "console"}
    monkeypatch.chdir(tmp_path)
    commands = [line for block in blocks if block.language == "console" for line in block.text.splitlines() if line]
    assert run_blocks(blocks, source="noisylabels/cip/README.md") == len(commands)
