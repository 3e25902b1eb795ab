"""Correcting labels event by event while a network learns, where its teacher is sure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.engines.utils import default_prepare_batch
from numpy.typing import NDArray
from scipy import ndimage as ndi
from torch import Tensor

from noisylabels.data.errors import InputError
from noisylabels.data.events import EIGHT_CONNECTED, label_events
from noisylabels.data.labels import IGNORE_INDEX
from noisylabels.learning.robust.teacher import EMATeacher


@dataclass(frozen=True)
class CorrectionRules:
    """When the teacher may overrule a label. All are mean probabilities over an event's pixels, in [0, 1].

    Args:
        add_above: A predicted event that touches no labelled one is added above this mean confidence (missed events).
        relabel_above: A labelled event gets another class above this mean probability of that class (misclassified).
        ignore_below: A labelled event is ignored below this mean probability of being any event (spurious). 0, the
            default, ignores none: a teacher that has not learnt an event yet would delete its true label. Raise it only
            with a start that waits for each class (`EarlyLearningTrigger`).
        min_area_px: Predicted events of fewer pixels are never added.
    """

    add_above: float = 0.8
    relabel_above: float = 0.8
    ignore_below: float = 0.0
    min_area_px: int = 4

    def __post_init__(self) -> None:
        levels = (self.add_above, self.relabel_above, self.ignore_below)
        if not all(0 <= level <= 1 for level in levels) or self.min_area_px < 1:
            msg = f"Correction levels must be in [0, 1] and min_area_px at least 1, got {self}. Write 0.8 for 80 %."
            raise InputError(msg)


def correct_events(
    label_map: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
    rules: CorrectionRules,
    *,
    only: Collection[int] | None = None,
) -> tuple[NDArray[np.uint8], dict[str, int]]:
    """Correct whole events of one field where the teacher is sure: add, relabel or ignore them.

    The idea of AIO2's object-wise correction (Liu et al. 2024, arXiv 2403.01641), extended from adding to relabelling
    and ignoring. Each step starts from the labels as given; corrections do not pile up.

    Args:
        label_map: (row, column) class indices as labelled. Not modified.
        probabilities: (class, row, column) of the teacher.
        rules: The levels.
        only: Classes that may be added, relabelled to or ignored; None: all.

    Returns:
        The corrected (row, column) label map, `IGNORE_INDEX` where an event is ignored, and how many events were added,
        relabelled and ignored.

    Examples:
        >>> labels = np.array([[0, 0, 0, 1]], np.uint8)
        >>> sure = np.array([[[0.1, 1.0, 1.0, 0.1]], [[0.9, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.9]]])
        >>> correct_events(labels, sure, CorrectionRules(min_area_px=1))
        (array([[1, 0, 0, 2]], dtype=uint8), {'added': 1, 'relabelled': 1, 'ignored': 0})
    """
    corrected = label_map.copy()
    counts = {"added": 0, "relabelled": 0, "ignored": 0}
    allowed = frozenset(range(1, len(probabilities)) if only is None else only)
    _judge_labelled(label_map, probabilities, rules, allowed, corrected, counts)
    _add_missed(label_map, probabilities, rules, allowed, corrected, counts)
    return corrected, counts


def _judge_labelled(
    label_map: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
    rules: CorrectionRules,
    allowed: frozenset[int],
    corrected: NDArray[np.uint8],
    counts: dict[str, int],
) -> None:
    instances, classes = label_events(np.where(label_map == IGNORE_INDEX, 0, label_map).astype(np.uint8))
    if len(classes) == 0:
        return
    ids = np.arange(1, len(classes) + 1)
    means = np.stack([ndi.mean(channel, instances, ids) for channel in probabilities])
    best = means[1:].argmax(0) + 1
    for event, (own, other) in enumerate(zip(classes, best, strict=True), start=1):
        if own in allowed and 1 - means[0, event - 1] < rules.ignore_below:
            corrected[instances == event] = IGNORE_INDEX
            counts["ignored"] += 1
        elif other in allowed and other != own and means[other, event - 1] > rules.relabel_above:
            corrected[instances == event] = other
            counts["relabelled"] += 1


def _add_missed(
    label_map: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
    rules: CorrectionRules,
    allowed: frozenset[int],
    corrected: NDArray[np.uint8],
    counts: dict[str, int],
) -> None:
    predicted = probabilities.argmax(0).astype(np.uint8)
    instances, classes = label_events(predicted)
    taken = ndi.binary_dilation(label_map > 0, EIGHT_CONNECTED)
    touching = set(np.unique(instances[taken]).tolist())
    for event, index in enumerate(classes, start=1):
        if event in touching or index not in allowed:
            continue
        mask = instances == event
        if mask.sum() >= rules.min_area_px and probabilities[index][mask].mean() > rules.add_above:
            corrected[mask] = index
            counts["added"] += 1


class OnlineCorrection:
    """Correct each batch's labels by a teacher, once a trigger lets it: a trainer's `prepare_batch`.

    Args:
        teacher: The teacher.
        rules: The levels, or a mapping of them (as a config writes it).
        start: Called at each batch: the classes whose labels may be corrected by now. An int is the first epoch
            (1-based) from which all may be.

    Examples:
        >>> correction = OnlineCorrection(EMATeacher(torch.nn.Conv2d(1, 2, 1)), start=2)
        >>> image, label = correction({"image": torch.zeros(1, 1, 4, 4), "label": torch.zeros(1, 1, 4, 4)})
        >>> label.sum().item()  # epoch 0: labels as they are
        0.0
    """

    def __init__(
        self,
        teacher: EMATeacher,
        rules: CorrectionRules | Mapping[str, Any] | None = None,
        start: int | Callable[[], Collection[int]] = 3,
    ) -> None:
        self.teacher = teacher
        self.rules = rules if isinstance(rules, CorrectionRules) else CorrectionRules(**(rules or {}))
        self.start = start
        self.epoch = 0
        self.counts = {"added": 0, "relabelled": 0, "ignored": 0}

    def __call__(
        self, batchdata: Mapping[str, object], device: object = None, non_blocking: bool = False, **kwargs: object
    ) -> Any:
        """Move a batch to the device as MONAI does, then correct its labels."""
        images, labels, *rest = default_prepare_batch(batchdata, device, non_blocking, **kwargs)
        only = self._allowed()
        if labels is not None and (only is None or only):
            labels = self._corrected(images, labels, only)
        return (images, labels, *rest)

    def attach(self, engine: Engine) -> None:
        """Follow a trainer: update the teacher after each step, know the epoch, count corrections per epoch."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.teacher.update)
        engine.add_event_handler(Events.EPOCH_STARTED, self._begin)

    def _begin(self, engine: Engine) -> None:
        self.epoch = engine.state.epoch
        self.counts = dict.fromkeys(self.counts, 0)

    def _allowed(self) -> Collection[int] | None:
        if isinstance(self.start, int):
            return None if self.epoch >= self.start else ()
        return self.start()

    def _corrected(self, images: Tensor, labels: Tensor, only: Collection[int] | None) -> Tensor:
        probabilities = self.teacher(images).cpu().numpy()
        maps = labels[:, 0].cpu().numpy().astype(np.uint8)
        corrected = []
        for label_map, field in zip(maps, probabilities, strict=True):
            new, counts = correct_events(label_map, field, self.rules, only=only)
            corrected.append(new)
            self.counts = {kind: self.counts[kind] + counts[kind] for kind in self.counts}
        return torch.as_tensor(np.stack(corrected)[:, None], device=labels.device, dtype=labels.dtype)
