"""The folder of one experiment, and the label folders its runs train on.

data/                  the fields and their truth (or a pointer to a dataset folder)
labels/<key>/          a dataset folder: training and validation labels of one noise, shared by all methods
runs/<id>/             one training: recipe.json, model/, labels/, fields.parquet, events.parquet, result.json
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from noisylabels.data.dataset import Dataset, open_dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.hashes import hash_values
from noisylabels.data.images import write_label_map
from noisylabels.data.labels import LabelMap
from noisylabels.data.views import view_of
from noisylabels.experiments.declaration import CLEAN, LABELS, Declaration, noise_at
from noisylabels.experiments.grid import Run, hash_folder
from noisylabels.experiments.shared_folder import building_once
from noisylabels.noise.model import NoiseModel
from noisylabels.noise.presets import load_noise

TRAIN = "train"
TRUTH = "truth"
HASHED = ("images/*", "labels/*/*", "datalist.json")


@dataclass(frozen=True)
class Workspace:
    """One experiment's folder.

    Args:
        folder: Where everything of the experiment goes.
        declaration: What it declares.
    """

    folder: Path
    declaration: Declaration

    def data(self) -> Dataset:
        """Open the fields, making them first if the declaration simulates them.

        Raises:
            InputError: If there is no test field or no truth for one.
        """
        source = self.declaration.data
        dataset = open_dataset(source.folder) if source.folder else self._made()
        dataset = self._resplit(dataset)
        self._check(dataset)
        return dataset

    def run_folder(self, run_id: str) -> Path:
        """Return where a run's results lie, or would lie."""
        return self.folder / "runs" / run_id

    def _made(self) -> Dataset:
        folder = self.folder / "data"
        if (folder / "dataset.json").is_file():
            return open_dataset(folder)
        source = self.declaration.data
        if source.toy is not None:
            from noisylabels.experiments.toy import read_toy, write_toy

            return write_toy(folder, read_toy(source.toy))
        if source.imported is not None:
            from noisylabels.experiments.imported import write_imported

            return write_imported(folder, source.imported, root=source.root)
        from noisylabels.experiments.simulated import write_simulated

        named = {str(recipe).removeprefix(LABELS) for recipe in self.declaration.noise.values()}
        return write_simulated(folder, source.simulate or {}, labels=named)

    def _resplit(self, dataset: Dataset) -> Dataset:
        if self.declaration.splits is None:
            return dataset
        lists = json.loads(Path(self.declaration.splits).read_text())
        split_of = {entry["id"]: split for split, entries in lists.items() for entry in entries}
        cases = tuple(replace(case, split=split_of[case.id]) for case in dataset.cases if case.id in split_of)
        return replace(dataset, cases=cases)

    def _check(self, dataset: Dataset) -> None:
        truth = self.declaration.data.truth
        dataset.require_labels(truth)
        if not dataset.ids("test"):
            msg = f"{dataset.folder} must have test fields, got none. Split it anew, or name splits."
            raise InputError(msg)
        missing = [name for name in dataset.ids("test") if not dataset.label_path(truth, name).is_file()]
        if missing:
            where = dataset.folder / "labels" / truth
            msg = f"Every test field must have a truth in {where}, got none for {missing[0]}. Add it."
            raise InputError(msg)


def hash_data(data: Dataset) -> str:
    """Return the hash of the fields of an experiment and all their label sets."""
    return hash_folder(data.folder, HASHED)


def training_ids(data: Dataset, run: Run) -> list[str]:
    """Choose the training fields of a run: the first `n_train` of an order that the split seed draws.

    Smaller sets are contained in larger ones.

    Raises:
        InputError: If there are fewer training fields than asked for.
    """
    ids = sorted(data.ids("training"))
    order = np.random.default_rng(run.split_seed).permutation(len(ids))
    n_train = len(ids) if run.n_train is None else run.n_train
    if not 1 <= n_train <= len(ids):
        msg = f"n_train must be 1 to {len(ids)}, the training fields there are, got {n_train}. Simulate more fields."
        raise InputError(msg)
    return [ids[position] for position in order[:n_train]]


def noise_model(run: Run, declaration: Declaration, data: Dataset) -> NoiseModel | None:
    """Make the noise model of a run; None for clean labels and for labels as they are."""
    if run.noise == CLEAN or _label_set(run, declaration):
        return None
    recipe = declaration.noise[run.noise]
    if isinstance(recipe, str):
        return load_noise(recipe, data.classes, seed=run.noise_seed)
    return NoiseModel.from_dict({"classes": list(data.classes), **noise_at(recipe, run.dose)}).with_seed(run.noise_seed)


def noisy_labels(
    run: Run, declaration: Declaration, data: Dataset, case_id: str
) -> tuple[LabelMap, LabelMap, EventTable | None]:
    """Return truth, noisy label map and error log of one field; the log is None where no error was injected."""
    truth = data.label_map(declaration.data.truth, case_id)
    label_set = _label_set(run, declaration)
    if label_set:
        return truth, data.label_map(label_set, case_id), None
    model = noise_model(run, declaration, data)
    if model is None:
        return truth, truth, None
    image = data.image(case_id) if model.features else None
    corrupted = model.apply(truth, image, image_id=case_id, channel_names=data.channel_names)
    return truth, corrupted.label_map, corrupted.log


def _label_set(run: Run, declaration: Declaration) -> str | None:
    recipe = declaration.noise.get(run.noise)
    return recipe.removeprefix(LABELS) if isinstance(recipe, str) and recipe.startswith(LABELS) else None


def prepare_labels(workspace: Workspace, data: Dataset, run: Run) -> Dataset:
    """Make the dataset folder that a run trains on: noisy labels once, whatever the method.

    Returns:
        A dataset folder with the label sets `train` (noisy; for validation fields as declared) and `truth`. It points
        at the images and copies none.
    """
    declaration = workspace.declaration
    folder = workspace.folder / "labels" / _key({**run.labels_key(), "noise": _recipe(run, declaration)})
    if (folder / "dataset.json").is_file():
        return open_dataset(folder)
    with building_once(folder) as building:
        kept: list[str] = []
        for split in ("training", "validation", "test"):
            ids = training_ids(data, run) if split == "training" else data.ids(split)
            for case_id in ids:
                if split != "test":
                    _write_pair(building, declaration, data, run, case_id, noisy=_is_noisy(split, declaration))
            kept += ids
        view = replace(view_of(data, folder, kept), folder=building, provenance={"labels": run.labels_key()})
        write_dataset(view, label_name=TRAIN)
    return open_dataset(folder)


def folder_beside(view: Dataset, ids: list[str], *, name: str) -> Path:
    """Return where a folder beside a view lies that trains on some of its fields only."""
    return view.folder.with_name(f"{view.folder.name}-{name}-{_key({'ids': ids})[:6]}")


def narrow_labels(view: Dataset, ids: list[str], *, name: str) -> Dataset:
    """Make a folder beside a view that trains on the truth of some of its training fields only."""
    folder = folder_beside(view, ids, name=name)
    if (folder / "dataset.json").is_file():
        return open_dataset(folder)
    kept = [case.id for case in view.cases if case.split != "training" or case.id in ids]
    narrowed = view_of(view, folder, kept)
    for case in narrowed.cases:
        if case.split != "test":
            source = TRUTH if case.split == "training" else TRAIN
            for name_to, name_from in ((TRAIN, source), (TRUTH, TRUTH)):
                write_label_map(folder / "labels" / name_to / f"{case.id}.tif", view.label_map(name_from, case.id))
    write_dataset(narrowed, label_name=TRAIN)
    return narrowed


def _write_pair(folder: Path, declaration: Declaration, data: Dataset, run: Run, case_id: str, *, noisy: bool) -> None:
    truth, labels, _ = noisy_labels(run, declaration, data, case_id)
    write_label_map(folder / "labels" / TRAIN / f"{case_id}.tif", labels if noisy else truth)
    write_label_map(folder / "labels" / TRUTH / f"{case_id}.tif", truth)


def _is_noisy(split: str, declaration: Declaration) -> bool:
    return split == "training" or declaration.validation == "noisy"


def _recipe(run: Run, declaration: Declaration) -> Any:
    recipe = declaration.noise.get(run.noise)
    return [run.noise, noise_at(recipe, run.dose), declaration.validation, declaration.data.truth]


def _key(content: Mapping[str, object]) -> str:
    return hash_values(content)[:12]
