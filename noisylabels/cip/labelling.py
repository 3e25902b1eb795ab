"""Label many fields with a conventional pipeline: file by file, resumable, in several processes."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from evaluation.metrics.counts import FieldKey
from evaluation.metrics.fields import count_fields
from noisylabels.cip.nuclei import NucleiSettings, segment_nuclei
from noisylabels.cip.pipeline import segment_field
from noisylabels.cip.quality import describe_misses, format_errors
from noisylabels.cip.scale import check_full_scale, doubt_scale, stretch
from noisylabels.cip.settings import LCSB, PRESETS, CipSettings
from noisylabels.cip.stock import STOCK, StockSettings, segment_stock
from noisylabels.data.arrays import RealArray
from noisylabels.data.atomic import write_text
from noisylabels.data.claims import claim_folder
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.hashes import hash_code, hash_values
from noisylabels.data.ids import image_id
from noisylabels.data.images import read_image, read_label_map, write_label_map
from noisylabels.data.labels import (
    PHASES_TO_ROSELLA,
    ROSELLA,
    ROSELLA_PHASES,
    ClassTable,
    LabelMap,
    merge_classes,
    require_same_classes,
)
from noisylabels.data.settings import change, read_mapping
from noisylabels.parallel import WorkerDiedError, local, run
from noisylabels.plates.fields import Projection

Pipeline: TypeAlias = CipSettings | NucleiSettings | StockSettings
"""Settings of a pipeline; their type says which one it is."""

PIPELINES: Mapping[str, Pipeline] = {**PRESETS, NucleiSettings().name: NucleiSettings(), **STOCK}
"""Every preset by name: the CIP of the paper and its corrected form, nuclei, and the stock pipelines."""

ROSELLA_CHANNELS = ("DsRed", "pHluorin")


@dataclass(frozen=True)
class Labeller:
    """A conventional pipeline and what it reads.

    Args:
        settings: Of the pipeline; their type says which one it is.
        channels: Positions of its channels in the image: DsRed and pHluorin, the one of the nuclei, or for a stock
            pipeline as many as there are classes beside the background.
        phases: Keep the four phases of the CIP instead of the paper's two.
        full_scale: What is white in images that are no counts of the camera, such as 255 or 1; see `scale.stretch`.
    """

    settings: Pipeline
    channels: tuple[int, ...]
    phases: bool = False
    full_scale: float | None = None

    def __post_init__(self) -> None:
        """Check the scale."""
        check_full_scale(self.full_scale)

    @classmethod
    def alone(cls, settings: Pipeline, *, phases: bool = False) -> "Labeller":
        """Make a labeller of images that hold its channels and no others, in its order."""
        return cls(settings, tuple(range(count_channels(settings))), phases)

    @property
    def name(self) -> str:
        """Short name; a column of every table."""
        return "cip" if isinstance(self.settings, CipSettings) else self.settings.name

    @property
    def classes(self) -> ClassTable:
        """The classes of its label maps: nuclei, one a channel, the paper's two or, with `phases`, four phases."""
        if isinstance(self.settings, NucleiSettings):
            return ClassTable(("background", "nucleus"))
        if isinstance(self.settings, StockSettings):
            return ClassTable(("background", *self.settings.class_names))
        return ROSELLA_PHASES if self.phases else ROSELLA

    @property
    def z(self) -> Projection:
        """Which focal planes it wants."""
        return "stack" if isinstance(self.settings, CipSettings) else "max"

    @property
    def needs_counts(self) -> bool:
        """Whether its thresholds are counts of a 16-bit camera; those of nuclei and most stock ones are relative."""
        if isinstance(self.settings, StockSettings):
            return self.settings.rule == "fixed"
        return isinstance(self.settings, CipSettings)

    def fingerprint(self) -> str:
        """Return the hash of every number of the pipeline and its code."""
        return hash_values({**self.describe(), "code": hash_code(("noisylabels.cip", "noisylabels.cip.deconvolution"))})

    def load(self) -> Callable[[Sequence[RealArray]], list[LabelMap]]:
        """Return the function from images to label maps."""
        return lambda images: [self(image)[0] for image in images]

    def __call__(self, image: RealArray) -> tuple[LabelMap, EventTable | None]:
        """Label an image.

        Args:
            image: (channel, row, column) or (channel, plane, row, column). Not modified.

        Returns:
            (row, column) class indices, and the vesicles where the pipeline has such a table.
        """
        chosen = self.choose(image)
        if isinstance(self.settings, NucleiSettings):
            return segment_nuclei(chosen, self.settings), None
        if isinstance(self.settings, StockSettings):
            return segment_stock(chosen, self.settings), None
        result = segment_field(chosen, self.settings)
        label_map = result.label_map if self.phases else merge_classes(result.label_map, PHASES_TO_ROSELLA)
        return label_map, result.vesicles

    def choose(self, image: RealArray) -> RealArray:
        """Return the channels it reads, in counts of a camera where `full_scale` says their scale.

        Raises:
            InputError: If the image lacks one.
        """
        if max(self.channels) >= len(image):
            msg = f"The image must have a channel {max(self.channels)}, got {len(image)} channels. Use --channels."
            raise InputError(msg)
        return stretch(image[list(self.channels)], self.full_scale)

    def doubt(self, image: RealArray) -> str:
        """Describe that an image has not the scale that its thresholds are made for; nothing where it has."""
        if not self.needs_counts or self.full_scale is not None:
            return ""
        return doubt_scale(image[list(self.channels)], self.name)

    def describe(self) -> dict[str, object]:
        """Return in plain values what it does; equal descriptions mean equal label maps."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        if self.full_scale is None:
            del plain["full_scale"]
        return {"pipeline": type(self.settings).__name__, **plain}


@dataclass(frozen=True)
class Task:
    """One image to label: its name, its file, the label map to write, and how many channels it must have, if known."""

    id: str
    image: Path
    target: Path
    n_channels: int | None = None

    @property
    def table(self) -> Path:
        """Where the vesicles of this image go: beside the label map, in `vesicles/`."""
        return self.target.parent / "vesicles" / f"{self.id}.csv"


def channels_by_name(names: Sequence[str], wanted: Sequence[str] = ROSELLA_CHANNELS) -> tuple[int, ...]:
    """Find channels by their names, capital letters or not.

    Raises:
        InputError: If one is missing; the message lists those there are.

    Examples:
        >>> channels_by_name(("pHluorin", "dsred", "DAPI"))
        (1, 0)
    """
    known = [name.lower() for name in names]
    missing = [name for name in wanted if name.lower() not in known]
    if missing:
        msg = (
            f"Channels must include {' and '.join(wanted)}, got {list(names)}. Choose positions with --channels, or "
            "for nuclei in one channel --preset nuclei."
        )
        raise InputError(msg)
    return tuple(known.index(name.lower()) for name in wanted)


def load_pipeline(preset: str, path: Path | None = None) -> Pipeline:
    """Choose a pipeline by the name of a preset, and change some of its settings.

    Args:
        preset: A name of `PIPELINES`.
        path: YAML file of settings that differ.

    Raises:
        InputError: If the preset or a setting is unknown.
    """
    return choose_pipeline({"preset": preset, **(read_mapping(path) if path else {})})


def choose_pipeline(values: Mapping[str, object]) -> Pipeline:
    """Choose a pipeline, and change some of its settings.

    Args:
        values: Nested mapping of the settings to change; `preset` names what to start from, the original CIP when it is
            not there.

    Raises:
        InputError: If the preset or a setting is unknown.

    Examples:
        >>> choose_pipeline({"preset": "nuclei", "sigma_px": 2}).sigma_px
        2.0
    """
    preset = values.get("preset", LCSB.name)
    if not isinstance(preset, str) or preset not in PIPELINES:
        msg = f"A preset must be one of {', '.join(PIPELINES)}, got {preset!r}. Use one of those names."
        raise InputError(msg)
    return change(PIPELINES[preset], {key: value for key, value in values.items() if key != "preset"})


def plan_dataset(
    folder: Path,
    settings: Pipeline,
    *,
    name: str,
    channels: str = "",
    phases: bool = False,
    full_scale: float | None = None,
) -> tuple[Labeller, list[Task], Dataset]:
    """List what is to be done for the label set `name` of a dataset folder.

    Raises:
        InputError: If the dataset lacks the channels, or its class indices mean something else.
    """
    dataset = open_dataset(folder)
    n_channels = len(dataset.channel_names)
    if not channels and not isinstance(settings, CipSettings) and count_channels(settings) < n_channels:
        named = ", ".join(f"{place} {name}" for place, name in enumerate(dataset.channel_names))
        msg = f"--channels must say what {settings.name} reads in {folder}, got nothing, and it has {named}. Choose."
        raise InputError(msg)
    if channels or not isinstance(settings, CipSettings):
        positions = _positions(channels, settings)
    else:
        positions = channels_by_name(dataset.channel_names)
    if isinstance(settings, StockSettings) and len(positions) >= len(dataset.classes):
        msg = (
            f"{settings.name} labels one class a channel, so --channels must be at most {len(dataset.classes) - 1} in "
            f"{folder} ({', '.join(dataset.classes.foreground)}), got {len(positions)}. Name fewer channels."
        )
        raise InputError(msg)
    if max(positions) >= n_channels:
        msg = f"--channels must be positions from 0 to {n_channels - 1} in {folder}, got {channels!r}. Correct it."
        raise InputError(msg)
    if isinstance(settings, CipSettings) and not phases:
        require_same_classes(ROSELLA, dataset.classes, what=settings.name, folder=folder)
    tasks = [Task(id, dataset.image_path(id), dataset.label_path(name, id), n_channels) for id in dataset.ids()]
    return Labeller(settings, positions, phases, full_scale), tasks, dataset


def plan_file(
    path: Path,
    settings: Pipeline,
    *,
    out: Path | None,
    channels: str = "",
    phases: bool = False,
    full_scale: float | None = None,
) -> tuple[Labeller, list[Task], None]:
    """Return what is to be done for one image file; its label map goes into the folder `out`.

    Raises:
        InputError: If `out` is not given.
    """
    if out is None:
        msg = f"--out must be given with a single image, {path.name}. Name the folder for its label map."
        raise InputError(msg)
    labeller = Labeller(settings, _positions(channels, settings), phases, full_scale)
    return labeller, [Task(image_id(path), path, out / f"{image_id(path)}.tif")], None


def count_channels(settings: Pipeline) -> int:
    """Count the channels that a pipeline reads where nobody names them.

    Examples:
        >>> count_channels(LCSB), count_channels(STOCK["otsu"])
        (2, 1)
    """
    if isinstance(settings, StockSettings):
        return len(settings.class_names)
    return 1 if isinstance(settings, NucleiSettings) else len(ROSELLA_CHANNELS)


def _positions(channels: str, settings: Pipeline) -> tuple[int, ...]:
    n_channels = count_channels(settings)
    words = channels.split(",") if channels else [str(index) for index in range(n_channels)]
    if isinstance(settings, StockSettings):
        n_channels = len(words)
    if len(words) != n_channels or not all(word.strip().isdecimal() for word in words):
        example = ",".join(map(str, range(n_channels)))
        msg = f"--channels must be {n_channels} positions from 0 on, as {example}, got {channels!r}. Correct it."
        raise InputError(msg)
    return tuple(int(word) for word in words)


def prepare_label_set(tasks: Sequence[Task], labeller: Labeller, *, overwrite: bool = False) -> None:
    """Note in `settings.json` beside the label maps how they are made, so that a later call may continue.

    Args:
        tasks: What is to be done, all in one folder.
        labeller: The pipeline.
        overwrite: Remove the label maps of these tasks first.

    Raises:
        InputError: If label maps are there that were made otherwise, and `overwrite` is not set.
    """
    folder, about = tasks[0].target.parent, labeller.describe()
    if overwrite:
        for task in tasks:
            task.target.unlink(missing_ok=True)
    taken = any(task.target.exists() for task in tasks)
    claim_folder(folder / "settings.json", about, taken=taken, advice="Name another, or overwrite.")


def forget_label_set(tasks: Sequence[Task]) -> None:
    """Undo what `prepare_label_set` wrote, where nothing came of it.

    Args:
        tasks: What was to be done, all in one folder.
    """
    folder = tasks[0].target.parent
    if [entry.name for entry in folder.iterdir()] == ["settings.json"]:
        (folder / "settings.json").unlink()
        folder.rmdir()


class Outcome(NamedTuple):
    """What came of an image.

    Args:
        failure: Why it could not be labelled, one sentence.
        doubt: What may be wrong with what was found.
    """

    failure: str = ""
    doubt: str = ""


def label_files(tasks: Sequence[Task], labeller: Labeller, *, workers: int = 1) -> Iterator[tuple[Task, Outcome]]:
    """Label images and write their label maps; those that exist are skipped.

    Args:
        tasks: What to do; the order does not matter, no task looks at another.
        labeller: The pipeline.
        workers: Number of processes.

    Yields:
        Each task as it ends, and what came of it. Nothing is left half-written.
    """
    waiting = [task for task in tasks if not task.target.exists()]
    yield from ((task, Outcome()) for task in tasks if task.target.exists())
    engine = local(min(workers, len(waiting)))
    for task, outcome in run(partial(label_file, labeller=labeller), waiting, engine=engine):
        yield task, Outcome(f"{task.image}: {outcome}") if isinstance(outcome, WorkerDiedError) else outcome


def label_file(task: Task, labeller: Labeller) -> Outcome:
    """Label one image: write the vesicle table, then the label map, which says that both are there."""
    try:
        image = read_image(task.image, n_channels=task.n_channels)
        label_map, vesicles = labeller(image)
        if vesicles is not None:
            write_text(task.table, vesicles.to_pandas().to_csv(index=False))
        write_label_map(task.target, np.ascontiguousarray(label_map))
    except (InputError, OSError) as error:
        return Outcome(str(error) if str(task.image) in str(error) else f"{task.image}: {error}")
    return Outcome(doubt=labeller.doubt(image))


def describe_errors(dataset: Dataset, reference: str, prediction: str, *, phases: bool = False) -> str:
    """Write a table: class fractions beside the paper's, IoU, the rates of each kind of error, and what is missed.

    Args:
        dataset: The dataset folder.
        reference: Name of its true label set.
        prediction: Name of the label set to judge; fields without it are left out.
        phases: Both label sets hold the four phases, whatever the classes of the dataset.
    """
    classes = ROSELLA_PHASES if phases else dataset.classes
    done = [id for id in dataset.ids() if dataset.label_path(prediction, id).exists()]

    def read(name: str, id: str) -> LabelMap:
        return read_label_map(dataset.label_path(name, id), classes)

    fields = ((FieldKey(id, prediction), read(reference, id), read(prediction, id)) for id in done)
    errors_table = format_errors(count_fields(fields, classes=classes))
    misses = describe_misses(((dataset.image(id), read(reference, id), read(prediction, id)) for id in done), classes)
    return f"{errors_table}\n{misses}" if misses else errors_table
