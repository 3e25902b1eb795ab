"""A run over plates: declare it, survey it, work off what is missing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from noisylabels.data.errors import InputError
from noisylabels.data.ids import check_name
from noisylabels.parallel import Engine, Shard, WorkerDiedError, run_batches
from noisylabels.plates.fields import Field
from noisylabels.plates.formats import open_plates
from noisylabels.plates.plate import LATEST, Choice, Coefficients, Plate
from noisylabels.screening.batches import blame, process_batch
from noisylabels.screening.channels import check_channels
from noisylabels.screening.field import Outcome, state_of
from noisylabels.screening.flatfield import plate_flatfield, stored_flatfield
from noisylabels.screening.job import Job
from noisylabels.screening.methods import method_of
from noisylabels.screening.store import RUN_FILE, Store

STATES = ("done", "failed", "missing", "stale")

Flatfield = Literal["none", "index", "estimate"]


@dataclass(frozen=True)
class Declaration:
    """What a person chose for a run; kept in its folder, and the same for every start of it.

    Args:
        source: Folder of the plate or plates.
        method: The method's declaration; see `noisylabels.screening.methods`.
        pattern: Naming pattern of plain TIFF files.
        channels: Channels of the plate in the method's order; all when None.
        channel_names: What to call them in tables.
        time: Time point; the first when None.
        projection: Read the instrument's projections instead of the focal planes.
        sequence: Harmony's acquisition sequence: latest, all, or one by name.
        action: CellVoyager's action: latest, all, or one by its number.
        full_scale: What is white in the images, such as 255 or 1, where their counts are not those of the camera.
        flatfield: `none`, `index` (the instrument's own profiles) or `estimate`.
    """

    source: str
    method: Mapping[str, Any]
    pattern: str | None = None
    channels: tuple[str, ...] | None = None
    channel_names: tuple[str, ...] | None = None
    time: int | None = None
    projection: bool = False
    sequence: str = LATEST
    action: str = LATEST
    full_scale: float | None = None
    flatfield: Flatfield = "none"

    def __post_init__(self) -> None:
        if self.flatfield not in ("none", "index", "estimate"):
            msg = f"flatfield must be none, index or estimate, got {self.flatfield!r}. Choose one of them."
            raise InputError(msg)
        if self.full_scale is not None and not 0 < self.full_scale < float("inf"):
            msg = f"full_scale must be above 0, got {self.full_scale}. For 8-bit images write 255."
            raise InputError(msg)
        if self.channel_names and self.channels and len(self.channel_names) != len(self.channels):
            msg = f"Channel names must be one per channel, got {self.channel_names} for {self.channels}. Match them."
            raise InputError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Write it as plain data."""
        return {**vars(self), "method": dict(self.method)}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> "Declaration":
        """Read what `to_dict` wrote."""
        known = dict(entry)
        for name in ("channels", "channel_names"):
            known[name] = tuple(known[name]) if known.get(name) else None
        return cls(**known)


@dataclass(frozen=True)
class Screen:
    """Plates, what is done to them, and where results lie.

    Args:
        declaration: What was chosen.
        plates: The plates.
        job: What is done to each field.
        store: The folder of the run.
    """

    declaration: Declaration
    plates: tuple[Plate, ...]
    job: Job
    store: Store

    def __post_init__(self) -> None:
        names = [check_name(plate.name, what="Names of plates").casefold() for plate in self.plates]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            msg = f"Plates of a run must have different names, got {twice!r} twice. Rename one of them."
            raise InputError(msg)

    @property
    def fields(self) -> Iterator[Field]:
        """All fields of all plates."""
        return (field for plate in self.plates for field in plate.fields)

    def survey(self, *, verify: bool = False) -> Iterator[tuple[Field, str]]:
        """Iterate over all fields with their states."""
        return ((field, state_of(field, self.job, self.store, verify=verify)) for field in self.fields)

    def count_states(self) -> dict[str, int]:
        """Count fields by state."""
        counts = Counter(state for _, state in self.survey())
        return {state: counts[state] for state in STATES}

    def run(
        self, engine: Engine, *, shard: Shard | None = None, fields_per_task: int | None = None
    ) -> Iterator[Outcome]:
        """Process whatever is not done.

        Args:
            engine: Where.
            shard: Only the fields of this shard.
            fields_per_task: Fields that travel to a worker together; eight batches when None.
        """
        self.store.declare(self.declaration.to_dict())
        self.store.remove_leftovers()
        undone = (field for field in self.share(shard) if state_of(field, self.job, self.store) != "done")
        work = partial(process_batch, job=self.job, store=self.store)
        for field, outcome in run_batches(work, undone, size=fields_per_task or 8 * self.job.batch_size, engine=engine):
            yield blame(field, self.job, self.store) if isinstance(outcome, WorkerDiedError) else outcome

    def share(self, shard: Shard | None = None) -> Iterator[Field]:
        """Iterate over the fields of a shard; all when None."""
        return (field for field in self.fields if self.is_mine(field, shard))

    def is_mine(self, field: Field, shard: Shard | None) -> bool:
        """Return whether a field belongs to a shard; it does when there is none."""
        return shard is None or shard.holds(f"{field.plate}/{field.id}")

    def problems(self) -> list[str]:
        """Return what of the plates is left out, one sentence each."""
        problems = [problem for plate in self.plates for problem in plate.problems]
        return problems + [
            sentences for plate in self.plates for sentences in plate.times_left_out(self.declaration.time)
        ]


def start_screen(folder: str | Path, declaration: Declaration, *, batch_size: int = 1, retries: int = 2) -> Screen:
    """Begin a run, or begin it again.

    Args:
        folder: Folder of the run.
        declaration: What is to be done.
        batch_size: Fields given to a network together.
        retries: How often an error of the file system is tried again.

    Raises:
        InputError: If the folder holds another run, or plate, method or channels cannot be used.
    """
    store = Store(Path(folder).resolve())  # workers stand elsewhere
    choice = Choice(declaration.projection, declaration.sequence, declaration.action)
    plates = open_plates(declaration.source, pattern=declaration.pattern, choice=choice)
    method = method_of(declaration.method)
    check_channels(plates, method, channels=declaration.channels, names=declaration.channel_names)
    store.refuse_another(declaration.to_dict())
    job = Job.of(
        method,
        channels=declaration.channels,
        channel_names=declaration.channel_names,
        time=declaration.time,
        full_scale=declaration.full_scale,
        flatfields={plate.name: found for plate in plates if (found := _flatfield(plate, declaration, store))},
        retries=retries,
        batch_size=batch_size,
    )
    return Screen(declaration, plates, job, store)


def open_screen(folder: str | Path) -> Screen:
    """Open the run in a folder.

    Raises:
        FileNotFoundError: If it is no run.
    """
    store = Store(Path(folder))
    return start_screen(folder, Declaration.from_dict(store.declaration()))


def _flatfield(plate: Plate, declaration: Declaration, store: Store) -> Sequence[Coefficients] | None:
    if declaration.flatfield == "none":
        return None
    if declaration.flatfield == "index":
        return stored_flatfield(plate, declaration.channels)
    path = store.path(next(plate.fields), "").parent.parent / "flatfield.json"
    return plate_flatfield(plate, path, channels=declaration.channels, time=declaration.time)


__all__ = ["RUN_FILE", "STATES", "Declaration", "Flatfield", "Screen", "open_screen", "start_screen"]
