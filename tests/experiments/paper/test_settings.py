"""Settings, seeds and steps of the study."""

import re

import pytest

from noisylabels.data.errors import InputError
from noisylabels.experiments.paper.networks import find_weights
from noisylabels.experiments.paper.presets import PRESETS, find_preset
from noisylabels.experiments.paper.settings import StudySettings, read_seeds
from noisylabels.experiments.paper.steps import Step, claim_study, do_step, read_step


def test_the_paper_preset_has_the_papers_numbers():
    paper = PRESETS["paper"]
    assert (paper.fields, paper.rows, paper.columns, paper.looks[-1], paper.corrected) == (4000, 512, 680, 15, 306)
    assert round(paper.corrected * sum(paper.corrected_split[:2])) in (274, 275)  # 274 quarters train MDL, 31 test it


@pytest.mark.parametrize("name", PRESETS)
def test_settings_survive_being_written(name):
    assert StudySettings.from_dict(PRESETS[name].to_dict()) == PRESETS[name]


WRONG = {
    "fields": (0, "fields must be a whole number from 1 on, got 0. Correct it."),
    "looks": ((3, 1), "looks must be rising epochs, at least one, got (3, 1). Correct it."),
    "doses": ((1.5,), "doses must be rates in (0, 1], got (1.5,). Correct it."),
    "screen_split": (
        (0.5, 0.5, 0.0),
        "screen_split must be three shares above 0 that sum to 1, got (0.5, 0.5, 0.0). Correct it.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_told(name):
    value, message = WRONG[name]
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        StudySettings(**{name: value})


def test_an_unknown_setting_and_preset_are_refused():
    message = "Setting of the study field must be one of those there are, got an unknown name. Did you mean fields?"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        StudySettings.from_dict({"field": 3})
    message = "Setting of the study rows must be a whole number, got 'many'. Correct the value."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        StudySettings.from_dict({"rows": "many"})
    message = "A preset of the study must be one of tiny, small, paper, got 'big'. Name one of them."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        find_preset("big")


@pytest.mark.parametrize("text", ["", "1,", "1,1", "-1", "a"])
def test_seeds_are_different_whole_numbers(text):
    with pytest.raises(InputError, match=r"^--seeds must be different whole numbers"):
        read_seeds(text)


def test_a_step_is_done_once_and_again_if_it_was_cut_off(tmp_path):
    done = []

    def work():
        done.append(len(done))
        if len(done) == 1:
            raise KeyboardInterrupt
        return {"n": len(done)}

    with pytest.raises(KeyboardInterrupt):
        do_step(tmp_path, Step("walk", work))
    with pytest.raises(InputError, match="must have done the step 'walk'"):
        read_step(tmp_path, "walk")
    assert do_step(tmp_path, Step("walk", work))["n"] == 2
    assert do_step(tmp_path, Step("walk", work))["n"] == 2
    assert done == [0, 1]


def test_a_folder_keeps_to_its_settings_whatever_the_workers(tmp_path):
    claim_study(tmp_path, find_preset("tiny").to_dict(), preset="tiny")
    claim_study(tmp_path, find_preset("tiny", workers=7).to_dict(), preset="tiny")
    message = (
        f"{tmp_path} must hold what was made with the same settings to go on, got other preset, settings. Name another."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        claim_study(tmp_path, find_preset("small").to_dict(), preset="small")


def test_cdl_is_the_epoch_it_stops_after_or_the_one_that_fits_the_cip_best(tmp_path):
    assert find_weights(tmp_path, StudySettings(stop=2)) == tmp_path / "cdl-stopped" / "last.pt"
    assert find_weights(tmp_path, StudySettings()) == tmp_path / "cdl" / "model.pt"
