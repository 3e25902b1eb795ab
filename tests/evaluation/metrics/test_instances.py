"""Objects of instance maps: drawn cases, the same events where nothing touches, and StarDist's numbers by hand."""

import numpy as np
import pytest

from evaluation.metrics.counts import CountTable, FieldKey
from evaluation.metrics.detection import tabulate_panoptic, tabulate_thresholds
from evaluation.metrics.events import find_events
from evaluation.metrics.fields import examine_field
from evaluation.metrics.instances import find_instances
from evaluation.metrics.settings import EvaluationSettings
from noisylabels.data.errors import InputError
from noisylabels.data.events import label_events
from noisylabels.data.instances import split_touching
from noisylabels.data.labels import ClassTable

NUCLEI = ClassTable(("background", "nucleus"))
MASK = EvaluationSettings(overlap="mask", instances=True)


def score(reference, prediction, instances=None):
    settings = MASK if instances else EvaluationSettings(overlap="mask")
    counts, _ = examine_field(reference, prediction, classes=NUCLEI, settings=settings, instances=instances)
    return CountTable.stack([(FieldKey("f", "CDL", "truth"), counts)], classes=NUCLEI, settings=settings)


def test_an_empty_map_has_no_objects():
    assert len(find_instances(np.zeros((4, 5), np.int32), np.zeros((4, 5), np.uint8))) == 0


@pytest.mark.parametrize("seed", range(3))
def test_connected_pieces_as_instances_are_the_events(seed):
    label_map = np.random.default_rng(seed).choice(3, (25, 31), p=[0.8, 0.1, 0.1]).astype(np.uint8)
    instances, _ = label_events(label_map)
    shuffled = np.random.default_rng(seed).permutation(np.arange(1, instances.max() + 1))
    shuffled = np.concatenate([[0], 3 * shuffled])[instances].astype(np.int32)  # any order, with gaps
    for options in ({}, {"min_area_px": 3}, {"drop_border": True}):
        found, expected = find_instances(shuffled, label_map, **options), find_events(label_map, **options)
        assert np.array_equal(found.class_index, expected.class_index)
        assert np.array_equal(found.boxes, expected.boxes)
        assert np.array_equal(found.area_px, expected.area_px)
        assert np.array_equal(found.instances, expected.instances)


def test_three_touching_nuclei_are_one_blob_of_label_maps_and_three_of_instance_maps():
    rows, columns = np.mgrid[:40, :76]
    nuclei = [(rows - 20) ** 2 + (columns - at) ** 2 <= 81 for at in (20, 36, 52)]
    label_map = np.any(nuclei, axis=0).astype(np.uint8)
    truth = np.select(nuclei, [1, 2, 3]).astype(np.int32)
    split, merged = split_touching(label_map)[0], label_events(label_map)[0]
    assert score(label_map, label_map).errors[0, 1].tolist()[:2] == [1, 1]
    found = {}
    for name, one in (("split", split), ("merged", merged)):
        table = score(label_map, label_map, (truth, one))
        assert table.confusion[0, 0, 1] == table.confusion[0, 1, 0] == 0  # the pixels are the same
        found[name] = tabulate_panoptic(table).iloc[0], table.errors[0, 1].tolist()[:2]
    assert found["split"][1] == [3, 3]
    assert found["split"][0]["RQ"] == 1
    assert found["split"][0]["PQ"] > 0.9
    assert found["merged"][1] == [3, 1]
    assert found["merged"][0]["PQ"] == 0  # the blob has an IoU of a third with each


def test_the_numbers_are_those_of_stardist():
    """`stardist.matching`: TP, FP and FN at a threshold, accuracy TP / (TP + FP + FN), drawn in one row of pixels."""
    truth = np.array([[1] * 10 + [2] * 10 + [0] * 4 + [3] * 6])
    found = np.array([[1] * 9 + [0] + [0] * 4 + [2] * 6 + [4] * 4 + [3] * 3 + [0] * 3])  # IoU .9, .6, none, .5
    table = score((truth > 0).astype(np.uint8), (found > 0).astype(np.uint8), (truth, found))
    rows = tabulate_thresholds(table)
    rows = rows[(rows["mode"] == "one_to_one") & (rows["class_name"] == "nucleus")].set_index("iou")
    assert rows.loc[0.5, ["n_found", "n_reference", "n_prediction"]].tolist() == [3, 3, 4]
    expected = {0.5: 3 / 4, 0.55: 2 / 5, 0.6: 2 / 5, 0.65: 1 / 6, 0.9: 1 / 6, 0.95: 0 / 7}
    assert {iou: rows.loc[iou, "accuracy"] for iou in expected} == pytest.approx(expected)
    (row,) = tabulate_panoptic(table).query("class_name == 'nucleus'").to_dict("records")
    assert row["PQ"] == pytest.approx((0.9 + 0.6 + 0.5) / (3 + 0.5 * 1))
    assert row["mean_accuracy"] == pytest.approx((3 / 4 + 2 * 2 / 5 + 6 / 6 + 0) / 10)


def test_ignored_pixels_are_taken_off_both_sides():
    reference = np.array([[1, 1, 9, 9, 0, 1]], np.uint8)
    prediction = np.array([[1, 1, 1, 0, 0, 1]], np.uint8)
    numbers = np.array([[1, 1, 0, 0, 0, 2]]), np.array([[5, 5, 7, 0, 0, 6]])
    settings = EvaluationSettings(overlap="mask", instances=True, ignore_index=9)
    counts, _ = examine_field(reference, prediction, classes=NUCLEI, settings=settings, instances=numbers)
    assert counts.one_to_one[1, -1] == 2  # both found whole; 7 lies in what is ignored
    assert counts.detection[0, 1] == 0


def test_maps_that_do_not_fit_are_refused():
    label_map = np.array([[1, 2, 0]], np.uint8)
    with pytest.raises(InputError) as told:
        find_instances(np.array([[1, 0, 0]]), label_map, source="truth of f1")
    assert str(told.value) == (
        "The instance map of truth of f1 must cover the pixels of its label map, got another size or other pixels. "
        "Make both anew: import with object numbers, or predict with --instances."
    )
    with pytest.raises(InputError, match="must have pixels of one class, got two"):
        find_instances(np.array([[1, 1, 0]]), label_map)
