"""Label sets that vote: drawn cases, and STAPLE and Dawid-Skene against a slow version pixel by pixel."""

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.images import read_image, write_label_map
from noisylabels.noise.fusing import Vote, confirm_events, fuse_dataset, fuse_maps
from tests.cases import draw
from tests.datasets import write_fields
from tests.running import run_command

MAPS = {
    "a": [[0, 1, 1, 2, 0]],
    "b": [[0, 1, 2, 2, 0]],
    "c": [[0, 0, 0, 2, 1]],
}


def make_dataset(folder):
    return write_fields(folder, {name: [label_map] * 2 for name, label_map in MAPS.items()}, groups=["w0", "w1"])


@pytest.mark.parametrize(
    ("vote", "expected"),
    [
        (Vote(), [0, 1, 0, 2, 0]),
        (Vote(undecided="ignore"), [0, 1, 255, 2, 0]),
        (Vote("unanimity"), [0, 0, 0, 2, 0]),
        (Vote("unanimity", undecided="ignore"), [0, 255, 255, 2, 255]),
        (Vote("at-least", 2), [0, 1, 0, 2, 0]),
    ],
)
def test_votes_decide_each_pixel(vote, expected):
    fused = fuse_maps([np.array(one, np.uint8) for one in MAPS.values()], vote, n_classes=3)
    assert fused.tolist() == [expected]


def test_ignored_pixels_do_not_vote():
    maps = [np.array([[255, 255]]), np.array([[1, 255]]), np.array([[1, 1]])]
    assert fuse_maps(maps, Vote(), n_classes=2).tolist() == [[1, 0]]


def slow_em(maps, n_classes, *, learn_prior):
    """Every pixel by itself, in loops, as the papers write it."""
    raters = np.stack([np.ravel(one) for one in maps])
    prior = np.array([(raters == index).mean() for index in range(n_classes)])
    theta = np.full((len(raters), n_classes, n_classes), 0.00001 / (n_classes - 1))
    for index in range(n_classes):
        theta[:, index, index] = 0.99999
    for _ in range(200):
        weights = np.empty((raters.shape[1], n_classes))
        for pixel in range(raters.shape[1]):
            weights[pixel] = prior
            for rater in range(len(raters)):
                weights[pixel] *= theta[rater, :, raters[rater, pixel]]
            weights[pixel] /= weights[pixel].sum()
        for rater in range(len(raters)):
            for said in range(n_classes):
                theta[rater, :, said] = weights[raters[rater] == said].sum(0) / weights.sum(0)
        prior = weights.mean(0) if learn_prior else prior
    return weights.argmax(1)


@pytest.mark.parametrize("rule", ["staple", "dawid-skene"])
def test_estimated_performance_is_pooled_over_the_fields_of_a_dataset(tmp_path, rule):
    rng = np.random.default_rng(3)
    truth = rng.choice(3, (2, 12, 15), p=[0.5, 0.3, 0.2])
    dataset = make_dataset(tmp_path)
    raters = {}
    for name, error in (("good", 0.1), ("fair", 0.3), ("poor", 0.6)):
        wrong = rng.random(truth.shape) < error
        raters[name] = np.where(wrong, rng.integers(0, 3, truth.shape), truth)
        for field in (0, 1):
            write_label_map(dataset.label_path(name, f"f{field}"), raters[name][field].astype(np.uint8))
    assert fuse_dataset(dataset, list(raters), Vote(rule), name="fused") == []
    fused = np.stack([dataset.label_map("fused", f"f{field}") for field in (0, 1)])
    expected = slow_em(list(raters.values()), 3, learn_prior=rule == "dawid-skene")
    assert fused.ravel().tolist() == expected.tolist()
    assert (fused == truth).mean() > (raters["fair"] == truth).mean()


def test_the_command_writes_label_maps_and_votes(tmp_path, capsys):
    make_dataset(tmp_path)
    assert run_command("fuse", tmp_path, "a", "b", "c", "--undecided", "ignore", "--save-votes") == 0
    assert capsys.readouterr().out == f"{tmp_path}/labels/consensus: 2 label maps of 3 votes\n"
    votes = read_image(tmp_path / "votes" / "consensus" / "f1.ome.tif")
    assert votes[:, 0].tolist() == [[3, 1, 1, 0, 2], [0, 2, 1, 0, 1], [0, 0, 1, 3, 0]]


def test_a_field_that_one_label_set_lacks_is_left_out_and_named(tmp_path, capsys):
    dataset = make_dataset(tmp_path)
    dataset.label_path("b", "f1").unlink()
    assert run_command("fuse", tmp_path, "a", "b") == 3
    assert capsys.readouterr().err == "noisylabels: left out, a label set lacks them: f1\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a"], "There must be at least two different label sets to fuse, got a. Name more."),
        (["a", "a"], "There must be at least two different label sets to fuse, got a, a. Name more."),
        (
            ["a", "b", "--name", "c"],
            "--name must be a new label set, got 'c', which {folder} has. Choose another name.",
        ),
        (
            ["a", "b", "c", "--rule", "at-least", "--votes", "1"],
            "--votes must be from 2 to 3 for 3 label sets, got 1. Correct it.",
        ),
        (
            ["a", "b", "--votes", "2"],
            "--votes must come with the rule at-least and no other, got 2 with majority. Write --rule at-least "
            "--votes 6.",
        ),
    ],
)
def test_what_cannot_be_fused_is_told_in_one_sentence(tmp_path, capsys, words, sentence):
    make_dataset(tmp_path)
    assert run_command("fuse", tmp_path, *words) == 2
    assert capsys.readouterr().err == f"noisylabels: {sentence.format(folder=tmp_path)}\n"
    assert not (tmp_path / "labels" / "consensus").exists()


def test_maps_of_different_sizes_are_refused():
    sentence = r"^Label maps of one field must have one size, got \(1, 2\) and \(2, 2\)\. Pair them by field\.$"
    with pytest.raises(InputError, match=sentence):
        fuse_maps([np.zeros((2, 2), int), np.zeros((1, 2), int)], Vote(), n_classes=2)


def test_a_second_voter_confirms_events_by_most_of_their_pixels():
    first = draw("111.. / ..... / 22.11 / .....")
    second = draw("11... / ....2 / 2..22 / .....")  # 2 of 3 pixels; one alone; 1 of 2 pixels; another class
    ignore, background = (confirm_events([first, second], undecided=one) for one in ("ignore", "background"))
    assert ignore.tolist() == [
        [1, 1, 1, 0, 0],
        [0, 0, 0, 0, 255],
        [255, 255, 0, 255, 255],
        [0, 0, 0, 0, 0],
    ]
    assert np.array_equal(background, np.where(ignore == 255, 0, ignore))
    assert np.array_equal(fuse_maps([first, second], Vote("events", undecided="ignore"), n_classes=3), ignore)


def test_a_voter_that_sees_nothing_confirms_nothing_and_what_is_ignored_stays_so():
    empty, first = draw("..../...."), draw("11../....")
    assert confirm_events([empty, empty]).tolist() == empty.tolist()
    assert confirm_events([first, empty]).tolist() == [[255, 255, 0, 0], [0, 0, 0, 0]]
    doubtful = np.array([[1, 255, 0, 0], [0, 0, 0, 0]], np.uint8)
    assert confirm_events([doubtful, first], undecided="background").tolist() == [[1, 255, 0, 0], [0, 0, 0, 0]]
    assert confirm_events([first, first]).tolist() == first.tolist()


def test_label_sets_of_different_sizes_are_refused_before_anything_is_written(tmp_path, capsys):
    dataset = make_dataset(tmp_path)
    write_label_map(dataset.label_path("b", "f1"), np.zeros((2, 5), np.uint8))
    assert run_command("fuse", tmp_path, "a", "b") == 2
    sentence = "Label maps of f1 must have one size, got (1, 5) in a and (2, 5) in b. Pair them by field."
    assert capsys.readouterr().err == f"noisylabels: {sentence}\n"
    assert not (tmp_path / "labels" / "consensus").exists()
