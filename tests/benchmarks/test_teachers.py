"""The tables of teachers and students, from drawn rows, and one training followed on a tiny screen."""

import argparse
from dataclasses import astuple

import numpy as np

from benchmarks import teacher_curves, teacher_pairs, teachers
from benchmarks.score_rows import append
from noisylabels.experiments.pairs import Pair, read_pairs


def make_row(labels, teacher, student, agreement, *, screen="s1", gold=0):
    row = dict.fromkeys(teachers.COLUMNS, "0.0")
    row |= {"screen": screen, "kind": "simulated", "labels": labels, "gold": str(gold), "seed": "0"}
    return row | {"teacher": f"{teacher}", "student": f"{student}", "agreement": f"{agreement}", "refereed": "0.05"}


ROWS = [
    make_row("cip-1", 0.4, 0.5, 0.5),
    make_row("cip-3", 0.5, 0.6, 0.6),
    make_row("cip-5", 0.6, 0.65, 0.8),
    make_row("cip-7", 0.7, 0.7, 0.75),
    make_row("consensus", 0.65, 0.7, 0.78),
    make_row("truth", 1.0, 0.75, 0.75, gold=2),
]


def write(path, rows):
    for row in rows:
        append(path, row, tuple(row))
    return path


def test_a_screen_is_summed_up_by_its_published_pipeline():
    (gains,) = teachers.describe_screen("s1", ROWS)
    assert gains == (
        "- s1: relative to the CIP as published (0.500), the student of cip-3 is +20% after 0.0 steps, the student of "
        "consensus\n  is +40% after 0.0 steps."
    )
    assert list(teachers.describe_screen("s1", ROWS[:1])) == []  # nothing to compare with


def test_pairs_are_collected_from_both_kinds_truth_left_out_and_the_first_of_equals_kept(tmp_path):
    first = write(tmp_path / "a.csv", ROWS[:1])
    second = write(tmp_path / "b.csv", [make_row("cip-1", 0.4, 0.9, 0.1), *ROWS[4:]])
    real = make_row("otsu", 0.5, 0.7, 0.75, screen="cells") | {"kind": "real", "refereed": "nan"}
    rows = [first, second, write(tmp_path / "c.csv", [real])]
    teacher_pairs.collect_pairs(argparse.Namespace(rows=rows, out=tmp_path / "pairs.csv"))
    pairs = read_pairs(tmp_path / "pairs.csv")
    assert [astuple(pair)[:-1] for pair in pairs] == [
        ("cells", "real", "otsu", 0.25, 0.5, 0.7),
        ("s1", "simulated", "cip-1", 0.5, 0.4, 0.5),
        ("s1", "simulated", "consensus", 0.22, 0.65, 0.7),
    ]
    assert np.isnan(pairs[0].refereed)
    assert pairs[1].refereed == 0.05


def test_a_family_is_chosen_from_by_agreement_beside_the_truth():
    assert list(teachers.write_families(ROWS))[2:] == [
        "| s1 | 4 | cip-5 0.600 | cip-3 0.500 | cip-7 0.700 | cip-1 0.400 |"
    ]
    assert len(list(teachers.write_families([]))) == 2


def test_a_curve_tells_where_each_rule_stops_and_what_it_has_there():
    numbers = [(0.2, 0.9, 0.3), (0.5, 0.3, 0.6), (0.7, 0.1, 0.5), (0.8, 0.9, 0.4)]
    about = {"screen": "s1", "labels": "cip", "recipe": "crops", "seed": "0"}
    rows = [
        about | {"steps": str(10 * k), "fit": f"{fit}", "changes": f"{changes}", "truth": f"{truth}"}
        for k, (fit, changes, truth) in enumerate(numbers, 1)
    ]
    assert list(teacher_curves.write_curves(rows))[2:] == [
        "| s1 | cip | crops | 0.600 (20) | 0.400 (40) | 0.400 (40) | 0.400 (40) |"
    ]
    rows[3]["changes"] = "2.0"  # the mean of three looks rises at the last
    assert list(teacher_curves.write_curves(rows))[2:] == [
        "| s1 | cip | crops | 0.600 (20) | 0.400 (40) | 0.500 (30) | 0.400 (40) |"
    ]


def test_the_page_keeps_its_words_and_gets_the_tables_anew(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{teachers.BEGIN}\nold\n{teachers.END}\nafter\n")
    rows = write(tmp_path / "a.csv", ROWS)
    options = argparse.Namespace(rows=[rows], family=rows, pairs=None, curves=None, page=page)
    for _ in range(2):
        teachers.tabulate(options)
        text = page.read_text()
        assert text.startswith(f"before\n{teachers.BEGIN}\n| screen | labels |")
        assert text.endswith(f"| cip-7 0.700 | cip-1 0.400 |\n{teachers.END}\nafter\n")
        assert "old" not in text
    assert "| s1 | truth, 2 quarters of one plate | 0.0 |  | 0.75 [0.0, 0.0] |  |  |" in text


def test_ranks_are_told_by_kind_where_there_are_enough_pairs():
    pairs = [Pair(f"s{k}", "simulated", "cip", k / 10, 0.5 - k / 20, 0.5) for k in range(5)]
    lines = list(teacher_pairs.write_ranks([*pairs, Pair("r", "real", "otsu", 0.5, 0.2, 0.9)]))
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| 5 simulated", "| 6 all"]
    assert lines[2].split(" | ")[2].startswith("1.00 [")


def test_a_set_is_foreseen_by_the_line_through_the_others():
    sign = {"a": 0.0, "b": 0.1, "c": 0.2, "d": 0.3}
    pairs = [Pair(name, "real", "otsu", 0.5, 0.5, 0.5 + 2 * x, refereed=x) for name, x in sign.items()]
    odd = Pair("e", "real", "otsu", 0.5, 0.5, 0.9, refereed=0.1)  # 0.4, where the others' line says 0.2
    lines = list(teacher_pairs.write_left_out([*pairs, odd, Pair("votes", "real", "voters", 0.5, 0.5, 0.5)]))
    assert lines[-1] == "| e | 1 | +0.400 to +0.400 | +0.200 to +0.200 | 0.200 | 0 of 1 |"
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| a", "| b", "| c", "| d", "| e"]
    assert len(list(teacher_pairs.write_left_out(pairs[:3]))) == 2  # two sets foresee nothing
