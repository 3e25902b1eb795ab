"""Tables that are written line by line: what is there is not measured again."""

import pytest

from benchmarks.score_rows import complete, read

COLUMNS = ("screen", "seed", "score")


def test_a_second_call_measures_only_what_has_no_row(tmp_path):
    table, measured = tmp_path / "a.csv", []

    def measure(screen, seed):
        measured.append((screen, seed))
        return [seed / 4]

    complete(table, COLUMNS, [("s1", 0)], measure)
    complete(table, COLUMNS, [("s1", 0), ("s1", 1), ("s2", 0)], measure)
    assert measured == [("s1", 0), ("s1", 1), ("s2", 0)]
    assert [tuple(row.values()) for row in read(table)] == [
        ("s1", "0", "0.0000"),
        ("s1", "1", "0.2500"),
        ("s2", "0", "0.0000"),
    ]


def test_nothing_to_measure_writes_nothing(tmp_path):
    complete(tmp_path / "a.csv", COLUMNS, [], lambda: [0.0])
    assert not (tmp_path / "a.csv").exists()


def test_what_was_measured_before_a_fault_stays(tmp_path):
    with pytest.raises(ZeroDivisionError):
        complete(tmp_path / "a.csv", COLUMNS, [("s1", 1), ("s1", 0)], lambda _, seed: [1 / seed])
    assert [row["seed"] for row in read(tmp_path / "a.csv")] == ["1"]
