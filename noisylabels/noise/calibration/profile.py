"""Profile: a pipeline's or an annotator's errors, measured against the truth, as plain data."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA, ClassTable
from noisylabels.noise.calibration.comparison import Comparison, compare_field
from noisylabels.noise.calibration.summary import Summary, feature_reference, size_bounds, summarise

LEVEL = 0.95
MAP_CELLS = 4


class Estimate(NamedTuple):
    """A number with its interval.

    Args:
        value: The estimate.
        low: Lower end of the 95 % bootstrap interval over groups of fields.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Profile:
    """What calibration found; plain data that a noise model is made from.

    Args:
        class_names: The class table, background first.
        n_fields: Fields it was calibrated on.
        n_groups: Groups of fields (wells, say) that were resampled as wholes; the fields themselves if there are none.
        confusion: (true class or spurious, weak class or missed) event counts; the foreground classes in order, then
            spurious as the last row and missed as the last column. A merged event counts under the class it lies in.
        summary: Estimates by name, see `summarise`.
        reference: Mean and standard deviation of the features that misses depend on.
        sizes: By class, the areas that bound small, medium and large events.
        missed_map: (4, 4) share of missed events by place in the field; nan where there were none.
        spurious_map: (4, 4) spurious events per field by place.
    """

    class_names: tuple[str, ...]
    n_fields: int
    n_groups: int
    confusion: list[list[int]]
    summary: Mapping[str, Estimate]
    reference: Mapping[str, tuple[float, float]]
    sizes: Mapping[str, Sequence[float]]
    missed_map: list[list[float]]
    spurious_map: list[list[float]]

    @property
    def classes(self) -> ClassTable:
        """The class table."""
        return ClassTable(self.class_names)

    def value(self, name: str) -> float:
        """Return an estimate, 0 where there was nothing to count."""
        value = self.summary[name].value if name in self.summary else np.nan
        return 0.0 if np.isnan(value) else value

    def write(self, path: str | Path) -> None:
        """Write the profile as JSON; what could not be counted is null."""
        plain = asdict(self) | {"summary": {name: list(estimate) for name, estimate in self.summary.items()}}
        write_text(path, json.dumps(_nan_to_null(plain), indent=1) + "\n")

    @classmethod
    def read(cls, path: str | Path) -> "Profile":
        """Read a profile that `write` wrote.

        Raises:
            InputError: If the file is no profile.
        """
        try:
            plain = _null_to_nan(json.loads(Path(path).read_text(encoding="utf-8")))
            summary = {name: Estimate(*numbers) for name, numbers in plain["summary"].items()}
            reference = {name: (mean, sd) for name, (mean, sd) in plain["reference"].items()}
            return cls(
                **plain | {"summary": summary, "reference": reference, "class_names": tuple(plain["class_names"])}
            )
        except (ValueError, TypeError, KeyError) as error:
            msg = f"{path} must be a profile of noisylabels calibrate, got something else ({error}). Calibrate again."
            raise InputError(msg) from error


def calibrate(
    cip: RealArray | Iterable[RealArray],
    truth: RealArray | Iterable[RealArray],
    image: RealArray | Iterable[RealArray] | None = None,
    *,
    classes: ClassTable = ROSELLA,
    channel_names: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    n_resamples: int = 200,
    seed: int = 0,
) -> Profile:
    """Measure the errors of weak label maps against the truth.

    Fields are read one at a time; what is kept is one row per event.

    Args:
        cip: (row, column) weak label maps, one or as many as there are fields.
        truth: (row, column) true label maps.
        image: (channel, row, column) images, or None.
        classes: The class table.
        channel_names: Names of the channels.
        features: What misses may depend on: `contrast` and `area` with an image, `area` without, when left out.
        groups: Per field, what it belongs to, a well for instance; groups are resampled as wholes. None: each field
            by itself.
        n_resamples: Bootstrap resamples for the intervals.
        seed: Seed of the resamples.

    Returns:
        The profile.

    Raises:
        InputError: If there is no field or no true event, or the groups are not as many as the fields.

    Examples:
        >>> truth = np.array([[1, 0, 2, 2]], np.uint8)
        >>> profile = calibrate(np.array([[0, 0, 2, 0]], np.uint8), truth, n_resamples=2)
        >>> profile.confusion  # phagophore missed, autolysosome found
        [[0, 0, 1], [0, 1, 0], [0, 0, 0]]
    """
    names = list(("contrast", "area") if image is not None else ("area",)) if features is None else list(features)
    compared = [
        compare_field(weak, true, intensities, classes=classes, channel_names=channel_names, features=names)
        for weak, true, intensities in zip(
            _several(cip, 2),
            _several(truth, 2),
            repeat(None) if image is None else _several(image, 3),
            strict=image is not None,
        )
    ]
    return make_profile(compared, classes, names, groups=groups, n_resamples=n_resamples, seed=seed)


def make_profile(
    compared: Sequence[Comparison],
    classes: ClassTable,
    features: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    n_resamples: int = 200,
    seed: int = 0,
) -> Profile:
    """Make the profile of fields that have been compared.

    Raises:
        InputError: If there is no field or no true event, or the groups are not as many as the fields.
    """
    if sum(len(field.events) for field in compared) == 0:
        msg = f"Calibration must have fields with true events, got {len(compared)} fields and no event. Give the truth."
        raise InputError(msg)
    reference, sizes = feature_reference(compared, features), size_bounds(compared, classes)
    summary = summarise(compared, classes, reference, sizes)
    members = group_fields(groups, len(compared))
    random = np.random.default_rng(seed)
    resampled = [
        summarise(
            [compared[index] for group in random.integers(0, len(members), len(members)) for index in members[group]],
            classes, reference, sizes, near=summary,
        )
        for _ in range(n_resamples)
    ]  # fmt: skip
    return Profile(
        class_names=classes.names,
        n_fields=len(compared),
        n_groups=len(members),
        confusion=_confusion(compared, classes).tolist(),
        summary=_with_intervals(summary, resampled),
        reference=reference,
        sizes=sizes,
        missed_map=_missed_map(compared).tolist(),
        spurious_map=(_count_by_place(compared, "extras", "spurious") / len(compared)).tolist(),
    )


def group_fields(groups: Sequence[str] | None, n_fields: int) -> list[NDArray[np.intp]]:
    """Return the positions of the fields of each group, in the order in which the groups appear.

    Args:
        groups: Per field, the name of its group; None: each field by itself.
        n_fields: How many fields there are.

    Raises:
        InputError: If the groups are not as many as the fields.

    Examples:
        >>> [group.tolist() for group in group_fields(["A01", "A02", "A01"], 3)]
        [[0, 2], [1]]
    """
    if groups is None:
        return list(np.arange(n_fields)[:, None])
    if len(groups) != n_fields:
        msg = f"Groups must be one for each of the {n_fields} fields, got {len(groups)}. Name the group of every field."
        raise InputError(msg)
    names = np.array(groups, dtype=object)
    return [np.flatnonzero(names == name) for name in dict.fromkeys(groups)]


def _several(given: RealArray | Iterable[RealArray], n_axes: int) -> Iterable[RealArray]:
    return [given] if isinstance(given, np.ndarray) and given.ndim == n_axes else given


def _with_intervals(values: Summary, resampled: Sequence[Summary]) -> dict[str, Estimate]:
    estimates = {}
    for name, value in values.items():
        drawn = np.array([each.get(name, np.nan) for each in resampled])
        drawn = drawn[~np.isnan(drawn)]
        ends = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if len(drawn) else (np.nan, np.nan)
        estimates[name] = Estimate(value, float(ends[0]), float(ends[1]))
    return estimates


def _confusion(compared: Sequence[Comparison], classes: ClassTable) -> NDArray[np.int64]:
    n_classes = len(classes.foreground)
    counts = np.zeros((n_classes + 1, n_classes + 1), np.int64)
    for field in compared:
        columns = (field.events["weak_class_index"].astype(int) - 1) % (n_classes + 1)  # 0, missed, becomes the last
        np.add.at(counts, (field.events["class_index"].astype(int) - 1, columns), 1)
        np.add.at(counts[n_classes], field.extras["class_index"][field.extras["spurious"]].astype(int) - 1, 1)
    return counts


def _missed_map(compared: Sequence[Comparison]) -> NDArray[np.float64]:
    events = _count_by_place(compared, "events", "class_index")
    found = _count_by_place(compared, "events", "weak_class_index")
    share: NDArray[np.float64] = np.divide(events - found, events, out=np.full(events.shape, np.nan), where=events > 0)
    return share


def _count_by_place(compared: Sequence[Comparison], table: str, wanted: str) -> NDArray[np.float64]:
    counts = np.zeros((MAP_CELLS, MAP_CELLS))
    for field in compared:
        events = getattr(field, table)
        chosen = events.select(events[wanted] > 0)
        places = [
            np.minimum((MAP_CELLS * chosen[f"centroid_{axis}"] / size).astype(int), MAP_CELLS - 1)
            for axis, size in zip(("row", "column"), field.shape, strict=True)
        ]
        np.add.at(counts, tuple(places), 1)
    return counts


def _nan_to_null(plain: object) -> Any:
    if isinstance(plain, Mapping):
        return {key: _nan_to_null(value) for key, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [_nan_to_null(value) for value in plain]
    return None if isinstance(plain, float) and np.isnan(plain) else plain


def _null_to_nan(plain: object) -> Any:
    if isinstance(plain, Mapping):
        return {key: _null_to_nan(value) for key, value in plain.items()}
    if isinstance(plain, list):
        return [_null_to_nan(value) for value in plain]
    return np.nan if plain is None else plain
