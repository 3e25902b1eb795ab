"""Pixels: confident learning, one field at a time.

Flags are those of cleanlab's `segmentation.filter.find_label_issues` (Northcutt, Jiang and Chuang 2021,
doi:10.1613/jair.1.12125). Own implementation in two passes over the fields, which keeps only the pixels that the model
would label otherwise, not all of them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.errors import InputError

Labels = NDArray[np.integer]
Probabilities = NDArray[np.floating]
LabelledField = tuple[Labels, Probabilities]
Places = NDArray[np.int32]

MARGIN = 1e-6
LOWEST_THRESHOLD = 2e-6
UNSURE = 0.51
SUM_TOLERANCE = 0.01
TEMPERATURE = 0.1


@dataclass(frozen=True)
class LabelledFields:
    """Labels and predictions that can be read more than once.

    Args:
        read: Starts a new pass; yields per field the (row, column) labels and the (class, row, column) probabilities.
    """

    read: Callable[[], Iterable[LabelledField]]

    def __iter__(self) -> Iterator[LabelledField]:
        """Start a new pass."""
        return iter(self.read())


class PixelIssues(NamedTuple):
    """What confident learning found.

    Args:
        thresholds: (class,) mean probability of each class over the pixels labelled so.
        flagged: Per field, the flat positions of the flagged pixels.
    """

    thresholds: NDArray[np.float64]
    flagged: list[Places]


class _Dispute(NamedTuple):
    places: Places
    """Flat positions where the model's class is not the label."""
    own: NDArray[Any]
    """Probability of the label there."""
    unsure: NDArray[Any]
    """Probability of the label where the model agrees, but hardly."""
    confident: NDArray[np.bool_]
    """Whether the model's class reaches its threshold, at the places."""


def find_label_issues(
    labels: Sequence[Labels],
    probabilities: Sequence[Probabilities],
    *,
    ignore_index: int | None = None,
) -> NDArray[np.bool_]:
    """Flag the pixels that are probably labelled wrongly.

    Args:
        labels: (field, row, column) class indices, an array, a memory map or a list. Not modified.
        probabilities: (field, class, row, column) out-of-fold predicted probabilities. Not modified.
        ignore_index: Label of pixels that count neither way.

    Returns:
        (field, row, column) booleans.

    Raises:
        InputError: If the two do not belong together or the probabilities do not sum to 1.

    Examples:
        >>> labels = np.array([[[0, 0, 1, 0]]])
        >>> foreground = np.array([[[0.1, 0.2, 0.9, 0.95]]])
        >>> find_label_issues(labels, np.stack([1 - foreground, foreground], axis=1))
        array([[[False, False, False,  True]]])
    """
    if len(labels) != len(probabilities):
        msg = f"Labels and probabilities must be as many, got {len(labels)} and {len(probabilities)}. Pair them."
        raise InputError(msg)
    fields = LabelledFields(lambda: zip(labels, probabilities, strict=True))
    flags = np.zeros((len(labels), *np.shape(labels[0])) if len(labels) else (0, 0, 0), bool)
    for field, places in zip(flags, find_issues(fields, ignore_index=ignore_index).flagged, strict=True):
        field.reshape(-1)[places] = True
    return flags


def find_issues(fields: LabelledFields, *, ignore_index: int | None = None) -> PixelIssues:
    """Flag pixels in fields that are read one at a time, twice.

    A pixel that the model would label otherwise is an issue if it is among the n least self-confident of all pixels; n
    is the number of pixels whose predicted class is at least as probable as that class is, on average, where it is
    the label. Of pixels that are equally self-confident as many are taken as fill the n, those that numpy's sort puts
    first, as in cleanlab; which ones may differ between kinds of processors.

    Args:
        fields: The fields.
        ignore_index: Label of pixels that count neither way.

    Raises:
        InputError: If the arrays of a field do not belong together or the probabilities do not sum to 1.
    """
    thresholds = _class_thresholds(fields, ignore_index)
    n_issues, disputed, unsure = 0, [], []
    for field in fields:
        places, own, hardly, confident = _dispute(*_checked(*field, ignore_index), thresholds - MARGIN)
        disputed.append((places, own))
        unsure.append(hardly)
        n_issues += int(confident.sum())
    if n_issues == 0:
        return PixelIssues(thresholds, [places[:0] for places, _ in disputed])
    candidates = np.concatenate([*(own for _, own in disputed), *unsure])
    cutoff = np.partition(candidates, n_issues - 1)[n_issues - 1]
    if np.count_nonzero(candidates <= cutoff) == n_issues:
        return PixelIssues(thresholds, [places[own <= cutoff] for places, own in disputed])
    least = _least_confident(fields, ignore_index, n_issues)
    return PixelIssues(thresholds, [places[mask[places]] for mask, (places, _) in zip(least, disputed, strict=True)])


def score_field(labels: Labels, probabilities: Probabilities, *, ignore_index: int | None = None) -> float:
    """Score the label quality of one field: 1 = all pixels agree with the model, 0 = at least some do not at all.

    The soft minimum of the pixels' self-confidence, as cleanlab's `segmentation.rank.get_label_quality_scores`.

    Args:
        labels: (row, column) class indices.
        probabilities: (class, row, column) probabilities.
        ignore_index: Label of pixels that are left out; nan if no others are there.
    """
    own, _ = _self_confidence(labels, probabilities, ignore_index)
    if len(own) == 0:
        return float("nan")
    weights = np.exp((1 - own.astype(np.float64)) / TEMPERATURE)
    return float(own @ weights / weights.sum())


def _self_confidence(
    labels: Labels, probabilities: Probabilities, ignore_index: int | None
) -> tuple[Probabilities, NDArray[np.bool_]]:
    flat, predicted, counted = _checked(labels, probabilities, ignore_index)
    own = np.take_along_axis(predicted, flat[None], axis=0)[0]
    counted = np.ones(len(own), bool) if counted is None else counted
    return own[counted], counted


def _least_confident(fields: LabelledFields, ignore_index: int | None, n_issues: int) -> list[NDArray[np.bool_]]:
    owns, masks = zip(*(_self_confidence(*field, ignore_index) for field in fields), strict=True)
    least = np.zeros(sum(map(len, owns)), bool)
    least[np.concatenate(owns).argsort()[:n_issues]] = True
    start = 0
    for own, mask in zip(owns, masks, strict=True):
        mask[mask] = least[start : start + len(own)]
        start += len(own)
    return list(masks)


def _class_thresholds(fields: LabelledFields, ignore_index: int | None) -> NDArray[np.float64]:
    thresholds = counts = np.zeros(0)
    for field in fields:
        labels, probabilities, counted = _checked(*field, ignore_index)
        if len(counts) == 0:
            thresholds, counts = np.zeros(len(probabilities)), np.zeros(len(probabilities))
        for index, predicted in enumerate(probabilities):
            mine = predicted[labels == index] if counted is None else predicted[(labels == index) & counted]
            if len(mine):
                mean = max(float(mine.mean()), LOWEST_THRESHOLD)
                thresholds[index] = (counts[index] * thresholds[index] + len(mine) * mean) / (counts[index] + len(mine))
                counts[index] += len(mine)
    return np.maximum(thresholds, LOWEST_THRESHOLD)


def _dispute(
    labels: Labels,
    probabilities: Probabilities,
    counted: NDArray[np.bool_] | None,
    thresholds: NDArray[np.float64],
) -> _Dispute:
    best, most = np.zeros(labels.shape, np.uint8), probabilities[0].copy()
    own = np.where(labels == 0, most, 0)
    for index, predicted in enumerate(probabilities[1:], start=1):
        best[predicted > most] = index
        np.maximum(most, predicted, out=most)
        np.copyto(own, predicted, where=labels == index)
    differs = best != labels
    hardly = own <= UNSURE
    if counted is not None:
        differs, hardly = differs & counted, hardly & counted
    places = np.flatnonzero(differs).astype(np.int32)
    return _Dispute(places, own[places], own[hardly & ~differs], most[places] >= thresholds[best[places]])


def _checked(
    labels: Labels, probabilities: Probabilities, ignore_index: int | None
) -> tuple[NDArray[np.integer], NDArray[np.floating], NDArray[np.bool_] | None]:
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if probabilities.ndim != 3 or probabilities.shape[1:] != labels.shape or len(probabilities) > 256:
        msg = (
            f"Probabilities must be (class, row, column) with the rows and columns of the labels, {labels.shape}, "
            f"and at most 256 classes, got {probabilities.shape}. Pair each field with its own prediction."
        )
        raise InputError(msg)
    flat, predicted = labels.reshape(-1), probabilities.reshape(len(probabilities), -1)
    if predicted.size and not np.abs(predicted.sum(axis=0) - 1).max() <= SUM_TOLERANCE:
        msg = "Probabilities of a pixel must sum to 1, got others. Apply a softmax to the network's output first."
        raise InputError(msg)
    counted = None if ignore_index is None else flat != ignore_index
    if counted is not None:
        flat = np.where(counted, flat, 0)
    if flat.size and not (flat.min() >= 0 and flat.max() < len(predicted)):
        msg = f"Labels must be class indices 0..{len(predicted) - 1}, got {flat.min()}..{flat.max()}. Map them first."
        raise InputError(msg)
    return flat, predicted, counted
