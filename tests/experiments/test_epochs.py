"""Peaks and ends of curves by epoch, on curves drawn by hand."""

import pandas as pd
import pytest

from noisylabels.experiments.epochs import draw_epochs, epoch_section, find_peaks


def curve(run_id, scores, *, noise="the CIP", dose=1.0, method="gdl"):
    """One run: its score on validation fields by epoch, None where it was not validated."""
    return [
        {
            "id": run_id,
            "noise": noise,
            "dose": dose,
            "method": method,
            "n_train": None,
            "epoch": epoch,
            "train_mean_iou": 0.1 * epoch,
            "val_mean_iou": score,
        }
        for epoch, score in enumerate(scores, 1)
    ]


def test_the_peak_is_that_of_the_mean_over_seeds():
    """Means 0.3, 0.7, 0.5: the peak is in epoch 2, though the second seed has its own in epoch 3."""
    table = pd.DataFrame(curve("a", [0.2, 0.8, 0.3]) + curve("b", [0.4, 0.6, 0.7]))
    (row,) = find_peaks(table).to_dict("records")
    assert (row["noise"], row["dose"], row["method"], row["epoch"]) == ("the CIP", 1.0, "gdl", 2)
    assert [row[name] for name in ("peak", "end", "change")] == pytest.approx([0.7, 0.5, -0.2])
    assert [row["least"], row["largest"]] == pytest.approx([-0.5, 0.1])


def test_a_rising_curve_has_its_peak_at_its_end():
    (row,) = find_peaks(pd.DataFrame(curve("a", [0.2, 0.4, 0.6]))).to_dict("records")
    assert (row["epoch"], row["change"]) == (3, 0)


def test_an_arm_that_was_validated_once_has_no_peak():
    table = pd.DataFrame(curve("a", [None, None, 0.6]))
    assert find_peaks(table).empty
    section = epoch_section(table)
    assert section is not None
    assert [type(item).__name__ for item in section.items] == ["Figure"]


def test_runs_that_were_never_validated_have_no_section():
    assert epoch_section(pd.DataFrame()) is None
    assert epoch_section(pd.DataFrame(curve("a", [0.5])).drop(columns="val_mean_iou")) is None


def test_each_noise_is_drawn_at_its_own_largest_dose():
    """A rate of 0.5 and an outline of 2 pixels: one dose for all would leave a panel out."""
    table = pd.DataFrame(
        curve("a", [0.5, 0.6], noise="random", dose=0.5) + curve("b", [0.5, 0.4], noise="shrunk", dose=2)
    )
    svg = draw_epochs(table).svg.decode()
    assert "random, dose 0.5" in svg
    assert "shrunk, dose 2" in svg
