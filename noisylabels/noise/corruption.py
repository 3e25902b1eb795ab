"""Corruption: a noise model applied to a whole dataset folder, resumable field by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from noisylabels import __version__
from noisylabels.data.claims import claim_folder
from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable, needs_image
from noisylabels.data.hashes import hash_array, hash_values
from noisylabels.data.images import write_label_map
from noisylabels.data.labels import IGNORE_INDEX
from noisylabels.noise.log import join_logs, read_log, write_log
from noisylabels.noise.model import NoiseModel
from noisylabels.parallel import WorkerDiedError, local, run

DIGITS = 16


@dataclass(frozen=True)
class Recipe:
    """What makes a noisy label set: same recipe, same bytes.

    Args:
        folder: The dataset folder.
        source: The clean label set.
        name: The label set to write.
        model: The noise model, its class table that of the dataset.
    """

    folder: Path
    source: str
    name: str
    model: NoiseModel

    @property
    def target(self) -> Path:
        """Where the noisy label maps go."""
        return self.folder / "labels" / self.name

    def provenance(self) -> dict[str, object]:
        """Describe the recipe as plain data."""
        return {"source": self.source, "model": self.model.to_dict(), "noisylabels": __version__}


def make_recipe(folder: Path, model: NoiseModel, *, source: str, name: str) -> Recipe:
    """Check that a model can be applied to a dataset.

    Raises:
        InputError: If the source is no label set, is the target, or the model is of another class table.
    """
    dataset = open_dataset(folder)
    dataset.require_labels(source)
    if name == source:
        msg = f"The noisy label set must have a name of its own, got that of the clean one, {name!r}. Give --name."
        raise InputError(msg)
    if model.classes.names != dataset.classes.names:
        msg = (
            f"Classes of the noise model must be those of {folder}, {list(dataset.classes)}, "
            f"got {list(model.classes)}. Write them under `classes`."
        )
        raise InputError(msg)
    return Recipe(folder, source, name, model)


def corrupt_dataset(recipe: Recipe, *, n_workers: int = 1, overwrite: bool = False) -> Iterator[tuple[str, str | None]]:
    """Write a noisy label map for every field, then the joined log.

    A field whose label map and log were written from the same recipe and the same input is not done again. Beside the
    label maps lie `provenance.json`, `log/<id>-<digest>.parquet` per field and, in the end, `errors.parquet`.

    Args:
        recipe: What to make.
        n_workers: Processes; the result is the same for any number.
        overwrite: Allow that the label set was made by another recipe.

    Yields:
        Per field, as it ends, its id and what went wrong (None = nothing).

    Raises:
        InputError: If the label set exists and was made otherwise.
    """
    _claim(recipe, overwrite=overwrite)
    ids = open_dataset(recipe.folder).ids()
    logs: dict[str, Path] = {}
    for case_id, ended in run(partial(corrupt_case, recipe), ids, engine=local(n_workers)):
        log, fault = (None, str(ended)) if isinstance(ended, WorkerDiedError) else ended
        if log is not None:
            logs[case_id] = log
        yield case_id, fault
    write_log(recipe.target / "errors.parquet", join_logs([read_log(logs[id]) for id in ids if id in logs]))


def corrupt_case(recipe: Recipe, case_id: str) -> tuple[Path | None, str | None]:
    """Corrupt one field unless that is done already.

    Returns:
        The field's log, None if the field could not be read; and what went wrong, None if nothing did.
    """
    try:
        return _corrupt(recipe, case_id), None
    except (InputError, OSError) as fault:
        return None, str(fault)


def _corrupt(recipe: Recipe, case_id: str) -> Path:
    dataset = open_dataset(recipe.folder)
    image = dataset.image(case_id) if looks_at_images(recipe.model) else None
    clean = dataset.label_map(recipe.source, case_id, like=image, ignore_index=IGNORE_INDEX)
    inputs = [hash_array(array) for array in (clean, image) if array is not None]
    log = recipe.target / "log" / f"{case_id}-{hash_values([recipe.provenance(), *inputs])[:DIGITS]}.parquet"
    target = recipe.folder / "labels" / recipe.name / f"{case_id}.tif"
    if not (log.is_file() and target.is_file()):
        for stale in log.parent.glob(f"{case_id}-{'?' * DIGITS}.parquet"):
            stale.unlink()
        made = recipe.model.apply(clean, image, image_id=case_id, channel_names=dataset.channel_names)
        write_label_map(target, made.label_map)
        write_log(log, made.log)  # last: a field with a log is a finished field
    return log


def looks_at_images(model: NoiseModel) -> bool:
    """Return whether a model needs the image."""
    return any(map(needs_image, model.features)) or any(
        getattr(kind, "near", None) or any(mode.startswith("channel:") for mode in getattr(kind, "modes", ()))
        for kind in model.errors
    )


def summarise_log(log: EventTable) -> dict[str, int]:
    """Count the errors of a log by kind."""
    kinds = log["kind"].tolist()
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def _claim(recipe: Recipe, *, overwrite: bool) -> None:
    taken = not overwrite and any(recipe.target.glob("*.tif"))
    record = recipe.target / "provenance.json"
    claim_folder(record, recipe.provenance(), taken=taken, advice="Give another --name, or --overwrite.")
