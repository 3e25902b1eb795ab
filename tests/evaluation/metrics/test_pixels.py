import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from evaluation.metrics.pixels import count_pixels, mean_defined, normalise_confusion, score_all, score_classes
from noisylabels.data.errors import InputError
from tests.cases import draw

ENGINES = pytest.mark.parametrize("fast", [False, True], ids=["numpy", "numba"])
SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=40)


def pairs_of_maps(n_classes):
    maps = SHAPES.flatmap(lambda shape: arrays(np.uint8, (2, *shape), elements=st.integers(0, n_classes - 1)))
    return maps.map(tuple)


def count_by_looking(reference, prediction, n_classes):
    counts = np.zeros((n_classes, n_classes), int)
    for row, column in np.ndindex(reference.shape):
        counts[reference[row, column], prediction[row, column]] += 1
    return counts


@ENGINES
@pytest.mark.parametrize(
    ("reference", "prediction", "counts"),
    [
        ("....", "....", [[4, 0, 0], [0, 0, 0], [0, 0, 0]]),
        ("....", "..12", [[2, 1, 1], [0, 0, 0], [0, 0, 0]]),
        ("1122 / 11..", "1.22 / 12..", [[2, 0, 0], [1, 2, 1], [0, 0, 2]]),
    ],
    ids=["empty", "only predicted", "all kinds"],
)
def test_pixels_are_counted_as_by_eye(reference, prediction, counts, fast):
    found = count_pixels(draw(reference), draw(prediction), n_classes=3, fast=fast)
    np.testing.assert_array_equal(found, counts)
    assert found.dtype == np.int64


@settings(max_examples=60, deadline=None)
@given(maps=st.integers(2, 12).flatmap(lambda n: st.tuples(st.just(n), pairs_of_maps(n))))
def test_both_engines_count_what_a_slow_look_at_each_pixel_counts(maps):
    n_classes, (reference, prediction) = maps
    slow = count_by_looking(reference, prediction, n_classes)
    for fast in (False, True):
        np.testing.assert_array_equal(count_pixels(reference, prediction, n_classes=n_classes, fast=fast), slow)


@ENGINES
def test_views_that_are_not_contiguous_are_counted_alike(fast):
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 3, (2, 50, 70), np.uint8)
    counts = count_pixels(maps[0, ::2, ::-1], maps[1, ::2, ::-1], n_classes=3, fast=fast)
    np.testing.assert_array_equal(counts, count_by_looking(maps[0, ::2], maps[1, ::2], 3))


@ENGINES
@pytest.mark.parametrize("ignore_index", [255, 2], ids=["outside the table", "a class of the table"])
def test_ignored_pixels_are_not_counted(ignore_index, fast):
    reference = np.array([[0, 1, ignore_index, ignore_index]], np.uint8)
    prediction = np.array([[0, 2, 1, 2]], np.uint8)
    counts = count_pixels(reference, prediction, n_classes=3, ignore_index=ignore_index, fast=fast)
    np.testing.assert_array_equal(counts, [[1, 0, 0], [0, 0, 1], [0, 0, 0]])


def test_scikit_learn_gives_the_same_scores():
    from sklearn.metrics import confusion_matrix, jaccard_score, precision_recall_fscore_support

    rng = np.random.default_rng(1)
    reference, prediction = rng.integers(0, 4, (2, 30, 40), np.uint8)
    counts = count_pixels(reference, prediction, n_classes=4)
    np.testing.assert_array_equal(counts, confusion_matrix(reference.ravel(), prediction.ravel()))
    scores = score_classes(counts)
    precision, recall, dice, _ = precision_recall_fscore_support(reference.ravel(), prediction.ravel())
    for name, theirs in {"precision": precision, "accuracy": recall, "dice": dice}.items():
        np.testing.assert_allclose(scores[name], theirs, rtol=1e-12)
    ious = jaccard_score(reference.ravel(), prediction.ravel(), average=None)
    np.testing.assert_allclose(scores["iou"], ious, rtol=1e-12)
    weighted = jaccard_score(reference.ravel(), prediction.ravel(), average="weighted")
    assert score_all(counts)["WeightedIoU"] == pytest.approx(weighted)
    backward = confusion_matrix(3 - reference.ravel() == 3, 3 - prediction.ravel() == 3)
    assert scores["specificity"][0] == pytest.approx(backward[0, 0] / backward[0].sum())


def test_an_all_background_model_scores_as_a_matlab_user_saw():
    # MATLAB R2026a on triangleImages, 100 images of 32 x 32 (facts: public course "IPCV_Lab", chapter 20).
    scores = score_all([[97670, 0], [4730, 0]])
    seen = {"GlobalAccuracy": 0.9538, "MeanAccuracy": 0.5, "MeanIoU": 0.4769, "WeightedIoU": 0.9098}
    assert {name: round(float(scores[name]), 4) for name in seen} == seen
    classes = score_classes([[97670, 0], [4730, 0]])
    np.testing.assert_allclose(classes["accuracy"], [1, 0])
    np.testing.assert_allclose(classes["iou"], [0.9538, 0], atol=5e-5)


def test_mathworks_triangle_example_is_reproduced():
    scores = score_all([[4730, 0], [9601, 88069]])
    seen = {"GlobalAccuracy": 0.90624, "MeanAccuracy": 0.95085, "MeanIoU": 0.61588, "WeightedIoU": 0.87529}
    assert {name: round(float(scores[name]), 5) for name in seen} == seen
    np.testing.assert_allclose(score_classes([[4730, 0], [9601, 88069]])["iou"], [0.33005, 0.9017], atol=5e-6)


def test_means_over_classes_are_the_published_ones_of_uavid():
    # Public eight-class MATLAB table: MeanAccuracy .79527, MeanIoU .54119 are plain means of the class columns.
    accuracy = [0.65485, 0.94011, 0.82693, 0.75424, 0.8534, 0.65107, 0.83858, 0.84296]
    iou = [0.56601, 0.90466, 0.66057, 0.36839, 0.7856, 0.50528, 0.044986, 0.49405]
    assert round(float(mean_defined(accuracy)), 5) == 0.79527
    assert round(float(mean_defined(iou)), 5) == 0.54119


@given(maps=pairs_of_maps(4))
@settings(max_examples=30, deadline=None)
def test_laws_of_confusion_matrices(maps):
    reference, prediction = maps
    counts = count_pixels(reference, prediction, n_classes=4)
    np.testing.assert_array_equal(counts.sum(1), np.bincount(reference.ravel(), minlength=4))
    np.testing.assert_array_equal(counts.sum(0), np.bincount(prediction.ravel(), minlength=4))
    np.testing.assert_array_equal(count_pixels(prediction, reference, n_classes=4), counts.T)
    order = np.array([2, 0, 3, 1], np.uint8)
    renamed = count_pixels(order[reference], order[prediction], n_classes=4)
    np.testing.assert_array_equal(renamed[np.ix_(order, order)], counts)
    scores = score_classes(counts)
    np.testing.assert_allclose(scores["dice"], 2 * scores["iou"] / (1 + scores["iou"]))


def test_a_class_that_never_occurs_is_skipped_or_counted_as_zero():
    counts = [[8, 0, 0], [0, 2, 0], [0, 0, 0]]
    assert np.isnan(score_classes(counts)["iou"][2])
    assert score_all(counts)["MeanIoU"] == 1
    assert score_all(counts, absent="zero")["MeanIoU"] == pytest.approx(2 / 3)


def test_no_pixels_give_undefined_scores_without_a_warning():
    assert all(np.isnan(value) for value in score_all(np.zeros((3, 3))).values())


def test_fields_and_resamples_are_scored_at_once():
    stack = np.random.default_rng(0).integers(0, 50, (5, 2, 3, 3))
    together = score_all(stack)["MeanIoU"]
    assert together.shape == (5, 2)
    assert together[3, 1] == score_all(stack[3, 1])["MeanIoU"]


@pytest.mark.parametrize(("by", "axis"), [("row", 1), ("column", 0), ("all", (0, 1))])
def test_shares_sum_to_one(by, axis):
    shares = normalise_confusion([[3, 1], [2, 4]], by=by)
    np.testing.assert_allclose(shares.sum(axis), 1)


def test_maps_of_different_shape_are_refused():
    message = (
        "Reference and prediction must have one shape, got (2, 2) and (2, 3). "
        "Pair each prediction with its own reference."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        count_pixels(np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8), n_classes=2)
