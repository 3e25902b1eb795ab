"""The channels of plates beside those that a method takes."""

import re

import pytest

from noisylabels.data.errors import InputError
from noisylabels.screening.channels import check_channels, match_channels
from noisylabels.screening.methods import Bundle, Threshold, method_of
from tests.screening.faults import random_pictures, write_plate

CIP = method_of({"kind": "cip", "settings": {}})
NUCLEI = method_of({"kind": "cip", "settings": {"preset": "nuclei"}})


@pytest.fixture
def plates(tmp_path):
    return [write_plate(tmp_path / "plate", random_pictures(1, 1))]


@pytest.fixture
def cdl(monkeypatch, tmp_path):
    monkeypatch.setattr(Bundle, "channel_names", ("2", "1"))
    (tmp_path / "configs").mkdir()
    for name in ("configs/inference.yaml", "model.pt"):
        (tmp_path / name).touch()
    return Bundle(str(tmp_path), str(tmp_path / "model.pt"))


def check(plates, method, channels=None, names=None):
    check_channels(plates, method, channels=channels, names=names)


def test_what_a_method_takes_is_not_refused(plates, cdl):
    for method in (CIP, NUCLEI, Threshold()):
        check(plates, method)
    check(plates, NUCLEI, ["2"])
    check(plates, cdl, ["2", "1"])
    check(plates, cdl, ["1", "2"], ["2", "1"])


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (["1", "2"], "Channels of plate plate must be in the order 2, 1, got 1, 2. Give --channels 2,1."),
        (["1"], "The network must have 2 channels (2, 1), got 1 of plate plate (1). Take another network."),
        (["GFP"], "Channels of plate plate must be among 1, 2, got GFP. Name them as the plate does."),
    ],
)
def test_channels_that_do_not_fit_a_network_are_one_sentence(plates, cdl, channels, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check(plates, cdl, channels)


def test_a_pipeline_of_two_channels_is_not_given_one(plates):
    message = (
        "The method cip must have 2 channels, got 1 of plate plate (2). "
        "Choose a pipeline for one, --set preset=nuclei, or a network, --model nuclei."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check(plates, CIP, ["2"])


def test_it_is_said_which_channel_is_taken_for_which(plates, cdl):
    assert match_channels(plates[0], cdl, channels=None, names=None) == "1 taken for 2, 2 taken for 1"
    assert match_channels(plates[0], cdl, channels=["2", "1"], names=None) == ""
    assert match_channels(plates[0], CIP, channels=None, names=None) == ""
