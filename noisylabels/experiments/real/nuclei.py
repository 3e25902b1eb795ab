"""Nuclei with curated masks: a conventional pipeline as teacher, CDL on its labels, MDL on few curated images."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from evaluation.metrics.count_files import write_counts
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.splits import SPLITS
from noisylabels.data.views import write_view
from noisylabels.experiments.imported import write_imported
from noisylabels.experiments.paper import networks
from noisylabels.experiments.paper.screen import CIP, TRUTH
from noisylabels.experiments.paper.steps import Step
from noisylabels.experiments.real.scores import count, pair_methods
from noisylabels.experiments.real.settings import RealSettings
from noisylabels.experiments.simulated import label_with_cip

CURATED = "curated"
COUNTS = "counts"
METHODS = ("CIP", "CDL", "MDL", "MDL from CDL")
"""Teacher, network on its labels, networks on few curated images from scratch and from CDL's weights."""
SPLIT_SEED = 0
"""All seeds share the split, so that they are tested on the same images."""


def list_steps(data: Path, folder: Path, settings: RealSettings, *, seeds: Sequence[int]) -> dict[str, list[Step]]:
    """List the steps by home: the images with their split and the teacher's labels, then the networks of each seed.

    Args:
        data: Folder with images/, labels_curated/ and index.csv, whose column `group` names adjacent tiles.
        folder: The folder of the study.
        settings: How large.
        seeds: Of the weights, and of the curated images that are taken.

    Returns:
        Steps of "shared", then of "seed-0" and so on.
    """
    fields = folder / "shared" / "fields"
    shared = [Step("fields", partial(_import, data, fields, settings)), Step("teacher", partial(_label, fields))]
    seeded = {f"seed-{seed}": _list_seed(fields, folder / f"seed-{seed}", settings, seed) for seed in seeds}
    return {"shared": shared, **seeded}


def _list_seed(fields: Path, home: Path, settings: RealSettings, seed: int) -> list[Step]:
    nets = home / "networks"
    best = nets / networks.CDL / networks.BEST
    return [
        Step(networks.CDL, partial(_train_cdl, fields, nets / networks.CDL, settings, seed)),
        Step(networks.MDL, partial(_train_mdl, fields, nets / networks.MDL, settings, seed, None)),
        Step(networks.FINETUNED, partial(_train_mdl, fields, nets / networks.FINETUNED, settings, seed, best)),
        Step(COUNTS, partial(_count, fields, home / COUNTS, seed)),
    ]


def name_labels(network: str, seed: int) -> str:
    """Name the label set of a network of a seed.

    Examples:
        >>> name_labels("cdl", 2)
        'cdl-seed-2'
    """
    return f"{network}-seed-{seed}"


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


def _import(data: Path, fields: Path, settings: RealSettings) -> Mapping[str, object]:
    if not (fields / "dataset.json").is_file():
        source = {
            "images": str(data / "images"),
            "labels": {TRUTH: str(data / "labels_curated")},
            "classes": ["background", "nucleus"],
            "groups": f"{data / 'index.csv'}:group",
            "instances": True,
            "split": settings.split,
            "seed": SPLIT_SEED,
        }
        write_imported(fields, source)
    dataset = open_dataset(fields)
    return {split: len(dataset.ids(split)) for split in SPLITS}


def _label(fields: Path) -> Mapping[str, object]:
    return {"fields": label_with_cip(fields, name=CIP, preset="nuclei")}


def _train_cdl(fields: Path, folder: Path, settings: RealSettings, seed: int) -> Mapping[str, object]:
    trained = networks.train(networks.CDL, fields, folder, settings.cropped(), epochs=settings.epochs, seed=seed)
    return {"commands": [trained, _predict(networks.CDL, fields, folder, seed)]}


def _train_mdl(
    fields: Path, folder: Path, settings: RealSettings, seed: int, init: Path | None
) -> Mapping[str, object]:
    """Train MDL for as many steps as CDL took: over fewer images, more epochs."""
    dataset = open_dataset(fields)
    few = choose_few(dataset, settings, seed=seed)
    view = write_view(dataset, folder.with_name(f"{folder.name}-fields"), ids=few, name=CURATED, source=TRUTH)
    n_few = len(set(few) & set(dataset.ids("training")))
    stretch = max(1, round(len(dataset.ids("training")) / n_few))
    recipe = settings.cropped(label_name=CURATED)
    epochs = settings.epochs * stretch
    trained = networks.train(networks.MDL, view, folder, recipe, epochs=epochs, seed=seed, init=init, stretch=stretch)
    return {"few": few, "epochs": epochs, "commands": [trained, _predict(networks.MDL, fields, folder, seed)]}


def _predict(bundle: str, fields: Path, folder: Path, seed: int) -> str:
    target = fields / "labels" / name_labels(folder.name, seed)
    return networks.predict(bundle, fields, folder / networks.BEST, target, split="test")


def _count(fields: Path, folder: Path, seed: int) -> Mapping[str, object]:
    dataset = open_dataset(fields)
    made = [name_labels(name, seed) for name in (networks.CDL, networks.MDL, networks.FINETUNED)]
    pairs = pair_methods(dataset, dict(zip(METHODS, (CIP, *made), strict=True)), reference=TRUTH)
    write_counts(count(pairs, dataset.classes), folder)
    return {"test": dataset.ids("test")}
