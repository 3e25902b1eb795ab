"""What a network can gain over its labels: drawn confusions, a line through known pairs, and the command itself."""

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from evaluation.statistics.intervals import Interval
from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_label_map
from noisylabels.experiments.confusions import confuse, mean_iou
from noisylabels.experiments.expectations import describe, expect, find_next_step
from noisylabels.experiments.foresight import Student, judge, require_training, train_student
from noisylabels.experiments.pairs import (
    Pair,
    describe_gain,
    expect_gain,
    rank_with_bootstrap,
    read_known_pairs,
    read_pairs,
    write_pairs,
)
from tests.bundles.small_screen import write_screen
from tests.running import run_command


def test_a_score_of_nothing_is_nan_and_absent_classes_do_not_count():
    assert np.isnan(mean_iou(np.zeros((3, 3))))
    assert mean_iou(np.array([[6, 2, 0], [0, 2, 0], [0, 0, 0]])) == pytest.approx((6 / 8 + 2 / 4) / 2)


def test_pixels_that_either_map_ignores_do_not_count(tmp_path):
    dataset = open_dataset(write_screen(tmp_path / "s"))
    maps = {"a": np.array([[0, 1, 255, 2]], np.uint8), "b": np.array([[0, 2, 1, 255]], np.uint8)}
    counts = confuse(dataset, lambda _: maps["a"], lambda _: maps["b"], split="test")
    assert counts.tolist() == [[[1, 0, 0], [0, 0, 1], [0, 0, 0]]] * 2


@pytest.mark.parametrize("case_id", ["f6", "f8"])
def test_a_trusted_field_that_is_held_out_is_refused(tmp_path, case_id):
    dataset = open_dataset(write_screen(tmp_path / "s"))
    split = "validation" if case_id == "f6" else "test"
    sentence = (
        rf"^Trusted fields must be training fields, got {case_id} of the {split} fields\. Choose another field\.$"
    )
    with pytest.raises(InputError, match=sentence):
        require_training(dataset, ["f0", case_id])
    with pytest.raises(InputError, match=sentence):
        train_student(dataset, "cip", tmp_path / "out", training_ids=["f0", case_id])
    assert not (tmp_path / "out").exists()


def make_pairs(gains, n_sets=5):
    return [Pair(f"s{k % n_sets}", "simulated", f"t{k}", k / 20, 0.5, 0.5 + gain) for k, gain in enumerate(gains)]


def test_the_expected_gain_is_the_line_and_its_interval_the_errors_of_sets_left_out():
    rng = np.random.default_rng(0)
    pairs = make_pairs(np.arange(15) / 40 + rng.normal(0, 0.03, 15))
    found = expect_gain(0.3, pairs)
    x, y = [pair.inconsistency for pair in pairs], [pair.gain for pair in pairs]
    assert found.expected == pytest.approx(np.polyval(np.polyfit(x, y, 1), 0.3))
    errors = []
    for name in {pair.set for pair in pairs}:
        others = [pair for pair in pairs if pair.set != name]
        line = np.polyfit([pair.inconsistency for pair in others], [pair.gain for pair in others], 1)
        errors += [pair.gain - np.polyval(line, pair.inconsistency) for pair in pairs if pair.set == name]
    assert [found.low, found.high] == pytest.approx(found.expected + np.quantile(errors, [0.1, 0.9]))
    assert not found.outside
    assert expect_gain(0.9, pairs).outside


def test_too_few_sets_foresee_nothing():
    assert expect_gain(0.3, []) is None
    assert expect_gain(0.3, make_pairs([0.1] * 8, n_sets=2)) is None
    assert describe_gain(None) == "expected gain over the labels: unknown, too few sets whose truth is known"


def test_ranks_are_spearmans_and_a_chooser_that_fails_shows():
    pairs = make_pairs([0.0, 0.1, 0.05, 0.2, 0.3, 0.25])
    found = rank_with_bootstrap(pairs, n_draws=100)
    assert found["gain"][0] == pytest.approx(1 - 6 * 4 / (6 * 35))
    assert found["gain"][1] <= found["gain"][0] <= found["gain"][2]
    assert np.isnan(found["choice"]).all()  # every teacher has the same score
    assert np.isnan(found["refereed"]).all()  # none was judged
    judged = [replace(pair, refereed=-pair.gain) for pair in pairs[:5]] + pairs[5:]
    assert rank_with_bootstrap(judged, n_draws=100)["refereed"][0] == pytest.approx(-1)
    with pytest.raises(InputError, match=r"^A rank correlation must rest on at least four pairs, got 3\. Run more"):
        rank_with_bootstrap(pairs[:3])


def test_pairs_survive_their_file_and_a_torn_one_is_told(tmp_path):
    pairs = [replace(pair, refereed=0.25) for pair in make_pairs([0.0, 0.125])]
    write_pairs(tmp_path / "p.csv", pairs)
    assert read_pairs(tmp_path / "p.csv") == pairs
    (tmp_path / "p.csv").write_text("set,kind\na,real\n")
    sentence = (
        f"Rows of {tmp_path / 'p.csv'} must have set, kind, teacher, inconsistency, teacher_iou, student_iou, "
        "refereed, got another row in line 2. Make the table anew."
    )
    with pytest.raises(InputError) as fault:
        read_pairs(tmp_path / "p.csv")
    assert str(fault.value) == sentence


def test_the_pairs_that_come_with_the_program_are_scores_and_judged_but_for_the_votes():
    pairs = read_known_pairs()
    assert {pair.kind for pair in pairs} == {"real", "simulated"}
    for pair in pairs:
        assert all(0 <= value <= 1 for value in (pair.inconsistency, pair.teacher_iou, pair.student_iou))
        assert np.isnan(pair.refereed) == (pair.teacher in ("voters", "consensus"))
        assert not abs(pair.refereed) > 1


def test_a_gain_is_expected_from_the_referee_where_it_judged_and_else_from_real_labels_inconsistency():
    real = [replace(pair, kind="real") for pair in make_pairs(np.arange(15) / 40)]
    simulated = [replace(pair, refereed=pair.gain / 2) for pair in make_pairs([0.1, 0.2, 0.4])]
    judged, alone = expect(
        [student_of("one", 0.7), student_of("other", 0.7)],
        [*real, *simulated],
        refereed={"one": Interval(0.15, 0.1, 0.2, 0.95, 9)},
    )
    assert judged.gain == expect_gain(0.15, simulated, by="refereed")
    assert judged.gain.n_pairs == 3
    assert judged.gain.expected == pytest.approx(0.3)
    assert alone.gain == expect_gain(1 - 0.7, real)
    lines = describe([judged, alone], ["thing"]).splitlines()
    assert lines[1] == "  gain as the referee sees it 0.150 [0.100, 0.200]"
    assert lines[3].startswith("other: held-out agreement 0.700 [0.700, 0.700] (thing 0.900)")
    assert not any("--referee" in line for line in lines)
    assert describe([alone], ["thing"]).endswith("name the votes as --referee.")


def test_a_referee_that_is_the_truth_sees_the_true_gain(tmp_path):
    dataset = open_dataset(write_screen(tmp_path / "s"))
    wrong, right = np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8)
    right[2:4] = 1  # 16 of 64 pixels
    wrong[2] = 1  # half of them: IoU 8 / 16 of the class, 48 / 56 of the background
    for case_id in dataset.ids("test"):
        write_label_map(dataset.label_path("wrong", case_id), wrong)
        write_label_map(tmp_path / "referee" / f"{case_id}.tif", right)
    student, referee = (replace(student_of(name, 0.5), folder=tmp_path / "referee") for name in ("wrong", "votes"))
    assert judge(dataset, student, referee, split="test").estimate == pytest.approx(1 - (8 / 16 + 48 / 56) / 2)


def student_of(name, agreement):
    return Student(name, Interval(agreement, agreement, agreement, 0.95, 9), np.array([0.9]), Path(name))


def test_the_next_step_follows_from_the_gain_of_the_least_consistent_labels():
    pairs = make_pairs(np.arange(15) / 40 - 0.1)  # a line: no gain below an inconsistency of 0.2
    pairs = [replace(pair, kind="real") for pair in pairs]
    both = expect([student_of("calm", 0.95), student_of("wild", 0.5)], pairs)
    train = "  noisylabels train cdl --dataset_dir s --label_name wild --output_dir runs/cdl"
    assert find_next_step(both, "s").splitlines() == [
        "Next: train a network on wild, for a gain over it is expected.",
        train,
    ]
    told = find_next_step(both[:1], "s")
    assert told.startswith("Next: correct fields by hand: calm is consistent, so a network learns its errors too")
    assert told.endswith("  noisylabels annotate create s.desk s --start calm")
    assert "cannot be told from the labels alone" in find_next_step(
        expect([one.student for one in both], pairs[:2]), "s"
    )


def foresee(folder, *words):
    return run_command("foresee", folder, "--out", folder / "students", *words)


def test_the_command_holds_a_student_against_its_teacher_and_goes_on(tmp_path, capsys):
    screen = write_screen(tmp_path / "s")
    dataset = open_dataset(screen)
    for case_id in dataset.ids():
        doubtful = dataset.label_map("cip", case_id).copy()
        doubtful[:9] = 255
        write_label_map(dataset.label_path("doubtful", case_id), doubtful)
    words = ("--labels", "doubtful", "--steps", "2")
    assert foresee(screen, *words) == 0
    first = [line for line in capsys.readouterr().out.splitlines() if line.startswith("doubtful")]
    read = partial(dataset.label_map, "doubtful", ignore_index=255)
    student = train_student(dataset, "doubtful", screen / "students" / "doubtful", steps=2)
    agreement = mean_iou(confuse(dataset, read, lambda case_id: read_student(student, case_id), split="test").sum(0))
    assert first[0].startswith(f"doubtful: held-out agreement {agreement:.3f} no interval: fewer than three wells (")
    assert foresee(screen, *words) == 0
    assert first == [line for line in capsys.readouterr().out.splitlines() if line.startswith("doubtful")]


def test_the_command_lets_the_student_of_the_votes_judge(tmp_path, capsys):
    screen = write_screen(tmp_path / "s")
    dataset = open_dataset(screen)
    for case_id in dataset.ids():
        write_label_map(dataset.label_path("votes", case_id), dataset.label_map("cip", case_id)[:, ::-1].copy())
    assert foresee(screen, "--referee", "votes", "--steps", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    student, referee = (train_student(dataset, name, screen / "students" / name, steps=2) for name in ("cip", "votes"))
    seen = judge(dataset, student, referee, split="test").estimate
    place = next(k for k, line in enumerate(lines) if line.startswith("cip: held-out agreement"))
    assert lines[place + 1] == f"  gain as the referee sees it {seen:.3f} no interval: fewer than three wells"
    assert not any(line.startswith("votes:") for line in lines)


def read_student(student, case_id):
    from noisylabels.data.images import read_label_map

    return read_label_map(student.folder / f"{case_id}.tif")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--referee", "cip"],
            "--referee must judge other labels than its own, got cip for both. Name other --labels.",
        ),
        (["--labels", ","], "--labels must name at least one label set, got none. Write for instance --labels cip."),
        (
            ["--labels", "cip,other"],
            "A label set of {folder} must be one of: cip; got 'other'. Make it first or name another.",
        ),
    ],
)
def test_what_cannot_be_foreseen_is_told_in_one_sentence(tmp_path, capsys, words, sentence):
    screen = write_screen(tmp_path / "s")
    assert foresee(screen, *words) == 2
    assert capsys.readouterr().err == f"noisylabels: {sentence.format(folder=screen)}\n"
    assert not (screen / "students").exists()


def test_an_empty_split_is_told(tmp_path, capsys):
    screen = write_screen(tmp_path / "s", splits=("training",) * 4 + ("validation",) * 2)
    assert foresee(screen) == 2
    sentence = "--split must be held out, validation or test, got 'test' with 0 fields. Name another split."
    assert capsys.readouterr().err == f"noisylabels: {sentence}\n"


def test_the_columns_of_the_shipped_table_are_those_of_a_pair():
    from importlib.resources import files

    with files("noisylabels.experiments").joinpath("pairs.csv").open(newline="") as file:
        assert csv.DictReader(file).fieldnames == list(Pair.__dataclass_fields__)
