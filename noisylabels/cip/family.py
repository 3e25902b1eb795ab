"""A family of one pipeline: several runs over declared ranges of its settings, whose label maps can vote.

No lab knows the right threshold without a truth; where runs over a range agree, less hangs on it. `noisylabels fuse`
makes one label set of theirs.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from noisylabels.cip.labelling import Labeller, Outcome, Pipeline, Task, plan_dataset
from noisylabels.cip.pipeline import segment_field, sharpen
from noisylabels.cip.settings import CipSettings, Deconvolution
from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_image, write_label_map
from noisylabels.data.keys import combine_keys, generator
from noisylabels.data.labels import PHASES_TO_ROSELLA, merge_classes
from noisylabels.data.settings import change, read_mapping
from noisylabels.parallel import WorkerDiedError, local, run

SCALE = "threshold_scale"
"""A factor on all thresholds of deconvolved intensity at once, beside the names of single settings."""

INTENSITIES = (
    "red.small_threshold",
    "red.fill_threshold",
    "red.big_threshold",
    "green.threshold",
    "green.log_threshold",
    "hole_rings.threshold",
    "decisions.bright_green",
    "decisions.bright_red",
)
"""Settings of the CIP that are compared with deconvolved intensities, 0..65535."""

Ranges = Mapping[str, tuple[float, float]]
Plan = tuple[Labeller, list[Task]]
"""What labels the images for one member, and the label maps it is to write."""

DEFAULT_RANGES: Ranges = {SCALE: (0.5, 4.0)}
"""From half to four times the published thresholds; chosen, not measured."""


class FamilyTask(NamedTuple):
    """One image and the label map of every member."""

    id: str
    image: Path
    targets: tuple[Path, ...]
    n_channels: int | None


def read_ranges(path: Path) -> Ranges:
    """Read ranges from a YAML file, one `name: [least, largest]` a line.

    Raises:
        InputError: If a range is not two rising numbers of one sign.
    """
    found: dict[str, tuple[float, float]] = {}
    for name, limits in read_mapping(path).items():
        ends = [float(x) for x in limits if type(x) in (int, float)] if isinstance(limits, list) else []
        if len(ends) != 2 or ends != limits or not ends[0] < ends[1] or ends[0] * ends[1] <= 0:
            msg = f"Range {name} of {path} must be two rising numbers of one sign, got {limits!r}. Write [least, most]."
            raise InputError(msg)
        found[str(name)] = (ends[0], ends[1])
    if not found:
        msg = f"{path} must hold at least one range, got none. Write for instance {SCALE}: [0.5, 4]."
        raise InputError(msg)
    return found


def spread(settings: Pipeline, ranges: Ranges, *, n: int, seed: int = 0) -> list[Pipeline]:
    """Spread members over ranges of settings, evenly on a logarithmic scale.

    Args:
        settings: The pipeline as it is.
        ranges: Least and largest value by name: `threshold_scale`, or a setting as `red.small_threshold`.
        n: How many members, at least 2. With one range from end to end; with more a Latin hypercube.
        seed: Of the hypercube.

    Raises:
        InputError: If there are fewer than two members, or a setting is unknown or takes no such number.

    Examples:
        >>> from noisylabels.cip.settings import LCSB
        >>> [member.red.small_threshold for member in spread(LCSB, {"threshold_scale": (0.5, 2.0)}, n=3)]
        [200.0, 400.0, 800.0]
    """
    if n < 2:
        msg = f"--perturb must be at least 2 runs, got {n}. One run is the pipeline itself."
        raise InputError(msg)
    rng = generator(combine_keys(seed, "family"))
    shares = [np.linspace(0, 1, n)] if len(ranges) == 1 else [rng.permutation(n) / (n - 1) for _ in ranges]
    members = []
    for place in range(n):
        values: dict[str, float] = {}
        for (name, (low, high)), share in zip(ranges.items(), shares, strict=True):
            values[name] = round(float(low * (high / low) ** share[place]), 6)
        members.append(_with(settings, values))
    return members


def scale_thresholds(settings: CipSettings, factor: float) -> CipSettings:
    """Multiply every threshold of deconvolved intensity, which equals dividing the deconvolved image.

    Args:
        settings: The CIP. Not modified.
        factor: Above 0.
    """
    return change(settings, _scaled(settings, factor))


def _scaled(settings: CipSettings, factor: float) -> dict[str, dict[str, float]]:
    values: dict[str, dict[str, float]] = {}
    for name in INTENSITIES:
        step, key = name.split(".")
        values.setdefault(step, {})[key] = factor * float(getattr(getattr(settings, step), key))
    return values


def _with(settings: Pipeline, values: Mapping[str, float]) -> Pipeline:
    factor = values.get(SCALE)
    if factor is not None:
        if not isinstance(settings, CipSettings):
            msg = f"{SCALE} must belong to a CIP of Rosella, got {type(settings).__name__}. Name single settings."
            raise InputError(msg)
        settings = scale_thresholds(settings, factor)
    for name, value in values.items():
        if name != SCALE:
            nested: Any = value
            for key in reversed(name.split(".")):
                nested = {key: nested}
            settings = change(settings, nested)
    return settings


def plan_family(
    folder: Path, members: Sequence[Pipeline], *, name: str, channels: str = "", full_scale: float | None = None
) -> dict[str, Plan]:
    """Plan a label set of every member: NAME-1, NAME-2 and so on; see `labelling.plan_dataset`.

    Args:
        folder: The dataset folder.
        members: As `spread` makes them.
        name: What the label sets are called, before their number.
        channels: Which channel of the images is which, as of `plan_dataset`.
        full_scale: Largest value of the images, as of `plan_dataset`.

    Returns:
        By the label set's name what `label_family` takes.
    """
    plans = {}
    for place, member in enumerate(members, 1):
        label_set = f"{name}-{place}"
        plans[label_set] = plan_dataset(folder, member, name=label_set, channels=channels, full_scale=full_scale)[:2]
    return plans


def label_family(plans: Sequence[Plan], *, workers: int = 1) -> Iterator[tuple[str, Outcome]]:
    """Label every image with every member, from one deconvolution each; what is there already is kept.

    Args:
        plans: Labeller and tasks of each member, as `plan_family` makes them, over the same images.
        workers: Processes; the files are the same for any number.

    Yields:
        The id of each image as it ends, and what came of it.
    """
    labellers = tuple(labeller for labeller, _ in plans)
    together = zip(*(tasks for _, tasks in plans), strict=True)
    work = [FamilyTask(one[0].id, one[0].image, tuple(t.target for t in one), one[0].n_channels) for one in together]
    waiting = [task for task in work if not all(target.exists() for target in task.targets)]
    yield from ((task.id, Outcome()) for task in work if task not in waiting)
    engine = local(min(workers, len(waiting)))
    for task, outcome in run(partial(_label_image, labellers=labellers), waiting, engine=engine):
        yield task.id, Outcome(f"{task.image}: {outcome}") if isinstance(outcome, WorkerDiedError) else outcome


def _label_image(task: FamilyTask, labellers: tuple[Labeller, ...]) -> Outcome:
    try:
        image = read_image(task.image, n_channels=task.n_channels)
        sharp: dict[Deconvolution, Any] = {}
        for labeller, target in zip(labellers, task.targets, strict=True):
            if target.exists():
                continue
            settings = labeller.settings
            if not isinstance(settings, CipSettings):
                label_map, _ = labeller(image)
                write_label_map(target, np.ascontiguousarray(label_map))
                continue
            chosen = labeller.choose(image)
            if settings.deconvolution not in sharp:
                sharp[settings.deconvolution] = sharpen(chosen, settings.deconvolution)
            result = segment_field(chosen, settings, sharp=sharp[settings.deconvolution])
            write_text(target.parent / "vesicles" / f"{task.id}.csv", result.vesicles.to_pandas().to_csv(index=False))
            whole = result.label_map if labeller.phases else merge_classes(result.label_map, PHASES_TO_ROSELLA)
            write_label_map(target, np.ascontiguousarray(whole))
    except (InputError, OSError) as error:
        return Outcome(str(error) if str(task.image) in str(error) else f"{task.image}: {error}")
    return Outcome(doubt=labellers[0].doubt(image))
