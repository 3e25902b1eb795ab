import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from evaluation.experts.consensus import staple, vote
from noisylabels.data.errors import InputError
from tests.cases import draw

EXPERTS = Path(__file__).parents[4] / "shared" / "data" / "multirater_cfos" / "labels"


def drawn_by_raters(n_raters=4, n_classes=3, seed=0, shape=(40, 50)):
    """A truth, and raters who err more and more."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.repeat(rng.integers(0, n_classes, (shape[0] // 5, shape[1] // 5)), 5, 0), 5, 1).astype(
        np.uint8
    )
    maps = []
    for rater in range(n_raters):
        wrong = rng.random(truth.shape) < 0.05 + 0.08 * rater
        maps.append(np.where(wrong, rng.integers(0, n_classes, truth.shape), truth).astype(np.uint8))
    return truth, maps


def test_empty_maps_agree_on_the_background():
    maps = [np.zeros((3, 4), np.uint8)] * 3
    assert not vote(maps).any()
    assert not staple(maps).label_map.any()


def test_votes_are_counted_by_eye():
    maps = [draw("0122 / 11.."), draw("0112 / 12.."), draw("1122 / 10..")]
    np.testing.assert_array_equal(vote(maps), draw("0122 / 10.."))  # 1, 2, 0: no winner is background
    np.testing.assert_array_equal(vote(maps, undecided=2), draw("0122 / 12.."))


def test_a_vote_equals_counting_each_pixel():
    _, maps = drawn_by_raters(5, 4)
    expected = np.zeros_like(maps[0])
    for place in itertools.product(*map(range, expected.shape)):
        votes = np.bincount([one[place] for one in maps], minlength=4)
        expected[place] = votes.argmax() if (votes == votes.max()).sum() == 1 else 0
    np.testing.assert_array_equal(vote(maps), expected)


def test_staple_of_patterns_equals_staple_of_pixels():
    _, maps = drawn_by_raters(3, 3, shape=(10, 15))
    result = staple(maps, tolerance=1e-9)
    stack = np.stack(maps).reshape(3, -1)
    prior = np.array([(stack == index).mean() for index in range(3)])
    confusion = np.full((3, 3, 3), (1 - 0.99999) / 2)
    confusion[:, np.arange(3), np.arange(3)] = 0.99999
    for _ in range(result.n_iterations):
        weights = prior[:, None] * np.prod([confusion[rater][:, stack[rater]] for rater in range(3)], axis=0)
        weights /= weights.sum(0)
        for rater, said in itertools.product(range(3), range(3)):
            confusion[rater, :, said] = weights[:, stack[rater] == said].sum(1) / weights.sum(1)
    np.testing.assert_allclose(result.confusion, confusion, atol=1e-9)


def test_staple_knows_the_better_rater_and_beats_the_majority():
    truth, maps = drawn_by_raters(4, 3)
    result = staple(maps)
    assert (np.diff(result.sensitivity.mean(1)) < 0).all()
    assert (result.label_map == truth).mean() > (vote(maps) == truth).mean() > 0.9
    np.testing.assert_allclose(result.probabilities.sum(0), 1)


def test_two_class_staple_equals_simpleitks():
    sitk = pytest.importorskip("SimpleITK")
    _, maps = drawn_by_raters(4, 2)
    assert_like_simpleitk(sitk, maps)


@pytest.mark.shared_data
@pytest.mark.parametrize("field", ["lab-wue1_0001", "lab-inns1_1108", "lab-wue2_1669"])
def test_real_experts_fuse_as_simpleitk_fuses_them(field):
    sitk = pytest.importorskip("SimpleITK")
    if not EXPERTS.is_dir():
        pytest.skip("left out: STAPLE of real experts (multirater_cfos is not beside the checkout)")
    from noisylabels.data.images import read_label_map

    paths = sorted(EXPERTS.glob(f"expert_*/{field}.png"))
    assert len(paths) >= 3
    maps = [(read_label_map(path) > 0).astype(np.uint8) for path in paths]
    result = assert_like_simpleitk(sitk, maps)
    authors = read_label_map(EXPERTS / "est_GT" / f"{field}.png") > 0
    fused = result.label_map > 0
    assert (fused & authors).sum() / (fused | authors).sum() > 0.8  # the authors fused whole objects, not pixels


def assert_like_simpleitk(sitk, maps):
    result = staple(maps, n_classes=2)
    other = sitk.STAPLEImageFilter()
    other.SetForegroundValue(1)
    probability = sitk.GetArrayFromImage(other.Execute([sitk.GetImageFromArray(one) for one in maps]))
    np.testing.assert_allclose(result.probabilities[1], probability, atol=1e-6)
    np.testing.assert_allclose(result.sensitivity[:, 1], other.GetSensitivity(), atol=1e-6)
    np.testing.assert_allclose(result.sensitivity[:, 0], other.GetSpecificity(), atol=1e-6)
    return result


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vote([]), "Label maps of experts must be at least one and of one size, got []. Pair them by field."),
        (
            lambda: staple([np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8)]),
            "Label maps of experts must be at least one and of one size, got [(2, 2), (2, 3)]. Pair them by field.",
        ),
        (
            lambda: staple([np.zeros((2, 2), np.uint8)], prior=np.array([1.0])),
            "prior must be one probability per class, got [1.0] for 2 classes. Give 2 numbers.",
        ),
        (
            lambda: staple([np.zeros((1, 1), np.uint8)] * 30),
            "STAPLE must have at most 16777216 patterns (classes ** raters), got 1073741824. Take fewer raters.",
        ),
    ],
    ids=["no map", "two sizes", "short prior", "too many raters"],
)
def test_bad_maps_get_one_sentence(call, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        call()
