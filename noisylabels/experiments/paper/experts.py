"""Simulated experts: what each holds to be true, how each corrects a prediction. Nobody real looked at these fields.

An expert's *opinion* is the truth, corrupted by a noise model that was fitted to real experts
(`noisylabels.noise.presets`) and turned into one person. A *correction* starts from a prediction: an event that agrees
with the opinion is left as it is drawn, so that corrected maps lean towards the method that was corrected. That is what
the study looks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.events import label_events
from noisylabels.data.images import write_label_map
from noisylabels.data.keys import combine_keys, generator
from noisylabels.data.labels import LabelMap
from noisylabels.experiments.paper.screen import TRUTH
from noisylabels.noise.presets import as_annotator, make_preset

LEAVE_IOU = 0.5
"""A predicted event whose mask overlaps the opinion's as much as this, of the same class, is left as it is."""
DILIGENCE = 0.9
"""Probability that an event that disagrees is noticed and corrected."""

CORRECTED, REDRAWN = "corrected", "redrawn"


@dataclass(frozen=True)
class Expert:
    """One simulated expert.

    Args:
        name: Name, and name of the label set of opinions.
        preset: Noise model fitted to real experts.
        group: One of the two groups that draw boxes.
    """

    name: str
    preset: str
    group: str


EXPERTS = (
    Expert("simulated-a1", "careful", "group A"),
    Expert("simulated-a2", "careful", "group A"),
    Expert("simulated-b1", "conservative", "group B"),
    Expert("simulated-b2", "liberal", "group B"),
)


class Correction(NamedTuple):
    """What an expert made of a prediction.

    Args:
        label_map: (row, column) uint8.
        left: Predicted events that were left as they were, because they agree.
        erased: Predicted events that were erased.
        added: Events that were drawn anew.
        overlooked: Predicted or missing events that should have been corrected and were not.
    """

    label_map: LabelMap
    left: int
    erased: int
    added: int
    overlooked: int


def draw_opinions(folder: Path, *, seed: int) -> Mapping[str, object]:
    """Write every expert's opinion of every quarter: the truth as this person would draw it from nothing.

    Args:
        folder: Dataset folder of quarters with their truth; one label set per expert is added.
        seed: Of the experts.

    Returns:
        The number of quarters.
    """
    quarters = open_dataset(folder)
    for expert in EXPERTS:
        model = as_annotator(make_preset(expert.preset, quarters.classes, seed=seed), expert.name)
        for case_id in quarters.ids():
            drawn = model.apply(
                quarters.label_map(TRUTH, case_id),
                quarters.image(case_id),
                image_id=case_id,
                channel_names=quarters.channel_names,
            )
            write_label_map(quarters.label_path(expert.name, case_id), drawn.label_map)
    return {"quarters": len(quarters.ids())}


def correct_quarters(folder: Path, *, method: str, seed: int) -> Mapping[str, object]:
    """Assign the quarters to the experts in turn; each corrects the method's label maps of hers.

    Args:
        folder: Dataset folder of quarters with the method's label maps and the opinions; two label sets are added:
            `corrected`, and `redrawn`, the same expert's opinion, which no prediction has led.
        method: The label set that is corrected.
        seed: Of what is noticed.

    Returns:
        The number of events left, erased, added and overlooked.
    """
    quarters = open_dataset(folder)
    totals = dict.fromkeys(Correction._fields[1:], 0)
    for place, case_id in enumerate(sorted(quarters.ids())):
        expert = EXPERTS[place % len(EXPERTS)]
        opinion = quarters.label_map(expert.name, case_id)
        rng = generator(combine_keys(seed, "correction", expert.name, case_id))
        correction = correct_prediction(quarters.label_map(method, case_id), opinion, rng=rng)
        write_label_map(quarters.label_path(CORRECTED, case_id), correction.label_map)
        write_label_map(quarters.label_path(REDRAWN, case_id), opinion)
        totals = {name: total + getattr(correction, name) for name, total in totals.items()}
    return totals


def correct_prediction(
    prediction: LabelMap,
    opinion: LabelMap,
    *,
    leave_iou: float = LEAVE_IOU,
    diligence: float = DILIGENCE,
    rng: np.random.Generator,
) -> Correction:
    """Correct a prediction as somebody does who redraws only what she disagrees with.

    Args:
        prediction: (row, column) class indices. Not modified.
        opinion: (row, column) class indices: what the expert would have drawn from nothing. Not modified.
        leave_iou: From which overlap of masks, within a class, the prediction is left as it is.
        diligence: Probability that an event that disagrees is corrected.
        rng: Source of randomness.

    Examples:
        >>> prediction = np.array([[1, 1, 0, 0, 2]], np.uint8)
        >>> opinion = np.array([[1, 0, 0, 1, 0]], np.uint8)
        >>> correction = correct_prediction(prediction, opinion, diligence=1, rng=np.random.default_rng(0))
        >>> correction.label_map  # the first event is good enough, the last is erased, one is added
        array([[1, 1, 0, 1, 0]], dtype=uint8)
        >>> correction.left, correction.erased, correction.added, correction.overlooked
        (1, 1, 1, 0)
    """
    found, found_classes = label_events(prediction)
    meant, meant_classes = label_events(opinion)
    overlaps = _overlaps(found, len(found_classes), meant, len(meant_classes))
    agrees = (overlaps >= leave_iou) & (found_classes[:, None] == meant_classes)
    left, settled = np.any(agrees, axis=1), np.any(agrees, axis=0)
    erased = ~left & (rng.random(len(found_classes)) < diligence)
    added = ~settled & (rng.random(len(meant_classes)) < diligence)
    kept = np.concatenate([[0], np.where(erased, 0, found_classes)]).astype(np.uint8)[found]
    drawn = np.concatenate([[False], added])[meant]
    label_map = np.where(drawn, opinion, kept).astype(np.uint8)
    overlooked = int((~left & ~erased).sum() + (~settled & ~added).sum())
    return Correction(label_map, int(left.sum()), int(erased.sum()), int(added.sum()), overlooked)


def _overlaps(found: NDArray[np.int32], n_found: int, meant: NDArray[np.int32], n_meant: int) -> NDArray[np.float64]:
    """(found, meant) IoU of the events' masks."""
    both = np.bincount(
        found.ravel().astype(np.int64) * (n_meant + 1) + meant.ravel(), minlength=(n_found + 1) * (n_meant + 1)
    )
    shared = both.reshape(n_found + 1, n_meant + 1)
    union = shared.sum(1)[1:, None] + shared.sum(0)[1:] - shared[1:, 1:]
    overlaps: NDArray[np.float64] = shared[1:, 1:] / np.maximum(union, 1)
    return overlaps


def dose_truth(quarters: Dataset, *, rate: float, seed: int) -> None:
    """Write label maps of known dose: the truth with this share of its events missed, as label set `missed-<rate>`."""
    from noisylabels.noise.model import NoiseModel

    model = NoiseModel.from_dict({"classes": list(quarters.classes), "seed": seed, "missed": {"rate": rate}})
    for case_id in quarters.ids():
        noisy = model.apply(quarters.label_map(TRUTH, case_id), image_id=case_id).label_map
        write_label_map(quarters.label_path(name_dose(rate), case_id), noisy)


def name_dose(rate: float) -> str:
    """Return the name of the label set of a known dose.

    Examples:
        >>> name_dose(0.3)
        'missed-0.3'
    """
    return f"missed-{rate:g}"
