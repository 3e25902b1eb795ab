"""Scores that order the queue: where two methods disagree, where a network is unsure, or any table."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from noisylabels.annotation.fields import dataset_of, fields_of, start_map
from noisylabels.annotation.networks import load_network, read_for_network
from noisylabels.annotation.project import Project
from noisylabels.data.errors import InputError
from noisylabels.data.labels import IGNORE_INDEX, LabelMap


def disagreement(first: LabelMap, second: LabelMap) -> float:
    """Measure how far two label maps disagree: pixels of different class among those that either calls an event.

    Returns:
        A share in [0, 1]; 0 if both are empty. Ignored pixels of either are left out.

    Examples:
        >>> disagreement(np.array([[1, 1, 2, 0]], np.uint8), np.array([[1, 0, 1, 0]], np.uint8))
        0.6666666666666666
    """
    judged = (first != IGNORE_INDEX) & (second != IGNORE_INDEX)
    events = judged & ((first > 0) | (second > 0))
    return float((first != second)[events].mean()) if events.any() else 0.0


def measure_disagreement(project: Project, methods: Sequence[str]) -> dict[str, float]:
    """Score every field by the disagreement of two label sets; fields that lack one are left out.

    Raises:
        InputError: If the dataset folder has no such label set.
    """
    dataset = dataset_of(project)
    for method in methods:
        dataset.require_labels(method)
    return {
        field.name: disagreement(*(start_map(project, field, method)[0] for method in methods))
        for field in fields_of(project)
        if all(dataset.label_path(method, field.case_id).is_file() for method in methods)
    }


def measure_uncertainty(project: Project, bundle: str, checkpoint: Path) -> dict[str, float]:
    """Score every field by the mean entropy of a network's class probabilities, in bits per pixel.

    The network sees each whole image as in `noisylabels predict`; a quarter gets the mean over its own pixels.

    Args:
        project: An open project.
        bundle: The network's bundle.
        checkpoint: Its trained weights.
    """
    dataset = dataset_of(project)
    maps: dict[str, np.ndarray] = {}
    scores = {}
    network = load_network(bundle, checkpoint)
    for field in sorted(fields_of(project), key=lambda field: field.case_id):
        if field.case_id not in maps:
            maps = {field.case_id: _entropy(network.probabilities(read_for_network(dataset.image_path(field.case_id))))}
        scores[field.name] = float(maps[field.case_id][field.window.slices].mean())
    return scores


def read_scores(path: Path) -> dict[str, float]:
    """Read scores from a CSV with the columns `field` and `value`.

    Raises:
        InputError: Naming every line that is not a field and a number.
    """
    if not path.is_file():
        msg = f"{path} must be a CSV file, but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    scores, faults = {}, []
    for line, row in enumerate(rows, start=2):
        try:
            scores[row["field"]] = float(row["value"])
        except (KeyError, TypeError, ValueError):
            faults.append(f"line {line}: {row}")
    if faults or not rows:
        listed = "\n".join(faults) or "no rows"
        msg = f"{path} must have the columns field and value (a number), got:\n{listed}\nMend these lines."
        raise InputError(msg)
    return scores


def share_with_quarters(project: Project, scores: Mapping[str, float]) -> dict[str, float]:
    """Assign the score of a whole field to each of its quarters that has none of its own.

    Names that are neither fields of the project nor cut in quarters stay as they are, to be refused by name.

    Args:
        project: An open project.
        scores: Score by field name or by id of the dataset's case.
    """
    shared = dict(scores)
    for field in fields_of(project):
        if field.parent is not None and field.parent in scores:
            shared.setdefault(field.name, scores[field.parent])
            shared.pop(field.parent, None)
    return shared


def _entropy(chances: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the entropy of (class, row, column) probabilities at every pixel, in bits."""
    bits: NDArray[np.float64] = -(chances * np.log2(np.maximum(chances, 1e-12))).sum(axis=0)
    return bits
