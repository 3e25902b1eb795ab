"""Settings of the study and its presets."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from noisylabels.data.errors import InputError
from noisylabels.data.settings import build

Shares = tuple[float, float, float]


@dataclass(frozen=True)
class StudySettings:
    """How large the study is; what it does is the same for every preset.

    Args:
        fields: Simulated fields of a screen.
        rows: Height of a field, pixels.
        columns: Width of a field, pixels.
        cut: Whether a field is cut in quarters for the experts; False: a field is as small as a quarter already.
        screen_split: Shares of the fields that CDL trains on, that choose its epoch, and that nobody trains CDL on:
            the experts correct those.
        corrected: Corrected quarters, at most as many as there are. The paper's 306.
        corrected_split: Shares of them for MDL: training, validation, test. The paper's 0.8, 0.1, 0.1.
        looks: Epochs of CDL at which it is looked at.
        stop: After how many epochs CDL is used; 0: after the last look, with the epoch that fits the CIP's validation
            labels best.
        mdl_epochs: Epochs of MDL.
        sizes: Training fields of further CDLs, trained for as many steps as the full one.
        rated: Quarters that the simulated experts rate. The paper's 20.
        doses: Rates of missed events in label maps whose dose is known, to compare surrogate scores with.
        preset: Preset of the bundles, or "" for their defaults.
        overrides: Further values of the bundles' configs.
        resamples: Random swaps of the permutation tests.
        workers: Processes that simulate and label.

    Raises:
        InputError: If a value is outside its range.

    Examples:
        >>> StudySettings.from_dict({"fields": 20, "looks": [1, 3]}).looks
        (1, 3)
    """

    fields: int = 160
    rows: int = 256
    columns: int = 340
    cut: bool = False
    screen_split: Shares = (0.55, 0.1, 0.35)
    corrected: int = 306
    corrected_split: Shares = (0.5, 0.1, 0.4)
    looks: tuple[int, ...] = (1, 2, 4)
    stop: int = 0
    mdl_epochs: int = 12
    sizes: tuple[int, ...] = (22,)
    rated: int = 20
    doses: tuple[float, ...] = (0.1, 0.3, 0.5)
    preset: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    resamples: int = 10_000
    workers: int = 2

    def __post_init__(self) -> None:
        for name in ("fields", "rows", "columns", "corrected", "mdl_epochs", "rated", "resamples", "workers"):
            _require(name, "a whole number from 1 on", getattr(self, name), holds=_is_count(getattr(self, name)))
        for name in ("screen_split", "corrected_split"):
            shares = getattr(self, name)
            holds = len(shares) == 3 and min(shares) > 0 and abs(sum(shares) - 1) < 1e-9
            _require(name, "three shares above 0 that sum to 1", shares, holds=holds)
        rising = all(map(_is_count, self.looks)) and sorted(set(self.looks)) == list(self.looks)
        _require("looks", "rising epochs, at least one", self.looks, holds=bool(self.looks) and rising)
        _require("stop", "a whole number from 0 on", self.stop, holds=self.stop == 0 or _is_count(self.stop))
        _require("sizes", "numbers of fields from 1 on", self.sizes, holds=all(map(_is_count, self.sizes)))
        _require("doses", "rates in (0, 1]", self.doses, holds=all(0 < dose <= 1 for dose in self.doses))

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Make settings from plain data.

        Raises:
            InputError: If a setting is unknown, of another type or outside its range.
        """
        return build(cls, values, what="Setting of the study")

    def to_dict(self) -> dict[str, object]:
        """Write the settings as plain data; `from_dict` reads them back."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def read_seeds(text: str) -> tuple[int, ...]:
    """Read the seeds of the command line.

    Raises:
        InputError: If they are not different whole numbers.

    Examples:
        >>> read_seeds("0,1,2")
        (0, 1, 2)
    """
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words) or len(set(words)) < len(words):
        msg = f"--seeds must be different whole numbers with commas between, got {text!r}. Write for instance 0,1,2."
        raise InputError(msg)
    return tuple(int(word) for word in words)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _require(name: str, rule: str, value: object, *, holds: bool) -> None:
    if not holds:
        msg = f"{name} must be {rule}, got {value!r}. Correct it."
        raise InputError(msg)
