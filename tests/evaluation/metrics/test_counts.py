import re
from dataclasses import replace

import numpy as np
import pytest

from evaluation.metrics.count_files import read_counts, tabulate_counts, write_counts
from evaluation.metrics.counts import KEYS, STACKS, CountTable, FieldCounts, FieldKey, entry_dtype, entry_shapes
from evaluation.metrics.settings import EvaluationSettings
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA


def some_counts(rng):
    shapes = entry_shapes(3)
    return FieldCounts(**{name: rng.integers(0, 99, shapes[name]).astype(entry_dtype(name)) for name in STACKS})


def some_table(methods=("CIP", "CDL"), n_fields=3):
    rng = np.random.default_rng(0)
    entries = [(FieldKey(f"f{i}", method, well="B07"), some_counts(rng)) for method in methods for i in range(n_fields)]
    return CountTable.stack(entries, classes=ROSELLA, settings=EvaluationSettings(tolerance=0.01, ignore_index=2))


@pytest.mark.parametrize("only_csv", [False, True], ids=["parquet", "csv"])
@pytest.mark.parametrize("table", [CountTable.empty(ROSELLA), some_table()], ids=["no entry", "six entries"])
def test_a_table_is_read_back_as_it_was_written(tmp_path, table, only_csv):
    write_counts(table, tmp_path)
    if only_csv:
        (tmp_path / "counts.parquet").unlink()
    again = read_counts(tmp_path)
    assert again.classes == table.classes
    assert again.settings == table.settings
    for name in STACKS:
        np.testing.assert_array_equal(getattr(again, name), getattr(table, name), strict=True)
    for name in KEYS:
        assert again.keys[name].tolist() == table.keys[name].tolist()


def test_the_tidy_form_has_one_row_per_entry_and_class():
    frame = tabulate_counts(some_table())
    assert len(frame) == 6 * 3
    assert not frame.duplicated(["method", "field", "class_name"]).any()
    row = frame[(frame.method == "CDL") & (frame.field == "f1") & (frame.class_name == "autolysosome")].iloc[0]
    assert [row.pixels_as_0, row.pixels_as_1, row.pixels_as_2] == some_table().confusion[4, 2].tolist()


def test_a_field_is_its_own_cluster_unless_told():
    table = CountTable.stack(
        [
            (FieldKey("f1", "CIP"), some_counts(np.random.default_rng(0))),
            (FieldKey("f2", "CIP", cluster="B07"), some_counts(np.random.default_rng(0))),
        ],
        classes=ROSELLA,
    )
    assert table.keys["cluster"].tolist() == ["f1", "B07"]


def test_paired_tables_have_the_shared_fields_in_the_same_order():
    table = some_table().select(np.array([5, 3, 2, 0, 1]))
    cip, cdl = table.paired(["CIP", "CDL"])
    assert cip.keys["field"].tolist() == cdl.keys["field"].tolist() == ["f0", "f2"]
    np.testing.assert_array_equal(cdl.confusion, some_table().confusion[[3, 5]])


def test_methods_without_a_shared_field_are_refused():
    table = some_table().select(np.array([0, 4]))
    message = "Methods must share a field, got none for CIP, CDL. Evaluate them on the same fields."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        table.paired(["CIP", "CDL"])


def test_the_same_field_twice_is_refused():
    entry = (FieldKey("f1", "CIP"), some_counts(np.random.default_rng(0)))
    message = (
        "Each field must be counted once per reference and method, got field 'f1' (plate '') twice for "
        "'reference' and 'CIP'. Give fields different names."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        CountTable.stack([entry, entry], classes=ROSELLA)


def test_a_table_that_lacks_a_class_is_refused(tmp_path):
    write_counts(some_table(), tmp_path)
    (tmp_path / "counts.parquet").unlink()
    lines = (tmp_path / "counts.csv").read_text().splitlines()
    (tmp_path / "counts.csv").write_text("\n".join(lines[:-1]))
    message = (
        "Each entry of a count table must have each class (background, phagophore, autolysosome) once. "
        "Write the table anew."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_counts(tmp_path)


def test_an_empty_folder_is_told_apart_from_an_empty_table(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^No counts\.parquet or counts\.csv in .*Evaluate into that folder"):
        read_counts(tmp_path)


@pytest.mark.parametrize(
    ("setting", "value", "rule"),
    [
        ("found_iou", 0.12, "a multiple of 0.05 from 0.05 to 0.95"),
        ("tolerance", -1, "at least 0"),
        ("overlap", "boxes", "'box' or 'mask'"),
        ("complete", 0, "in (0, 1]"),
        ("covered", 1, "in [0, 1)"),
    ],
)
def test_a_setting_outside_its_range_is_refused(setting, value, rule):
    message = f"{setting} must be {rule}, got {value!r}. Change the setting."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        replace(EvaluationSettings(), **{setting: value})


@pytest.mark.parametrize(("shape", "tolerance"), [((240, 320), 3), ((480, 640), 6), ((960, 1280), 12)])
def test_the_tolerance_of_whole_diagonals_is_exact(shape, tolerance):
    assert EvaluationSettings().tolerance_of(shape) == tolerance
