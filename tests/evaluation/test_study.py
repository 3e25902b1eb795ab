import numpy as np
import pytest

from evaluation.folders import Evaluation, read_evaluation, write_evaluation
from evaluation.metrics.count_files import read_counts
from evaluation.study import evaluate_methods, fuse
from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from tests.evaluation.datasets import EMPTY, SHIFTED, TRUTH, make_dataset


def study_of(folder, labels, methods, references, **options):
    return evaluate_methods(open_dataset(make_dataset(folder, labels)), methods, references=references, **options)


def test_every_event_has_one_fate(tmp_path):
    study = study_of(tmp_path, {"truth": [EMPTY, TRUTH], "cip": [EMPTY, SHIFTED]}, ["cip"], ["truth"])
    events = study.events
    truth = events["side"] == "reference"
    # half of a phagophore is enough to be found; one autolysosome is called phagophore
    assert sorted(events["fate"][truth]) == ["found", "found", "found", "misclassified"]
    assert set(events["fate"][~truth]) == {"found"}
    assert len(events) == 8


def test_fields_keep_their_plate_well_and_group(tmp_path):
    table = study_of(tmp_path, {"truth": [TRUTH], "cip": [SHIFTED]}, ["cip"], ["truth"]).table
    found = {name: table.keys[name].tolist() for name in ("field", "cluster", "well", "plate", "method", "reference")}
    assert found == {
        "field": ["P1_B02_f1"],
        "cluster": ["P1_B02_f1"],
        "well": ["B02"],
        "plate": ["P1"],
        "method": ["CIP"],
        "reference": ["truth"],
    }


def test_equal_label_sets_have_equal_hashes_and_others_not(tmp_path):
    labels = {"truth": [TRUTH], "cip": [SHIFTED], "copy": [TRUTH]}
    hashes = study_of(tmp_path, labels, ["cip", "copy"], ["truth"]).hashes
    assert hashes["truth"] == hashes["copy"] != hashes["cip"]


def test_maps_of_another_size_are_left_out(tmp_path):
    wide = np.zeros((6, 9), np.uint8)
    study = study_of(tmp_path, {"truth": [TRUTH, TRUTH], "cip": [SHIFTED, wide]}, ["cip"], ["truth"])
    assert len(study.table) == 1
    assert study.skipped == {
        "cip/P1_B03_f1": "cip of P1_B03_f1 must have the size of its image, (6, 8), got (6, 9). "
        "Pair it with its own image."
    }


def test_nothing_countable_is_refused_with_the_first_fault(tmp_path):
    with pytest.raises(InputError, match=r"^At least one field must be countable, got none. The first fault: .*B02"):
        study_of(tmp_path, {"truth": [TRUTH, None], "cip": [None, TRUTH]}, ["cip"], ["truth"], split="test")


def test_experts_are_counted_against_each_other_and_methods_against_the_consensus(tmp_path):
    labels = {"a": [TRUTH], "b": [SHIFTED], "c": [TRUTH], "cip": [SHIFTED]}
    table = study_of(tmp_path, labels, ["cip"], ["a", "b", "c"], consensus="majority").table
    pairs = set(zip(table.keys["reference"].tolist(), table.keys["method"].tolist(), strict=True))
    experts = {(one, other) for one in "abc" for other in "abc" if one != other}
    assert pairs == experts | {(one, "CIP") for one in (*"abc", "consensus")}
    against = table.select(reference="consensus", method="CIP").confusion
    np.testing.assert_array_equal(against, table.select(reference="a", method="CIP").confusion)  # two of three


def test_staple_and_majority_agree_where_experts_do():
    maps = [TRUTH, TRUTH, TRUTH]
    np.testing.assert_array_equal(fuse(maps, by="staple"), TRUTH)
    np.testing.assert_array_equal(fuse(maps, by="majority"), TRUTH)


def test_an_evaluation_survives_its_folder(tmp_path):
    study = study_of(tmp_path / "data", {"truth": [EMPTY, TRUTH], "cip": [EMPTY, SHIFTED]}, ["cip"], ["truth"])
    evaluation = Evaluation(study, "data", ("cip",), ("truth",), None, "test", 100, 7)
    write_evaluation(evaluation, tmp_path / "out")
    again = read_evaluation(tmp_path / "out")
    assert (again.methods, again.references, again.seed, again.study.hashes) == (("cip",), ("truth",), 7, study.hashes)
    np.testing.assert_array_equal(again.study.table.confusion, study.table.confusion)
    np.testing.assert_array_equal(read_counts(tmp_path / "out").errors, study.table.errors)
    for name in study.events:
        np.testing.assert_array_equal(again.study.events[name], study.events[name])
