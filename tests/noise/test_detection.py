"""Likely label errors: the pixels are cleanlab's, the events are counted by eye."""

import re
import warnings

import numpy as np
import pytest
from scipy import ndimage as ndi

from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_label_map
from noisylabels.noise.detection import (
    LabelledFields,
    assign_folds,
    find_event_issues,
    find_issues,
    find_label_issues,
    join_issues,
    predict_out_of_fold,
    score_field,
)
from noisylabels.noise.detection.pixel_model import fit_pixel_model
from noisylabels.noise.detection.study import detect_in_dataset
from tests.bundles.small_screen import write_screen
from tests.cases import draw
from tests.noise.fields import grid_of_discs


def predictions(seed, *, shape=(3, 4, 48, 64), sharp=60.0):
    """Give smooth probabilities, (field, class, row, column), and labels of which some regions are wrong."""
    rng = np.random.default_rng(seed)
    logits = sharp * ndi.gaussian_filter(rng.normal(size=shape), (0, 0, 4, 4)).astype(np.float32)
    logits[:, 0] += 0.5
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = probabilities.argmax(axis=1)
    wrong = ndi.gaussian_filter(rng.normal(size=labels.shape), (0, 3, 3)) > 0.1
    return np.where(wrong, (labels + 1) % shape[1], labels), probabilities.astype(np.float32)


def confident(label_map, *, n_classes=3, probability=0.9):
    """Give probabilities of a model that is sure of this label map."""
    hot = np.moveaxis(np.eye(n_classes)[label_map], -1, 0)
    return np.where(hot > 0, probability, (1 - probability) / (n_classes - 1))


def test_no_fields_no_flags():
    assert find_label_issues([], []).shape == (0, 0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_flags_are_those_of_cleanlab(seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanlab.segmentation.filter import find_label_issues as find_theirs

        labels, probabilities = predictions(seed, shape=(3, 2 + seed % 4, 48, 64), sharp=20.0 * (1 + seed))
        theirs = find_theirs(labels, probabilities, n_jobs=1, verbose=False)
    ours = find_label_issues(labels, probabilities)
    assert theirs.any()
    assert np.array_equal(ours, theirs)


def test_flags_are_those_of_cleanlab_where_a_class_is_absent():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanlab.segmentation.filter import find_label_issues as find_theirs

        labels, probabilities = predictions(1)
        labels[labels == 3] = 0
        theirs = find_theirs(labels, probabilities, n_jobs=1, verbose=False)
    assert np.array_equal(find_label_issues(labels, probabilities), theirs)


def test_field_scores_are_those_of_cleanlab():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanlab.segmentation.rank import get_label_quality_scores

        labels, probabilities = predictions(2)
        theirs, _ = get_label_quality_scores(labels, probabilities, verbose=False)
    ours = [score_field(*field) for field in zip(labels, probabilities, strict=True)]
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_ignored_pixels_are_never_flagged_and_count_for_nothing():
    labels, probabilities = predictions(3)
    ignored = labels.copy()
    ignored[:, :, 32:] = 255
    flags = find_label_issues(ignored, probabilities, ignore_index=255)
    alone = find_label_issues(labels[:, :, :32], probabilities[..., :32])
    assert not flags[:, :, 32:].any()
    assert np.array_equal(flags[:, :, :32], alone)
    assert score_field(ignored[0], probabilities[0], ignore_index=255) == pytest.approx(
        score_field(labels[0, :, :32], probabilities[0, ..., :32])
    )
    assert np.isnan(score_field(np.full((2, 2), 255), np.full((2, 2, 2), 0.5), ignore_index=255))


def test_ignored_pixels_are_no_event():
    truth = draw("111....222 / 111....222")
    given = truth.copy()
    given[:, :3] = 255  # somebody cannot tell here
    given[:, 7:] = 0  # missed
    flags = find_label_issues(given[None], confident(truth)[None], ignore_index=255)[0]
    rows = find_event_issues(given, confident(truth), flags, image_id="a", min_area_px=1, ignore_index=255)
    assert list(zip(rows["kind"].tolist(), rows["suggested_class_index"].tolist(), strict=True)) == [("missed", 2)]


def test_a_dataset_with_ignored_pixels_is_examined(tmp_path):
    folder = write_screen(tmp_path / "screen")
    dataset = open_dataset(folder)
    first = dataset.ids()[0]
    ignored = dataset.label_map("cip", first).copy()
    ignored[:20] = 255
    write_label_map(dataset.label_path("cip", first), ignored)
    found = detect_in_dataset(folder, tmp_path / "out", labels="cip", n_folds=2, ignore_index=255)
    assert found.n_fields == len(dataset.ids())
    rows = found.issues
    assert set(rows["class_index"].tolist()) <= {0, 1, 2}
    with pytest.raises(InputError, match="255"):
        detect_in_dataset(folder, tmp_path / "other", labels="cip", n_folds=2)


def test_labels_that_agree_with_the_model_have_no_issue():
    label_map = draw("11.. / 1122 / ..22")
    assert not find_label_issues(label_map[None], confident(label_map)[None]).any()


def test_fields_are_read_one_at_a_time():
    labels, probabilities = predictions(4)
    passes = []

    def read():
        passes.append(0)
        yield from zip(labels, probabilities, strict=True)

    found = find_issues(LabelledFields(read))
    flags = find_label_issues(labels, probabilities)
    assert len(passes) == 2
    assert [places.tolist() for places in found.flagged] == [np.flatnonzero(field).tolist() for field in flags]


def test_each_kind_of_event_issue_counted_by_eye():
    truth = draw("111....222..... / 111....222..... / ............... / 11111..222..11. / 11111..222..11.")
    given = np.zeros_like(truth)
    given[:2, :3] = 1  # right
    given[:2, 7:10] = 1  # misclassified: a 2
    given[3:, :2] = 1  # incomplete: 4 of 10 pixels
    given[3:, 12:14] = 1  # right
    given[0:2, 12:14] = 2  # spurious
    probabilities = confident(truth)
    flagged = given != truth
    rows = find_event_issues(given, probabilities, flagged, image_id="a", min_area_px=1)
    found = {
        (kind, int(labelled), int(suggested), int(row), int(column))
        for kind, labelled, suggested, row, column in zip(
            rows["kind"], rows["class_index"], rows["suggested_class_index"], rows["row_min"], rows["column_min"],
            strict=True,
        )
    }  # fmt: skip
    assert found == {
        ("misclassified", 1, 2, 0, 7),
        ("incomplete", 1, 1, 3, 0),
        ("missed", 0, 2, 3, 7),
        ("spurious", 2, 0, 0, 12),
    }
    assert (np.diff(rows["score"]) <= 0).all()
    assert rows["score"].max() == pytest.approx(0.95)
    assert len(find_event_issues(given, probabilities, flagged, image_id="a", min_area_px=50)) == 0


def test_joined_issues_are_in_order_and_empty_ones_have_all_columns():
    truth = draw("11..22 / 11..22")
    empty = find_event_issues(truth, confident(truth), np.zeros(truth.shape, bool), image_id="a")
    missed = np.zeros_like(truth)
    some = find_event_issues(missed, confident(truth), truth > 0, image_id="b")
    assert len(join_issues([])) == len(empty) == 0
    assert list(join_issues([empty, some])) == list(empty)
    assert join_issues([empty, some])["kind"].tolist() == ["missed", "missed"]


def test_folds_keep_groups_together_are_even_and_do_not_depend_on_order():
    groups = [f"g{index // 3}" for index in range(60)]
    folds = assign_folds(groups, n_folds=5, seed=1)
    assert all(len({fold for fold, own in zip(folds, groups, strict=True) if own == name}) == 1 for name in set(groups))
    assert np.bincount(folds).tolist() == [12] * 5
    assert assign_folds(groups[::-1], n_folds=5, seed=1) == folds[::-1]
    assert assign_folds(groups, n_folds=5, seed=2) != folds
    message = "n_folds must be 2 to the number of groups, 2, got 3. Use fewer folds or more fields."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        assign_folds(["a", "b", "b"], n_folds=3)


def test_no_field_is_predicted_by_a_model_that_has_seen_its_group():
    ids = [f"f{index}" for index in range(9)]
    groups = [f"g{index // 2}" for index in range(9)]
    group_of = dict(zip(ids, groups, strict=True))
    seen = dict(predict_out_of_fold(ids, groups, fit=set, predict=lambda model, _: model, n_folds=3))
    assert sorted(seen) == ids
    assert all(group_of[name] not in {group_of[other] for other in model} for name, model in seen.items())
    assert all(len(model) > 0 for model in seen.values())


def test_the_pixel_model_finds_bright_discs_and_their_classes():
    label_map = grid_of_discs(radius=5, step=24, n=(4, 4))
    rng = np.random.default_rng(0)
    image = np.stack([100.0 * (label_map == 1), 100.0 * (label_map == 2)]) + rng.normal(20, 2, (2, *label_map.shape))
    model = fit_pixel_model([(image, label_map)], n_classes=3)
    predicted = model.predict(image)
    assert predicted.shape == (3, *label_map.shape)
    assert np.abs(predicted.sum(axis=0) - 1).max() < 1e-5
    assert (predicted.argmax(axis=0) == label_map).mean() > 0.97


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        (
            np.zeros((1, 2, 2), int), np.full((1, 2, 3, 3), 0.5),
            "Probabilities must be (class, row, column) with the rows and columns of the labels, (2, 2), "
            "and at most 256 classes, got (2, 3, 3). Pair each field with its own prediction.",
        ),
        (
            np.zeros((1, 2, 2), int), np.full((1, 2, 2, 2), 3.0),
            "Probabilities of a pixel must sum to 1, got others. Apply a softmax to the network's output first.",
        ),
        (
            np.zeros((1, 2, 2), int), np.full((1, 2, 2, 2), np.nan),
            "Probabilities of a pixel must sum to 1, got others. Apply a softmax to the network's output first.",
        ),
        (
            np.full((1, 2, 2), 7), np.full((1, 2, 2, 2), 0.5),
            "Labels must be class indices 0..1, got 7..7. Map them first.",
        ),
        (
            np.zeros((2, 2, 2), int), np.full((1, 2, 2, 2), 0.5),
            "Labels and probabilities must be as many, got 2 and 1. Pair them.",
        ),
    ],
)  # fmt: skip
def test_wrong_input_is_refused_in_one_sentence(labels, probabilities, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        find_label_issues(labels, probabilities)


def find_theirs(labels, probabilities):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanlab.segmentation.filter import find_label_issues as cleanlab_finds

        return cleanlab_finds(labels, probabilities, n_jobs=1, verbose=False)


@pytest.mark.parametrize("seed", range(4))
def test_flags_are_those_of_cleanlab_where_all_pixels_tie(seed):
    labels = np.random.default_rng(seed).integers(0, 3, (2, 30, 40))
    probabilities = np.full((2, 3, 30, 40), 1 / 3)
    theirs = find_theirs(labels, probabilities)
    assert 0 < theirs.sum() < (labels != 0).sum()  # some of the equal ones only
    assert np.array_equal(find_label_issues(labels, probabilities), theirs)


@pytest.mark.parametrize("seed", range(4))
def test_flags_are_those_of_cleanlab_where_probabilities_are_coarse_and_a_class_is_never_predicted(seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, (2, 30, 40))
    steps = generator.multinomial(4, [0.6, 0.4, 0.0], labels.shape) / 4
    probabilities = np.moveaxis(steps, -1, 1)
    theirs = find_theirs(labels, probabilities)
    assert theirs.any()
    assert np.array_equal(find_label_issues(labels, probabilities), theirs)


@pytest.mark.parametrize("seed", range(4))
def test_flags_are_those_of_cleanlab_in_half_precision(seed):
    labels, probabilities = predictions(seed, shape=(2, 4, 48, 64))
    half = probabilities.astype(np.float16)
    theirs = find_theirs(labels, half)
    assert theirs.any()
    assert np.array_equal(find_label_issues(labels, half), theirs)


def test_equal_pixels_with_ignored_ones_are_flagged_as_without_them():
    labels = np.random.default_rng(0).integers(0, 3, (1, 30, 40))
    ignored = np.concatenate([labels, np.full((1, 5, 40), 255)], axis=1)
    flags = find_label_issues(ignored, np.full((1, 3, 35, 40), 1 / 3), ignore_index=255)
    assert not flags[:, 30:].any()
    assert np.array_equal(flags[:, :30], find_theirs(labels, np.full((1, 3, 30, 40), 1 / 3)))
