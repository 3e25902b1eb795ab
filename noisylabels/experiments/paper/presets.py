"""Presets of the study: the same steps, larger and smaller."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from noisylabels.data.errors import InputError
from noisylabels.experiments.paper.settings import StudySettings

HALF_WIDTH: Mapping[str, Any] = {
    "network_def::channels": [8, 16, 32, 64],
    "network_def::strides": [1, 2, 2],
}
"""The bundles' network at half the width, one level less."""

PRESETS: Mapping[str, StudySettings] = {
    # Every step once, on fields too small to learn anything from: a rehearsal, whose numbers mean nothing.
    "tiny": StudySettings(
        fields=8,
        rows=96,
        columns=128,
        cut=True,
        screen_split=(0.375, 0.125, 0.5),
        corrected=12,
        looks=(1,),
        stop=1,
        mdl_epochs=1,
        sizes=(2,),
        rated=4,
        doses=(0.5,),
        overrides={"network_def::channels": [4, 8], "network_def::strides": [1]},
        resamples=200,
        workers=1,
    ),
    # Two cores: whole fields, as the CIP needs them, cut in quarters for the experts; the bundles' network at half the
    # width. No truth decides where CDL stops: its learning rate has fallen to 0 after the last look.
    "small": StudySettings(
        fields=40,
        rows=512,
        columns=680,
        cut=True,
        looks=(3, 6, 12),
        mdl_epochs=12,
        sizes=(6,),
        overrides={**HALF_WIDTH, "batch_size": 2, "crops_per_field": 4},
    ),
    # The paper's numbers; its network, loss and learning rates are the bundles' preset "paper". For a GPU.
    "paper": StudySettings(
        fields=4000,
        rows=512,
        columns=680,
        cut=True,
        screen_split=(0.85, 0.07, 0.08),
        corrected=306,
        corrected_split=(0.8, 0.1, 0.1),
        looks=(1, 3, 5, 10, 15),
        mdl_epochs=15,
        sizes=(100, 800),
        preset="paper",
        overrides={"num_workers": 12},
        workers=16,
    ),
}


def find_preset(name: str, *, workers: int | None = None) -> StudySettings:
    """Find a preset by its name.

    Args:
        name: One of `PRESETS`.
        workers: Processes instead of the preset's own.

    Raises:
        InputError: If there is none.

    Examples:
        >>> find_preset("paper").fields, find_preset("paper").looks[-1]
        (4000, 15)
    """
    if name not in PRESETS:
        msg = f"A preset of the study must be one of {', '.join(PRESETS)}, got {name!r}. Name one of them."
        raise InputError(msg)
    return PRESETS[name] if workers is None else replace(PRESETS[name], workers=workers)
