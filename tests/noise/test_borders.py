"""Borders compared with the half-maximum of discs whose radius is known, and moved back."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.events import label_events
from noisylabels.noise.borders import BorderOffset, measure_offsets, shift_borders
from tests.datasets import write_fields
from tests.noise.fields import crowded_field
from tests.running import run_command

RADIUS = 7


def discs(*, labelled, blur=1.0, noise=3.0, n=(3, 4), step=48):
    """Blurred discs of radius 7 in a grid, class 1 in channel 0, class 2 in channel 1; labels of another radius."""
    rows, columns = np.indices((step, step)) - step // 2
    distance = np.hypot(rows, columns)
    classes = np.arange(n[0] * n[1]).reshape(n) % 2 + 1
    true = np.kron(classes, distance <= RADIUS)
    label_map = np.kron(classes, distance <= labelled).astype(np.uint8)
    image = 200 + np.stack([150 * ndi.gaussian_filter((true == index).astype(float), blur) for index in (1, 2)])
    return label_map, image + np.random.default_rng(0).normal(0, noise, image.shape)


def test_nothing_is_measured_where_there_is_no_event_or_only_noise():
    image = np.random.default_rng(0).normal(100, 5, (2, 60, 60))
    assert measure_offsets(np.zeros((60, 60), np.uint8), image) == {}
    alone = np.zeros((60, 60), np.uint8)
    alone[25:35, 25:35] = 1
    assert measure_offsets(alone, image) == {}
    assert BorderOffset.of(np.zeros(0)).n_events == 0


@pytest.mark.parametrize("swelling", [-2, 0, 2, 3])
def test_a_swelling_is_measured_in_pixels(swelling):
    found = measure_offsets(*discs(labelled=RADIUS + swelling))
    assert {index: len(offsets) for index, offsets in found.items()} == {1: 6, 2: 6}
    for offsets in found.values():
        assert np.median(offsets) == pytest.approx(swelling, abs=0.5)


def test_events_near_another_an_ignored_pixel_or_the_edge_are_left_out():
    label_map, image = discs(labelled=RADIUS, n=(1, 2))
    assert sum(map(len, measure_offsets(label_map, image).values())) == 2
    for value, place in ((1, (24, 37)), (255, (24, 37))):
        near = label_map.copy()
        near[place] = value
        assert len(measure_offsets(near, image).get(1, [])) == 0
    assert measure_offsets(label_map[12:], image[:, 12:]) == {}  # 5 px to the edge


def test_an_image_of_another_size_is_refused():
    sentence = r"^An image must be \(channel, \*\(9, 9\)\) as its label map, got \(2, 9, 8\)\. Pair them by field\.$"
    with pytest.raises(InputError, match=sentence):
        measure_offsets(np.zeros((9, 9), np.uint8), np.zeros((2, 9, 8)))


@pytest.mark.parametrize("swelling", [-2, 2])
def test_moved_back_by_what_was_measured_borders_lie_at_the_half_maximum(swelling):
    label_map, image = discs(labelled=RADIUS + swelling)
    offsets = {index: float(np.median(values)) for index, values in measure_offsets(label_map, image).items()}
    moved = shift_borders(label_map, {index: -offset for index, offset in offsets.items()})
    true = discs(labelled=RADIUS)[0]
    before, after = ((one != true).sum() for one in (label_map, moved))
    assert after < before / 3


@pytest.mark.parametrize("shift", [-9.0, -1.0, 1.0, 4.0])
def test_events_keep_their_number_class_and_the_ignored_pixels(shift):
    label_map, _ = crowded_field(1)
    label_map[:5] = 255
    moved = shift_borders(label_map, {1: shift, 2: shift})
    clean, after = (np.where(one == 255, 0, one).astype(np.uint8) for one in (label_map, moved))
    (before_ids, before), (ids, classes) = label_events(clean), label_events(after)
    assert np.array_equal(moved == 255, label_map == 255)
    if shift > 0:
        assert np.array_equal(np.bincount(before), np.bincount(classes))
        assert np.array_equal(after[clean > 0], clean[clean > 0])
    else:
        assert set(np.unique(before_ids[ids > 0])) == set(range(1, len(before) + 1))
        assert ((after == clean) | (after == 0)).all()


def test_a_class_without_shift_stays_and_a_ring_lies_around_moved_borders_only():
    label_map, _ = discs(labelled=RADIUS, n=(1, 2))
    moved = shift_borders(label_map, {1: 1.0}, ring_px=1.0)
    assert np.array_equal(moved[:, 48:], label_map[:, 48:])
    row = moved[24, :48]
    expected = np.zeros(48, np.uint8)
    expected[15:34] = 255  # the border of a disc of radius 8 at column 24, a pixel to each side
    expected[17:32] = 1
    assert row.tolist() == expected.tolist()


@pytest.fixture
def folder(tmp_path):
    label_map, image = discs(labelled=RADIUS + 2)
    labels = {"cip": [np.where(label_map == 2, 0, label_map)]}
    return write_fields(tmp_path, labels, ids=["a"], images=[image.astype(np.uint16)], label_name="cip").folder


def run(folder, *words):
    return run_command("borders", folder, *words)


def test_the_command_measures_and_moves_back(folder, capsys):
    assert run(folder, "--name", "moved") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("phagophore: borders lie 2.")
    assert " px outside the half-maximum (median of 6 isolated events, quartiles +" in lines[0]
    assert lines[1:] == [
        "autolysosome: no isolated event stands out enough to measure its border",
        f"{folder}/labels/moved: 1 label maps with moved borders",
    ]
    dataset = open_dataset(folder)
    assert (dataset.label_map("moved", "a") > 0).sum() < (dataset.label_map("cip", "a") > 0).sum()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--ring", "1"], "--ring must come with --name, got 1.0 alone. Name the label set to write: --name moved."),
        (["--name", "cip"], "--name must be a new label set, got 'cip', which {folder} has. Choose another name."),
        (
            ["--labels", "mine"],
            "A label set of {folder} must be one of: cip; got 'mine'. Make it first or name another.",
        ),
    ],
)
def test_what_cannot_be_measured_is_told_in_one_sentence(folder, capsys, words, sentence):
    before = (folder / "labels/cip/a.tif").read_bytes()
    assert run(folder, *words) == 2
    assert capsys.readouterr().err == f"noisylabels: {sentence.format(folder=folder)}\n"
    assert (folder / "labels/cip/a.tif").read_bytes() == before
