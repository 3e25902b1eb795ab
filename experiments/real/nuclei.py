"""Nuclei with curated masks: a conventional pipeline as teacher, CDL on its labels, MDL on few curated images."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.sources import method_name
from experiments.imported import write_imported
from experiments.paper import networks
from experiments.paper.screen import CIP, TRUTH
from experiments.paper.steps import Step
from experiments.real.scores import score_methods
from experiments.real.settings import RealSettings
from experiments.simulated import label_with_cip
from imaging.dataset import Dataset, open_dataset

CURATED = "curated"
METHODS = (CIP, networks.CDL, networks.MDL, networks.FINETUNED)


def list_steps(data: Path, home: Path, settings: RealSettings, *, seed: int) -> list[Step]:
    """List the steps of one seed: of the split, the curated images that are taken, and the weights.

    Args:
        data: Folder with images/, labels_curated/ and index.csv, whose column `group` names adjacent tiles.
        home: The folder of this seed.
        settings: How large.
        seed: The seed.
    """
    fields, nets = home / "fields", home / "networks"
    best = nets / networks.CDL / networks.BEST
    return [
        Step("fields", partial(_import, data, fields, settings, seed)),
        Step("teacher", partial(_label, fields)),
        Step(networks.CDL, partial(_train_cdl, fields, nets / networks.CDL, settings, seed)),
        Step(networks.MDL, partial(_train_mdl, fields, nets / networks.MDL, settings, seed, None)),
        Step(networks.FINETUNED, partial(_train_mdl, fields, nets / networks.FINETUNED, settings, seed, best)),
        Step("scores", partial(_score, fields, settings, seed)),
    ]


def choose_few(dataset: Dataset, settings: RealSettings, *, seed: int) -> list[str]:
    """Choose the images whose curated masks MDL sees: some to train on, some to choose its epoch.

    Returns:
        Ids, training first; at most as many as there are.
    """
    chosen = []
    for place, (split, n) in enumerate((("training", settings.few), ("validation", settings.few_validation))):
        ids = sorted(dataset.ids(split))
        order = np.random.default_rng([seed, place]).permutation(len(ids))[:n]
        chosen += [ids[position] for position in sorted(order.tolist())]
    return chosen


def _import(data: Path, fields: Path, settings: RealSettings, seed: int) -> Mapping[str, Any]:
    if not (fields / "dataset.json").is_file():
        source = {
            "images": str(data / "images"),
            "labels": {TRUTH: str(data / "labels_curated")},
            "classes": ["background", "nucleus"],
            "groups": f"{data / 'index.csv'}:group",
            "instances": True,
            "split": settings.split,
            "seed": seed,
        }
        write_imported(fields, source)
    dataset = open_dataset(fields)
    few = choose_few(dataset, settings, seed=seed)
    return {split: len(dataset.ids(split)) for split in ("training", "validation", "test")} | {"few": few}


def _label(fields: Path) -> Mapping[str, Any]:
    label_with_cip(fields, name=CIP, preset="nuclei")
    return {}


def _train_cdl(fields: Path, folder: Path, settings: RealSettings, seed: int) -> Mapping[str, Any]:
    trained = networks.train(networks.CDL, fields, folder, cropped(settings), epochs=settings.epochs, seed=seed)
    predicted = networks.predict(networks.CDL, fields, folder / networks.BEST, fields / "labels" / networks.CDL)
    return {"commands": [trained, predicted]}


def _train_mdl(fields: Path, folder: Path, settings: RealSettings, seed: int, init: Path | None) -> Mapping[str, Any]:
    """Train MDL for as many steps as CDL took: over fewer images, more epochs."""
    dataset = open_dataset(fields)
    few = choose_few(dataset, settings, seed=seed)
    view = networks.narrow(dataset, folder.with_name(f"{folder.name}-fields"), ids=few, name=CURATED, source=TRUTH)
    n_few = len(set(few) & set(dataset.ids("training")))
    stretch = max(1, round(len(dataset.ids("training")) / n_few))
    recipe = cropped(settings, label_name=CURATED)
    epochs = settings.epochs * stretch
    trained = networks.train(networks.MDL, view, folder, recipe, epochs=epochs, seed=seed, init=init, stretch=stretch)
    predicted = networks.predict(networks.MDL, fields, folder / networks.BEST, fields / "labels" / folder.name)
    return {"epochs": epochs, "commands": [trained, predicted]}


def cropped(settings: RealSettings, **values: Any) -> RealSettings:
    """Give the settings of a training that sees squares cut at random, and further values of its config."""
    patch = {"patch_size": [settings.patch, settings.patch]}
    return replace(settings, overrides={**settings.overrides, **patch, **values})


def _score(fields: Path, settings: RealSettings, seed: int) -> Mapping[str, Any]:
    found = score_methods(open_dataset(fields), METHODS, reference=TRUTH, resamples=settings.resamples, seed=seed)
    return {"methods": [method_name(name) for name in METHODS], **found}
