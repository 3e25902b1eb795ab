"""How large the study on real images is."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from noisylabels.data.errors import InputError
from noisylabels.experiments.paper.presets import HALF_WIDTH

PAPER_LOSS: Mapping[str, Any] = {
    "loss::_target_": "noisylabels.learning.generalized_dice.MatlabGeneralizedDiceLoss",
}
"""The loss in the form of the paper's software."""


@dataclass(frozen=True)
class RealSettings:
    """Settings of the study on real images.

    Args:
        split: Shares of the images that networks train on, that choose the epoch, and that test.
        epochs: Epochs over the images with weak labels.
        few: Curated images that MDL trains on.
        few_validation: Curated images that choose MDL's epoch.
        patch: Side of the squares that are cut at random for training, pixels.
        resamples: Random swaps of the permutation tests.
        preset: Preset of the bundles.
        overrides: Further values of the bundles' configs.

    Raises:
        InputError: If a number is below 1.
    """

    split: tuple[float, float, float] = (0.6, 0.1, 0.3)
    epochs: int = 4
    few: int = 12
    few_validation: int = 4
    patch: int = 128
    resamples: int = 2000
    preset: str = "sgd"
    overrides: Mapping[str, Any] = field(default_factory=lambda: {**PAPER_LOSS, **HALF_WIDTH})

    def __post_init__(self) -> None:
        for name in ("epochs", "few", "few_validation", "patch", "resamples"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                msg = f"{name} must be a whole number from 1 on, got {value!r}. Correct it."
                raise InputError(msg)

    def to_dict(self) -> dict[str, object]:
        """Write the settings as plain data."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    def cropped(self, **values: object) -> Self:
        """Return the settings of a training that sees squares cut at random, and further values of its config.

        Examples:
            >>> RealSettings(patch=96, overrides={}).cropped(label_name="curated").overrides
            {'patch_size': [96, 96], 'label_name': 'curated'}
        """
        return replace(self, overrides={**self.overrides, "patch_size": [self.patch, self.patch], **values})


SETTINGS: Mapping[str, RealSettings] = {
    "nuclei": RealSettings(),
    # Six or seven large images train: two steps an epoch, so many epochs, on squares that hold several cells. Three
    # down-samplings see more around a cell of 20 pixels, for a third of the time.
    "annotators": RealSettings(
        split=(0.5, 0.15, 0.35),
        epochs=240,
        patch=192,
        overrides={**PAPER_LOSS, **HALF_WIDTH, "network_def::strides": [2, 2, 2], "learning_rate": 0.03},
    ),
}
"""Settings by name of the study."""
