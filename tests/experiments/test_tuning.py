"""Settings proposed without a truth: the command on a small screen of stock pipelines, and its rules."""

import numpy as np
import pytest

from evaluation.statistics.intervals import Interval
from noisylabels.cip.family import DEFAULT_RANGES, spread
from noisylabels.cip.labelling import load_pipeline
from noisylabels.cip.settings import LCSB
from noisylabels.data.errors import InputError
from noisylabels.experiments.foresight import Student
from noisylabels.experiments.tuning import Member, propose, write_proposal
from tests.bundles.small_screen import write_screen
from tests.running import run_command


def make_member(agreement, tmp_path):
    interval = Interval(agreement, np.nan, np.nan, np.nan, 1)
    return Member(LCSB, Student("cip", interval, np.array([agreement]), tmp_path), {})


def test_the_highest_agreement_is_proposed_the_first_of_equals(tmp_path):
    members = [make_member(value, tmp_path) for value in (np.nan, 0.5, 0.7, 0.7)]
    assert propose(members) is members[2]
    with pytest.raises(InputError, match=r"^At least one member must have labels to agree with, got none\. Widen --r"):
        propose(members[:1])


def test_a_proposal_read_back_is_the_member(tmp_path):
    for number, member in enumerate(spread(LCSB, DEFAULT_RANGES, n=3)):
        write_proposal(tmp_path / f"{number}.yaml", member)
        assert load_pipeline(LCSB.name, tmp_path / f"{number}.yaml") == member


def cip(folder, *words):
    return run_command("cip", folder, "--preset", "otsu", *words)


def test_the_command_proposes_one_run_and_its_settings_can_be_used(tmp_path, capsys):
    screen = write_screen(tmp_path / "s")
    (tmp_path / "ranges.yaml").write_text("level: [0.8, 1.2]\n")
    words = ("--channels", "0,1", "--perturb", 2, "--ranges", tmp_path / "ranges.yaml", "--tune", "--steps", 1)
    assert cip(screen, *words, "--out", tmp_path / "tuning") == 0
    shown = capsys.readouterr().out
    lines = [line for line in shown.splitlines() if line.startswith("cip-")]
    assert [line.split(":")[0] for line in lines] == ["cip-1", "cip-2"]
    marked = [line.split(":")[0] for line in lines if line.endswith("  <- proposed")]
    assert (
        shown.splitlines()[-1] == f"Proposed: {marked[0]}; label with it by --settings {tmp_path}/tuning/proposed.yaml."
    )
    scores = [float(line.split("agreement ")[1].split(";")[0].split(" ")[0]) for line in lines]
    assert marked == [f"cip-{1 + int(np.argmax(scores))}"]
    assert load_pipeline("otsu", tmp_path / "tuning" / "proposed.yaml").level == {"cip-1": 0.8, "cip-2": 1.2}[marked[0]]


@pytest.mark.parametrize(
    ("splits", "words", "sentence"),
    [
        (
            ("training",) * 4,
            ["--tune"],
            "--tune must come with --perturb, got it alone. Say how many runs to choose from: --perturb 7.",
        ),
        (
            ("training",) * 4,
            ["--tune", "--perturb", "2", "--channels", "0,1"],
            "--tune must have held-out fields, got none in {folder}. Split it: --fractions of import or simulate.",
        ),
    ],
)
def test_what_cannot_be_tuned_is_told_before_anything_is_labelled(tmp_path, capsys, splits, words, sentence):
    screen = write_screen(tmp_path / "s", splits=splits)
    assert cip(screen, *words) == 2
    assert capsys.readouterr().err == f"noisylabels: {sentence.format(folder=screen)}\n"
    assert [entry.name for entry in (screen / "labels").iterdir()] == ["cip"]
