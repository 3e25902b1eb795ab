"""Fields of a plate become a dataset folder that can be trained on."""

import numpy as np
import pytest
import tifffile

from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA
from noisylabels.importing.plates import import_plates, parse_channels
from tests.running import run_command

PATTERN = "{plate}/{well}_f{field}_c{channel}.tif"
WELLS = ("B02", "B03", "C02", "C03")


@pytest.fixture
def pixels(tmp_path, monkeypatch):
    """A plate of plain TIFF files, one per channel, two planes each: 4 wells of 2 fields. What was drawn, by name."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(7)
    drawn = {}
    for well in WELLS:
        for field in (1, 2):
            for channel in ("green", "red"):
                stack = rng.integers(0, 4000, (2, 6, 8), np.uint16)
                path = tmp_path / "plates" / "P 1" / f"{well}_f{field}_c{channel}.tif"
                path.parent.mkdir(parents=True, exist_ok=True)
                tifffile.imwrite(path, stack, metadata={"axes": "ZYX"})
                drawn[f"P_1_{well}_f{field}", channel] = stack
    return drawn


def test_every_field_is_there_with_its_channels_named_and_in_order(pixels):
    dataset, told = import_plates(
        "plates",
        "out",
        classes=ROSELLA,
        pattern=PATTERN,
        channels=("red", "green"),
        channel_names=("DsRed", "pHluorin"),
    )
    assert told == []
    assert open_dataset("out").channel_names == ("DsRed", "pHluorin")
    assert sorted(dataset.ids()) == sorted({name for name, _ in pixels})
    for name in dataset.ids():
        brightest = np.stack([pixels[name, "red"].max(axis=0), pixels[name, "green"].max(axis=0)])
        np.testing.assert_array_equal(open_dataset("out").image(name), brightest)


def test_a_split_never_cuts_a_well(pixels):
    dataset, _ = import_plates("plates", "out", classes=ROSELLA, pattern=PATTERN, fractions=(0.5, 0.25, 0.25))
    assert [len(dataset.ids(split)) for split in ("training", "validation", "test")] == [4, 2, 2]
    wells = {split: {name[:-3] for name in dataset.ids(split)} for split in ("training", "validation", "test")}
    assert sum(map(len, wells.values())) == len(WELLS)


def test_some_fields_are_taken_by_lot_and_the_same_again(pixels):
    first, _ = import_plates("plates", "a", classes=ROSELLA, pattern=PATTERN, n_fields=5, fractions=(1, 0, 0), seed=3)
    again, _ = import_plates("plates", "b", classes=ROSELLA, pattern=PATTERN, n_fields=5, fractions=(1, 0, 0), seed=3)
    assert len(first.ids()) == 5
    assert first.ids() == again.ids()


def test_a_field_with_a_missing_channel_is_left_out_and_told(pixels, tmp_path, capsys):
    (tmp_path / "plates" / "P 1" / "C03_f2_cred.tif").unlink()
    assert run_command("import", "plates", "out", "--pattern", PATTERN, "--channels", "DsRed=red,pHluorin=green") == 3
    assert "C03_f002: left out, " in capsys.readouterr().err
    assert "P_1_C03_f2" not in open_dataset("out").ids()
    assert len(open_dataset("out").ids()) == 2 * len(WELLS) - 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--channels", "DsRed=blue"], "Channels of plate P 1 must be among green, red, got blue. "),
        (["--fields", "9"], "The number of fields must be from 1 to 8, got 9. Correct --fields or leave it out."),
        (
            ["--fields", "1", "--fractions", "0.8,0.1,0.1"],
            "A split into 3 parts must have as many groups (wells, or single images), got 1. ",
        ),
        (["--keep", "0"], "A plate must be imported without --keep, got a value. Leave out what is named."),
    ],
)
def test_a_mistake_is_told_in_one_sentence_and_leaves_nothing(pixels, tmp_path, capsys, words, sentence):
    assert run_command("import", "plates", "out", "--pattern", PATTERN, *words) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_as_it_is(pixels, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="out must be a new or empty folder, got 1 entries"):
        import_plates("plates", "out", classes=ROSELLA, pattern=PATTERN)
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"


def test_no_channels_named_means_all_of_the_plate(pixels):
    assert parse_channels("") == ((), ())
    dataset, _ = import_plates("plates", "out", classes=ROSELLA, pattern=PATTERN)
    assert dataset.channel_names == ("green", "red")
