"""The first image beside what a network expects."""

from pathlib import Path

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image
from noisylabels.learning.first_image import match_channels

EMPTY = np.zeros((2, 8, 9), np.uint16)


def write(folder: Path, *names: str) -> str:
    folder.mkdir()
    write_image(folder / "a.ome.tif", EMPTY, channel_names=list(names) or None)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "._a.ome.tif").write_bytes(b"x")
    return str(folder)


def test_equal_names_need_no_word(tmp_path: Path) -> None:
    assert match_channels(write(tmp_path / "a", "DsRed", "pHluorin"), ["DsRed", "pHluorin"]) == ""


def test_other_names_and_none_are_told(tmp_path: Path) -> None:
    said = "lyso taken for DsRed, mito taken for pHluorin"
    assert match_channels(write(tmp_path / "a", "lyso", "mito"), ["DsRed", "pHluorin"]) == said
    said = "channel 1 taken for DsRed, channel 2 taken for pHluorin"
    assert match_channels(write(tmp_path / "b"), ["DsRed", "pHluorin"]) == said


def test_the_same_names_in_another_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be in the order DsRed, pHluorin, got pHluorin, DsRed"):
        match_channels(write(tmp_path / "a", "pHluorin", "DsRed"), ["DsRed", "pHluorin"])


def test_another_number_is_refused_with_the_way_to_choose(tmp_path: Path) -> None:
    folder = write(tmp_path / "my images", "lyso", "Hoechst")
    with pytest.raises(InputError) as fault:
        match_channels(folder, ["nuclei"])
    assert str(fault.value) == (
        f"Images must have 1 channel (nuclei), got 2 (lyso, Hoechst) in {folder}/a.ome.tif. "
        f"Choose some, counted from 0: noisylabels import '{folder}' CHOSEN --keep 0; then predict CHOSEN."
    )
