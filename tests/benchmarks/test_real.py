"""The study on real sets: its commands on three tiny sets, its counts, its table."""

import csv
import json
import logging
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks import real, real_instances, simulation_likeness
from benchmarks.real_arms import choose_labels
from benchmarks.real_objects import write_numbered
from benchmarks.real_sets import SETS, find_set, list_fields, prepare
from benchmarks.real_table import collect, compare, describe, tabulate, write_page
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image, write_label_map
from noisylabels.experiments.confusions import mean_iou
from noisylabels.importing.masks import read_mask

LESS = ["--steps", "1", "--teachers", "deviation", "--seeds", "1", "--gold", "1"]
PAGE = (Path(__file__).parents[2] / "docs/real-data.md").read_text()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three fields of phase contrast, each with a bright square of 12 x 12 pixels on noise, in the set's own form."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "usiigaci_t98g_phase"
    for place, name in enumerate(("set1", "set2", "set3")):
        image = np.random.default_rng(place).normal(100, 3, (1, 40, 48))
        truth = np.zeros((40, 48), np.uint8)
        truth[10:22, 14:26] = place + 1  # an object number
        image[0, truth > 0] += np.random.default_rng(place).normal(60, 30, 144)
        write_image(folder / "images" / f"{name}.png", np.clip(image, 0, 255).astype(np.uint8))
        write_label_map(folder / "truth" / f"{name}.png", truth)
    (folder / "index.csv").write_text("id,group,authors_split\nset1,,train\nset2,,train\nset3,,val\n")
    return root


def test_the_commands_of_the_page_run(data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = Path("docs/real-data.md")
    page.parent.mkdir()
    page.write_text(PAGE)
    lines = re.findall(r"^python -m benchmarks\.real (.+)$", PAGE, re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["teachers", "run", "run", "table", "pictures"]
    for line in lines:
        words = shlex.split(line.replace("../shared/data", str(data)))
        words += ["--sets", "t98g phase"] if words[0] != "table" else []
        words += LESS if words[0] == "run" else []
        real.main(words)
    files = [Path("docs/tables/real_runs.jsonl"), Path("docs/tables/real_arms.jsonl")]
    runs = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert [(run["labels"], run["gold"], run["seed"], run["arm"]) for run in runs] == [
        ("deviation", 0, 1, "plain"),
        ("truth", 1, 1, "plain"),
        ("truth", 1, 1, "fine-tuned"),
        ("truth", 1, 1, "corrector"),
    ]
    assert {run["from"] for run in runs[2:]} < {"deviation", "dog", "gradient", "voters"}
    assert all(np.sum(run[key]) == 20 * 24 for run in runs for key in ("teacher", "student", "agreement"))
    with Path("docs/tables/real.csv").open(newline="") as file:
        first, second, *arms = csv.DictReader(file)
    assert (first["labels"], first["student"]) == (
        "deviation",
        f"{float(mean_iou(np.array(runs[0]['student'][0]))):.4f}",
    )
    assert (second["gold"], second["gain"]) == ("1", "")
    assert [row["arm"] for row in arms] == ["fine-tuned", "corrector"]
    written = page.read_text()
    assert "Of 1 pairs of set and teacher" in written
    assert written.partition(real.BEGIN)[0] == PAGE.partition(real.BEGIN)[0]
    assert written.partition(real.END)[2] == PAGE.partition(real.END)[2] != ""
    assert Path("docs/images/real_t98g_phase.png").is_file()
    before = Path("docs/tables/real_runs.jsonl").read_bytes()
    real.main([*shlex.split(lines[1].replace("../shared/data", str(data))), "--sets", "t98g phase", *LESS])
    assert Path("docs/tables/real_runs.jsonl").read_bytes() == before
    told = capsys.readouterr().out
    assert "| t98g phase | voters |" in told
    assert told.endswith("0 trainings are left\n")


def test_teachers_see_whole_fields_and_groups_stay_together(data, tmp_path):
    made = prepare(find_set("t98g phase"), data, tmp_path / "made")
    assert sorted(case.split for case in made.cases) == ["test", "training", "validation"]
    assert made.label_names() == ["deviation", "dog", "gradient", "truth", "voters"]
    assert sum(int(made.label_map("truth", name).sum()) for name in made.ids()) == 3 * 36  # every second pixel
    with pytest.raises(InputError, match=r"must hold bbbc039_u2os/index\.csv, but there is none"):
        list_fields(find_set("u2os nuclei"), data)
    with pytest.raises(InputError, match="must be one of u2os nuclei, t98g phase, cfos, dsb nuclei, got 'hela'"):
        find_set("hela")


def test_nuclei_of_one_screen_never_lie_on_both_sides():
    """DSB 2018 holds fields of BBBC039, of 520 x 696 pixels: only its fields of 256 rows are taken."""
    assert [source.rows for source in find_set("dsb nuclei").sources] == ["256"]
    assert len({settings.name for one in SETS for settings in one.teachers}) >= 6
    assert all(len(one.teachers) >= 3 for one in SETS)


def test_trusted_fields_choose_the_label_set_nearest_to_them(data, tmp_path):
    made = prepare(find_set("t98g phase"), data, tmp_path / "made")
    ids = made.ids("training")
    truth = made.label_map("truth", ids[0])
    for name, label_map in (("near", np.roll(truth, 1, 0)), ("far", np.roll(truth, 5, 0))):
        for case_id in made.ids():
            write_label_map(made.label_path(name, case_id), label_map)
    assert choose_labels(keep_only(made, ["far", "near", "truth"]), ids) == "near"


def keep_only(dataset, kept):
    """Keep some label sets only."""
    for name in set(dataset.label_names()) - set(kept):
        shutil.rmtree(dataset.label_path(name, "x").parent)
    return dataset


def test_a_line_without_an_arm_is_a_plain_run_and_arms_stand_in_the_row_of_their_gold():
    perfect, half = [[[10, 0], [0, 10]]] * 3, [[[8, 2], [2, 8]]] * 3
    plain = run_of("truth", perfect, half) | {"gold": 2}
    assert real.Run.of(plain) == real.Run("s", "truth", 2, 1, "plain")
    tuned = plain | {"arm": "fine-tuned", "student": perfect}
    lines = list(write_page(tabulate(collect([plain, tuned]))))
    assert "| s | 2 fields | 0.667 [0.667, 0.667] | 1.000, **+0.333 [+0.333, +0.333]** |  |" in lines


def test_an_arm_is_compared_with_the_same_gold_alone_of_its_own_seeds():
    perfect, half = [[[10, 0], [0, 10]]] * 3, [[[8, 2], [2, 8]]] * 3
    plain = [run_of("truth", perfect, student, seed) | {"gold": 2} for seed, student in enumerate([half, perfect])]
    tuned = plain[1] | {"arm": "fine-tuned"}
    alone, arm = collect([*plain, tuned])
    assert alone.alone is None
    assert arm.alone.tolist() == perfect
    assert [row["gain"] for row in tabulate([alone, arm])] == ["", "0.0000"]


def run_of(labels, teacher, student, seed=1, agreement=((8, 2), (2, 8))):
    return {"set": "s", "labels": labels, "gold": 0, "seed": seed, "steps": 1, "fields": 3, "groups": ["a", "b", "c"],
            "seconds": 1, "teacher": teacher, "student": student, "agreement": [agreement]}  # fmt: skip


def test_seeds_are_added_up_and_the_gain_is_the_difference_of_pooled_scores():
    teacher = [[[8, 2], [2, 8]]] * 3
    students = [[[[9, 1], [1, 9]]] * 3, [[[10, 0], [0, 10]]] * 3]
    (one,) = collect([run_of("otsu", teacher, student, seed) for seed, student in enumerate(students)])
    assert one.seeds == (0, 1)
    assert one.student.tolist() == [[[19, 1], [1, 19]]] * 3
    gain = compare(one.teacher, one.student)
    assert gain.estimate == pytest.approx(19 / 21 - 8 / 12)
    assert gain.low == pytest.approx(gain.estimate)  # all groups are equal
    (row,) = tabulate([one])
    assert (row["teacher"], row["inconsistency"], row["seeds"]) == ("0.6667", f"{1 - 8 / 12:.4f}", "2")


def test_the_words_count_what_the_table_holds():
    good, bad, even = [[[9, 1], [1, 9]]] * 3, [[[6, 4], [4, 6]]] * 3, [[[8, 2], [2, 8]]] * 3
    agreements = (((5, 5), (5, 5)), ((8, 2), (2, 8)), ((9, 1), (1, 9)), ((10, 0), (0, 10)))
    pairs = [(bad, good), (even, good), (even, even), (good, even)]
    rows = tabulate(collect([
        run_of(f"t{place}", *pair, agreement=agreements[place]) for place, pair in enumerate(pairs)
    ]))  # fmt: skip
    first, second = describe(rows)
    assert first == (
        "Of 4 pairs of set and teacher CDL is above its teacher, its interval without 0, in 2 from 1 sets, and below "
        "it in 1."
    )
    assert "of inconsistency and gain 1.00 [1.00, 1.00]" in second


def test_touching_objects_are_counted_as_pieces_and_split(tmp_path, capsys):
    rows, columns = np.mgrid[:40, :76]
    truth = np.select([(rows - 20) ** 2 + (columns - at) ** 2 <= 81 for at in (20, 36, 52)], [1, 2, 3])
    folder = tmp_path / "usiigaci_t98g_phase"
    write_image(folder / "images" / "set1.png", np.full((1, 40, 76), 9, np.uint8))
    write_label_map(folder / "truth" / "set1.png", truth.astype(np.uint8))
    (folder / "index.csv").write_text("id,group,authors_split\nset1,,train\n")
    real_instances.main([str(tmp_path), "--sets", "t98g phase"])
    *_, pieces, split = capsys.readouterr().out.splitlines()
    about = "| t98g phase | the truth's foreground | 1 | 3 |"
    assert pieces == f"{about} pieces | 1 | 0.000 | 0.000 | 0.000 |"
    assert split.startswith(f"{about} split | 3 | 0.9")


def test_networks_of_both_ways_are_scored_by_the_pages_command(data, capsys):
    (line,) = set(re.findall(r"python -m benchmarks\.real_instances (.+ --train .+) --steps \d+$", PAGE, re.MULTILINE))
    words = shlex.split(line.replace("../shared/data", str(data)).replace("dsb nuclei", "t98g phase"))
    try:
        real_instances.main([*words, "--steps", "1"])
    finally:
        logging.disable(logging.NOTSET)
    rows = [row.split(" | ") for row in capsys.readouterr().out.splitlines()[2:]]
    assert [(row[1], row[4]) for row in rows] == [
        (f"{way}, seed 1", counted) for way in ("plain", "instances") for counted in ("pieces", "split")
    ]
    assert {(row[2], row[3]) for row in rows} == {("1", "1")}  # a test field with its one square
    assert all(0 <= float(score.strip("| ")) <= 1 for row in rows for score in row[6:])


def test_an_independent_simulation_is_described_beside_ours(tmp_path, monkeypatch, capsys):
    (line,) = re.findall(r"`python -m benchmarks\.(simulation_likeness) ", PAGE)
    image = np.full((2, 64, 80), 100, np.uint16)
    image[0] = 300  # pHluorin comes first there
    truth = np.zeros((64, 80), np.uint8)
    truth[10:16, 10:16], truth[30:40, 40:50] = 1, 4
    write_image(tmp_path / "images" / "a.tif", image)
    write_label_map(tmp_path / "truth" / "a.png", truth)
    monkeypatch.setattr("sys.argv", [line, str(tmp_path)])
    simulation_likeness.main()
    table = dict(row.strip("| ").split(" | ", 1) for row in capsys.readouterr().out.splitlines()[2:])
    theirs = {name: float(values.split(" | ")[1]) for name, values in table.items()}
    assert theirs["cytosol, pHluorin / DsRed"] == 3
    assert (theirs["phagophore, events in the plane"], theirs["phagophore, median area (px)"]) == (1, 36)
    assert theirs["autolysosome, truth (share of pixels)"] == pytest.approx(100 / (64 * 80), rel=1e-3)
    assert theirs["phagophore, missed by the CIP (rate)"] == 1  # a flat image holds nothing to find


def test_objects_of_a_truth_keep_their_numbers(data, tmp_path):
    one = find_set("t98g phase")
    numbered = write_numbered(one, data, tmp_path / "made")
    fields = {field.id: field for field in list_fields(one, data)}
    assert set(numbered.ids()) == set(fields)
    for case_id, field in fields.items():
        truth = read_mask(field.truth).values
        assert np.array_equal(numbered.instance_map("truth", case_id), truth)
        assert np.array_equal(numbered.label_map("truth", case_id), truth > 0)
