"""Scores of the study on real images, on drawn label maps."""

from itertools import chain

import numpy as np
import pytest

from noisylabels.data.labels import ClassTable
from noisylabels.experiments.real.scores import count, estimate, join_counts, pair_methods, score
from tests.datasets import write_fields

CLASSES = ClassTable(("background", "cell"))
SIZE = 24


def draw(*boxes):
    label_map = np.zeros((SIZE, SIZE), np.uint8)
    for row_min, column_min, row_max, column_max in boxes:
        label_map[row_min:row_max, column_min:column_max] = 1
    return label_map


def make_dataset(folder, label_sets, *, groups):
    """One test image per group; label sets as maps by image."""
    return write_fields(
        folder, label_sets, groups=list(groups), split="test", channel_names=("cells",), classes=CLASSES
    )


def count_one(dataset, *, reference="truth", method="made"):
    return count(pair_methods(dataset, {"it": method}, reference=reference), CLASSES)


def test_events_are_found_by_their_masks_and_not_by_their_boxes(tmp_path):
    """An L has the box of the square around it, and 7 of its 16 pixels."""
    corner = draw((4, 4, 8, 5), (7, 4, 8, 8))
    dataset = make_dataset(tmp_path, {"truth": [draw((4, 4, 8, 8))], "made": [corner]}, groups=["a"])
    assert estimate(count_one(dataset))[2:] == [0, 0]


def test_nothing_in_an_ignored_region_counts(tmp_path):
    """The same cell outside; inside one drew a cell and the other did not."""
    outside, inside = (2, 2, 6, 6), (14, 14, 18, 18)
    label_sets = {"truth": [draw(outside, inside)], "made": [draw(outside)]}
    with_it = make_dataset(tmp_path / "counts", label_sets, groups=["a"])
    assert estimate(count_one(with_it))[2] == pytest.approx(1 / 2)
    ignored = {**label_sets, "ignored": [draw((12, 12, 20, 20))]}
    without = make_dataset(tmp_path / "ignored", ignored, groups=["a"])
    table = count_one(without)
    assert estimate(table) == [1, 1, 1, 1]
    assert table.confusion.sum() == SIZE * SIZE - 8 * 8


def test_an_image_without_cells_and_without_predictions_is_right(tmp_path):
    dataset = make_dataset(tmp_path, {"truth": [draw()], "made": [draw()]}, groups=["a"])
    mean_iou, boundary, found, f1 = estimate(count_one(dataset))
    assert (mean_iou, boundary) == (1, 1)
    assert np.isnan([found, f1]).all()


def test_counts_of_seeds_add_up_and_their_groups_stay_groups(tmp_path):
    cell, other = (2, 2, 6, 6), (14, 14, 18, 18)
    tables = {}
    for seed, made in enumerate(([draw(cell, other), draw(cell)], [draw(cell, other), draw()])):
        truth = [draw(cell, other), draw(cell, other)]
        dataset = make_dataset(tmp_path / str(seed), {"truth": truth, "made": made, "none": [draw()] * 2}, groups="ab")
        pairs = [pair_methods(dataset, {name: name}, reference="truth") for name in ("none", "made")]
        tables[f"seed-{seed}"] = count(chain(*pairs), CLASSES)
    joined = join_counts(tables)
    scores = score(joined, ("none", "made"), resamples=20)
    assert scores.n_groups == 2
    found = {row[0]: row[3].estimate for row in scores.methods}
    assert found == {"none": 0, "made": pytest.approx((2 + 1 + 2 + 0) / 8)}
    ((method, baseline, *_, p),) = scores.differences
    assert (method, baseline) == ("made", "none")
    # Two groups have four swaps, and the observed one and its mirror are the most extreme: never below 1/2.
    assert p == pytest.approx(1 / 2)
