"""Bins of brightness and size, and forward correction that reads them."""

import numpy as np
import pytest
import torch

from noisylabels.data.errors import InputError
from noisylabels.learning import launcher
from noisylabels.learning.checkpoints import load
from noisylabels.learning.robust.appearance import (
    AppearanceBins,
    AppendBinsd,
    DropBinsd,
    brightness_of,
    count_by_appearance,
    normalised,
)
from tests.bundles.small_screen import write_screen


def with_discs(discs, size=(60, 90)):
    """An image of one channel with a disc of (row, column, radius, brightness) each, and their mask."""
    rows, columns = np.indices(size)
    image, mask = np.zeros((1, *size), np.float32), np.zeros(size, np.uint8)
    for row, column, radius, brightness in discs:
        inside = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
        image[0][inside], mask[inside] = brightness, 1
    return image, mask


def test_an_empty_image_lies_in_one_bin():
    bins = AppearanceBins([0.5, 2.0], [1.5, 4.0])
    assert bins.n_bins == 6
    assert np.unique(bins(normalised(np.full((2, 20, 30), 7, np.uint16)))).tolist() == [0]


@pytest.mark.parametrize(("radius", "size"), [(2, 0), (7, 1)])
def test_a_disc_is_as_large_as_the_scale_that_answers_most(radius, size):
    # sigma = radius / sqrt 2: 1.4 and 4.9, nearest to 1.5 and 4
    image, _ = with_discs([(30, 45, radius, 10)])
    assert AppearanceBins([], [1.5, 4.0])(image)[30, 45] == size


def test_brightness_counts_the_edges_below_it_and_does_not_fade_at_the_rim():
    image, mask = with_discs([(30, 20, 6, 5), (30, 60, 6, 9)])
    bright = AppearanceBins([1.0, 7.0], [1.5])(image)
    assert set(bright[(mask > 0) & (np.indices(mask.shape)[1] < 40)]) == {1}
    assert set(bright[(mask > 0) & (np.indices(mask.shape)[1] > 40)]) == {2}
    assert bright[0, 0] == 0


def test_the_brighter_channel_counts():
    image, _ = with_discs([(30, 20, 6, 5)])
    assert np.array_equal(brightness_of(np.concatenate([image, image * 2])), brightness_of(image * 2))


@pytest.mark.parametrize(("edges", "sigmas"), [([2.0, 1.0], [1.5]), ([1.0], [4.0, 1.5]), ([1.0], []), ([1.0], [0.0])])
def test_edges_and_sigmas_must_rise(edges, sigmas):
    with pytest.raises(InputError, match=r"^edges and sigmas must rise, sigmas above 0, got .*\. Sort them\.$"):
        AppearanceBins(edges, sigmas)


def test_what_is_missed_is_counted_bin_by_bin():
    image, truth = with_discs([(15, 20, 5, 5), (15, 60, 5, 30), (45, 20, 5, 5), (45, 60, 5, 30)])
    noisy = truth.copy()
    noisy[:, :40] = 0  # the dim ones are missed
    counted = count_by_appearance([(image, truth, noisy)], n_classes=2, n_brightness=2, sigmas=[4.0])
    dim, bright = counted["transitions"]
    assert dim[1][0] == pytest.approx(1, abs=0.01)  # but for the one pixel of smoothing
    assert bright[1] == [0, 1]
    assert dim[0] == bright[0] == [1, 0]
    assert counted["sigmas"] == [4.0]


@pytest.mark.parametrize("n_fields", [0, 1])
def test_trusted_fields_without_events_are_refused(n_fields):
    empty = np.zeros((6, 6), np.uint8)
    with pytest.raises(InputError, match=f"^The trusted fields must have events to count by, got none in {n_fields}"):
        count_by_appearance([(np.zeros((1, 6, 6)), empty, empty)] * n_fields, n_classes=2)


def test_there_must_be_a_table_per_bin():
    with pytest.raises(InputError, match=r"^transitions must have a table per bin, .* = 4, got 8\."):
        AppendBinsd("label", edges=[1.0], sigmas=[1.5, 4.0], n_bins=8)


def test_bins_ride_behind_the_label_and_are_taken_off_a_batch():
    image, mask = with_discs([(30, 20, 6, 5)])
    field = {"image": torch.as_tensor(image), "label": torch.as_tensor(mask[None]).float()}
    with_bins = AppendBinsd("label", edges=[1.0], sigmas=[1.5], n_bins=2)(field)["label"]
    assert with_bins.shape == (2, 60, 90)
    assert torch.equal(with_bins[:1], field["label"])
    assert with_bins[1].unique().tolist() == [0, 1]
    assert torch.equal(DropBinsd("label")({"label": with_bins[None]})["label"][0], field["label"])


def test_the_same_table_in_every_bin_is_plain_forward_correction(tmp_path):
    screen = write_screen(tmp_path / "screen")
    table = [[1.0, 0.0, 0.0], [0.6, 0.4, 0.0], [0.3, 0.0, 0.7]]
    settings = {
        "dataset_dir": str(screen),
        "num_epochs": 1,
        "network_def::channels": [4, 8],
        "network_def::strides": [1],
    }
    own = {"robust_forward": {"transitions": table}, "robust_appearance": {"transitions": [table, table]}}
    for preset, tables in own.items():
        launcher.run(
            launcher.plan_training("cdl", (preset,), {**settings, **tables, "output_dir": str(tmp_path / preset)})
        )
    one, other = (load(tmp_path / preset / "last.pt") for preset in own)
    assert all(torch.equal(one["network"][key], other["network"][key]) for key in one["network"])
    metrics = [(tmp_path / preset / "metrics.json").read_text() for preset in own]
    assert metrics[0] == metrics[1]
