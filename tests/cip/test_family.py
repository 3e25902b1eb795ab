"""Several runs of one pipeline from one deconvolution: the same label maps as each by itself."""

import numpy as np
import pytest

from noisylabels.cip import family, pipeline
from noisylabels.cip.nuclei import NucleiSettings
from noisylabels.cip.settings import LCSB
from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.labels import PHASES_TO_ROSELLA, merge_classes
from noisylabels.simulation import preset, simulate_field
from tests.running import run_command


def test_scaled_thresholds_equal_a_divided_image():
    image = simulate_field(preset("rosella-lc3").replaced({"frame": {"rows": 128, "columns": 160}}), seed=4).image
    red, green = pipeline.sharpen(image, LCSB.deconvolution)
    divided = pipeline.segment_field(image, LCSB, sharp=(red / 2, green / 2)).label_map
    scaled = pipeline.segment_field(image, family.scale_thresholds(LCSB, 2.0)).label_map
    assert scaled.any()
    assert np.array_equal(divided, scaled)


def test_members_of_several_ranges_fill_each_evenly():
    ranges = {"red.small_threshold": (100.0, 1600.0), "green.threshold": (500.0, 2000.0)}
    members = family.spread(LCSB, ranges, n=5, seed=1)
    assert sorted(member.red.small_threshold for member in members) == [100, 200, 400, 800, 1600]
    assert len({member.green.threshold for member in members}) == 5
    assert members == family.spread(LCSB, ranges, n=5, seed=1)
    assert members != family.spread(LCSB, ranges, n=5, seed=2)


def test_the_command_labels_every_member_as_alone_from_one_deconvolution(tmp_path, monkeypatch, capsys):
    assert run_command("simulate", tmp_path / "s", "--fields", 3, "--rows", 96, "--columns", 128) == 0
    calls = []
    original = pipeline.deconvolve
    monkeypatch.setattr(pipeline, "deconvolve", lambda *words: calls.append(1) or original(*words))
    assert run_command("cip", tmp_path / "s", "--perturb", 3) == 0
    assert len(calls) == 3 * 2  # fields x channels, not x members
    assert capsys.readouterr().out.endswith("s: cip-1, cip-2, cip-3, 3 label maps each, 0 failed\n")
    dataset = open_dataset(tmp_path / "s")
    member = family.spread(LCSB, family.DEFAULT_RANGES, n=3)[1]
    for case_id in dataset.ids():
        alone = merge_classes(pipeline.segment_field(dataset.image(case_id), member).label_map, PHASES_TO_ROSELLA)
        assert np.array_equal(dataset.label_map("cip-2", case_id), alone)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("red.small_threshold: [5, 1]", "must be two rising numbers of one sign, got [5, 1]. Write [least, most]."),
        ("red.small_threshold: 5", "must be two rising numbers of one sign, got 5. Write [least, most]."),
    ],
)
def test_ranges_that_are_none_are_told(tmp_path, text, sentence):
    path = tmp_path / "ranges.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        family.read_ranges(path)
    assert str(error.value) == f"Range red.small_threshold of {path} {sentence}"


def test_a_scale_of_thresholds_belongs_to_the_cip():
    with pytest.raises(InputError, match=r"^threshold_scale must belong to a CIP of Rosella, got NucleiSettings\."):
        family.spread(NucleiSettings(), family.DEFAULT_RANGES, n=2)


def test_one_run_is_no_family():
    with pytest.raises(InputError, match=r"^--perturb must be at least 2 runs, got 1\."):
        family.spread(LCSB, family.DEFAULT_RANGES, n=1)
