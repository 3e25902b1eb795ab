"""Cells that several experts annotated: how far they agree, and whether a network beats the expert it learnt from.

Layout of the data: images/<lab>_<id>.png, labels/expert_<n>/<lab>_<id>.png (0 or 255), perhaps
ignored_regions/<lab>_<id>.png, and index.csv with the columns id, lab, group.
"""

import csv
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.consensus import staple
from experiments.paper import networks
from experiments.paper.steps import Step
from experiments.real.nuclei import cropped
from experiments.real.scores import score_methods
from experiments.real.settings import RealSettings
from imaging.dataset import Case, Dataset, open_dataset, write_dataset
from imaging.files import read_image, write_image, write_label_map
from noisylabels.errors import InputError
from noisylabels.labels import ClassTable, LabelMap
from noisylabels.learning.splits import SPLITS, split_groups

CONSENSUS = "consensus"
CLASSES = ClassTable(("background", "cell"))
FOREGROUND = 127  # masks are 0 or 255


def list_steps(data: Path, home: Path, settings: RealSettings, *, seed: int) -> list[Step]:
    """List the steps of one seed: agreement in every laboratory, networks in the one with the most images.

    Args:
        data: The folder of the annotators' data.
        home: The folder of this seed.
        settings: How large.
        seed: Of the split and of the weights.
    """
    labs = read_labs(data)
    largest = max(labs, key=lambda lab: len(labs[lab]))
    folders = {lab: home / "fields" / lab for lab in labs}
    experts = experts_of(data, labs[largest])
    steps = [Step(f"{lab}-fields", partial(_write_lab, data, folders[lab], labs[lab], settings, seed)) for lab in labs]
    steps += [Step(f"{lab}-agreement", partial(_agree, folders[lab], settings, seed)) for lab in labs]
    for name in (*experts, CONSENSUS):
        folder = home / "networks" / name
        steps.append(Step(f"network-{name}", partial(_train, folders[largest], folder, settings, name, seed)))
    return [*steps, Step("scores", partial(_score, folders[largest], experts, settings, seed))]


def read_labs(data: Path) -> dict[str, list[Mapping[str, str]]]:
    """Read index.csv: the images of each laboratory.

    Raises:
        InputError: If there is no index, or it lacks a column.
    """
    path = data / "index.csv"
    rows = list(csv.DictReader(path.read_text().splitlines())) if path.is_file() else []
    if not rows or not {"id", "lab", "group"} <= set(rows[0]):
        got = ", ".join(rows[0]) if rows else "no rows"
        msg = f"{path} must list images with the columns id, lab and group, got {got}. Name the folder of the data."
        raise InputError(msg)
    labs: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        labs.setdefault(row["lab"], []).append(row)
    return labs


def experts_of(data: Path, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """List the experts who annotated every one of these images, as label sets: "expert-1", ..."""
    folders = sorted((data / "labels").glob("expert_*"))
    return [
        folder.name.replace("_", "-")
        for folder in folders
        if all((folder / f"{row['id']}.png").is_file() for row in rows)
    ]


def name_others(expert: str) -> str:
    """Name the consensus of all experts but one.

    Examples:
        >>> name_others("expert-3")
        'without-expert-3'
    """
    return f"without-{expert}"


def _write_lab(
    data: Path, folder: Path, rows: Sequence[Mapping[str, str]], settings: RealSettings, seed: int
) -> Mapping[str, Any]:
    """Write a dataset folder with every expert, the consensus of all (STAPLE), and that of all but one."""
    experts = experts_of(data, rows)
    groups = [row["group"] or row["id"] for row in rows]
    splits = split_groups(groups, settings.split, seed=seed)
    cases = []
    for row, group, split in zip(rows, groups, splits, strict=True):
        name = row["id"]
        write_image(folder / "images" / f"{name}.ome.tif", read_image(data / "images" / f"{name}.png")[:1])
        drawn = {expert: _read_mask(data, expert, name) for expert in experts}
        fused = {CONSENSUS: _fuse(list(drawn.values()))}
        fused |= {name_others(one): _fuse([drawn[other] for other in experts if other != one]) for one in experts}
        for label_set, label_map in (drawn | fused).items():
            write_label_map(folder / "labels" / label_set / f"{name}.tif", label_map)
        cases.append(Case(name, group, split, f"images/{name}.ome.tif"))
    cases.sort(key=lambda case: SPLITS.index(case.split))
    dataset = Dataset(folder, CLASSES, ("cells",), None, tuple(cases), {"experts": experts})
    write_dataset(dataset, label_name=CONSENSUS)
    return {"experts": experts} | {split: len(dataset.ids(split)) for split in SPLITS}


def _read_mask(data: Path, expert: str, name: str) -> LabelMap:
    """Read an expert's mask; an ignored region is background for everybody, so that all agree on it."""
    mask = read_image(data / "labels" / expert.replace("-", "_") / f"{name}.png")[0] > FOREGROUND
    ignored = data / "ignored_regions" / f"{name}.png"
    if ignored.is_file():
        mask &= read_image(ignored)[0] <= FOREGROUND
    label_map: LabelMap = mask.astype(np.uint8)
    return label_map


def _fuse(drawn: Sequence[LabelMap]) -> LabelMap:
    return staple(drawn, n_classes=len(CLASSES)).label_map


def _agree(folder: Path, settings: RealSettings, seed: int) -> Mapping[str, Any]:
    """Hold every expert against every other, and against the consensus of the others, on all images."""
    dataset = open_dataset(folder)
    experts = dataset.provenance["experts"]
    pairs = [
        score_methods(dataset, [other], reference=one, resamples=settings.resamples, seed=seed, split=None)["scores"][0]
        | {"reference": one}
        for one in experts
        for other in experts
        if one != other
    ]
    others = [
        score_methods(dataset, [one], reference=name_others(one), resamples=settings.resamples, seed=seed, split=None)[
            "scores"
        ][0]
        for one in experts
    ]
    return {"images": len(dataset.ids()), "pairs": pairs, "against_others": others}


def _train(folder: Path, network: Path, settings: RealSettings, name: str, seed: int) -> Mapping[str, Any]:
    intervals = {"val_interval": max(1, settings.epochs // 6), "learning_rate_period": max(1, settings.epochs // 5)}
    recipe = cropped(settings, label_name=name, **intervals)
    trained = networks.train(networks.MDL, folder, network, recipe, epochs=settings.epochs, seed=seed)
    target = folder / "labels" / f"network-{name}"
    predicted = networks.predict(networks.MDL, folder, network / networks.BEST, target, split="test")
    return {"commands": [trained, predicted]}


def _score(folder: Path, experts: Sequence[str], settings: RealSettings, seed: int) -> Mapping[str, Any]:
    """Hold each network and its expert against the consensus of the others; and the network of the consensus."""
    dataset = open_dataset(folder)
    score = partial(score_methods, dataset, resamples=settings.resamples, seed=seed)
    by_expert = {
        one: {
            "others": score([one, f"network-{one}", f"network-{CONSENSUS}"], reference=name_others(one)),
            "own": score([f"network-{one}"], reference=one),
        }
        for one in experts
    }
    return {"by_expert": by_expert, "test": len(dataset.ids("test"))}
