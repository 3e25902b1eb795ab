import re

import numpy as np
import pytest

from evaluation.screens.drift import measure_drift
from evaluation.screens.quality import flag_low, measure_focus, share_saturated
from evaluation.screens.screens import disagree, survey_screen
from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from tests.evaluation.datasets import EMPTY, SHIFTED, TRUTH, make_dataset
from tests.running import run_command


def test_an_empty_image_has_no_focus_and_is_never_flagged():
    assert np.isnan(measure_focus(np.zeros((20, 20))))
    assert not flag_low([np.nan, np.nan]).any()
    assert flag_low([]).size == 0


def test_blur_lowers_the_focus_and_brightness_does_not_change_it():
    from scipy.ndimage import gaussian_filter

    spots = gaussian_filter((np.random.default_rng(0).random((80, 90)) > 0.98).astype(float), 1.2)
    sharp = measure_focus(spots)
    assert measure_focus(gaussian_filter(spots, 2)) < 0.7 * sharp
    assert measure_focus(5 * spots + 100) == pytest.approx(sharp, rel=1e-3)


def test_only_the_blurred_field_is_flagged():
    values = np.append(np.random.default_rng(0).normal(1, 0.05, 30), 0.3)
    assert np.flatnonzero(flag_low(values)).tolist() == [30]
    assert flag_low([0.3], reference=values[:30]).tolist() == [True]
    assert flag_low([1.0] * 9 + [0.999, 0.9]).tolist() == [False] * 10 + [True]  # of equal values, a hair is no fault


def test_saturation_is_counted_at_the_ends_of_camera_scales_only():
    assert share_saturated(np.array([[255, 255, 1, 0]])) == 0.5
    assert share_saturated(np.array([[254, 254, 1, 0]])) == 0
    assert share_saturated(np.zeros((0, 0))) == 0


def test_equal_screens_do_not_drift_and_none_is_undefined():
    drift = measure_drift([1, 2, 3, 4, 4], [1, 2, 3, 4, 4])
    assert (drift.ks, drift.psi) == (0, 0)
    assert np.isnan(measure_drift([], [1]).psi)


def test_drift_equals_scipys_distance_and_grows_with_the_shift():
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(0)
    before = rng.normal(0, 1, 400)
    drifts = [measure_drift(before, rng.normal(shift, 1, 300)) for shift in (0, 0.5, 2)]
    other = rng.normal(0.5, 1, 300)
    assert measure_drift(before, other).ks == pytest.approx(ks_2samp(before, other).statistic)
    assert drifts[0].psi < 0.1 < drifts[1].psi < drifts[2].psi
    assert drifts[2].psi > 0.25


def test_psi_follows_its_definition_on_two_bins():
    before, after = [0] * 50 + [1] * 50, [0] * 20 + [1] * 80
    shares = np.array([[50.5, 50.5], [20.5, 80.5]]) / 101
    assert measure_drift(before, after).psi == pytest.approx(
        ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum()
    )


def test_disagreement_is_counted_by_eye():
    assert disagree(EMPTY, EMPTY, n_classes=3) == 0
    assert disagree(EMPTY, TRUTH, n_classes=3) == 1
    # phagophore: 4 of 10 px shared; autolysosome: 4 of 8
    assert disagree(TRUTH, SHIFTED, n_classes=3) == pytest.approx(1 - (4 / 10 + 4 / 8) / 2)


def test_a_survey_counts_events_by_field_method_and_class(tmp_path):
    folder = make_dataset(tmp_path, {"cip": [EMPTY, SHIFTED], "cdl": [EMPTY, TRUTH]})
    survey = survey_screen(open_dataset(folder), ["cip", "cdl"])
    assert survey.counts[:, :, 1:].tolist() == [[[0, 0], [0, 0]], [[3, 1], [2, 2]]]
    assert (survey.methods, survey.wells.tolist()) == (("CIP", "CDL"), ["B02", "B03"])
    assert sorted(survey.areas("CDL", 1)) == [2, 4]
    assert survey.disagreement[0] == 0
    with pytest.raises(InputError, match="A screen must have at least one field, got none in split 'training'"):
        survey_screen(open_dataset(folder), ["cip"], split="training")


@pytest.fixture(scope="module")
def screens(tmp_path_factory):
    known = make_dataset(tmp_path_factory.mktemp("known"), {"cip": [TRUTH] * 6, "cdl": [TRUTH] * 6})
    new = make_dataset(tmp_path_factory.mktemp("new"), {"cip": [EMPTY] * 5 + [SHIFTED], "cdl": [EMPTY] * 5 + [TRUTH]})
    return known, new


def test_a_new_screen_is_reported_without_truth(screens, tmp_path, capsys):
    known, new = screens
    assert run_command("survey", new, "--against", known, "--out", tmp_path / "out", "--gallery", 1) == 0
    told = capsys.readouterr().out
    assert "This screen differs much from the reference screen" in told
    assert "Next: correct 1 field by hand (P1_C04_f1): this screen differs from the known one." in told
    assert f"  noisylabels annotate create {new}.desk {new} --start cdl\n" in told
    ranked = (tmp_path / "out" / "tables" / "look_first.csv").read_text().splitlines()
    assert ranked[1].startswith("1,P1_C04_f1,0.55,4,4")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "There is no truth here" in page
    assert re.findall("<h2>(.*?)</h2>", page)[:2] == ["Look at these fields first", "Image quality"]
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)


def test_a_screen_of_one_method_without_reference_is_reported(screens, tmp_path, capsys):
    assert run_command("survey", screens[1], "--methods", "cdl", "--out", tmp_path / "out") == 0
    told = capsys.readouterr().out
    assert "No reference screen was given" in told
    assert "Next: label the screen with a second method: where two disagree, one of them is wrong." in told
    assert "noisylabels annotate" not in told
    assert "<h2>Look at these fields first</h2>" in (tmp_path / "out" / "report.html").read_text()
    assert not (tmp_path / "out" / "tables" / "look_first.csv").exists()
