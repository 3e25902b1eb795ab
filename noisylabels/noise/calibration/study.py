"""Calibration of a dataset folder: from two label sets to a folder of findings."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from noisylabels.data.arrays import Image, RealArray
from noisylabels.data.atomic import write_text
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.events import needs_image
from noisylabels.data.labels import IGNORE_INDEX, LabelMap
from noisylabels.noise.calibration.comparison import Comparison, compare_field
from noisylabels.noise.calibration.goodness import check_profile
from noisylabels.noise.calibration.noise_types import type_noise
from noisylabels.noise.calibration.picture import draw_profile
from noisylabels.noise.calibration.profile import Profile, make_profile
from noisylabels.noise.calibration.synthesis import synthesise

if TYPE_CHECKING:
    import pandas as pd

Watch = Callable[[Iterable[str]], Iterable[str]]


@dataclass(frozen=True)
class Calibrated:
    """What was found and where it lies.

    Args:
        profile: The profile.
        inside: Share of its numbers that lie in the observed interval when the errors are made again.
        overlapping: Share of them whose interval overlaps the observed one.
        out: The folder.
    """

    profile: Profile
    inside: float
    overlapping: float
    out: Path

    def describe(self) -> str:
        """Sum up the profile in a few lines."""
        lines = [
            f"{self.out}: {self.profile.n_fields} fields in {self.profile.n_groups} groups. Made again, "
            f"{self.inside:.0%} of the numbers lie in the observed intervals "
            f"and {self.overlapping:.0%} of the intervals overlap"
        ]
        for name in self.profile.classes.foreground:
            rates = [
                f"{kind} {estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"
                for kind in ("missed", "incomplete", "merged", "split", "spurious")
                if (estimate := self.profile.summary.get(f"{name}.{kind}.rate")) is not None
            ]
            lines.append(f"  {name}: {', '.join(rates)}")
        return "\n".join(lines)


def calibrate_dataset(
    folder: Path, out: Path, *, weak: str, truth: str, part: str, features: Sequence[str], n_resamples: int, seed: int,
    by_group: bool = True, watch: Watch = iter,
) -> Calibrated:  # fmt: skip
    """Calibrate a label set of a dataset folder, check the profile and write everything.

    Args:
        folder: The dataset folder.
        out: Where to write.
        weak: The label set with errors.
        truth: The label set without.
        part: "training", "validation", "test" or "all".
        features: Event features that misses may depend on.
        n_resamples: Bootstrap resamples.
        seed: Of the resamples and the re-synthesis.
        by_group: Resample the dataset's groups (wells, say) as wholes, if there are two or more; else single fields.
        watch: Shows progress over the fields.

    Raises:
        InputError: If a label set or a feature is unknown, or there is no true event.
    """
    dataset = open_dataset(folder)
    for name in (weak, truth):
        dataset.require_labels(name)
    look = any(map(needs_image, features))
    ids = dataset.ids(part)
    compared: list[Comparison] = []
    types = []
    for case_id in watch(ids):
        image = dataset.image(case_id) if look else None
        weak_map, true_map = read_both(dataset, weak, truth, case_id, like=image)
        compared.append(
            compare_field(
                weak_map, true_map, image,
                classes=dataset.classes, channel_names=dataset.channel_names, features=features,
            )
        )  # fmt: skip
        types.append({"field": case_id, **type_noise(weak_map, true_map)._asdict()})
    groups = [dataset.case(case_id).group for case_id in ids] if by_group else None
    groups = groups if len(set(groups or ())) > 1 else None
    profile = make_profile(compared, dataset.classes, features, groups=groups, n_resamples=n_resamples, seed=seed)
    checks, distances = check_profile(
        profile, compared,
        _Lazy(ids, lambda case_id: read_both(dataset, weak, truth, case_id)[1]),
        _Lazy(ids, dataset.image) if look else None,
        channel_names=dataset.channel_names, groups=groups, seed=seed,
    )  # fmt: skip
    _write(out, profile, compared, {"checks": checks, "features": distances}, types, seed)
    return Calibrated(profile, float(checks["inside"].mean()), float(checks["overlaps"].mean()), out)


def read_both(
    dataset: Dataset, weak: str, truth: str, case_id: str, *, like: Image | None = None
) -> tuple[LabelMap, LabelMap]:
    """Read the two label maps of a field; where either is ignored (255), both show background: no error counts there.

    Args:
        dataset: The dataset folder.
        weak: The label set with errors.
        truth: The label set without.
        case_id: The field.
        like: Its image, when the sizes are to be compared.

    Raises:
        InputError: If the two differ in size.
    """
    maps = [dataset.label_map(name, case_id, like=like, ignore_index=IGNORE_INDEX) for name in (weak, truth)]
    if maps[0].shape != maps[1].shape:
        msg = (
            f"Label maps {weak} and {truth} of {case_id} must have one size, got {maps[0].shape} and {maps[1].shape}. "
            "Pair them by field."
        )
        raise InputError(msg)
    ignored = (maps[0] == IGNORE_INDEX) | (maps[1] == IGNORE_INDEX)
    weak_map, true_map = (np.where(ignored, 0, one).astype(np.uint8) for one in maps)
    return weak_map, true_map


class _Lazy(Sequence[RealArray]):
    """Label maps or images of a dataset, read when they are looked at."""

    def __init__(self, ids: Sequence[str], read: Callable[[str], RealArray]) -> None:
        self.ids, self.read = ids, read

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: Any) -> Any:
        return self.read(self.ids[index])


def _write(
    out: Path,
    profile: Profile,
    compared: Sequence[Comparison],
    tables: dict[str, "pd.DataFrame"],
    types: list[dict[str, object]],
    seed: int,
) -> None:
    import pandas as pd

    profile.write(out / "profile.json")
    synthesise(profile, seed=seed).write(out / "model.yaml")
    for name, table in {**tables, "types": pd.DataFrame(types).replace(np.inf, np.nan)}.items():
        write_text(out / f"{name}.csv", table.to_csv(index=False))
    draw_profile(out / "calibration.png", profile, compared, tables["checks"])
