"""A label corrector on toys: labels that tell more than the image, and labels that tell less."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.images import write_label_map
from noisylabels.experiments.corrector import Control, correct_labels
from noisylabels.experiments.label_channels import write_pairs_view
from tests.bundles.small_screen import write_screen
from tests.datasets import write_fields
from tests.running import run_command

SPLITS = ("training",) * 4 + ("validation", "test")
SWAPPED = np.array([0, 2, 1], np.uint8)


def look_up(dataset, labels, folder):
    """Learns, pixel by pixel, which class goes with the counts of all channels: no network, but a learner."""
    seen = defaultdict(Counter)
    for case_id in dataset.ids("training"):
        pixels = dataset.image(case_id).reshape(len(dataset.channel_names), -1).T
        for pixel, value in zip(pixels.tolist(), dataset.label_map(labels, case_id).ravel().tolist(), strict=True):
            seen[tuple(pixel)][value] += 1

    def predict(case_id):
        image = dataset.image(case_id)
        flat = image.reshape(len(image), -1).T.tolist()
        values = [max(seen[tuple(pixel)] or {0: 1}, key=(seen[tuple(pixel)] or {0: 1}).get) for pixel in flat]
        return np.array(values, np.uint8).reshape(image.shape[1:])

    return predict


def make_dataset(folder, *, image_tells):
    """Six wells; weak labels have the two classes swapped; the image shows classes, or only that there is an event."""
    rng = np.random.default_rng(0)
    truth = [rng.integers(0, 3, (6, 8)).astype(np.uint8) for _ in SPLITS]
    shown = [one if image_tells else (one > 0) for one in truth]
    return write_fields(
        folder,
        {"truth": truth, "cip": [SWAPPED[one] for one in truth]},
        groups=[f"w{number}" for number in range(len(SPLITS))],
        split=SPLITS,
        images=[np.stack([100 + 50 * one] * 2).astype(np.uint16) for one in shown],
        label_name="cip",
    )


def correct(dataset, ids=("f0", "f1", "f2"), name="corrected"):
    folder = dataset.folder / "trainings"
    return correct_labels(dataset, "cip", trusted="truth", ids=ids, name=name, folder=folder, learn=look_up)


def test_labels_that_tell_what_the_image_does_not_are_corrected(tmp_path):
    dataset = make_dataset(tmp_path, image_tells=False)
    found = correct(dataset)
    assert found.corrector == 1.0
    assert found.gold_only < 0.8
    for case_id in dataset.ids():  # trusted or not, learnt or not
        assert np.array_equal(dataset.label_map("corrected", case_id), dataset.label_map("truth", case_id))


def test_a_corrector_that_is_not_above_the_trusted_fields_alone_is_refused(tmp_path):
    dataset = make_dataset(tmp_path, image_tells=True)
    with pytest.raises(InputError) as fault:
        correct(dataset)
    assert str(fault.value) == (
        "The corrector must do better on trusted fields left out than trusted fields alone and the labels as they are, "
        "got 1.000 against 1.000 and 0.333. Use the trusted fields alone."
    )
    assert not (tmp_path / "labels" / "corrected").exists()


@pytest.mark.parametrize(
    ("gold_only", "labels", "better"), [(0.5, 0.6, "labels as they are"), (0.7, 0.6, "trusted fields alone")]
)
def test_it_must_beat_both(gold_only, labels, better):
    with pytest.raises(InputError, match=rf"Use the {better}\.$"):
        Control(0.55, gold_only, labels).require_gain()
    Control(0.71, gold_only, labels).require_gain()


@pytest.mark.parametrize(
    ("ids", "name", "sentence"),
    [
        (
            ("f0", "f5"),
            "corrected",
            "Trusted fields must be training fields, got f5 of the test fields. Choose another field.",
        ),
        (
            ("f0",),
            "corrected",
            "Trusted fields must be of at least two groups (wells), got 1. Correct a field of another.",
        ),
        ((), "corrected", "Trusted fields must be of at least two groups (wells), got 0. Correct a field of another."),
        (("f0", "f1"), "cip", "--name must be a new label set, got 'cip', which {folder} has. Choose another name."),
    ],
)
def test_what_cannot_be_corrected_is_told_in_one_sentence(tmp_path, ids, name, sentence):
    dataset = make_dataset(tmp_path, image_tells=False)
    with pytest.raises(InputError) as fault:
        correct(dataset, ids, name)
    assert str(fault.value) == sentence.format(folder=tmp_path)
    assert not (tmp_path / "trainings").exists()


def test_a_view_of_pairs_shows_labels_as_channels_and_ignored_pixels_as_none(tmp_path):
    dataset = make_dataset(tmp_path, image_tells=False)
    weak = dataset.label_map("cip", "f0").copy()
    weak[0] = 255
    write_label_map(dataset.label_path("cip", "f0"), weak)
    view = write_pairs_view(dataset, tmp_path / "view", "truth", ["f0"], ["f4"], weak="cip")
    assert view.channel_names == ("DsRed", "pHluorin", "cip phagophore", "cip autolysosome")
    image = view.image("f0")
    assert np.array_equal(image[:2], dataset.image("f0"))
    assert np.array_equal(image[2:] > 0, np.stack([weak == 1, weak == 2]))
    assert (view.ids("training"), view.ids("validation"), view.ids("test")) == (["f0"], ["f0-again"], ["f4"])
    assert view.label_names() == ["truth"]
    assert [path.name for path in sorted((tmp_path / "view/labels/truth").iterdir())] == ["f0-again.tif", "f0.tif"]


def test_the_command_trains_and_holds_the_corrector_against_the_trusted_fields(tmp_path, capsys):
    screen = write_screen(tmp_path / "s", splits=("training",) * 4 + ("validation",) * 2 + ("test",))
    words = ["--fields", "f0,f2", "--trusted", "cip", "--steps", "1", "--out", str(tmp_path / "runs")]
    assert run_command("correct", screen, *words) == 2
    assert capsys.readouterr().err.endswith("and 1.000. Use the labels as they are.\n")
    assert not (screen / "labels" / "corrected").exists()
